/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/journal.h"

#include "tests/support/check.h"

static struct strbuf text;
static struct journal_report report;
static size_t taken;
static char last_path[512];

static void take(void *context, const struct journal_record *record)
{
    (void)context;
    taken++;
    (void)snprintf(last_path, sizeof(last_path), "%s", record->path);
}

static struct journal_record sample(const char *path)
{
    return (struct journal_record){.verb = JOURNAL_WANT,
                                   .object = API_FILE,
                                   .ace = {SD_DENIED, SD_TREE, 0x000d017f, sid_nt(21, 7)},
                                   .kept = true,
                                   .id = {7, 0xffffffffffffffffULL},
                                   .holder = "session 1%",
                                   .via = "-",
                                   .path = path};
}

static void write_head(void)
{
    strbuf_deinit(&text);
    strbuf_puts(&text, JOURNAL_HEAD);
}

static void read_all(const char *bytes, size_t len)
{
    char *copy = malloc(len + 1); /* so that a sanitizer sees a read behind it */

    CHECK(copy != NULL);
    memcpy(copy, bytes, len);
    taken = 0;
    journal_read(copy, len, take, NULL, &report);
    free(copy);
}

TEST(a_line_says_all_of_its_record)
{
    static const char *const paths[] = {"C:\\a b\\c", "C:\\x\n\ty", "C:\\\xc3\xa9 %41", "-",
                                        "HKLM\\Software\\x"};

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const struct journal_record in = sample(paths[i]);
        struct journal_record out;
        struct strbuf line = STRBUF_INIT;

        journal_print(&in, &line);
        CHECK(journal_parse(line.data, line.len - 1, &out));
        CHECK(out.verb == in.verb && out.object == in.object && out.kept == in.kept);
        CHECK(out.ace.type == in.ace.type && out.ace.flags == in.ace.flags);
        CHECK(out.ace.mask == in.ace.mask && sid_equal(&out.ace.sid, &in.ace.sid));
        CHECK(out.id.volume == in.id.volume && out.id.file == in.id.file);
        CHECK_STR(out.path, in.path);
        CHECK_STR(out.holder, in.holder);
        CHECK_STR(out.via, in.via);
        strbuf_deinit(&line);
    }
}

TEST(a_cut_at_any_byte_loses_the_last_line_alone)
{
    const struct journal_record one = sample("C:\\one"), two = sample("C:\\two");
    size_t first;

    write_head();
    journal_print(&one, &text);
    first = text.len;
    journal_print(&two, &text);
    for (size_t cut = first; cut < text.len; cut++) {
        read_all(text.data, cut);
        CHECK(taken == 1 && !report.damaged && report.torn == (cut > first));
        CHECK_STR(last_path, "C:\\one");
    }
    read_all(text.data, text.len);
    CHECK(taken == 2 && !report.torn && !report.damaged);
}

TEST(any_changed_byte_of_a_line_is_damage)
{
    const struct journal_record one = sample("C:\\one"), two = sample("C:\\two");
    const size_t head = sizeof(JOURNAL_HEAD) - 1;

    write_head();
    journal_print(&one, &text);
    journal_print(&two, &text);
    for (size_t at = head; at + 1 < text.len; at++) {
        const char was = text.data[at];

        text.data[at] = (char)(was ^ 1);
        read_all(text.data, text.len);
        CHECK(report.damaged);
        text.data[at] = was;
    }
}

TEST(padding_nothing_and_other_files_are_damage)
{
    static const char zeros[4096];

    read_all(zeros, sizeof(zeros));
    CHECK(report.damaged && taken == 0);
    read_all("", 0);
    CHECK(report.damaged && taken == 0);
    read_all("{\"principals\":{}}\n", 18);
    CHECK(report.damaged && taken == 0);
    write_head();
    strbuf_add(&text, zeros, 16);
    read_all(text.data, text.len);
    CHECK(report.damaged);
    read_all(JOURNAL_HEAD, sizeof(JOURNAL_HEAD) - 1);
    CHECK(!report.damaged && !report.torn && taken == 0);
}

TEST(a_line_with_a_checksum_of_its_own_is_still_looked_at)
{
    struct journal_record bad[5];

    for (size_t i = 0; i < 5; i++) {
        bad[i] = sample("C:\\x");
    }
    bad[0].path = "";
    bad[1].ace.sid.len = 0;     /* an entry for nobody */
    bad[2].verb = JOURNAL_MADE; /* made, with somebody */
    bad[3].ace.type = SD_ALLOWED_OBJECT;
    bad[4].object = (enum api_object)2;
    for (size_t i = 0; i < 5; i++) {
        write_head();
        journal_print(&bad[i], &text);
        read_all(text.data, text.len);
        CHECK(taken == 0 && report.damaged);
    }
}

TEST_MAIN()
