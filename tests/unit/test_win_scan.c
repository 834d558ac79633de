/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/plan_windows.h"

#include "tests/golden/plan_case.h"
#include "tests/support/check.h"

#define WS                                                                                         \
    "cwd C:\\ws\ntree dir C:\\ws\nown read / spelled=:root\n"                                      \
    "own write /C:/ws spelled=:workspace_roots\n"

static struct strbuf printed;
static uint32_t looked; /* directories listed by the last plan */

static void plan_of(const char *text)
{
    struct plan_case c;

    strbuf_deinit(&printed);
    CHECK(plan_case_parse(&c, text));
    plan_case_print(&c, POLICY_OS_WINDOWS, false, &printed);
    looked = c.tree.listed;
    plan_case_deinit(&c);
}

static bool says(const char *text)
{
    return strstr(strbuf_text(&printed), text) != NULL;
}

/* The steps that deny, as "PATH KIND" lines. */
static bool denies(const char *path_and_kind)
{
    char line[256];

    (void)snprintf(line, sizeof(line), "  deny             %s value=0xd017f", path_and_kind);
    return says(line);
}

TEST(a_pattern_without_two_stars_looks_no_deeper_than_it_has_components)
{
    plan_of(WS "tree file C:\\ws\\a.pem\ntree file C:\\ws\\d\\b.pem\n"
               "own deny /C:/ws/*.pem\n");
    CHECK(denies("C:\\\\ws\\\\a.pem file"));
    CHECK(!says("b.pem"));
    CHECK(looked == 1);
}

TEST(hidden_files_empty_directories_and_any_case_are_found)
{
    plan_of(WS "tree file C:\\ws\\.d\\.X.Pem\ntree dir C:\\ws\\e\\y.PEM\n"
               "own deny /C:/ws/**/*.pem\n");
    CHECK(denies("C:\\\\ws\\\\.d\\\\.X.Pem file"));
    CHECK(denies("C:\\\\ws\\\\e\\\\y.PEM dir"));
}

TEST(letters_beyond_ascii_are_matched_in_any_case)
{
    plan_of(WS "tree file C:\\ws\\\xc3\x84rger\\\xc3\x96l.txt\n"
               "own deny /C:/ws/**/\xc3\xb6l.*\n");
    CHECK(denies("C:\\\\ws\\\\\\xc3\\x84rger\\\\\\xc3\\x96l.txt file"));
    plan_of(WS "tree file C:\\ws\\\xc3\xa4x\ntree file C:\\ws\\\xc3\xb6x\n"
               "own deny /C:/ws/[\xc3\x84]?\n");
    CHECK(denies("C:\\\\ws\\\\\\xc3\\xa4x file"));
    CHECK(!denies("C:\\\\ws\\\\\\xc3\\xb6x file"));
}

TEST(two_objects_that_differ_in_case_alone_both_get_the_entry)
{
    plan_of(WS "tree file C:\\ws\\Key.pem\ntree file C:\\ws\\key.pem\n"
               "own deny /C:/ws/*.pem\n");
    CHECK(denies("C:\\\\ws\\\\Key.pem file"));
    CHECK(denies("C:\\\\ws\\\\key.pem file"));
}

TEST(what_a_match_covers_is_not_looked_into)
{
    plan_of(WS "tree file C:\\ws\\x.d\\y.d\\z\nown deny /C:/ws/**/*.d\n");
    CHECK(denies("C:\\\\ws\\\\x.d dir"));
    CHECK(!says("y.d"));
}

TEST(a_missing_or_plain_start_matches_nothing)
{
    plan_of(WS "own deny /C:/gone/*.pem\n");
    CHECK(says("plan: windows"));
    CHECK(!says("  deny  "));
    plan_of(WS "tree file C:\\ws\\f\nown deny /C:/ws/f/**/*.pem\n");
    CHECK(says("plan: windows") && !says("  deny  "));
}

