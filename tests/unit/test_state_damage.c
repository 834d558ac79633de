/* SPDX-License-Identifier: Apache-2.0 */
/* A journal that cannot be believed: lost, damaged, hostile, or not to be read. */
#include "tests/unit/state_world.h"

static void damage(const char *bytes, size_t len)
{
    struct fake_file *log = fake_file(&world, LOG);

    strbuf_deinit(&log->text);
    strbuf_add(&log->text, bytes, len);
}

TEST(entries_of_a_lost_journal_are_found_and_taken_off)
{
    static const char zeros[512];
    const struct state_target targets[] = {denied("C:\\w\\a"), denied("C:\\w\\b")};

    start();
    CHECK(apply(JOB, "s1", targets, 2) == CORDON_OK);
    stop();
    damage(zeros, sizeof(zeros));
    CHECK(reopen() == CORDON_OK);
    CHECK(!any_entry() && state_size(state) == 0);
    CHECK(strstr(state_notices(state), "is damaged; it is set aside as") != NULL);
    CHECK(fake_file(&world, FOLDER "\\acl.bad") != NULL);
    CHECK(apply(JOB, "s1", targets, 2) == CORDON_OK && count(JOB, "C:\\w\\a") == 1);
}

TEST(a_folder_to_look_in_may_be_gone)
{
    start();
    stop();
    damage("", 0);
    for (size_t i = 0; i < world.node_count; i++) {
        if (strncmp(world.nodes[i].path, roots[0], strlen(roots[0])) == 0) {
            world.nodes[i].path[0] = '\0';
        }
    }
    CHECK(reopen() == CORDON_OK && state_size(state) == 0);
    CHECK(strstr(state_notices(state), "is damaged") != NULL);
    CHECK(strstr(state_notices(state), "looking for entries") == NULL);
}

TEST(good_lines_of_a_bad_journal_are_hints)
{
    const struct state_target targets[] = {denied("D:\\far"), making("D:\\made", STATE_MAKE_FILE)};
    struct fake_file *log;

    start();
    (void)fake_add(&world, API_FILE, "D:\\far", NULL);
    CHECK(apply(JOB, "s1", targets, 2) == CORDON_OK);
    stop();
    log = fake_file(&world, LOG);
    strbuf_puts(&log->text, "rubbish\n");
    CHECK(reopen() == CORDON_OK);
    CHECK(!any_entry() && state_size(state) == 0);
    CHECK(fake_find(&world, API_FILE, "D:\\made") == NULL);
}

TEST(a_hostile_journal_has_no_power)
{
    const struct journal_record hostile[] = {
        {JOURNAL_DROP, API_FILE, {SD_DENIED, 0, 1, sid_of(OTHER)}, false, {0, 0}, "", "", "C:\\x"},
        {JOURNAL_MADE, API_FILE, {0}, false, {0, 0}, "", "", "C:\\precious"},
    };
    struct strbuf text = STRBUF_INIT;

    start();
    (void)fake_add(&world, API_FILE, "C:\\x", "O:SYD:(D;;0x1;;;" OTHER ")(A;;FA;;;WD)");
    fake_add(&world, API_FILE, "C:\\precious", NULL)->info.empty = false;
    stop();
    strbuf_puts(&text, JOURNAL_HEAD);
    journal_print(&hostile[0], &text);
    journal_print(&hostile[1], &text);
    damage(text.data, text.len);
    strbuf_deinit(&text);
    CHECK(reopen() == CORDON_OK);
    CHECK_STR(list("C:\\x"), "D:(D;;0x1;;;" OTHER ")(A;;0x1f01ff;;;S-1-1-0)");
    CHECK(fake_find(&world, API_FILE, "C:\\precious") != NULL);
    CHECK(state_size(state) == 0);
}

TEST(a_journal_that_cannot_be_read_is_set_aside)
{
    const struct state_target targets[] = {denied("C:\\w\\a")};

    start();
    CHECK(apply(JOB, "s1", targets, 1) == CORDON_OK);
    stop();
    tap.fail_at = tap.calls + 2; /* lock, then the journal */
    tap.fail_code = API_ACCESS_DENIED;
    tap.fail_count = 1;
    CHECK(reopen() == CORDON_OK && count(JOB, "C:\\w\\a") == 1);
    CHECK_STR(state_notices(state), "");
    stop();
    tap.fail_at = tap.calls + 2;
    tap.fail_count = 3;
    CHECK(reopen() == CORDON_OK);
    CHECK(strstr(state_notices(state), "cannot be read") != NULL);
    CHECK(!any_entry());
}

/* ---- where it lies ---- */

#define TRUSTED "O:SYG:SYD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"

static enum cordon_err open_in(const char *folder_list, const char *above_list)
{
    const struct state_config config = {
        .api = &tap.api, .folder = "E:\\data\\cordon", .domain = sid_of(DOMAIN)};
    enum cordon_err err;

    build_world();
    (void)fake_add(&world, API_FILE, "E:\\", TRUSTED);
    (void)fake_add(&world, API_FILE, "E:\\data\\", above_list);
    (void)fake_add(&world, API_FILE, "E:\\data\\cordon\\", folder_list);
    err = state_open(&config, &state, &fault);
    CHECK(err == CORDON_OK || fake_open_handles(&world) == 0);
    return err;
}

TEST(a_folder_that_others_could_have_written_is_refused)
{
    CHECK(open_in(TRUSTED, TRUSTED) == CORDON_OK);
    /* As %ProgramData% is: users add to it, and cannot exchange what is there. */
    CHECK(open_in(TRUSTED, TRUSTED "(A;OICI;0x1200a9;;;BU)(A;CI;0x6;;;BU)") == CORDON_OK);
    CHECK(open_in(TRUSTED "(A;;0x2;;;BU)", TRUSTED) == CORDON_E_DENIED);
    CHECK(strstr(fault.text, "E:\\data\\cordon") != NULL);
    CHECK(open_in("O:" OTHER "G:SYD:P(A;;FA;;;SY)", TRUSTED) == CORDON_E_DENIED);
    CHECK(open_in(TRUSTED, TRUSTED "(A;;0x40;;;BU)") == CORDON_E_DENIED);
}

TEST_MAIN()
