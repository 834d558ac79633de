/* SPDX-License-Identifier: Apache-2.0 */
/* From a policy through its plan to a job that runs, and what is refused on the way. */
#include "platform/windows/job_plan.h"

#include "platform/windows/plan_windows.h"
#include "tests/golden/plan_case.h"
#include "tests/unit/job_world.h"

static struct plan_case c;

#define BASE                                                                                       \
    "profile dev\nwindows\ncwd C:\\w\nworkspace /C:/w\nprincipal " JOB "\n"                        \
    "own read / spelled=:root\nown write /C:/w spelled=:workspace_roots\n"
#define TREE "tree dir C:\\w\ntree file C:\\w\\a\ntree dir C:\\w\\b\ntree file C:\\w\\b\\f\n"

static struct plan *plan_of(const char *text)
{
    struct plan *plan = NULL;

    plan_case_deinit(&c);
    CHECK(plan_case_parse(&c, text));
    c.policy.os = POLICY_OS_WINDOWS;
    if (plan_windows(&c.policy, &c.facts, &c.arena, &plan, &fault) != CORDON_OK) {
        (void)fprintf(stderr, "  %s\n", fault.text);
        CHECK(false);
    }
    return plan;
}

/* What a caller says before the plan does. */
static void blank(void)
{
    begin_job();
    order = (struct job_order){.token = {.account = "cordon-job"},
                               .holder = "job-1",
                               .launch = {.process = {.command_line = "cmd /c dir"}}};
}

static bool restricted_by(const char *text)
{
    const struct sid sid = strcmp(text, "") == 0 ? (struct sid){0} : sid_of(text);

    for (size_t i = 0; i < order.token.restricting_count; i++) {
        const struct sid *found = &order.token.restricting[i];

        if (sid.len == 0 ? found->len == 0 : sid_equal(found, &sid)) {
            return true;
        }
    }
    return false;
}

TEST(a_policy_becomes_a_job_that_runs)
{
    blank();
    CHECK(job_of_plan(plan_of(BASE TREE "own deny /C:/w/a\nown deny /C:/w/n/.env\n"), &c.arena,
                      &order, &fault) == CORDON_OK);
    CHECK(order.token.kind == TOKEN_WRITE_RESTRICTED && order.token.account != NULL);
    CHECK(restricted_by(JOB) && restricted_by("") && restricted_by("S-1-5-12"));
    CHECK(order.token.restricting_count == 3 && order.around.station && order.around.desktop);
    for (size_t i = 0; i < AROUND_LAYERS; i++) {
        CHECK(order.around.filter[i]);
    }
    CHECK_STR(order.launch.process.folder, "C:\\w");
    CHECK(start_job() == CORDON_OK && sys.running && sys.filtered);
    CHECK(count(JOB, "C:\\w\\a") == 1 && count(JOB, "C:\\w\\n\\.env") == 1);
    end_job();
    CHECK(nothing_left());
}

TEST(a_network_that_is_on_has_no_filters)
{
    blank();
    CHECK(job_of_plan(plan_of(BASE TREE "network\n"), &c.arena, &order, &fault) == CORDON_OK);
    CHECK(!order.around.filter[0] && !order.around.filter[3]);
}

TEST(full_access_without_rules_is_the_callers_own_token)
{
    blank();
    CHECK(job_of_plan(plan_of("profile dev\nwindows\ncwd C:\\w\nfull-access\n" TREE), &c.arena,
                      &order, &fault) == CORDON_OK);
    CHECK(order.token.kind == TOKEN_OWN && order.token.account == NULL && order.target_count == 0);
    CHECK(!order.around.desktop);
}

TEST(embedded_mode_logs_nobody_on)
{
    blank();
    CHECK(job_of_plan(plan_of(BASE TREE "network\nembedded\n"), &c.arena, &order, &fault) ==
          CORDON_OK);
    CHECK(order.token.account == NULL && !order.around.station && order.around.desktop);
}

/* ---- what is refused ---- */

static void refused(struct plan *plan, const char *why)
{
    CHECK(job_of_plan(plan, &c.arena, &order, &fault) == CORDON_E_INVALID);
    CHECK(strstr(fault.text, why) != NULL);
}

static struct plan_step *step_of(struct plan *plan, uint16_t op)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        if (plan->steps[i].op == op) {
            return &plan->steps[i];
        }
    }
    CHECK(false);
    return NULL;
}

TEST(a_plan_to_be_looked_at_is_not_carried_out)
{
    struct plan *plan;

    blank();
    plan = plan_of(BASE TREE);
    step_of(plan, PLAN_WINDOWS_PRINCIPAL)->text = "job";
    refused(plan, "\"principal job\"");
    blank();
    order.token.account = NULL;
    refused(plan_of(BASE TREE), "\"backend service\"");
}

TEST(what_is_not_understood_is_refused_and_not_left_out)
{
    static const struct {
        uint16_t op;
        const char *text;
    } words[] = {
        {PLAN_WINDOWS_BACKEND, "other"},    {PLAN_WINDOWS_TOKEN, "own"},
        {PLAN_WINDOWS_RESTRICT, "S-1-"},    {PLAN_WINDOWS_JOB, "kill-on-close"},
        {PLAN_WINDOWS_FILTER, "listen v4"}, {PLAN_WINDOWS_PRINCIPAL, ""},
    };

    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        struct plan *plan;

        blank();
        plan = plan_of(BASE TREE);
        step_of(plan, words[i].op)->text = words[i].text;
        refused(plan, "cannot be carried out");
    }
    blank();
    {
        struct plan *plan = plan_of(BASE TREE);

        step_of(plan, PLAN_WINDOWS_JOB)->op = PLAN_WINDOWS_OP_COUNT;
        refused(plan, "cannot be carried out");
    }
}

TEST(a_plan_that_lacks_a_step_is_refused)
{
    static const uint16_t needed[] = {PLAN_WINDOWS_BACKEND, PLAN_WINDOWS_TOKEN,  PLAN_WINDOWS_JOB,
                                      PLAN_WINDOWS_NET_OFF, PLAN_WINDOWS_FILTER, PLAN_WINDOWS_EXEC};

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        struct plan *plan;

        blank();
        plan = plan_of(BASE TREE);
        /* Another step of no effect in its place. */
        *step_of(plan, needed[i]) = (struct plan_step){.op = PLAN_WINDOWS_DESKTOP};
        refused(plan, "cannot be carried out");
    }
}

TEST(more_restricting_sids_than_fit_are_refused)
{
    struct plan *plan;
    struct plan_step *steps;

    blank();
    plan = plan_of(BASE TREE);
    steps = arena_array(&c.arena, plan->step_count + TOKEN_SIDS_MAX, sizeof(*steps));
    memcpy(steps, plan->steps, plan->step_count * sizeof(*steps));
    for (size_t i = 0; i < TOKEN_SIDS_MAX; i++) {
        steps[plan->step_count++] =
            (struct plan_step){.op = PLAN_WINDOWS_RESTRICT, .text = "S-1-5-12"};
    }
    plan->steps = steps;
    refused(plan, "\"restrict S-1-5-12\"");
}

TEST_MAIN()