TEST(the_label_says_what_the_scan_did_not_see)
{
    plan_of("scan-depth 1\n" WS "tree file C:\\ws\\d\\a.pem\nown deny /C:/ws/**/*.pem\n");
    CHECK(says("snapshot; the scan stopped at glob_scan_max_depth"));
    CHECK(!says("a.pem"));
    plan_of("scan-depth 1\n" WS "tree file C:\\ws\\a.pem\nown deny /C:/ws/**/*.pem\n");
    CHECK(!says("the scan stopped"));
    plan_of(WS "tree unlisted C:\\ws\\d\nown deny /C:/ws/**/*.pem\n");
    CHECK(says("snapshot; a directory could not be listed"));
    CHECK(says("notice: /C:/ws/**/*.pem: a directory could not"));
}

static bool limited_to(const char *limit, const char *wanted)
{
    char text[512];

    (void)snprintf(text, sizeof(text), "%s\n%s", limit,
                   WS "tree file C:\\ws\\1\ntree file C:\\ws\\2\n"
                      "own deny /C:/ws/*.a\nmanaged deny /C:/ws/*.b\n");
    plan_of(text);
    return says(wanted);
}

TEST(the_budget_is_one_for_all_scans_of_a_plan)
{
    /* Two names and the start for each of the two. */
    CHECK(limited_to("scan-entries 6", "plan: windows"));
    CHECK(limited_to("scan-entries 5", "refused (limit): the scan for this rule meets too many "
                                       "names: deny \"/C:/ws/*.a\""));
    /* Used up by the first rule: the second does not even begin. */
    CHECK(limited_to("scan-entries 3", "refused (limit): the scan for this rule meets too many "
                                       "names: deny \"/C:/ws/*.a\""));
    CHECK(limited_to("late-after 6", "plan: windows"));
    CHECK(limited_to("late-after 5", "refused (timeout): the scan for this rule takes too long"));
}

/* Each level has two junctions to the next: 2^n ways, n directories. */
TEST(a_lattice_of_junctions_is_walked_once_per_directory)
{
    struct strbuf text = STRBUF_INIT;

    strbuf_puts(&text, WS "own deny /C:/ws/**/*.pem\n");
    for (int i = 0; i < 20; i++) {
        strbuf_printf(&text,
                      "tree link C:\\ws\\d%d\\l D:\\d%d\ntree link C:\\ws\\d%d\\r D:\\d%d\n"
                      "tree link D:\\d%d\\l D:\\d%d\ntree link D:\\d%d\\r D:\\d%d\n",
                      i, i, i, i, i, i + 1, i, i + 1);
    }
    strbuf_puts(&text, "tree file D:\\d20\\x.pem\n");
    plan_of(strbuf_text(&text));
    strbuf_deinit(&text);
    CHECK(denies("D:\\\\d20\\\\x.pem file"));
    CHECK(looked < 200);
}

/* More of them than the table of directories has room for at first. */
TEST(many_junctions_back_to_the_start_are_each_known)
{
    struct strbuf text = STRBUF_INIT;

    strbuf_puts(&text, WS "own deny /C:/ws/**/*.pem\n");
    for (int i = 0; i < 140; i++) {
        strbuf_printf(&text, "tree link C:\\ws\\d%d\\up C:\\ws\n", i);
    }
    strbuf_puts(&text, "tree file C:\\ws\\d139\\x.pem\n");
    plan_of(strbuf_text(&text));
    strbuf_deinit(&text);
    CHECK(denies("C:\\\\ws\\\\d139\\\\x.pem file"));
    CHECK(looked == 142); /* the start twice: itself, and as what "**" stands for */
}

TEST(a_pattern_that_begins_behind_an_alias_is_not_taken_for_the_other)
{
    plan_of(WS "tree file C:\\ws\\a\\x.pem\ntree link C:\\alias C:\\ws\\a\n"
               "own deny /C:/ws/**/*.pem\nown deny /C:/alias/**/*.pem\n");
    CHECK(denies("C:\\\\ws\\\\a\\\\x.pem file"));
    CHECK(denies("C:\\\\alias\\\\x.pem file"));
}

