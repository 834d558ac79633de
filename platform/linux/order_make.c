/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's half of a spawn order: plan and objects into one packet. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/linux/backend.h"
#include "platform/linux/plan_linux.h"

/* How plan steps travel; what is missing here is the supervisor's or cordon-init's business. */
static const struct {
    uint8_t op;     /* enum order_op; 0: no step */
    uint32_t flags; /* enum order_flag the step stands for */
} ways[PLAN_LINUX_OP_COUNT] = {
    [PLAN_LINUX_VIEW_READ_ROOT] = {0, ORDER_ROOT_READABLE},
    [PLAN_LINUX_VIEW_WRITE_ROOT] = {0, ORDER_ROOT_READABLE | ORDER_ROOT_WRITABLE},
    [PLAN_LINUX_NET_HOST] = {0, ORDER_NET_HOST},
    [PLAN_LINUX_GRANT_READ] = {ORDER_GRANT_READ, 0},
    [PLAN_LINUX_REOPEN_READ] = {ORDER_GRANT_READ, 0},
    [PLAN_LINUX_GRANT_WRITE] = {ORDER_GRANT_WRITE, 0},
    [PLAN_LINUX_REOPEN_WRITE] = {ORDER_GRANT_WRITE, 0},
    [PLAN_LINUX_PROTECT] = {ORDER_PROTECT, 0},
    [PLAN_LINUX_MASK] = {ORDER_MASK, 0},
    [PLAN_LINUX_VIEW_LINK] = {ORDER_LINK, 0},
    [PLAN_LINUX_SCAN] = {ORDER_SCAN, 0},
    [PLAN_LINUX_WATCH] = {ORDER_WATCH, 0},
    [PLAN_LINUX_PIN] = {ORDER_PIN, 0},
    [PLAN_LINUX_KEEP_SOCKET] = {ORDER_SOCKET, 0},
};

struct making {
    const struct policy *policy;
    struct platform_resolved *resolved;
    struct platform_order *order;
    struct order_builder builder;
    struct cordon_fault *fault;
};

/* Duplicates @fd into the packet; its index among the grants. */
static enum cordon_err grant_fd(struct making *making, int fd, const char *path, uint32_t *ret_fd)
{
    struct platform_order *order = making->order;

    if (fd < 0) {
        return fault_set(making->fault, CORDON_E_NOT_FOUND, NULL, "%s cannot be opened", path);
    }
    if (order->fd_count == IPC_FDS_MAX) {
        return fault_set(making->fault, CORDON_E_LIMIT, "grant a common parent directory instead",
                         "more than %u paths are granted one by one",
                         IPC_FDS_MAX - (unsigned)IPC_SPAWN_GRANTS);
    }
    order->fds[order->fd_count] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (order->fds[order->fd_count] < 0) {
        return fault_os(making->fault, errno, NULL, "cannot hand over %s", path);
    }
    *ret_fd = (uint32_t)(order->fd_count - IPC_SPAWN_GRANTS);
    if (making->resolved->kept != NULL) {
        making->resolved->kept->grants[*ret_fd] = path;
        making->resolved->kept->grant_count = *ret_fd + 1;
    }
    order->fd_count++;
    return CORDON_OK;
}

static int socket_fd(const struct making *making, const char *path)
{
    for (size_t i = 0; i < making->resolved->socket_count; i++) {
        if (strcmp(making->policy->unix_sockets[i], path) == 0) {
            return making->resolved->socket_fds[i];
        }
    }
    return -1;
}

static enum cordon_err object_step(struct making *making, const struct plan_step *from,
                                   struct order_step *step)
{
    int fd = -1;

    if (step->op == ORDER_SOCKET) {
        fd = socket_fd(making, from->path);
        step->rule = ORDER_NO_RULE;
        if (fd < 0) {
            return CORDON_OK; /* not there: nothing to keep */
        }
    } else if (from->set == PLAN_SET_OWN && from->rule < making->resolved->own_count) {
        fd = making->resolved->own_fds[from->rule];
    }
    return grant_fd(making, fd, from->path, &step->fd);
}

static enum cordon_err step_add(struct making *making, const struct plan_step *from)
{
    struct order_step step = {.op = ways[from->op].op,
                              .set = ORDER_SET_OWN,
                              .rule = from->rule,
                              .fd = ORDER_NO_FD,
                              .depth = from->value};
    enum cordon_err err = CORDON_OK;

    making->builder.head.flags |= ways[from->op].flags;
    /* Managed denials are the supervisor's to add. What is held comes here with the profile's, from
     * the top: what would be held above it later would cover its mount, which nobody watches then,
     * and a rename by the host would lay it bare. */
    if (step.op == 0 ||
        (from->set == PLAN_SET_MANAGED && step.op != ORDER_SCAN && step.op != ORDER_PIN)) {
        return CORDON_OK;
    }
    if (from->set != PLAN_SET_OWN) {
        step.rule = ORDER_NO_RULE;
    }
    step.flags = (uint16_t)(((from->flags & PLAN_STEP_OPEN) != 0 ? ORDER_STEP_OPEN : 0) |
                            ((from->flags & PLAN_STEP_LINK) != 0 ? ORDER_STEP_LINK : 0));
    if (step.op == ORDER_GRANT_READ || step.op == ORDER_GRANT_WRITE || step.op == ORDER_SOCKET) {
        err = object_step(making, from, &step);
        if (err != CORDON_OK || step.fd == ORDER_NO_FD) {
            return err;
        }
    } else {
        step.text = order_add_text(&making->builder, from->path, strlen(from->path));
    }
    if (step.op == ORDER_LINK) {
        step.aux = order_add_text(&making->builder, from->text, strlen(from->text));
    }
    order_add_step(&making->builder, &step);
    return err;
}

