/* SPDX-License-Identifier: Apache-2.0 */
/* A whole job: in order, in turn undone, and refused when any part of it is not as it should be. */
#include "tests/unit/job_world.h"

/* Where in the trace @line is; -1: nowhere. */
static long at(const char *line)
{
    const char *found = strstr(strbuf_text(&tap.trace), line);

    return found == NULL ? -1 : (long)(found - strbuf_text(&tap.trace));
}

TEST(nothing_runs_before_all_that_keeps_it_in_is_there)
{
    begin_job();
    CHECK(start_job() == CORDON_OK && sys.running && sys.filtered);
    CHECK(at("logon ") < at("restrict ") && at("restrict ") < at("filters-commit"));
    CHECK(at("filters-commit") < at("desktop ") && at("desktop ") < at("console "));
    CHECK(at("console ") < at("set-security") && at("set-security") < at("process "));
    CHECK(at("is-in-job") < at("resume"));
    CHECK(sys.ran_as == job.token.handle && sys.ran_on == job.around.console);
    CHECK(count(JOB, "C:\\w\\b") == 1);
    end_job();
    CHECK(nothing_left());
    end_job();
    CHECK(nothing_left());
}

TEST(a_job_ends_before_what_keeps_it_in_goes)
{
    begin_job();
    CHECK(start_job() == CORDON_OK);
    strbuf_deinit(&tap.trace);
    end_job();
    CHECK(at("job-end 192") == 0 && at("job-end") < at("  drop "));
    CHECK(at("  drop ") < at("close filters") && at("close filters") < at("close token"));
}

/* What keeps it in stays as long as it is there. */
TEST(a_job_that_does_not_end_keeps_its_entries_and_filters)
{
    begin_job();
    CHECK(start_job() == CORDON_OK);
    sys.never_ends = true;
    CHECK(!end_job_once() && sys.running && sys.filtered && count(JOB, "C:\\w\\b") == 1);
    sys.never_ends = false;
    end_job();
    CHECK(nothing_left());
}

/* By its handles a command could speak for the init. */
TEST(the_process_of_another_account_is_open_to_who_hands_it_handles)
{
    static struct sd sd;
    struct strbuf text = STRBUF_INIT;

    begin_job();
    order.owner = sid_of(OTHER);
    CHECK(start_job() == CORDON_OK && sys.list_len > 0);
    CHECK(sd_parse(sys.list, sys.list_len, &sd) == CORDON_OK);
    sd_print(&sd, &text);
    CHECK(strstr(strbuf_text(&text), "D:P(A;;0x10000000;;;S-1-5-18)(A;;0x101040;;;" OTHER
                                     ")(A;;0x121400;;;S-1-5-5-") != NULL);
    strbuf_deinit(&text);
    end_job();
    begin_job();
    order.token = (struct token_order){.kind = TOKEN_OWN, .caller = fake_token(&world, OTHER)};
    order.around = (struct around_order){0};
    order.target_count = 0;
    CHECK(start_job() == CORDON_OK && sys.list_len == 0);
    end_job();
}

static bool nobody(void *context, const char *holder)
{
    (void)context;
    (void)holder;
    return false;
}

TEST(every_call_that_fails_refuses_the_job_and_undoes_the_rest)
{
    unsigned calls;

    begin_job();
    calls = tap.calls;
    CHECK(start_job() == CORDON_OK);
    calls = tap.calls - calls;
    end_job();
    CHECK(calls > 60);
    for (unsigned n = 1; n <= calls; n++) {
        begin_job();
        tap.fail_at = tap.calls + n;
        tap.fail_code = 1450;
        if (start_job() == CORDON_OK) {
            /* Only where the disk differs from what was thought does a call's failure do no harm.
             */
            CHECK(sys.running && sys.filtered && count(JOB, "C:\\w\\b") == 1);
            end_job();
        } else {
            CHECK(fault.text[0] != '\0' && job.token.handle == 0);
        }
        tap.fail_at = 0;
        /* An entry that could not be taken off waits for the next call. */
        CHECK(state_retain(state, nobody, NULL, &fault) == CORDON_OK);
        CHECK(nothing_left());
    }
}

TEST(two_jobs_share_an_entry_and_the_first_to_end_leaves_it)
{
    struct job first;

    begin_job();
    CHECK(start_job() == CORDON_OK);
    first = job;
    order.holder = "session-1 job-2";
    CHECK(start_job() == CORDON_OK && count(JOB, "C:\\w\\b") == 2);
    end_job();
    CHECK(count(JOB, "C:\\w\\b") == 1 && strstr(list("C:\\w\\b"), ON_FOLDER) != NULL);
    job = first;
    end_job();
    CHECK(nothing_left());
}

