/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The system calls that no job may make: one table, compiled by libseccomp when cordon is built,
 * into what cordon-init loads: the filter of ordinary jobs, and for full access the smaller one
 * that only keeps masks from being undone.
 */
#include <errno.h>
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x00000080
#endif
#define CLONE_NEW_ANY                                                                              \
    {                                                                                              \
        CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS,        \
            CLONE_NEWCGROUP                                                                        \
    }

enum {
    ALWAYS = 1, /* keeps masks in place: every job */
    CONFINED = 0
};

/* Refused whatever the arguments. Newer calls by number: the library's table is older. */
static const struct {
    const char *name;
    int number; /* when the library does not know the name */
    int code;
    int scope;
} calls[] = {
    {"mount", -1, EPERM, ALWAYS},
    {"umount2", -1, EPERM, ALWAYS},
    {"pivot_root", -1, EPERM, ALWAYS},
    {"chroot", -1, EPERM, ALWAYS},
    {"setns", -1, EPERM, ALWAYS},
    {"open_tree", 428, EPERM, ALWAYS},
    {"move_mount", 429, EPERM, ALWAYS},
    {"fsopen", 430, EPERM, ALWAYS},
    {"fsconfig", 431, EPERM, ALWAYS},
    {"fsmount", 432, EPERM, ALWAYS},
    {"fspick", 433, EPERM, ALWAYS},
    {"mount_setattr", 442, EPERM, ALWAYS},
    {"open_tree_attr", 467, EPERM, ALWAYS},
    {"open_by_handle_at", -1, EPERM, ALWAYS},
    /* Its flags are behind a pointer; libcs fall back to clone, whose are not. */
    {"clone3", 435, ENOSYS, ALWAYS},
    {"bpf", -1, EPERM, ALWAYS},
    {"add_key", -1, EPERM, CONFINED},
    {"request_key", -1, EPERM, CONFINED},
    {"keyctl", -1, EPERM, CONFINED},
    {"perf_event_open", -1, EPERM, CONFINED},
    {"userfaultfd", -1, EPERM, CONFINED},
    {"io_uring_setup", 425, ENOSYS, CONFINED},
    {"io_uring_enter", 426, ENOSYS, CONFINED},
    {"io_uring_register", 427, ENOSYS, CONFINED},
    {"kexec_load", -1, EPERM, CONFINED},
    {"kexec_file_load", -1, EPERM, CONFINED},
    {"init_module", -1, EPERM, CONFINED},
    {"finit_module", -1, EPERM, CONFINED},
    {"delete_module", -1, EPERM, CONFINED},
    {"swapon", -1, EPERM, CONFINED},
    {"swapoff", -1, EPERM, CONFINED},
    {"reboot", -1, EPERM, CONFINED},
    {"acct", -1, EPERM, CONFINED},
    {"quotactl", -1, EPERM, CONFINED},
    {"syslog", -1, EPERM, CONFINED},
    {"vhangup", -1, EPERM, CONFINED},
    {"iopl", -1, EPERM, CONFINED},
    {"ioperm", -1, EPERM, CONFINED},
    {"move_pages", -1, EPERM, CONFINED},
    {"lookup_dcookie", -1, EPERM, CONFINED},
};

static const uint32_t new_namespaces[] = CLONE_NEW_ANY;

/* Typing at a terminal from the inside; virtual console control. A snapshot of a directory that
 * has something denied below is all of it under another name. An inode whose generation is
 * changed is another one to whoever remembers it. (linux/btrfs.h, bcachefs, linux/fs.h, ext4) */
static const uint64_t refused_ioctls[] = {
    TIOCSTI,    0x541c,     /* TIOCLINUX */
    0x50009401, 0x50009417, /* BTRFS_IOC_SNAP_CREATE, _V2 */
    0x4020bc10,             /* BCH_IOCTL_SUBVOLUME_CREATE */
    0x40087602, 0x40047602, /* FS_IOC_SETVERSION, FS_IOC32_SETVERSION */
    0x40086604, 0x40046604, /* EXT4_IOC_SETVERSION_OLD, EXT4_IOC32_SETVERSION_OLD */
};

