/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a worker's order becomes cordon-init's. The worker may be its caller's
 * puppet: each thing it asks to be *granted* is held against the managed policy
 * and named by what the kernel says about the descriptor; what it asks to be
 * denied is passed on, since it can only narrow; the managed denials come last
 * and from our own rules.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "platform/linux/backend.h"

struct object {
    char path[PATH_MAX];
    uint64_t dev, ino;
    bool directory;
};

/*
 * Names an O_PATH descriptor without touching the file system behind it: a
 * FUSE server or a dead network mount must not be able to hold us up.
 */
static enum cordon_err object_name(int fd, struct object *ret_object, struct cordon_fault *fault)
{
    struct statx st;
    char link[64];
    ssize_t len;
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || (flags & O_PATH) == 0) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "spawn order: not an O_PATH descriptor");
    }
    if (statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_INO | STATX_NLINK,
              &st) != 0) {
        return fault_os(fault, errno, NULL, "spawn order: cannot identify a descriptor");
    }
    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, ret_object->path, sizeof(ret_object->path));
    if (len <= 0 || len >= (ssize_t)sizeof(ret_object->path) || ret_object->path[0] != '/') {
        return fault_set(fault, CORDON_E_INVALID, NULL, "spawn order: a descriptor has no name");
    }
    if (st.stx_nlink == 0) {
        return fault_set(fault, CORDON_E_STATE, "try again", "%.*s was removed meanwhile", (int)len,
                         ret_object->path);
    }
    ret_object->path[len] = '\0';
    ret_object->dev = makedev(st.stx_dev_major, st.stx_dev_minor);
    ret_object->ino = st.stx_ino;
    ret_object->directory = S_ISDIR(st.stx_mode);
    return CORDON_OK;
}

static enum cordon_err forbidden(struct cordon_fault *fault, const char *what)
{
    return fault_set(fault, CORDON_E_DENIED, "ask for a mode that the managed policy allows",
                     "the managed policy does not allow %s", what);
}

/* Grants that come as flags. */
static enum cordon_err flags_check(const struct platform_spawn *spawn, uint32_t flags,
                                   struct cordon_fault *fault)
{
    if ((flags & ~(uint32_t)ORDER_FLAGS_FROM_WORKER) != 0) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "spawn order: unknown flags");
    }
    if ((flags & ORDER_FULL_ACCESS) != 0 && !spawn->managed->managed_allows_full_access) {
        return forbidden(fault, "danger-full-access");
    }
    if ((flags & ORDER_ROOT_WRITABLE) != 0 && !spawn->managed->managed_allows_write) {
        return forbidden(fault, "writing");
    }
    return CORDON_OK;
}

/* @from, with what @fd is in the descriptor's place. */
static enum cordon_err object_add(int fd, const struct order_step *from,
                                  struct order_builder *builder, struct cordon_fault *fault)
{
    struct order_step step = *from;
    struct object object;
    enum cordon_err err = object_name(fd, &object, fault);

    if (err != CORDON_OK) {
        return err;
    }
    step.fd = ORDER_NO_FD;
    step.text = order_add_text(builder, object.path, strlen(object.path));
    step.aux = 0;
    step.dev = object.dev;
    step.ino = object.ino;
    order_add_step(builder, &step);
    return CORDON_OK;
}

static enum cordon_err grant_add(const struct platform_spawn *spawn, const struct order_step *from,
                                 struct order_builder *builder, struct cordon_fault *fault)
{
    /* order_check() takes a path instead, which is for cordon-init's order. */
    if (from->fd >= spawn->fd_count - IPC_SPAWN_GRANTS) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "spawn order: object index out of range");
    }
    if (from->op == ORDER_GRANT_WRITE && !spawn->managed->managed_allows_write) {
        return forbidden(fault, "writing");
    }
    return object_add(spawn->fds[IPC_SPAWN_GRANTS + from->fd], from, builder, fault);
}

static enum cordon_err steps_copy(const struct platform_spawn *spawn, const struct order_head *head,
                                  struct order_builder *builder, struct cordon_fault *fault)
{
    const struct order_step *steps = order_steps(head);
    enum cordon_err err = CORDON_OK;

