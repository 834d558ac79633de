/* SPDX-License-Identifier: Apache-2.0 */
/* The reader of real disks, over a disk in memory. That its plans are those of the tree that the
 * planner's own tests have is tested by tests/parity, for every policy there. */
#include "platform/windows/look.h"

#include "tests/unit/state_world.h"

static struct look *look;
static struct arena arena;
static struct plan_facts facts;
static char listed[2048];

#define CALLER "S-1-5-21-9-9-9-500"
#define OWN "O:" CALLER "D:P(A;OICI;FA;;;" CALLER ")"

static void begin(void)
{
    static char room[sizeof(struct look)];

    build_world();
    arena_deinit(&arena);
    arena_init(&arena, 1U << 22U);
    (void)fake_add(&world, API_FILE, "D:\\t\\", NULL);
    (void)fake_add(&world, API_FILE, "D:\\t\\k", NULL);
    (void)fake_add(&world, API_FILE, "C:\\Users\\", NULL);
    (void)fake_add(&world, API_FILE, "C:\\Users\\a\\", OWN);
    (void)fake_add(&world, API_FILE, "C:\\Users\\a\\docs\\", NULL);
    (void)fake_add(&world, API_FILE, "C:\\Windows\\",
                   "O:SYD:P(A;OICI;FA;;;WD)(A;OICI;0x1200a9;;;S-1-15-2-1)");
    (void)fake_add(&world, API_FILE, "C:\\Program Files\\", "O:SYD:P(A;OICI;FA;;;WD)");
    look = (struct look *)(void *)room;
    look_init(look, &tap.api, fake_token(&world, CALLER " WD"), 100000);
}

static enum cordon_err collect(void *context, const struct win_entry *entry)
{
    static const char *const objects[] = {"missing", "file", "dir", "other"};
    char *at = listed + strlen(listed);

    (void)context;
    (void)snprintf(at, sizeof(listed) - (size_t)(at - listed), "%s=%s%s%s%s ", entry->name,
                   objects[entry->object], entry->link ? ">" : "",
                   entry->target == NULL ? "" : entry->target,
                   entry->volume == 0 && entry->file == 0 ? "?" : "");
    return CORDON_OK;
}

static enum cordon_err list_of(const char *path)
{
    enum cordon_err err;

    listed[0] = '\0';
    err = look->tree.list(look->tree.context, path, collect, NULL, &fault);
    CHECK(world.acting == 0 && fake_open_handles(&world) == 0);
    return err;
}

TEST(a_directory_is_listed_with_where_its_links_lead)
{
    begin();
    junction("C:\\w\\j\\", "D:\\t");
    junction("C:\\w\\loose\\", "E:\\gone");
    junction("C:\\w\\self\\", "C:\\w\\self");
    /* A file that is in a cloud for now is a reparse point and leads nowhere else. */
    fake_add(&world, API_FILE, "C:\\w\\cloud", NULL)->info.reparse = true;
    CHECK(list_of("C:\\w") == CORDON_OK);
    CHECK_STR(listed, "a=file b=dir j=dir>D:\\t loose=missing>? self=missing>? cloud=file ");
    CHECK(list_of("C:\\w\\j") == CORDON_OK);
    CHECK_STR(listed, "k=file ");
}

TEST(volumes_are_listed_by_their_letters)
{
    begin();
    fake_add(&world, API_FILE, "X:\\", "O:SYD:(A;;FA;;;WD)")->info.reparse = true;
    strcpy(fake_find(&world, API_FILE, "X:")->leads, "C:\\w");
    CHECK(list_of("") == CORDON_OK);
    CHECK_STR(listed, "C:=dir D:=dir X:=dir>C:\\w ");
}

TEST(what_cannot_be_listed_says_why)
{
    begin();
    (void)fake_add(&world, API_FILE, "C:\\w\\closed\\", "O:SYD:P(A;;FA;;;SY)");
    CHECK(list_of("C:\\w\\closed") == CORDON_E_DENIED);
    CHECK(list_of("C:\\w\\gone") == CORDON_E_NOT_FOUND);
    CHECK(list_of("C:\\w\\a") == CORDON_E_NOT_FOUND);
    /* Who may not even look at it has it taken for a directory, and is told when that is listed. */
    CHECK(list_of("C:\\w") == CORDON_OK);
    CHECK(strstr(listed, "closed=dir? ") != NULL);
}

