/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Win32 calls of a whole launch and its end, and of the access-list part alone, line by line,
 * against the files in calls/: in this order, with these rights, as this user.
 * CORDON_UPDATE_GOLDEN=1 writes them anew.
 */
#include "platform/windows/job_plan.h"
#include "platform/windows/look.h"
#include "platform/windows/plan_windows.h"
#include "tests/golden/plan_case.h"
#include "tests/unit/install_world.h"
#include "tests/unit/job_world.h"
#include "tests/unit/win_start_world.h"

static void compare(const char *name)
{
    static char want[1U << 17U];
    const char *wish = getenv("CORDON_UPDATE_GOLDEN");
    char path[512];
    size_t len;
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s.calls", GOLDEN_CALLS, name);
    if (wish != NULL && strcmp(wish, "1") == 0) {
        file = fopen(path, "w");
        CHECK(file != NULL && fputs(strbuf_text(&tap.trace), file) >= 0 && fclose(file) == 0);
        return;
    }
    file = fopen(path, "r");
    CHECK(file != NULL);
    len = fread(want, 1, sizeof(want) - 1, file);
    (void)fclose(file);
    want[len] = '\0';
    CHECK(len > 0);
    CHECK_STR(strbuf_text(&tap.trace), want);
}

/* The caller's own rules and an administrator's; with the tokens that a launch has. */
static struct state_request request_of(const struct state_target *targets, size_t target_count)
{
    return (struct state_request){.principal = sid_of(JOB),
                                  .token = 0x1000,
                                  .caller = 0x1001,
                                  .holder = "session-1",
                                  .targets = targets,
                                  .target_count = target_count};
}

static void begin(void)
{
    build_world();
    (void)fake_token(&world, JOB " WD");
    (void)fake_token(&world, OTHER " WD");
    junction("C:\\w\\j\\", "D:\\t");
    (void)fake_add(&world, API_FILE, "D:\\t\\", NULL);
    CHECK(reopen() == CORDON_OK);
    strbuf_deinit(&tap.trace);
}

TEST(a_launch)
{
    struct state_target targets[] = {denied("C:\\w\\a"), denied("C:\\w\\j"),
                                     denied("D:\\t"),    making("C:\\w\\n\\.env", STATE_MAKE_FILE),
                                     denied("C:\\w\\b"), readable("C:\\w")};
    const struct state_request request = request_of(targets, 6);

    targets[1].acl.link = true;
    targets[4].acl.managed = true;
    begin();
    CHECK(state_apply(state, &request, &fault) == CORDON_OK);
    compare("launch");
}

TEST(a_relaxed_policy)
{
    const struct state_target targets[] = {
        denied("C:\\w\\a"), making("C:\\w\\n\\.env", STATE_MAKE_FILE), denied("C:\\w\\b")};
    struct state_request request = request_of(targets, 3);

    begin();
    CHECK(state_apply(state, &request, &fault) == CORDON_OK);
    strbuf_deinit(&tap.trace);
    request.target_count = 1;
    CHECK(state_apply(state, &request, &fault) == CORDON_OK);
    CHECK(state_size(state) == 1);
    compare("relaxed");
}

TEST(a_failed_apply)
{
    const struct state_target targets[] = {making("C:\\w\\n\\.env", STATE_MAKE_FILE),
                                           denied("C:\\w\\a"), denied("C:\\w\\b")};
    const struct state_request request = request_of(targets, 3);

    /* The call that sets the third list fails, wherever it is. */
    for (unsigned n = 1; n < 200; n++) {
        begin();
        tap.fail_at = tap.calls + n;
        tap.fail_code = API_ACCESS_DENIED;
        if (state_apply(state, &request, &fault) != CORDON_OK &&
            strstr(fault.text, "changing the access list of C:\\w\\b: access denied") != NULL) {
            CHECK(state_size(state) == 0 && !any_entry());
            compare("failed");
            return;
        }
    }
    CHECK(false);
}