TEST(what_a_plan_makes_is_matched_too)
{
    plan_of(WS "own deny /C:/ws/sub.d/.env\nmanaged deny /C:/ws/*.d\n");
    CHECK(says("materialise      C:\\\\ws\\\\sub.d dir <- managed[0]"));
    CHECK(denies("C:\\\\ws\\\\sub.d dir"));
    CHECK(denies("C:\\\\ws\\\\sub.d\\\\.env file"));
}

TEST(nothing_is_made_below_a_file)
{
    plan_of(WS "tree file C:\\ws\\f\nown deny /C:/ws/f/x\nown deny /C:/ws/f/y/z\n");
    CHECK(!says("materialise"));
    CHECK(says("lies below a file: nothing can be there"));
}

/* ---- trees that do not keep to what they should ---- */

static struct win_entry hostile;

static enum cordon_err hostile_list(void *context, const char *path, win_visit *visit,
                                    void *visit_context, struct cordon_fault *fault)
{
    (void)context;
    (void)path;
    (void)fault;
    return visit(visit_context, &hostile);
}

static enum cordon_err hostile_look(void *context, const char *path, struct arena *arena,
                                    struct win_entry *ret_entry, struct cordon_fault *fault)
{
    (void)context;
    (void)fault;
    *ret_entry = (struct win_entry){
        .object = PLAN_DIRECTORY, .target = arena_strdup(arena, path), .volume = 1, .file = 1};
    return CORDON_OK;
}

static bool hostile_late(void *context)
{
    (void)context;
    return false;
}

static bool hostile_refused(const struct win_entry *entry, const char *wanted)
{
    static const struct win_tree tree = {NULL, hostile_list, hostile_look, hostile_late};
    struct plan_case c;
    bool refused = false;

    hostile = *entry;
    strbuf_deinit(&printed);
    if (plan_case_parse(&c, WS "own deny /C:/ws/**/*.pem\n")) {
        c.tree.facts.tree = &tree;
        c.tree.facts.scan_entries = 100;
        plan_case_print(&c, POLICY_OS_WINDOWS, false, &printed);
        refused = says(wanted);
    }
    plan_case_deinit(&c);
    return refused;
}

TEST(a_name_that_is_none_ends_the_scan)
{
    static const char *const bad[] = {"", ".", "..", "a/b", "a\\b", "\\", "/"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        const struct win_entry entry = {.name = bad[i], .object = PLAN_FILE};

        CHECK(hostile_refused(&entry, "refused (invalid): the scan for this rule meets a name that "
                                      "is none: deny"));
    }
}

TEST(a_link_to_an_unknown_directory_ends_the_scan)
{
    const struct win_entry entry = {
        .name = "l", .object = PLAN_DIRECTORY, .link = true, .target = "C:\\x"};

    CHECK(hostile_refused(&entry, "cannot tell which directory the link /C:/ws/l leads to"));
}

TEST(a_tree_without_an_end_meets_the_budget)
{
    struct win_entry entry = {.name = "deeper", .object = PLAN_DIRECTORY};

    CHECK(hostile_refused(&entry, "refused (limit)"));
}

TEST(entries_say_what_is_denied_and_granted)
{
    struct plan_step step = {.op = PLAN_WINDOWS_DENY, .flags = PLAN_STEP_DIR, .value = 0x17f};
    struct plan_windows_ace ace;

    CHECK(plan_windows_ace(&step, &ace) && ace.deny && ace.mask == 0x17f);
    step.flags = PLAN_STEP_LINK;
    CHECK(plan_windows_ace(&step, &ace));
    step = (struct plan_step){.op = PLAN_WINDOWS_PIN, .flags = PLAN_STEP_DIR, .value = 0x10040};
    CHECK(plan_windows_ace(&step, &ace) && ace.deny);
    step = (struct plan_step){.op = PLAN_WINDOWS_GRANT_READ, .flags = PLAN_STEP_FILE, .value = 1};
    CHECK(plan_windows_ace(&step, &ace) && !ace.deny);
    step.op = PLAN_WINDOWS_MATERIALISE;
    CHECK(!plan_windows_ace(&step, &ace));
    step.op = PLAN_WINDOWS_OP_COUNT;
    CHECK(!plan_windows_ace(&step, &ace));
}

TEST_MAIN()
