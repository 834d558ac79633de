/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/rehearse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <mntent.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE_MS 700
#define BURIAL_MS 100

/* Somebody else answers for what is in these. */
static const char *const served[] = {
    "fuse", "nfs", "cifs", "smb3", "9p", "afs", "ceph", "autofs", "lustre", "virtiofs", "gfs",
};

static bool is_served(const char *type)
{
    for (size_t i = 0; i < sizeof(served) / sizeof(served[0]); i++) {
        if (strncmp(type, served[i], strlen(served[i])) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_served(void)
{
    FILE *table = setmntent("/proc/self/mounts", "re");
    const struct mntent *entry;
    bool found = false;

    while (!found && table != NULL && (entry = getmntent(table)) != NULL) {
        found = is_served(entry->mnt_type);
    }
    if (table != NULL) {
        (void)endmntent(table);
    }
    return found;
}

/* ---- in the child; @now says what it waits for ---- */

static void look(char now[PATH_MAX], const char *path)
{
    struct stat st;
    int fd;

    if (path == NULL) {
        return;
    }
    (void)snprintf(now, PATH_MAX, "%s", path);
    fd = open(path, O_PATH | O_CLOEXEC);
    if (fd >= 0) {
        (void)fstat(fd, &st);
        (void)close(fd);
    }
}

static bool is_scanned(const struct policy_ruleset *set, const char *mount)
{
    for (size_t i = 0; i < set->count; i++) {
        const char *pattern = set->rules[i].pattern;
        size_t fixed = strcspn(pattern, "*?[]{\\");
        size_t len = strlen(mount);

        len = len < fixed ? len : fixed;
        if (set->rules[i].glob && strncmp(pattern, mount, len) == 0) {
            return true;
        }
    }
    return false;
}

/* A walk for the patterns would list it. */
static void list(char now[PATH_MAX], const char *path)
{
    DIR *dir;

    (void)snprintf(now, PATH_MAX, "%s", path);
    dir = opendir(path);
    if (dir != NULL) {
        (void)readdir(dir);
        (void)closedir(dir);
    }
}

static void list_scanned(char now[PATH_MAX], const struct policy *policy)
{
    FILE *table = setmntent("/proc/self/mounts", "re");
    const struct mntent *entry;

    while (table != NULL && (entry = getmntent(table)) != NULL) {
        if (is_served(entry->mnt_type) && strcmp(entry->mnt_type, "autofs") != 0 &&
            (is_scanned(&policy->own, entry->mnt_dir) ||
             is_scanned(&policy->managed, entry->mnt_dir))) {
            list(now, entry->mnt_dir);
        }
    }
    if (table != NULL) {
        (void)endmntent(table);
    }
}

static void look_at_set(char now[PATH_MAX], const struct policy_ruleset *set)
{
    for (size_t i = 0; i < set->count; i++) {
        if (!set->rules[i].glob) {
            look(now, set->rules[i].pattern);
        }
    }
}

static _Noreturn void rehearse(const struct policy *policy, const struct platform_start *start,
                               bool scans, char now[PATH_MAX])
{
    look(now, start->cwd);
    look_at_set(now, &policy->managed);
    look_at_set(now, &policy->own);
    for (size_t i = 0; i < policy->unix_socket_count; i++) {
        look(now, policy->unix_sockets[i]);
    }
    if (scans) {
        list_scanned(now, policy);
    }
    _exit(0);
}

/* ---- in the worker ---- */

static bool ends_within(int pidfd, int milliseconds)
{
    struct pollfd polled = {.fd = pidfd, .events = POLLIN};
    int ready = poll(&polled, 1, milliseconds);

    return ready > 0;
}

static enum cordon_err await(pid_t pid, const char now[PATH_MAX], struct cordon_fault *fault)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    bool answered = pidfd >= 0 && ends_within(pidfd, PATIENCE_MS);

    if (!answered) {
        (void)kill(pid, SIGKILL);
    }
    /* The kernel may hold it for as long as it likes; then it stays a zombie of ours. */
    if (answered || (pidfd >= 0 && ends_within(pidfd, BURIAL_MS))) {
        (void)waitpid(pid, NULL, 0);
    }
    if (pidfd >= 0) {
        (void)close(pidfd);
    }
    return answered ? CORDON_OK
                    : fault_set(fault, CORDON_E_TIMEOUT,
                                "unmount it, or keep the policy's paths away from it",
                                "%s: its file system does not answer", now);
}

enum cordon_err linux_rehearse(const struct policy *policy, const struct platform_start *start,
                               bool scans, struct cordon_fault *fault)
{
    enum cordon_err err;
    char *now;
    pid_t pid;

    if (!has_served()) {
        return CORDON_OK;
    }
    now = mmap(NULL, PATH_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (now == MAP_FAILED) {
        return fault_os(fault, errno, NULL, "cannot try the policy's paths");
    }
    pid = fork();
    if (pid == 0) {
        rehearse(policy, start, scans, now);
    }
    err = pid < 0 ? fault_os(fault, errno, NULL, "cannot try the policy's paths")
                  : await(pid, now, fault);
    (void)munmap(now, PATH_MAX);
    return err;
}