TEST(an_installation_and_its_removal)
{
    build_machine();
    CHECK(install() == CORDON_OK);
    compare("install");
    leave_a_job();
    CHECK(uninstall() == CORDON_OK && nothing_there());
    compare("uninstall");
}

/* What a user has written, looked at and planned as the system is asked. */
static void order_of(const char *text, api_handle caller)
{
    static char room[sizeof(struct look)];
    static struct plan_case c;
    struct look *look = (struct look *)(void *)room;
    const struct look_order where = {
        .cwd = "C:\\w", .privileged = true, .principal = JOB, .names = 1000};
    struct plan *plan = NULL;

    plan_case_deinit(&c);
    CHECK(plan_case_parse(&c, text));
    c.policy.os = POLICY_OS_WINDOWS;
    look_init(look, &tap.api, caller, 100000);
    CHECK(look_facts(look, &c.policy, &where, &c.arena, &c.facts, &fault) == CORDON_OK);
    CHECK(plan_windows(&c.policy, &c.facts, &c.arena, &plan, &fault) == CORDON_OK);
    order.caller = caller;
    CHECK(job_of_plan(plan, &c.arena, &order, &fault) == CORDON_OK);
}

/* By the service, with all there is: the look at the disk, account, token, filters, desktop,
 * terminal, entries, process. */
TEST(a_whole_launch)
{
    api_handle caller;

    begin_job();
    caller = fake_token(&world, OTHER " WD");
    junction("C:\\w\\j\\", "D:\\t");
    (void)fake_add(&world, API_FILE, "D:\\t\\", NULL);
    (void)fake_add(&world, API_FILE, "C:\\w\\k.pem", NULL);
    order_of("profile dev\nwindows\ncwd C:\\w\nworkspace /C:/w\nown read / spelled=:root\n"
             "own write /C:/w spelled=:workspace_roots\nown deny /C:/w/b\nown deny /C:/w/j\n"
             "own deny /C:/w/n/.env\nown deny /C:/w/*.pem\n",
             caller);
    CHECK(start_job() == CORDON_OK && sys.running && sys.filtered);
    end_job();
    CHECK(nothing_left());
    compare("whole-launch");
}

/* By a worker's order: the supervisor's own look at what managed rules name, its entries before the
 * caller's, the init with the folder as its argument. */
TEST(a_whole_start)
{
    begin_start(PLAN "own deny /C:/w/a\n", MANAGED);
    CHECK(run_order() == CORDON_OK && sys.running && sys.filtered);
    end_job();
    CHECK(nothing_left());
    compare("whole-start");
}

/* The process does not start: all of it is undone, in turn. */
TEST(a_whole_launch_that_fails_at_its_end)
{
    for (unsigned n = 1; n < 200; n++) {
        begin_job();
        tap.fail_at = tap.calls + n;
        tap.fail_code = API_ACCESS_DENIED;
        if (start_job() != CORDON_OK && strstr(fault.text, "starting cmd /c dir") != NULL) {
            CHECK(nothing_left());
            compare("whole-failed");
            return;
        }
        end_job();
    }
    CHECK(false);
}

/* Embedded mode: the caller's own token, restricted; nothing but denials of writing. */
TEST(a_whole_launch_of_the_restricted_token)
{
    struct state_target target = denied("C:\\w\\e");

    begin_job();
    /* With FILE_DELETE_CHILD for others it would be refused: see test_job. */
    (void)fake_add(&world, API_FILE, "C:\\w\\e\\", "O:SYD:P(A;OICI;0x1301bf;;;WD)");
    target.acl.mask = DENY_WRITE;
    order.token.account = NULL;
    order.token.caller = fake_token(&world, OTHER " WD");
    order.around = (struct around_order){.desktop = true};
    order.targets = &target;
    order.target_count = 1;
    sys.level = 0x3000;
    CHECK(start_job() == CORDON_OK && sys.running);
    end_job();
    CHECK(nothing_left());
    compare("whole-embedded");
}

TEST_MAIN()
