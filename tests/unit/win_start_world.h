/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's plan as an order, and what the supervisor starts a job from; over job_world.h. */
#ifndef CORDON_TESTS_WIN_START_WORLD_H
#define CORDON_TESTS_WIN_START_WORLD_H

#include "platform/windows/start.h"

#include "platform/windows/order.h"
#include "tests/golden/plan_case.h"
#include "tests/unit/job_world.h"

/* What the fake's lot draws: 0xabababab, with the bit that is always there. */
#define DRAWN DOMAIN "-3953896363"
#define ON_DENIED "(D;OICI;0xd017f;;;" DRAWN ")"

#define PLAN                                                                                       \
    "profile dev\nwindows\ncwd C:\\w\nworkspace /C:/w\nown read / spelled=:root\n"                 \
    "own write /C:/w spelled=:workspace_roots\n"                                                   \
    "tree dir C:\\w\ntree file C:\\w\\a\ntree dir C:\\w\\b\ntree file C:\\w\\b\\f\n"

static struct plan_case worker, ours;
static struct win_start how;
static struct job_host host;
static struct policy_limits limits;
static void *block;
static size_t block_len;

static inline void parse(struct plan_case *c, const char *text)
{
    plan_case_deinit(c);
    CHECK(plan_case_parse(c, text));
    c->policy.os = POLICY_OS_WINDOWS;
}

/* A worker plans @text; the supervisor's managed rules are @managed. */
static inline void begin_start(const char *text, const char *managed)
{
    struct plan *plan = NULL;

    begin_job();
    (void)fake_add(&world, API_FILE, "C:\\Windows\\", NULL);
    parse(&ours, "profile dev\nwindows\ncwd C:\\w\n");
    if (managed[0] != '\0') {
        parse(&ours, managed);
    }
    ours.policy.managed_allows_write = ours.policy.managed_allows_full_access = true;
    parse(&worker, text);
    CHECK(plan_windows(&worker.policy, &worker.facts, &worker.arena, &plan, &fault) == CORDON_OK);
    free(block);
    block = NULL;
    CHECK(win_order_make(&worker.policy, plan, &block, &block_len, &fault) == CORDON_OK);
    memset(&limits, 0, sizeof(limits));
    how = (struct win_start){.api = &tap.api,
                             .host = &host,
                             .domain = sid_of(DOMAIN),
                             .managed = &ours.policy,
                             .limits = &limits,
                             .caller = fake_token(&world, OTHER " WD"),
                             .owner = sid_of(OTHER),
                             .account = "cordon-job",
                             .holder = "job-7",
                             .init = "C:\\Program Files\\cordon\\cordon-init.exe",
                             .handles = {0x41, 0x42}};
    strbuf_deinit(&tap.trace);
}

static inline enum cordon_err run_order(void)
{
    host = fake_job_host(&sys, state);
    memset(&fault, 0, sizeof(fault));
    return win_start(&how, block, block_len, &job, &fault);
}

#define MANAGED "profile dev\nwindows\ncwd C:\\w\nmanaged deny /C:/w/b\n"

#endif
