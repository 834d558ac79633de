/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MT-11: every call that could change the view is made once; each must fail.
 * Prints "NAME: REFUSED (why)" or "NAME: SUCCEEDED"; exit status 1 if any did.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long try_unshare(void)
{
    static const int kinds[] = {
        CLONE_NEWUSER, CLONE_NEWNS,  CLONE_NEWPID,    CLONE_NEWNET,
        CLONE_NEWIPC,  CLONE_NEWUTS, CLONE_NEWCGROUP, CLONE_NEWUSER | CLONE_NEWNS};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (syscall(SYS_unshare, kinds[i]) == 0) {
            return 0;
        }
    }
    return -1;
}

/* A child that such a call made by mistake must not run on in this program. */
static long end_child(long pid)
{
    if (pid == 0) {
        _exit(0);
    }
    if (pid > 0) {
        (void)waitpid((pid_t)pid, NULL, 0);
        return 0;
    }
    return -1;
}

static long try_clone(void)
{
    return end_child(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
}

static long try_clone3(void)
{
    struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};

    return end_child(syscall(SYS_clone3, &args, sizeof(args)));
}

static long try_setns(void)
{
    static const char *const kinds[] = {"user", "mnt", "pid", "net", "ipc", "uts"};

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        char path[64];
        int fd;

        (void)snprintf(path, sizeof(path), "/proc/1/ns/%s", kinds[i]);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && syscall(SYS_setns, fd, 0) == 0) {
            return 0;
        }
        (void)snprintf(path, sizeof(path), "/proc/self/ns/%s", kinds[i]);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && syscall(SYS_setns, fd, 0) == 0) {
            return 0;
        }
    }
    return syscall(SYS_setns, -1, 0);
}

static long try_mount(void)
{
    if (syscall(SYS_mount, "tmpfs", "/tmp", "tmpfs", 0UL, NULL) == 0 ||
        syscall(SYS_mount, "/", "/tmp", NULL, 4096UL, NULL) == 0) {
        return 0;
    }
    return syscall(SYS_mount, NULL, "/", NULL, 32UL | 4096UL, NULL);
}

static long try_umount2(void)
{
    if (syscall(SYS_umount2, "/dev/shm", 2) == 0 || syscall(SYS_umount2, "/", 2) == 0) {
        return 0;
    }
    return syscall(SYS_umount2, "/proc", 2);
}

static long try_pivot_root(void)
{
    return syscall(SYS_pivot_root, ".", ".");
}

static long try_open_tree(void)
{
    return syscall(SYS_open_tree, AT_FDCWD, "/", OPEN_TREE_CLONE | AT_RECURSIVE);
}

static long try_fsopen(void)
{
    return syscall(SYS_fsopen, "tmpfs", 0);
}

static long try_move_mount(void)
{
    return syscall(SYS_move_mount, AT_FDCWD, "/proc", AT_FDCWD, "/tmp", 0);
}

static long try_mount_setattr(void)
{
    struct mount_attr attr = {.attr_clr = MOUNT_ATTR_RDONLY};

    return syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attr, sizeof(attr));
}

static long try_fsmount(void)
{
    return syscall(SYS_fsmount, -1, 0, 0);
}

static long try_chroot(void)
{
    return syscall(SYS_chroot, "/tmp");
}

static const struct {
    const char *name;
    long (*run)(void);
} calls[] = {
    {"unshare", try_unshare},       {"clone", try_clone},
    {"clone3", try_clone3},         {"setns", try_setns},
    {"mount", try_mount},           {"umount2", try_umount2},
    {"pivot_root", try_pivot_root}, {"open_tree", try_open_tree},
    {"fsopen", try_fsopen},         {"move_mount", try_move_mount},
    {"fsmount", try_fsmount},       {"mount_setattr", try_mount_setattr},
    {"chroot", try_chroot},
};

/* In a child, so that a filter that kills is told from one that refuses. */
static int one_call(size_t i)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        _exit(calls[i].run() >= 0 ? 0 : (errno & 0x7f) != 0 ? errno & 0x7f : 127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid) {
        return 1;
    }
    if (WIFSIGNALED(status)) {
        (void)printf("%s: REFUSED (killed by %d)\n", calls[i].name, WTERMSIG(status));
        return 0;
    }
    if (WEXITSTATUS(status) != 0) {
        (void)printf("%s: REFUSED (%s)\n", calls[i].name, strerror(WEXITSTATUS(status)));
        return 0;
    }
    (void)printf("%s: SUCCEEDED\n", calls[i].name);
    return 1;
}

int main(void)
{
    int bad = 0;

    (void)setvbuf(stdout, NULL, _IONBF, 0);
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        bad |= one_call(i);
    }
    return bad;
}