    for (uint32_t i = 0; err == CORDON_OK && i < head->step_count; i++) {
        struct order_step step = steps[i];
        const char *text = order_text(head, step.text);
        const char *aux = order_text(head, step.aux);

        if (step.set != ORDER_SET_OWN) {
            return fault_set(fault, CORDON_E_INVALID, NULL,
                             "spawn order: a worker has no say about managed rules");
        }
        if (step.op == ORDER_GRANT_READ || step.op == ORDER_GRANT_WRITE ||
            step.op == ORDER_SOCKET) {
            err = grant_add(spawn, &step, builder, fault);
            continue;
        }
        step.fd = ORDER_NO_FD;
        step.text = text == NULL ? 0 : order_add_text(builder, text, strlen(text));
        step.aux = aux == NULL ? 0 : order_add_text(builder, aux, strlen(aux));
        order_add_step(builder, &step);
    }
    return err;
}

static void identity_fill(const struct platform_peer *peer, struct order_builder *builder)
{
    struct order_identity *who = &builder->head.identity;

    who->uid = peer->uid;
    who->gid = peer->gid;
    who->group_count = (uint32_t)peer->group_count;
    who->groups = peer->group_count == 0
                      ? 0
                      : order_add_text(builder, peer->groups, peer->group_count * sizeof(uint32_t));
    who->umask = peer->umask;
    who->nice = peer->nice;
    who->oom_score_adj = peer->oom_score_adj;
    who->loginuid = peer->loginuid;
    who->rlimit_mask = peer->rlimit_mask;
    for (size_t i = 0; i < ORDER_RLIMITS; i++) {
        who->rlimit[i].soft = peer->rlimit[i].soft;
        who->rlimit[i].hard = peer->rlimit[i].hard;
    }
}

static enum cordon_err access_fill(const struct platform_spawn *spawn,
                                   const struct order_head *head, struct order_builder *builder,
                                   struct cordon_fault *fault)
{
    size_t count = spawn->managed->managed.count;
    uint8_t *access = malloc(count + 1);

    if (access == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "managed rules: out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        access[i] = (uint8_t)spawn->managed->managed.rules[i].access;
    }
    builder->head.rule_count[ORDER_SET_OWN] = head->rule_count[ORDER_SET_OWN];
    builder->head.access[ORDER_SET_OWN] =
        order_add_text(builder, order_access(head, ORDER_SET_OWN), head->rule_count[ORDER_SET_OWN]);
    builder->head.rule_count[ORDER_SET_MANAGED] = (uint32_t)count;
    builder->head.access[ORDER_SET_MANAGED] = order_add_text(builder, access, count);
    free(access);
    return CORDON_OK;
}

static enum cordon_err cwd_fill(const struct platform_spawn *spawn, struct order_builder *builder,
                                struct cordon_fault *fault)
{
    struct object cwd;
    enum cordon_err err = object_name(spawn->fds[IPC_SPAWN_CWD], &cwd, fault);

    if (err == CORDON_OK && !cwd.directory) {
        err = fault_set(fault, CORDON_E_INVALID, NULL, "%s is not a directory", cwd.path);
    }
    if (err == CORDON_OK) {
        builder->head.cwd = order_add_text(builder, cwd.path, strlen(cwd.path));
        builder->head.cwd_dev = cwd.dev;
        builder->head.cwd_ino = cwd.ino;
    }
    return err;
}

/* The planner says so by rule; this is for the worker that did not ask it. */
static enum cordon_err minimum_check(const struct policy *managed, bool at_access,
                                     struct order_builder *builder, struct cordon_fault *fault)
{
    if (managed->managed.count == 0 || managed->minimum_managed != ENFORCE_KERNEL) {
        return CORDON_OK;
    }
    builder->head.flags |= ORDER_MINIMUM_KERNEL;
    return at_access ? CORDON_OK
                     : fault_set(fault, CORDON_E_UNSUPPORTED, NULL,
                                 "the managed rules require level kernel, which this host has not");
}

