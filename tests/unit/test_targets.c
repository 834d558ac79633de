/* SPDX-License-Identifier: Apache-2.0 */
/* From a policy through its plan to entries on a disk in memory, and off again. */
#include "platform/windows/targets.h"

#include "platform/windows/plan_windows.h"
#include "tests/golden/plan_case.h"
#include "tests/unit/state_world.h"

static struct plan_case c;
static struct state_target *targets;
static size_t target_count;

/* Of the job's principal, with whom everyone else's groups are. */
#define BASE                                                                                       \
    "profile dev\nwindows\ncwd C:\\w\nworkspace /C:/w\nprincipal " JOB "\n"                        \
    "own read / spelled=:root\nown write /C:/w spelled=:workspace_roots\n"

static void plan_of(const char *text)
{
    struct plan *plan = NULL;

    plan_case_deinit(&c);
    CHECK(plan_case_parse(&c, text));
    c.policy.os = POLICY_OS_WINDOWS;
    if (plan_windows(&c.policy, &c.facts, &c.arena, &plan, &fault) != CORDON_OK) {
        CHECK_STR(fault.text, "");
    }
    CHECK(targets_of_plan(plan, &c.arena, &targets, &target_count) == CORDON_OK);
}

static enum cordon_err launch(void)
{
    const struct state_request request = {.principal = sid_of(JOB),
                                          .token = fake_token(&world, JOB " WD"),
                                          .holder = "s1",
                                          .targets = targets,
                                          .target_count = target_count};
    const enum cordon_err err = state_apply(state, &request, &fault);

    if (err != CORDON_OK) {
        (void)fprintf(stderr, "  %s\n", fault.text);
    }
    return err;
}

static uint32_t granted(const char *path)
{
    const struct sd_member members[] = {{sid_of(JOB), false}, {sid_everyone(), false}};
    const struct sd_token token = {.members = members, .member_count = 2};
    static struct sd sd;
    const struct fake_node *node = fake_find(&world, API_FILE, path);

    CHECK(node != NULL && sd_parse(node->sd, node->sd_len, &sd) == CORDON_OK);
    return sd_granted(&sd, &token, &sd_mapping_file);
}

/* C:\w\j leads to D:\t, with a file in it; and what the planner sees of that. */
#define WITH_JUNCTION                                                                              \
    "tree dir C:\\w\ntree link C:\\w\\j D:\\t\ntree dir D:\\t\ntree file D:\\t\\k.pem\n"

static void start_with_junction(void)
{
    start();
    junction("C:\\w\\j\\", "D:\\t");
    (void)fake_add(&world, API_FILE, "D:\\t\\", NULL);
    (void)fake_add(&world, API_FILE, "D:\\t\\k.pem", NULL);
}

TEST(what_a_plan_says_is_on_the_disk_after_it_is_applied)
{
    start();
    plan_of(BASE "tree dir C:\\w\ntree file C:\\w\\a\ntree dir C:\\w\\b\ntree file C:\\w\\b\\f\n"
                 "own deny /C:/w/a\nown deny /C:/w/b\nown deny /C:/w/n/.env\n");
    CHECK(launch() == CORDON_OK);
    CHECK((granted("C:\\w\\a") & 1U) == 0 && (granted("C:\\w\\b\\f") & 1U) == 0);
    CHECK((granted("C:\\w\\b\\p") & 1U) == 0); /* the planner's tree had no such file */
    CHECK((granted("C:\\w\\n\\.env") & 1U) == 0);
    CHECK(!fake_find(&world, API_FILE, "C:\\w\\n\\.env")->info.container);
    CHECK((granted("C:\\w") & 3U) == 3U);
    /* The folder's own name is pinned: its grant has no DELETE, by the plan's own will. */
    CHECK((granted("C:\\w") & SD_DELETE) == 0);
    CHECK(launch() == CORDON_OK);
    CHECK(drop(JOB, "s1") == CORDON_OK && !any_entry());
    CHECK(fake_find(&world, API_FILE, "C:\\w\\n") == NULL && state_size(state) == 0);
}

TEST(a_pin_is_for_its_object_and_nothing_below_is_looked_at)
{
    struct fake_node *own;

    start();
    own = fake_find(&world, API_FILE, "C:\\w\\b\\p");
    plan_of(BASE "tree dir C:\\w\ntree file C:\\w\\b\\q\nown deny /C:/w/b/q\n");
    (void)fake_add(&world, API_FILE, "C:\\w\\b\\q", NULL);
    strbuf_deinit(&tap.trace);
    CHECK(launch() == CORDON_OK);
    CHECK(strstr(strbuf_text(&tap.trace), "next") == NULL);
    CHECK((granted("C:\\w\\b") & (SD_DELETE | 0x40U)) == 0);
    CHECK((granted("C:\\w\\b\\f") & SD_DELETE) != 0 && (granted("C:\\w\\a") & SD_DELETE) != 0);
    CHECK(strstr(fake_list(&world, API_FILE, own->path), JOB) == NULL);
    CHECK(strstr(list("C:\\w\\b"), "(D;;0x10040;;;" JOB ")") != NULL);
    CHECK(drop(JOB, "s1") == CORDON_OK && !any_entry());
}