TEST(a_process_that_does_not_start_leaves_the_other_jobs_entries)
{
    struct job first;

    begin_job();
    CHECK(start_job() == CORDON_OK);
    first = job;
    order.holder = "session-1 job-2";
    for (unsigned n = 1; n < 200; n++) {
        job = (struct job){0};
        tap.fail_at = tap.calls + n;
        tap.fail_code = 1450;
        if (start_job() != CORDON_OK && strstr(fault.text, "letting cmd /c dir run") != NULL) {
            break;
        }
        end_job();
    }
    CHECK(strstr(fault.text, "letting") != NULL && count(JOB, "C:\\w\\b") == 1);
    tap.fail_at = 0;
    job = first;
    end_job();
    CHECK(nothing_left());
}

TEST(the_callers_own_token_needs_nothing_else)
{
    begin_job();
    order.token = (struct token_order){.kind = TOKEN_OWN, .caller = fake_token(&world, OTHER)};
    order.around = (struct around_order){0};
    order.target_count = 0;
    order.launch.process.desktop = "WinSta0\\default";
    CHECK(start_job() == CORDON_OK && sys.running && at("logon-sid") < 0);
    CHECK(at("desktop=WinSta0\\default handles=0") >= 0 && at("desktop ") < 0 &&
          at("restrict write") < 0);
    end_job();
    CHECK(nothing_left());
}

TEST(the_restricted_token_is_made_of_the_callers)
{
    begin_job();
    order.token.account = NULL;
    order.token.caller = fake_token(&world, OTHER " WD");
    order.around = (struct around_order){.desktop = true};
    order.target_count = 0;
    CHECK(start_job() == CORDON_OK);
    CHECK(at("restrict write-only no-administrators " JOB " S-1-5-5-0-4 S-1-5-12") >= 0);
    CHECK(at("logon ") < 0 && at("station ") < 0);
    CHECK(at("desktop=cordon-abababababababab handles=0") >= 0);
    end_job();
    CHECK(nothing_left());
}

/* FILE_DELETE_CHILD is not among the rights for which a write-restricted token asks its restricting
 * SIDs, and no group of the caller's own token can be denied it: that is found out, and refused. */
TEST(the_restricted_token_is_refused_where_a_denial_has_a_hole)
{
    struct state_target target = denied("C:\\w\\b");

    begin_job();
    target.acl.mask = DENY_WRITE;
    order.token.account = NULL;
    order.token.caller = fake_token(&world, OTHER " WD");
    order.targets = &target;
    order.target_count = 1;
    CHECK(start_job() == CORDON_E_STATE);
    CHECK_STR(fault.text, "the system would still grant 0x40 of what is denied on C:\\w\\b");
    CHECK(nothing_left());
}

TEST(entries_need_somebody_who_keeps_them)
{
    begin_job();
    order.holder = NULL;
    CHECK(start_job() == CORDON_E_INVALID && nothing_left());
}

/* ---- a system that lies ---- */

static void refused(const char *why)
{
    CHECK(start_job() == CORDON_E_STATE);
    CHECK(strstr(fault.text, why) != NULL);
    CHECK(at("process ") < 0 && nothing_left());
}

TEST(a_token_that_is_more_than_was_asked_for_is_none)
{
    begin_job();
    sys.drops_restricting = true;
    refused("a restricting SID is missing");
    begin_job();
    sys.adds_restricting = true;
    refused("a restricting SID was added");
    begin_job();
    sys.drops_groups = true;
    refused("the principal is not among its groups");
    begin_job();
    sys.is_administrator = true;
    refused("it is an administrator's");
    begin_job();
    sys.privileges = 1;
    refused("it has privileges");
    begin_job();
    sys.level = 0x3000;
    sys.keeps_level = true;
    refused("its integrity is above medium");
}

TEST(an_elevated_callers_integrity_is_lowered)
{
    begin_job();
    sys.level = 0x3000;
    CHECK(start_job() == CORDON_OK && sys.level == TOKEN_LEVEL_MEDIUM);
    end_job();
    begin_job();
    sys.level = 0x1000;
    CHECK(start_job() == CORDON_OK && at("set-level") < 0);
    end_job();
}

TEST(a_token_without_a_principal_or_limits_is_not_made)
{
    begin_job();
    order.token.principal.len = 0;
    CHECK(start_job() == CORDON_E_INVALID && at("logon") < 0);
    begin_job();
    order.token.restricting_count = 0;
    CHECK(start_job() == CORDON_E_INVALID && nothing_left());
}

TEST_MAIN()
