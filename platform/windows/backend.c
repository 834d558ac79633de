/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The back end of this system, as far as there is one: it looks at the disk and plans, with every
 * refusal that a plan has; no job is started, since what would carry the plan out (job.h) is not
 * joined to the broker yet. What of a job is never reached is the null back end's.
 */
#include <stdlib.h>
#include <string.h>

#include "platform/platform.h"
#include "platform/windows/look.h"

#define NAMES_MAX 200000U /* that all globs of a plan may look at */
#define LOOK_MS 5000U

struct platform_kept {
    struct look look; /* the facts lead into it */
};

static void probe(struct platform_probe *ret_probe)
{
    memset(ret_probe, 0, sizeof(*ret_probe));
    ret_probe->layers[0] =
        (struct platform_layer){.name = "jobs",
                                .needed = true,
                                .evidence = "not started on Windows yet",
                                .remedy = "use --print-plan to see what would be done",
                                .since = "none"};
    ret_probe->layer_count = 1;
}

static enum cordon_err resolve(const struct policy *policy, const struct platform_start *start,
                               struct arena *arena, struct platform_resolved *ret_resolved,
                               struct cordon_fault *fault)
{
    struct platform_resolved resolved = {.own_count = 0};
    const struct look_order order = {
        .cwd = start->cwd, .privileged = !start->embedded, .names = NAMES_MAX};
    enum cordon_err err;

    resolved.kept = calloc(1, sizeof(*resolved.kept));
    if (resolved.kept == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "resolve: out of memory");
    }
    /* A worker is the caller already. */
    look_init(&resolved.kept->look, api_win32(), 0, LOOK_MS);
    err = look_facts(&resolved.kept->look, policy, &order, arena, &resolved.facts, fault);
    if (err != CORDON_OK) {
        free(resolved.kept);
        return err;
    }
    *ret_resolved = resolved;
    return CORDON_OK;
}

static void resolved_release(struct platform_resolved *resolved)
{
    free(resolved->kept);
    resolved->kept = NULL;
}

static enum cordon_err plan(const struct policy *policy, const struct plan_facts *facts,
                            struct arena *arena, struct plan **ret_plan, struct cordon_fault *fault)
{
    return plan_for_os(POLICY_OS_WINDOWS, policy, facts, arena, ret_plan, fault);
}

static enum cordon_err refuse(struct cordon_fault *fault)
{
    return fault_set(fault, CORDON_E_UNSUPPORTED, "use --print-plan to see what would be done",
                     "no sandbox is made on Windows yet");
}

static enum cordon_err order(const struct platform_parts *parts, struct platform_order *ret_order,
                             struct cordon_fault *fault)
{
    (void)parts;
    (void)ret_order;
    return refuse(fault);
}

static enum cordon_err spawn(const struct platform_spawn *how, struct platform_job **ret_job,
                             struct cordon_fault *fault)
{
    (void)how;
    (void)ret_job;
    return refuse(fault);
}

const struct platform *platform_host(void)
{
    static struct platform backend;

    backend = *platform_null();
    backend.name = "windows";
    backend.os = POLICY_OS_WINDOWS;
    backend.probe = probe;
    backend.resolve = resolve;
    backend.resolved_release = resolved_release;
    backend.plan = plan;
    backend.order = order;
    backend.spawn = spawn;
    return &backend;
}