/* What reopens it is an object, by whatever name the denial led there. */
TEST(what_is_reopened_behind_a_link_is_not_denied_again)
{
    start_with_junction();
    (void)fake_add(&world, API_FILE, "D:\\t\\s\\", NULL);
    (void)fake_add(&world, API_FILE, "D:\\t\\s\\p\\", "O:SYD:(A;OICI;FA;;;WD)");
    (void)fake_add(&world, API_FILE, "D:\\t\\s\\o", "O:SYD:(A;;FA;;;WD)");
    (void)fake_add(&world, API_FILE, "D:\\t\\s\\p\\o", "O:SYD:(A;;FA;;;WD)");
    plan_of(BASE "tree dir C:\\w\ntree link C:\\w\\j D:\\t\ntree file D:\\t\\s\\o\n"
                 "tree file D:\\t\\s\\p\\o\nown deny /C:/w/j/s\nown read /C:/w/j/s/p\n");
    CHECK(launch() == CORDON_OK);
    CHECK((granted("D:\\t\\s") & 1U) == 0 && (granted("D:\\t\\s\\o") & 1U) == 0);
    CHECK((granted("D:\\t\\s\\p") & 1U) != 0 && (granted("D:\\t\\s\\p\\o") & 1U) != 0);
    /* The junction stays, and leads where it led. */
    CHECK((granted("C:\\w\\j") & DENY_WRITE) == 0 && (granted("D:\\t") & DENY_WRITE) != 0);
    CHECK(drop(JOB, "s1") == CORDON_OK && !any_entry());
}

TEST(an_administrators_rule_is_opened_as_the_service)
{
    bool managed = false, own = false;

    plan_of(BASE "tree dir C:\\w\ntree file C:\\w\\a\ntree file C:\\w\\c\n"
                 "managed deny /C:/w/a\nown deny /C:/w/c\n");
    for (size_t i = 0; i < target_count; i++) {
        managed =
            managed || (targets[i].acl.managed && strcmp(targets[i].acl.path, "C:\\w\\a") == 0);
        own = own || (!targets[i].acl.managed && strcmp(targets[i].acl.path, "C:\\w\\c") == 0);
    }
    CHECK(managed && own);
}

TEST(a_junction_and_what_it_leads_to_are_both_denied)
{
    start_with_junction();
    plan_of(BASE WITH_JUNCTION "own deny /C:/w/j\nown deny /C:/w/j/*.pem\n");
    CHECK(launch() == CORDON_OK);
    CHECK((granted("C:\\w\\j") & 1U) == 0 && (granted("D:\\t") & 1U) == 0);
    CHECK((granted("D:\\t\\k.pem") & 1U) == 0);
    CHECK(drop(JOB, "s1") == CORDON_OK && !any_entry());
}

TEST(a_name_through_a_junction_has_its_entry_by_both_names)
{
    start_with_junction();
    plan_of(BASE WITH_JUNCTION "own deny /C:/w/j/*.pem\n");
    CHECK(launch() == CORDON_OK);
    CHECK((granted("D:\\t\\k.pem") & 1U) == 0 && (granted("D:\\t") & 1U) != 0);
    CHECK(drop(JOB, "s1") == CORDON_OK && !any_entry());
}

TEST(a_path_to_be_made_without_an_entry_is_no_plan)
{
    struct plan_step steps[] = {
        {.op = PLAN_WINDOWS_MATERIALISE, .flags = PLAN_STEP_FILE, .path = "C:\\x"},
        {.op = PLAN_WINDOWS_DENY, .flags = PLAN_STEP_FILE, .path = "C:\\y", .value = 1}};
    const struct plan plan = {.os = POLICY_OS_WINDOWS, .steps = steps, .step_count = 2};

    CHECK(targets_of_plan(&plan, &c.arena, &targets, &target_count) == CORDON_E_INVALID);
    steps[1].op = PLAN_WINDOWS_MATERIALISE; /* two that wait */
    CHECK(targets_of_plan(&plan, &c.arena, &targets, &target_count) == CORDON_E_INVALID);
}

TEST_MAIN()
