/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MT-19: what this process reaches of another one: PID. A line each, "REACHED" and what; exit
 * status 1 if there is one. With "-f", only the descriptors that are open there, a line each.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

static int bad;

static void judge(int reached, const char *what)
{
    if (reached) {
        bad = 1;
        (void)printf("REACHED %s\n", what);
    }
}

static void try_files(int pid)
{
    /* comm, status, cmdline and mounts are everybody's. */
    static const struct {
        const char *name;
        int flags;
    } files[] = {{"mem", O_RDONLY},
                 {"mem", O_WRONLY},
                 {"environ", O_RDONLY},
                 {"maps", O_RDONLY},
                 {"auxv", O_RDONLY},
                 {"syscall", O_RDONLY},
                 {"exe", O_PATH},
                 {"root", O_PATH},
                 {"cwd", O_PATH},
                 {"fd", O_RDONLY},
                 {"map_files", O_RDONLY},
                 {"ns/mnt", O_RDONLY},
                 {"ns/user", O_RDONLY},
                 {"ns/net", O_RDONLY},
                 {"root/etc/shadow", O_RDONLY},
                 {"oom_score_adj", O_WRONLY},
                 {"clear_refs", O_WRONLY}};
    char path[64];
    char byte;

    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        int fd;

        (void)snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i].name);
        fd = open(path, files[i].flags | O_CLOEXEC);
        /* Some are opened by anybody and asked about when read. */
        judge(fd >= 0 && ((files[i].flags & O_PATH) != 0 || files[i].flags == O_WRONLY ||
                          read(fd, &byte, 1) > 0 || errno == EISDIR),
              path);
    }
    for (int n = 0; n < 64; n++) {
        (void)snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, n);
        judge(open(path, O_PATH | O_CLOEXEC) >= 0, path);
    }
}

static void try_calls(int pid)
{
    char buffer[64];
    struct iovec to = {buffer, sizeof(buffer)};
    struct iovec from = {(void *)0x400000, sizeof(buffer)};
    int pidfd = (int)syscall(434 /* pidfd_open */, pid, 0);

    judge(process_vm_readv(pid, &to, 1, &from, 1, 0) >= 0, "process_vm_readv");
    judge(errno == EFAULT, "process_vm_readv, at another address");
    for (int n = 0; n < 64; n++) {
        judge(syscall(438 /* pidfd_getfd */, pidfd, n, 0) >= 0, "pidfd_getfd");
    }
    judge(syscall(312 /* kcmp */, pid, getpid(), 0, 0, 0) >= 0, "kcmp");
    judge(pidfd >= 0 && syscall(SYS_setns, pidfd, 0x00020000 /* CLONE_NEWNS */) == 0, "setns");
    if (ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0) {
        judge(1, "PTRACE_SEIZE");
        (void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
    }
    if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) == 0) {
        judge(1, "PTRACE_ATTACH");
        (void)waitpid(pid, NULL, __WALL);
        (void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
    }
}

static int list_open(const char *pid)
{
    char path[64];
    char target[4096];
    const struct dirent *entry;
    DIR *dir;

    (void)snprintf(path, sizeof(path), "/proc/%s/fd", pid);
    dir = opendir(path);
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        ssize_t len = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

        if (len > 0) {
            target[len] = '\0';
            (void)printf("%s %s\n", entry->d_name, target);
        }
    }
    return dir == NULL;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "-f") == 0) {
        return list_open(argv[2]);
    }
    if (argc != 2) {
        return 64;
    }
    try_files(atoi(argv[1]));
    try_calls(atoi(argv[1]));
    return bad;
}
