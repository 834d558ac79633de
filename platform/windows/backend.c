/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The back end of this system: the worker's half, which looks at the disk and plans with the
 * caller's rights, and the table of both. What of a job is never reached is the null back end's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/account.h"
#include "platform/windows/backend.h"
#include "platform/windows/look.h"
#include "platform/windows/order.h"

#define NAMES_MAX 200000U /* that all globs of a plan may look at */
#define LOOK_MS 5000U

struct platform_kept {
    struct look look; /* the facts lead into it */
};

/* Without it jobs of the service with full access and no managed rules are all that starts. */
static struct platform_layer look_account(void)
{
    struct platform_layer layer = {
        .name = "account", .remedy = "install the service, which makes it", .since = "always"};
    char text[SID_TEXT_MAX];
    struct cordon_fault fault;
    struct sid sid;

    if (account_look(account_win32(), ACCOUNT_NAME, &sid, &fault) == CORDON_OK) {
        layer.available = true;
        sid_text(&sid, text);
        (void)snprintf(layer.evidence, sizeof(layer.evidence), ACCOUNT_NAME ", %s", text);
    } else {
        (void)snprintf(layer.evidence, sizeof(layer.evidence), "%.150s", fault.text);
    }
    return layer;
}

static void probe(struct platform_probe *ret_probe)
{
    memset(ret_probe, 0, sizeof(*ret_probe));
    ret_probe->layers[0] =
        (struct platform_layer){.name = "access lists",
                                .available = true,
                                .evidence = "read back, and their effect checked, by each job",
                                .remedy = "use NTFS for what is to be denied",
                                .since = "Windows 10"};
    ret_probe->layers[1] = look_account();
    ret_probe->layer_count = 2;
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

/* No handle of a folder of the caller's goes to the supervisor, which could hang on closing it: the
 * job's init goes there by name. */
static enum cordon_err order(const struct platform_parts *parts, struct platform_order *ret_order,
                             struct cordon_fault *fault)
{
    void *block = NULL;
    size_t len = 0;
    enum cordon_err err = win_order_make(parts->policy, parts->plan, &block, &len, fault);

    if (err == CORDON_OK) {
        err = windows_pack(block, len, parts, -1, ret_order, fault);
    }
    free(block);
    return err;
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
    backend.spawn = windows_spawn;
    backend.watch_fd = windows_watch_fd;
    backend.poll = windows_poll;
    backend.about = windows_about;
    backend.signal = windows_signal;
    backend.release = windows_release;
    backend.cleanup = windows_cleanup;
    return &backend;
}