static int add_calls(scmp_filter_ctx filter, bool full_access)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        int number = seccomp_syscall_resolve_name(calls[i].name);
        int code;

        if (full_access && calls[i].scope != ALWAYS) {
            continue;
        }
        if (number == __NR_SCMP_ERROR) {
            number = calls[i].number;
        }
        if (number == -1) {
            return -ENOSYS;
        }
        code = seccomp_rule_add(filter, SCMP_ACT_ERRNO((uint32_t)calls[i].code), number, 0);
        if (code != 0) {
            return code;
        }
    }
    return 0;
}

static int add_namespaces(scmp_filter_ctx filter)
{
    int code = 0;

    for (size_t i = 0; code == 0 && i < sizeof(new_namespaces) / sizeof(new_namespaces[0]); i++) {
        uint64_t flag = new_namespaces[i];

        code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                                SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag));
        if (code == 0) {
            code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 1,
                                    SCMP_A0(SCMP_CMP_MASKED_EQ, flag, flag));
        }
    }
    if (code == 0) {
        /* clone()'s low bits are a signal number; only unshare() has this one. */
        code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 1,
                                SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_NEWTIME, CLONE_NEWTIME));
    }
    return code;
}

static int add_ioctls(scmp_filter_ctx filter)
{
    int code = 0;

    for (size_t i = 0; code == 0 && i < sizeof(refused_ioctls) / sizeof(refused_ioctls[0]); i++) {
        code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1,
                                SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffffU, refused_ioctls[i]));
    }
    return code;
}

/* Families that stay within a network namespace; the others may leave the machine. */
static bool family_is_allowed(unsigned family)
{
    return family == AF_UNIX || family == AF_INET || family == AF_INET6 || family == AF_NETLINK;
}

static int add_families(scmp_filter_ctx filter)
{
    const uint32_t refuse = SCMP_ACT_ERRNO(EAFNOSUPPORT);
    int code =
        seccomp_rule_add(filter, refuse, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_GT, AF_NETLINK));

    for (unsigned family = 1; code == 0 && family <= AF_NETLINK; family++) {
        if (!family_is_allowed(family)) {
            code =
                seccomp_rule_add(filter, refuse, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, family));
        }
    }
    return code;
}

static int fill(scmp_filter_ctx filter, bool full_access)
{
    int code = seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

    if (code == 0) {
        code = seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    }
    if (code == 0) {
        code = add_calls(filter, full_access);
    }
    if (code == 0) {
        code = add_namespaces(filter);
    }
    if (code == 0) {
        code = add_ioctls(filter);
    }
    return code != 0 || full_access ? code : add_families(filter);
}

/* The instructions as a table of C's. False: errno, or what libseccomp says. */
static bool print(FILE *out, const char *name, bool full_access)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    FILE *raw = tmpfile();
    struct sock_filter step;
    int code = filter == NULL || raw == NULL ? -ENOMEM : fill(filter, full_access);

    if (code == 0) {
        code = seccomp_export_bpf(filter, fileno(raw));
    }
    seccomp_release(filter);
    if (code != 0) {
        errno = -code;
        return false;
    }
    rewind(raw);
    (void)fprintf(out, "static const struct sock_filter %s[] = {\n", name);
    while (fread(&step, sizeof(step), 1, raw) == 1) {
        (void)fprintf(out, "    {0x%x, %u, %u, 0x%x},\n", step.code, step.jt, step.jf, step.k);
    }
    (void)fprintf(out, "};\n");
    return ferror(raw) == 0 && ferror(out) == 0 && fclose(raw) == 0;
}

int main(int argc, char **argv)
{
    FILE *out = argc == 2 ? fopen(argv[1], "w") : NULL;

    /* What the kernel can that this is built on is nothing to the one that it is for. */
    if (out == NULL || seccomp_api_set(3) != 0 || !print(out, "filter_confined", false) ||
        !print(out, "filter_full_access", true) || fclose(out) != 0) {
        perror("cordon-filter FILE");
        (void)remove(argc == 2 ? argv[1] : "");
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
