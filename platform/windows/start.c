/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/start.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/args.h"
#include "platform/windows/job_plan.h"
#include "platform/windows/look.h"
#include "platform/windows/order.h"
#include "policy/limits.h"

/* Of the look at what managed rules name, which everybody's jobs wait for. */
#define LOOK_NAMES 50000U
#define LOOK_MS 1000U
#define PRINCIPAL_MAX (SID_TEXT_MAX + 16U)

struct starting {
    const struct win_start *start;
    struct cordon_fault *fault;
    struct arena arena;
    struct look *look; /* NULL: nothing was looked at */
    struct win_order order;
    struct plan *managed_plan; /* NULL: there are no managed rules */
    char principal[PRINCIPAL_MAX];
};

static enum cordon_err no_memory(const struct starting *s)
{
    return fault_set(s->fault, CORDON_E_NOMEM, NULL, "starting a job: out of memory");
}

/* The planner says so by rule; this is for the worker that did not ask it. */
static enum cordon_err check_limits(const struct starting *s)
{
    for (int i = 0; i < POLICY_LIMIT_COUNT; i++) {
        const enum policy_limit limit = (enum policy_limit)i;

        if (limit != LIMIT_WALL_S && policy_limit_in_force(s->start->limits, limit)->value != 0) {
            return fault_set(s->fault, CORDON_E_UNSUPPORTED, "leave it out here; Linux enforces it",
                             "%s is not limited on this system", policy_limit_name(limit));
        }
    }
    return CORDON_OK;
}

/*
 * One for each job, by lot: an entry of an earlier job's that could not be taken off opens nothing
 * to a later one. The first numbers are those that Windows itself gives.
 */
static enum cordon_err name_principal(struct starting *s)
{
    const struct around_api *around = s->start->host->around;
    char domain[SID_TEXT_MAX];
    uint32_t number = 0;
    const uint32_t code = around->random(around->self, (uint8_t *)&number, sizeof(number));

    if (code != API_OK) {
        return api_fault(s->fault, code, NULL, "naming the job's principal");
    }
    sid_text(&s->start->domain, domain);
    (void)snprintf(s->principal, sizeof(s->principal), "%s-%" PRIu32, domain,
                   number | UINT32_C(0x40000000));
    return CORDON_OK;
}

/* What managed rules need, planned as for a job that may do everything else: more can be needed by
 * no job. Looked at as ourselves, from a folder that is there. */
static enum cordon_err plan_managed(struct starting *s)
{
    const struct api *api = s->start->api;
    struct policy policy = *s->start->managed;
    struct look_order where = {
        .privileged = !s->start->embedded, .principal = s->principal, .names = LOOK_NAMES};
    struct plan_facts facts;
    enum cordon_err err;
    uint32_t code;

    if (policy.managed.count == 0) {
        return CORDON_OK;
    }
    policy.os = POLICY_OS_WINDOWS;
    policy.full_access = true;
    policy.own = (struct policy_ruleset){0};
    policy.workspace_root_count = 0;
    s->look = malloc(sizeof(*s->look));
    if (s->look == NULL) {
        return no_memory(s);
    }
    look_init(s->look, api, 0, LOOK_MS);
    code = api->folder(api->self, API_FOLDER_WINDOWS, 0, s->look->found, sizeof(s->look->found));
    if (code != API_OK) {
        return api_fault(s->fault, code, NULL, "asking where Windows is");
    }
    where.cwd = arena_strdup(&s->arena, s->look->found);
    if (where.cwd == NULL) {
        return no_memory(s);
    }
    err = look_facts(s->look, &policy, &where, &s->arena, &facts, s->fault);
    return err == CORDON_OK
               ? plan_for_os(policy.os, &policy, &facts, &s->arena, &s->managed_plan, s->fault)
               : err;
}

static enum cordon_err run(struct starting *s, const struct plan *plan, struct job *ret_job)
{
    const struct win_start *start = s->start;
    struct job_order order = {
        .token = {.account = start->embedded ? NULL : start->account, .caller = start->caller},
        .holder = start->holder,
        .caller = start->caller,
        .owner = start->owner,
        .launch = {
            .process = {.handles = {start->handles[0], start->handles[1]}, .handle_count = 2}}};
    struct strbuf line = STRBUF_INIT;
    enum cordon_err err = job_of_plan(plan, &s->arena, &order, s->fault);

    if (err != CORDON_OK) {
        return err;
    }
    /* The init goes to the job's folder by itself, with the job's rights: we do not as much as look
     * at a caller's path, which may lead to a server that wants to know who we are. */
    order.launch.process.folder = NULL;
    /* Of a job that is not given one: that of its own logon, and not the service's, which its token
     * does not open (STARTUPINFO.lpDesktop, the empty string). */
    order.launch.process.desktop = start->embedded ? NULL : "";
    args_quote(&line, start->init);
    strbuf_puts(&line, " ");
    args_quote(&line, s->order.cwd);
    order.launch.process.command_line = strbuf_text(&line);
    err = line.failed ? no_memory(s) : job_start(start->host, &order, ret_job, s->fault);
    strbuf_deinit(&line);
    return err;
}

enum cordon_err win_start(const struct win_start *start, const void *block, size_t len,
                          struct job *ret_job, struct cordon_fault *fault)
{
    struct starting s = {.start = start, .fault = fault};
    struct plan *plan = NULL;
    enum cordon_err err;

    arena_init(&s.arena, WIN_ORDER_ARENA);
    err = check_limits(&s);
    err = err == CORDON_OK ? win_order_read(block, len, &s.arena, &s.order, fault) : err;
    err = err == CORDON_OK ? name_principal(&s) : err;
    err = err == CORDON_OK ? plan_managed(&s) : err;
    if (err == CORDON_OK) {
        const struct win_order_terms terms = {.embedded = start->embedded,
                                              .managed = start->managed,
                                              .managed_plan = s.managed_plan,
                                              .principal = s.principal};

        err = win_order_plan(&s.order, &terms, &s.arena, &plan, fault);
    }
    err = err == CORDON_OK ? run(&s, plan, ret_job) : err;
    free(s.look);
    arena_deinit(&s.arena);
    return err;
}