static enum cordon_err give_up(void *context, const struct win_entry *entry)
{
    (void)context;
    (void)entry;
    return CORDON_E_LIMIT;
}

TEST(a_visit_that_ends_it_is_returned)
{
    begin();
    CHECK(look->tree.list(look, "C:\\w", give_up, NULL, &fault) == CORDON_E_LIMIT);
    CHECK(look->tree.list(look, "", give_up, NULL, &fault) == CORDON_E_LIMIT);
    CHECK(world.acting == 0 && fake_open_handles(&world) == 0);
}

TEST(one_place_is_looked_at_through_its_links)
{
    struct win_entry entry;

    begin();
    junction("C:\\w\\j\\", "D:\\t");
    CHECK(look->tree.look(look, "C:\\w\\J\\k", &arena, &entry, &fault) == CORDON_OK);
    CHECK(entry.object == PLAN_FILE && entry.file != 0);
    CHECK_STR(entry.target, "D:\\t\\k");
    CHECK(look->tree.look(look, "C:\\w\\j\\x", &arena, &entry, &fault) == CORDON_E_NOT_FOUND);
    CHECK(look->tree.look(look, "C:\\", &arena, &entry, &fault) == CORDON_OK);
    CHECK_STR(entry.target, "C:\\");
}

TEST(time_runs_out)
{
    begin();
    CHECK(!look->tree.is_late(look));
    world.now_ms += 200000;
    CHECK(look->tree.is_late(look));
}

/* ---- facts ---- */

static struct policy policy;
static struct policy_rule rules[8];

static enum cordon_err facts_of(const char *const *patterns, size_t count)
{
    const struct look_order order = {
        .cwd = "C:\\Users\\a\\docs", .privileged = true, .principal = JOB, .names = 1000};

    memset(&policy, 0, sizeof(policy));
    memset(rules, 0, sizeof(rules));
    for (size_t i = 0; i < count; i++) {
        rules[i] = (struct policy_rule){.pattern = patterns[i],
                                        .pattern_len = strlen(patterns[i]),
                                        .glob = strchr(patterns[i], '*') != NULL};
    }
    policy.own.rules = rules;
    policy.own.count = count;
    memset(&facts, 0, sizeof(facts));
    memset(&fault, 0, sizeof(fault));
    return look_facts(look, &policy, &order, &arena, &facts, &fault);
}

static const char *const several[] = {"/C:/w/a",   "/C:/w/j/k",    "/C:/w/j",     "/C:/w/j/n/m",
                                      "/C:/w/*.x", "/C:/w/r/.git", "/C:/w/loose", "/"};

/* A file named .git, in the world and in what can be read. */
static void add_git(const char *text)
{
    const struct api *api = &world.api;
    api_handle handle;

    (void)fake_add(&world, API_FILE, "C:\\w\\r\\", NULL);
    (void)fake_add(&world, API_FILE, "C:\\w\\r\\.git", NULL);
    CHECK(api->file_open(api->self, "C:\\w\\r\\.git", API_REPLACE, &handle) == API_OK);
    CHECK(api->file_write(api->self, handle, text, strlen(text)) == API_OK);
    CHECK(api->close(api->self, handle) == API_OK);
}

static void add_several(void)
{
    junction("C:\\w\\j\\", "D:\\t");
    junction("C:\\w\\loose\\", "E:\\gone");
    (void)fake_add(&world, API_FILE, "C:\\w\\main\\", NULL);
    add_git("gitdir: ../main\n");
}

TEST(facts_are_what_is_there)
{
    begin();
    add_several();
    CHECK(facts_of(several, 8) == CORDON_OK);
    CHECK(facts.own[0].object == PLAN_FILE && !facts.own[0].link);
    CHECK_STR(facts.own[0].resolved, "C:\\w\\a");
    CHECK_STR(facts.own[1].resolved, "D:\\t\\k");
    CHECK(facts.own[2].link && facts.own[2].object == PLAN_DIRECTORY);
    CHECK_STR(facts.own[2].resolved, "D:\\t");
    CHECK(facts.own[3].object == PLAN_MISSING);
    CHECK_STR(facts.own[3].resolved, "D:\\t\\n\\m");
    CHECK(facts.own[4].object == PLAN_MISSING && facts.own[4].resolved == NULL);
    CHECK_STR(facts.own[5].gitdir, "C:\\w\\main");
    CHECK(facts.own[6].link && facts.own[6].object == PLAN_MISSING);
    CHECK(facts.own[6].resolved == NULL && facts.own[7].object == PLAN_DIRECTORY);
    CHECK_STR(facts.cwd, "C:\\Users\\a\\docs");
    CHECK(facts.cwd_object == PLAN_DIRECTORY && facts.privileged);
    /* His profile, once, and of the system what programs of every package may read. */
    CHECK(facts.windows->private_count == 1 && facts.windows->system_count == 1);
    CHECK_STR(facts.windows->private_dirs[0], "C:\\Users\\a");
    CHECK_STR(facts.windows->system_dirs[0], "C:\\Windows");
}

