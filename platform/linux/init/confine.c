/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/init.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/linux/filter.h" /* made by cordon-filter */
#include "platform/linux/without.h"

/* Numbers of the user API that the headers of our floor do not have yet. */
#define FS_REFER (1ULL << 13)           /* ABI 2 */
#define FS_TRUNCATE (1ULL << 14)        /* ABI 3 */
#define FS_IOCTL_DEV (1ULL << 15)       /* ABI 5 */
#define SCOPE_ABSTRACT_UNIX (1ULL << 0) /* ABI 6 */
#define SCOPE_SIGNAL (1ULL << 1)        /* ABI 6 */

#define FS_FILE (LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE | FS_IOCTL_DEV)
#define FS_TREE                                                                                    \
    (LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |                              \
     LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |    \
     LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO | LANDLOCK_ACCESS_FS_MAKE_BLOCK | \
     LANDLOCK_ACCESS_FS_MAKE_SYM | FS_REFER)

/* As struct landlock_ruleset_attr of ABI 6; older kernels take a shorter size. */
struct ruleset_attr {
    uint64_t handled_access_fs;
    uint64_t handled_access_net;
    uint64_t scoped;
};

static uint64_t landlock_rights(uint32_t abi)
{
    uint64_t rights = FS_FILE | FS_TREE;

    if (abi < 2) {
        rights &= ~FS_REFER;
    }
    if (abi < 3) {
        rights &= ~FS_TRUNCATE;
    }
    if (abi < 5) {
        rights &= ~FS_IOCTL_DEV;
    }
    return rights;
}

static enum cordon_err landlock_allow(struct init *init, int ruleset, const char *path,
                                      uint64_t rights)
{
    struct landlock_path_beneath_attr rule = {.allowed_access = rights};
    struct stat st;

    rule.parent_fd = view_open(init, path, true);
    if (rule.parent_fd < 0 && (errno == ENOENT || errno == EACCES)) {
        return CORDON_OK; /* a mask lies over it: nothing there to write to */
    }
    if (rule.parent_fd < 0 || fstat(rule.parent_fd, &st) != 0) {
        return fault_os(&init->fault, errno, NULL, "second wall: cannot open %s", path);
    }
    if (!S_ISDIR(st.st_mode)) {
        rule.allowed_access &= FS_FILE;
    }
    if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0) {
        int code = errno;

        (void)close(rule.parent_fd);
        return fault_os(&init->fault, code, NULL, "second wall: cannot allow %s", path);
    }
    (void)close(rule.parent_fd);
    return CORDON_OK;
}

static enum cordon_err landlock_rules(struct init *init, int ruleset, uint64_t rights)
{
    const struct order_step *steps = order_steps(init->order);
    bool all = (init->order->flags & ORDER_ROOT_WRITABLE) != 0;
    enum cordon_err err = landlock_allow(init, ruleset, all ? "/" : "/dev", rights);

    if (err == CORDON_OK && !all) {
        err = landlock_allow(init, ruleset, "/proc", rights);
    }
    for (uint32_t i = 0; err == CORDON_OK && i < init->order->step_count; i++) {
        if (steps[i].op == ORDER_GRANT_WRITE) {
            err = landlock_allow(init, ruleset, order_text(init->order, steps[i].text), rights);
        }
    }
    return err;
}

/*
 * Writes and scopes only: reads are the view's business. What this adds is that
 * a descriptor from outside cannot be reopened for writing, and that abstract
 * sockets and signals stay in the job even where a namespace is shared.
 */
enum cordon_err confine_landlock(struct init *init)
{
    uint32_t abi = init->order->landlock_abi;
    struct ruleset_attr attr = {.handled_access_fs = landlock_rights(abi)};
    enum cordon_err err = CORDON_OK;
    size_t size = offsetof(struct ruleset_attr, handled_access_net);
    int ruleset;

    if (abi == 0 || (init->order->flags & ORDER_FULL_ACCESS) != 0 || without(LAYER_LANDLOCK)) {
        return CORDON_OK;
    }
    if (abi >= 6) {
        attr.scoped = SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL;
        size = sizeof(attr);
    }
    ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);
    if (ruleset < 0) {
        return fault_os(&init->fault, errno, NULL, "second wall: cannot make a ruleset");
    }
    err = landlock_rules(init, ruleset, attr.handled_access_fs);
    if (err == CORDON_OK && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0) {
        err = fault_os(&init->fault, errno, NULL, "second wall: cannot restrict the job");
    }
    (void)close(ruleset);
    return err;
}

#define STEPS(filter) ((unsigned short)(sizeof(filter) / sizeof((filter)[0])))

enum cordon_err confine_seccomp(struct init *init)
{
    const bool full_access = (init->order->flags & ORDER_FULL_ACCESS) != 0;
    const struct {
        unsigned short len;
        const struct sock_filter *filter;
    } program = {full_access ? STEPS(filter_full_access) : STEPS(filter_confined),
                 full_access ? filter_full_access : filter_confined}; /* as struct sock_fprog */

    if (without(LAYER_SECCOMP)) {
        return CORDON_OK;
    }
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) == 0
               ? CORDON_OK
               : fault_os(&init->fault, errno, NULL, "cannot load the system call filter");
}
