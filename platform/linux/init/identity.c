/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#define INIT_FILES 16384U /* for the set-up; the command gets what the caller has: limits.c */

static enum cordon_err write_file(struct init *init, const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    size_t len = strlen(text);

    if (fd < 0 || write(fd, text, len) != (ssize_t)len) {
        int code = errno;

        if (fd >= 0) {
            (void)close(fd);
        }
        return fault_os(&init->fault, code, NULL, "cannot write %s", path);
    }
    (void)close(fd);
    return CORDON_OK;
}

enum cordon_err identity_map_user(struct init *init)
{
    const struct order_identity *who = &init->order->identity;
    char map[64];
    enum cordon_err err = write_file(init, "/proc/self/setgroups", "deny");

    if (err == CORDON_OK) {
        (void)snprintf(map, sizeof(map), "%u %u 1", who->uid, who->uid);
        err = write_file(init, "/proc/self/uid_map", map);
    }
    if (err == CORDON_OK) {
        (void)snprintf(map, sizeof(map), "%u %u 1", who->gid, who->gid);
        err = write_file(init, "/proc/self/gid_map", map);
    }
    return err;
}

/*
 * A limit above our own hard one cannot be given back once lost; the job then
 * gets the lower one, which is the stricter.
 */
void identity_limit(int which, rlim_t soft, rlim_t hard)
{
    struct rlimit now;
    struct rlimit want = {soft, hard};

    if (setrlimit(which, &want) == 0 || getrlimit(which, &now) != 0) {
        return;
    }
    want.rlim_max = hard < now.rlim_max ? hard : now.rlim_max;
    want.rlim_cur = soft < want.rlim_max ? soft : want.rlim_max;
    (void)setrlimit(which, &want);
}

static rlim_t more(rlim_t a, rlim_t b)
{
    return a > b ? a : b;
}

static enum cordon_err loginuid_set(struct init *init)
{
    char text[16];
    char now[16] = "";
    int fd = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC);

    /* A kernel without audit has no such file and nothing to carry. */
    if (fd < 0) {
        return CORDON_OK;
    }
    if (read(fd, now, sizeof(now) - 1) < 0) {
        now[0] = '\0';
    }
    (void)close(fd);
    (void)snprintf(text, sizeof(text), "%u", init->order->identity.loginuid);
    if (strcmp(now, text) == 0) {
        return CORDON_OK;
    }
    return write_file(init, "/proc/self/loginuid", text);
}

/* One that is killed sooner than its caller would be is the stricter. */
static enum cordon_err oom_score_set(struct init *init)
{
    const int32_t score = init->order->identity.oom_score_adj;
    char text[16];
    enum cordon_err err;

    (void)snprintf(text, sizeof(text), "%d", score);
    err = write_file(init, "/proc/self/oom_score_adj", text);
    if (err != CORDON_OK && score <= 0) {
        init->fault = (struct cordon_fault){.err = CORDON_OK};
        err = CORDON_OK;
    }
    return err;
}

enum cordon_err identity_prepare(struct init *init)
{
    const struct order_identity *who = &init->order->identity;
    const gid_t *groups = (const gid_t *)(const void *)order_text(init->order, who->groups);
    bool user_ns = (init->order->flags & ORDER_USER_NS) != 0;

    (void)umask(who->umask & 0777U);
    if (!user_ns && setgroups(who->group_count, groups) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot take the caller's groups");
    }
    if (!user_ns && who->loginuid != UINT32_MAX && loginuid_set(init) != CORDON_OK) {
        return init->fault.err;
    }
    /* In a user namespace it is the caller's by inheritance. */
    if (!user_ns && oom_score_set(init) != CORDON_OK) {
        return init->fault.err;
    }
    for (unsigned i = 0; i < ORDER_RLIMITS; i++) {
        if ((who->rlimit_mask & (1U << i)) != 0) {
            const rlim_t least = i == RLIMIT_NOFILE ? INIT_FILES : 0;

            identity_limit((int)i, more(who->rlimit[i].soft, least),
                           more(who->rlimit[i].hard, least));
        }
    }
    if (setpriority(PRIO_PROCESS, 0, who->nice) != 0 && who->nice > 0) {
        return fault_os(&init->fault, errno, NULL, "cannot take the caller's nice value");
    }
    return CORDON_OK;
}

void identity_as_caller(const struct init *init)
{
    (void)setfsgid(init->order->identity.gid);
    (void)setfsuid(init->order->identity.uid);
}

void identity_as_setup(const struct init *init)
{
    if ((init->order->flags & ORDER_USER_NS) == 0) {
        (void)setfsuid(0);
        (void)setfsgid(0);
    }
}

static enum cordon_err capabilities_set(struct init *init, uint64_t keep)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];

    memset(data, 0, sizeof(data));
    data[0].effective = data[0].permitted = (uint32_t)keep;
    data[1].effective = data[1].permitted = (uint32_t)(keep >> 32);
    if (syscall(SYS_capset, &head, data) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot drop capabilities");
    }
    return CORDON_OK;
}

/* The set ends where the kernel knows no further capability, and only there. */
static enum cordon_err bounding_set_clear(struct init *init)
{
    unsigned long cap = 0;

    while (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0) {
        cap++;
    }
    if (errno != EINVAL || cap <= CAP_WAKE_ALARM ||
        prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot empty the bounding set");
    }
    return CORDON_OK;
}

static enum cordon_err privileges_end(struct init *init, uint64_t keep)
{
    if (capabilities_set(init, keep) != CORDON_OK) {
        return init->fault.err;
    }
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot set no_new_privs");
    }
    return CORDON_OK;
}

enum cordon_err identity_narrow(struct init *init, uint64_t keep)
{
    enum cordon_err err = bounding_set_clear(init);

    return err == CORDON_OK ? privileges_end(init, keep) : err;
}

enum cordon_err identity_bound(struct init *init)
{
    enum cordon_err err = bounding_set_clear(init);

    if (err == CORDON_OK && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        err = fault_os(&init->fault, errno, NULL, "cannot set no_new_privs");
    }
    return err;
}

enum cordon_err identity_shield(struct init *init, uint64_t *ret_keep)
{
    /* Of the least use to anybody; a service's unit may have taken the one or the other. */
    static const unsigned harmless[] = {CAP_WAKE_ALARM, CAP_SYS_NICE, CAP_SYS_CHROOT,
                                        CAP_AUDIT_CONTROL};
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    uint64_t permitted;

    memset(data, 0, sizeof(data));
    if (syscall(SYS_capget, &head, data) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot tell its capabilities");
    }
    permitted = data[0].permitted | (uint64_t)data[1].permitted << 32;
    *ret_keep = permitted & (~permitted + 1);
    for (size_t i = sizeof(harmless) / sizeof(harmless[0]); i > 0; i--) {
        if ((permitted >> harmless[i - 1] & 1) != 0) {
            *ret_keep = 1ULL << harmless[i - 1];
        }
    }
    return CORDON_OK;
}

enum cordon_err identity_become(struct init *init, uint64_t keep)
{
    const struct order_identity *who = &init->order->identity;

    if ((keep != 0 && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) ||
        syscall(SYS_setresgid, who->gid, who->gid, who->gid) != 0 ||
        syscall(SYS_setresuid, who->uid, who->uid, who->uid) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot become user %u", who->uid);
    }
    return privileges_end(init, keep);
}

enum cordon_err identity_drop(struct init *init)
{
    return identity_become(init, 0);
}