TEST(a_gitdir_that_leads_nowhere_is_none)
{
    static const char *const git[] = {"/C:/w/r/.git"};
    static const char *const texts[] = {"gitdir: nowhere", "gitdir: nul", "x", ""};

    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        begin();
        add_git(texts[i]);
        CHECK(facts_of(git, 1) == CORDON_OK && facts.own[0].gitdir == NULL);
    }
}

TEST(what_a_rule_names_and_the_caller_cannot_see_is_an_error)
{
    static const char *const closed[] = {"/C:/w/closed"};

    begin();
    (void)fake_add(&world, API_FILE, "C:\\w\\closed\\", "O:SYD:P(A;;FA;;;SY)");
    CHECK(facts_of(closed, 1) == CORDON_E_DENIED);
    CHECK(strstr(fault.text, "C:\\w\\closed, which is named") != NULL && fault.remedy[0] != '\0');
    /* An administrator's rule is looked at as ourselves. */
    policy.managed = policy.own;
    policy.own.count = 0;
    {
        const struct look_order order = {.cwd = "C:\\w", .names = 1};

        CHECK(look_facts(look, &policy, &order, &arena, &facts, &fault) == CORDON_OK);
        CHECK(facts.managed[0].object == PLAN_DIRECTORY);
    }
}

TEST(every_call_that_fails_is_an_error_or_opens_nothing)
{
    unsigned calls;
    unsigned refused = 0;

    begin();
    add_several();
    calls = tap.calls;
    CHECK(facts_of(several, 8) == CORDON_OK);
    calls = tap.calls - calls;
    CHECK(calls > 40);
    for (unsigned n = 1; n <= calls; n++) {
        begin();
        add_several();
        tap.fail_at = tap.calls + n;
        tap.fail_code = 1450;
        if (facts_of(several, 8) == CORDON_OK) {
            /* Only a private directory may go unseen: it stays closed, and what is in it that is
             * private by itself is seen in its place. */
            CHECK(facts.windows->private_count <= 2 && facts.windows->system_count == 1);
            CHECK(facts.own[2].link && facts.own[3].resolved != NULL);
        } else {
            CHECK(fault.err == CORDON_E_OS && fault.text[0] != '\0');
            refused++;
        }
        CHECK(world.acting == 0 && fake_open_handles(&world) == 0);
    }
    CHECK(refused > calls / 2);
}

TEST(an_arena_that_is_too_small_is_an_error)
{
    bool whole = false;

    for (size_t size = 64; size < 32768 && !whole; size += 64) {
        enum cordon_err err;

        begin();
        add_several();
        arena_deinit(&arena);
        arena_init(&arena, size);
        err = facts_of(several, 8);
        CHECK(err == CORDON_OK || err == CORDON_E_NOMEM);
        CHECK(world.acting == 0 && fake_open_handles(&world) == 0);
        whole = err == CORDON_OK;
        if (whole) {
            CHECK(facts.own[5].gitdir != NULL && facts.windows->private_count == 1);
            CHECK_STR(facts.own[3].resolved, "D:\\t\\n\\m");
        }
    }
    CHECK(whole);
}

TEST(every_call_of_a_listing_that_fails_ends_it)
{
    unsigned calls;

    begin();
    junction("C:\\w\\j\\", "D:\\t");
    calls = tap.calls;
    CHECK(list_of("C:\\w") == CORDON_OK);
    calls = tap.calls - calls;
    for (unsigned n = 1; n <= calls; n++) {
        begin();
        junction("C:\\w\\j\\", "D:\\t");
        tap.fail_at = tap.calls + n;
        tap.fail_code = 1450;
        CHECK(list_of("C:\\w") == CORDON_E_OS && strstr(fault.text, "1450") != NULL);
    }
}

TEST_MAIN()