/* A rule that is decided at each access: without one, nothing is worth a slot. */
static bool has_watch(const struct order_builder *builder)
{
    for (size_t i = 0; i < builder->step_count; i++) {
        if (builder->steps[i].op == ORDER_WATCH) {
            return true;
        }
    }
    return false;
}

/* Who asks, from where, and what limits his command: no worker has a say about that. */
static enum cordon_err caller_fill(const struct platform_spawn *spawn,
                                   const struct linux_able *able, struct order_builder *builder,
                                   struct cordon_fault *fault)
{
    enum cordon_err err = linux_limit_command(spawn, able, builder, fault);

    if (err == CORDON_OK) {
        err = cwd_fill(spawn, builder, fault);
    }
    if (err == CORDON_OK) {
        identity_fill(spawn->peer, builder);
    }
    return err;
}

struct linux_able linux_able(bool embedded)
{
    struct linux_able able = {.privileged = linux_is_privileged(),
                              .landlock_abi = linux_landlock_abi()};
    const char *why;

    if (!embedded) {
        able.program = bpf_decides(&why);
        able.controllers = cgroup_controllers(&why);
        able.at_access = able.program || linux_fanotify(&why);
    }
    return able;
}

static enum cordon_err build(const struct platform_spawn *spawn, const struct linux_able *able,
                             const struct order_head *head, struct order_builder *builder,
                             bool *ret_program, struct cordon_fault *fault)
{
    enum cordon_err err = flags_check(spawn, head->flags, fault);

    builder->head.slot = ORDER_NO_SLOT;
    builder->head.flags = head->flags | (able->privileged ? 0 : (uint32_t)ORDER_USER_NS);
    builder->head.landlock_abi = able->landlock_abi;
    if (err == CORDON_OK) {
        err = minimum_check(spawn->managed, able->at_access, builder, fault);
    }
    if (err == CORDON_OK) {
        err = caller_fill(spawn, able, builder, fault);
    }
    if (err == CORDON_OK) {
        err = access_fill(spawn, head, builder, fault);
    }
    if (err == CORDON_OK) {
        err = steps_copy(spawn, head, builder, fault);
    }
    if (err == CORDON_OK) {
        err = linux_managed_steps(spawn->managed, able->at_access, builder, fault);
    }
    *ret_program = able->program && has_watch(builder);
    return err;
}

enum cordon_err linux_init_asked(const struct platform_spawn *spawn, const struct linux_able *able,
                                 void **ret_block, size_t *ret_len, struct cordon_fault *fault)
{
    struct order_builder builder;
    enum cordon_err err;

    if (spawn->fd_count < IPC_SPAWN_GRANTS) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "spawn order: descriptors are missing");
    }
    order_begin(&builder);
    err = caller_fill(spawn, able, &builder, fault);
    for (size_t i = IPC_SPAWN_GRANTS; err == CORDON_OK && i < spawn->fd_count; i++) {
        err = object_add(spawn->fds[i], &(const struct order_step){.op = ORDER_GRANT_READ},
                         &builder, fault);
    }
    if (err == CORDON_OK) {
        err = order_finish(&builder, ret_block, ret_len, fault);
    }
    order_builder_deinit(&builder);
    return err;
}

enum cordon_err linux_init_order(const struct platform_spawn *spawn, const struct linux_able *able,
                                 void **ret_block, size_t *ret_len, bool *ret_program,
                                 struct cordon_fault *fault)
{
    const struct order_head *head;
    struct order_builder builder;
    const void *block;
    enum cordon_err err;
    size_t len;

    err = ipc_map(spawn->fds[IPC_SPAWN_ORDER], ORDER_BYTES_MAX, &block, &len, fault);
    if (err != CORDON_OK) {
        return err;
    }
    order_begin(&builder);
    err = order_check(block, len, spawn->fd_count - IPC_SPAWN_GRANTS, &head, fault);
    if (err == CORDON_OK) {
        err = build(spawn, able, head, &builder, ret_program, fault);
    }
    if (err == CORDON_OK) {
        err = order_finish(&builder, ret_block, ret_len, fault);
    }
    order_builder_deinit(&builder);
    ipc_unmap(block, len);
    return err;
}