static bool has_globs(const struct policy_ruleset *set)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->rules[i].glob) {
            return true;
        }
    }
    return false;
}

static enum cordon_err access_add(struct making *making)
{
    const struct policy_ruleset *own = &making->policy->own;
    uint8_t *access = malloc(own->count + 1);

    if (access == NULL) {
        return fault_set(making->fault, CORDON_E_NOMEM, NULL, "spawn order: out of memory");
    }
    for (size_t i = 0; i < own->count; i++) {
        access[i] = (uint8_t)own->rules[i].access;
    }
    making->builder.head.rule_count[ORDER_SET_OWN] = (uint32_t)own->count;
    making->builder.head.access[ORDER_SET_OWN] =
        order_add_text(&making->builder, access, own->count);
    making->builder.head.access[ORDER_SET_MANAGED] = order_add_text(&making->builder, "", 0);
    free(access);
    return CORDON_OK;
}

static enum cordon_err block_make(struct making *making, const struct plan *plan)
{
    bool globs = has_globs(&making->policy->own);
    enum cordon_err err = access_add(making);
    void *block = NULL;
    size_t len = 0;

    if (making->policy->full_access) {
        making->builder.head.flags |=
            ORDER_FULL_ACCESS | ORDER_ROOT_READABLE | ORDER_ROOT_WRITABLE | ORDER_NET_HOST;
    }
    if (making->policy->minimum_own == ENFORCE_KERNEL && !making->policy->full_access) {
        making->builder.head.flags |= ORDER_MINIMUM_KERNEL;
    }
    for (size_t i = 0; err == CORDON_OK && i < plan->step_count; i++) {
        if (plan->steps[i].op != PLAN_LINUX_SCAN || globs) {
            err = step_add(making, &plan->steps[i]);
        }
    }
    if (err == CORDON_OK) {
        err = order_finish(&making->builder, &block, &len, making->fault);
    }
    if (err == CORDON_OK) {
        err = ipc_memfd("cordon-order", block, len, &making->order->fds[IPC_SPAWN_ORDER],
                        making->fault);
    }
    free(block);
    return err;
}

static void order_close(struct platform_order *order)
{
    for (size_t i = 0; i < order->fd_count; i++) {
        if (order->fds[i] >= 0) {
            (void)close(order->fds[i]);
        }
    }
    order->fd_count = 0;
}

/*
 * The block that was made before, and what it grants opened again. That nothing changed is asked
 * after that: what was opened before somebody put another object there is the old one.
 */
static enum cordon_err order_again(const struct platform_resolved *resolved,
                                   struct platform_order *order, struct cordon_fault *fault)
{
    const struct platform_kept *kept = resolved->kept;

    order->fds[IPC_SPAWN_ORDER] = fcntl(kept->order, F_DUPFD_CLOEXEC, 3);
    for (size_t i = 0; i < kept->grant_count; i++) {
        const int fd = open(kept->grants[i], O_PATH | O_CLOEXEC);

        if (fd < 0) {
            return fault_set(fault, CORDON_E_AGAIN, "try again", "%s cannot be opened",
                             kept->grants[i]);
        }
        order->fds[order->fd_count++] = fd;
    }
    if (!linux_resolved_holds(resolved)) {
        return fault_set(fault, CORDON_E_AGAIN, "try again", "a path of the policy was changed");
    }
    return order->fds[IPC_SPAWN_ORDER] < 0
               ? fault_os(fault, errno, NULL, "cannot hand over the job's descriptors")
               : CORDON_OK;
}

static enum cordon_err order_make(struct making *making, const struct plan *plan)
{
    struct platform_kept *kept = making->resolved->kept;
    enum cordon_err err;

    order_begin(&making->builder);
    err = block_make(making, plan);
    order_builder_deinit(&making->builder);
    if (err == CORDON_OK && kept != NULL) {
        kept->order = fcntl(making->order->fds[IPC_SPAWN_ORDER], F_DUPFD_CLOEXEC, 3);
        linux_resolved_idle(making->resolved);
    }
    return err;
}

enum cordon_err linux_order(const struct platform_parts *parts, struct platform_order *ret_order,
                            struct cordon_fault *fault)
{
    struct making making = {
        .policy = parts->policy, .resolved = parts->resolved, .order = ret_order, .fault = fault};
    const struct platform_kept *kept = parts->resolved->kept;
    enum cordon_err err;

    for (size_t i = 0; i < IPC_SPAWN_GRANTS; i++) {
        ret_order->fds[i] = -1;
    }
    ret_order->fd_count = IPC_SPAWN_GRANTS;
    err = kept != NULL && kept->order >= 0 ? order_again(parts->resolved, ret_order, fault)
                                           : order_make(&making, parts->plan);
    if (err == CORDON_OK) {
        ret_order->fds[IPC_SPAWN_TABLE] = fcntl(parts->own_fd, F_DUPFD_CLOEXEC, 3);
        ret_order->fds[IPC_SPAWN_CHANNEL] = fcntl(parts->channel, F_DUPFD_CLOEXEC, 3);
        ret_order->fds[IPC_SPAWN_CWD] = fcntl(parts->cwd_fd, F_DUPFD_CLOEXEC, 3);
        if (ret_order->fds[IPC_SPAWN_TABLE] < 0 || ret_order->fds[IPC_SPAWN_CHANNEL] < 0 ||
            ret_order->fds[IPC_SPAWN_CWD] < 0) {
            err = fault_os(fault, errno, NULL, "cannot hand over the job's descriptors");
        }
    }
    if (err != CORDON_OK) {
        order_close(ret_order);
    }
    return err;
}
