/* SPDX-License-Identifier: Apache-2.0 */
/* From a worker's order to a job that runs, by the supervisor's own look at the disk and with every
 * entry that managed rules need; and every call of it fails once. */
#include "tests/unit/win_start_world.h"

static bool said(const char *line)
{
    return strstr(strbuf_text(&tap.trace), line) != NULL;
}

TEST(a_job_of_the_service_runs_with_all_that_keeps_it_in)
{
    begin_start(PLAN "own deny /C:/w/a\n", "");
    CHECK(run_order() == CORDON_OK && sys.running && sys.filtered);
    CHECK(said("logon cordon-job " DRAWN) && said("restrict write-only " DRAWN));
    CHECK(said("process \"\"C:\\Program Files\\cordon\\cordon-init.exe\" C:\\w\" in - desktop="));
    CHECK(said("handles=2") && sys.list_len > 0);
    CHECK(strstr(list("C:\\w\\a"), "(D;;0xd017f;;;" DRAWN ")") != NULL);
    CHECK(count(DRAWN, "C:\\w\\a") == 1);
    end_job();
    CHECK(nothing_left());
}

/* The worker's order knows nothing of it. */
TEST(a_managed_denial_is_on_the_disk_whatever_the_order_says)
{
    begin_start(PLAN "network\n", MANAGED);
    CHECK(run_order() == CORDON_OK && !sys.filtered);
    CHECK(strstr(list("C:\\w\\b"), ON_DENIED) != NULL && count(DRAWN, "C:\\w\\b") == 1);
    CHECK(said("open file C:\\w\\b") && world.acting == 0);
    end_job();
    CHECK(nothing_left());
}

/* It may have come since the worker looked, and what it leads to is found by our own look. */
TEST(a_managed_rule_through_a_junction_is_denied_where_it_leads)
{
    begin_start(PLAN, "profile dev\nwindows\ncwd C:\\w\nmanaged deny /C:/w/j\n");
    junction("C:\\w\\j\\", "D:\\t");
    (void)fake_add(&world, API_FILE, "D:\\t\\", NULL);
    CHECK(run_order() == CORDON_OK);
    CHECK(strstr(list("D:\\t"), ON_DENIED) != NULL);
    CHECK(strstr(list("C:\\w\\j"), DRAWN) != NULL);
    end_job();
    CHECK(nothing_left());
}

TEST(full_access_without_managed_rules_is_the_callers_own_token)
{
    begin_start("profile dev\nwindows\ncwd C:\\w\nfull-access\ntree dir C:\\w\n", "");
    state_close(state);
    state = NULL; /* there is nothing to keep */
    CHECK(run_order() == CORDON_OK && sys.running && sys.list_len == 0);
    CHECK(said("copy-token") && !said("logon ") && !said("desktop ") && !said("job-restrict-ui"));
    CHECK(said("in - desktop= handles=2")); /* its logon's own, not ours */
    end_job();
    CHECK(reopen() == CORDON_OK && nothing_left());
}

TEST(full_access_under_managed_rules_is_an_account_that_is_denied_them)
{
    begin_start("profile dev\nwindows\ncwd C:\\w\nfull-access\ntree dir C:\\w\n", MANAGED);
    CHECK(run_order() == CORDON_OK && said("logon cordon-job") && said("S-1-5-32-545"));
    CHECK(count(DRAWN, "C:\\w\\b") == 1);
    end_job();
    CHECK(nothing_left());
}

TEST(embedded_mode_restricts_the_callers_token)
{
    begin_start("profile dev\nwindows\ncwd C:\\w\nembedded\nnetwork\nown read / spelled=:root\n"
                "tree dir C:\\w\n",
                "");
    how.embedded = true;
    CHECK(run_order() == CORDON_OK && !said("logon ") && said("restrict write-only"));
    CHECK(sys.list_len == 0 && said("desktop=cordon-"));
    end_job();
    CHECK(nothing_left());
}

/* ---- refused ---- */

static void refused(enum cordon_err err, const char *why)
{
    CHECK(run_order() == err);
    if (strstr(fault.text, why) == NULL) {
        CHECK_STR(fault.text, why);
    }
    CHECK(!said("process ") && nothing_left());
}

TEST(bytes_that_are_no_order_start_nothing)
{
    begin_start(PLAN, "");
    ((char *)block)[0]++;
    refused(CORDON_E_INVALID, "spawn order: bad head");
    begin_start(PLAN, "");
    block_len = 0;
    refused(CORDON_E_INVALID, "spawn order: bad size 0");
}

TEST(a_limit_that_nobody_keeps_is_refused_whatever_the_worker_planned)
{
    begin_start(PLAN, "");
    limits.managed[LIMIT_PIDS].value = 10;
    refused(CORDON_E_UNSUPPORTED, "pids is not limited on this system");
    begin_start(PLAN, "");
    limits.own[LIMIT_WALL_S].value = 10;
    CHECK(run_order() == CORDON_OK);
    end_job();
}

TEST(a_managed_rule_that_cannot_be_planned_refuses_the_job)
{
    begin_start(PLAN, "profile dev\nwindows\ncwd C:\\w\nminimum-managed-kernel\n"
                      "managed deny /C:/w/*.pem\n");
    refused(CORDON_E_UNSUPPORTED, "this rule holds at level snapshot only");
}

TEST(a_managed_glob_is_expanded_by_ourselves)
{
    begin_start(PLAN, "profile dev\nwindows\ncwd C:\\w\nmanaged deny /C:/w/*.pem\n");
    (void)fake_add(&world, API_FILE, "C:\\w\\k.pem", NULL);
    CHECK(run_order() == CORDON_OK);
    CHECK(count(DRAWN, "C:\\w\\k.pem") == 1);
    end_job();
    CHECK(nothing_left());
}

TEST(entries_without_a_record_of_them_are_not_put_on)
{
    begin_start(PLAN, "");
    stop();
    CHECK(run_order() == CORDON_E_INVALID && strstr(fault.text, "somebody who keeps them") != NULL);
    CHECK(fake_job_open(&sys) == 0 && !any_entry());
}

/* A folder that the caller may not change: nothing is done there in his name. */
TEST(what_the_caller_may_not_change_is_not_changed_for_him)
{
    begin_start(PLAN "own deny /C:/w/a\n", "");
    how.caller = fake_token(&world, "S-1-5-21-9-9-9-501");
    refused(CORDON_E_DENIED, "C:\\w");
}

TEST(every_call_that_fails_refuses_the_job_and_leaves_nothing)
{
    unsigned calls;

    begin_start(PLAN "own deny /C:/w/a\n", MANAGED);
    calls = tap.calls;
    CHECK(run_order() == CORDON_OK);
    calls = tap.calls - calls;
    end_job();
    CHECK(calls > 80);
    for (unsigned n = 1; n <= calls; n++) {
        begin_start(PLAN "own deny /C:/w/a\n", MANAGED);
        tap.fail_at = tap.calls + n;
        tap.fail_code = 1450;
        if (run_order() == CORDON_OK) {
            CHECK(sys.running && count(DRAWN, "C:\\w\\b") == 1 && count(DRAWN, "C:\\w\\a") == 1);
            tap.fail_at = 0;
            end_job();
        } else {
            CHECK(fault.text[0] != '\0' && job.token.handle == 0 && !sys.running);
        }
        tap.fail_at = 0;
        CHECK(drop(DRAWN, "job-7") == CORDON_OK && nothing_left());
    }
}

TEST_MAIN()
