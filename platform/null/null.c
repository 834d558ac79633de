/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The back end that enforces nothing: records, and in test builds runs the
 * command as it is. Elsewhere it refuses, so that nobody gets a sandbox that is
 * none. How a command runs is each system's own: null_job.h.
 */
#include <string.h>

#include "platform/null/null_job.h"

static void null_probe(struct platform_probe *ret_probe)
{
    memset(ret_probe, 0, sizeof(*ret_probe));
    ret_probe->layers[0] =
        (struct platform_layer){.name = "null",
                                .evidence = "enforces nothing",
                                .remedy = "build cordon for a system that it supports",
                                .since = "always"};
    ret_probe->layer_count = 1;
}

static enum cordon_err null_resolve(const struct policy *policy, const struct platform_start *start,
                                    struct arena *arena, struct platform_resolved *ret_resolved,
                                    struct cordon_fault *fault)
{
    struct platform_resolved resolved = {.own_count = 0};

    resolved.facts.managed = arena_array(arena, policy->managed.count, sizeof(struct plan_fact));
    resolved.facts.own = arena_array(arena, policy->own.count, sizeof(struct plan_fact));
    if (resolved.facts.managed == NULL || resolved.facts.own == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "resolve: out of memory");
    }
    resolved.facts.cwd = start->cwd;
    resolved.facts.cwd_object = PLAN_DIRECTORY;
    *ret_resolved = resolved;
    return CORDON_OK;
}

static void null_resolved_release(struct platform_resolved *resolved)
{
    (void)resolved;
}

static bool null_resolved_holds(const struct platform_resolved *resolved)
{
    (void)resolved;
    return false;
}

static enum cordon_err null_needed(const struct platform_start *start, struct arena *arena,
                                   struct plan_facts *facts)
{
    (void)start;
    (void)arena;
    (void)facts;
    return CORDON_OK;
}

static enum cordon_err null_plan(const struct policy *policy, const struct plan_facts *facts,
                                 struct arena *arena, struct plan **ret_plan,
                                 struct cordon_fault *fault)
{
    struct plan *plan = arena_alloc(arena, sizeof(*plan));

    (void)facts;
    if (plan != NULL) {
        plan->os = policy->os;
        plan->managed = arena_array(arena, policy->managed.count, sizeof(*plan->managed));
        plan->own = arena_array(arena, policy->own.count, sizeof(*plan->own));
    }
    if (plan == NULL || plan->managed == NULL || plan->own == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "plan: out of memory");
    }
    *ret_plan = plan;
    return CORDON_OK;
}

/* Nothing is denied. */
static enum cordon_err null_violation(struct platform_job *job, struct ipc_violation *ret_violation)
{
    (void)job;
    (void)ret_violation;
    return CORDON_E_AGAIN;
}

static void null_cleanup(bool embedded)
{
    (void)embedded;
}

/* Nothing is made ahead of time. */
static void null_expect(bool embedded)
{
    (void)embedded;
}

static uint32_t null_tend(void)
{
    return 0;
}

static int null_tend_fd(void)
{
    return -1;
}

static void null_forget(void)
{
}

const struct platform *platform_null(void)
{
    static struct platform backend = {
        .name = "null",
        .probe = null_probe,
        .resolve = null_resolve,
        .resolved_release = null_resolved_release,
        .resolved_holds = null_resolved_holds,
        .needed = null_needed,
        .plan = null_plan,
        .order = null_order,
        .spawn = null_spawn,
        .watch_fd = null_watch_fd,
        .poll = null_poll,
        .violation = null_violation,
        .about = null_about,
        .signal = null_signal,
        .release = null_release,
        .cleanup = null_cleanup,
        .expect = null_expect,
        .tend = null_tend,
        .tend_fd = null_tend_fd,
        .forget = null_forget,
    };

    backend.os = null_os();
    return &backend;
}
