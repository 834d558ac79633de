/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUP_PREFIX "cordon-job-"

static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

/* Where our own group is: the "0::" line of proc(5). */
static bool own_group(char *path, size_t size)
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    char line[PATH_MAX];
    bool found = false;

    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "0::/", 4) == 0) {
            line[strcspn(line, "\n")] = '\0';
            found = (size_t)snprintf(path, size, "%s", line + 3) < size;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return found;
}

/* Directory of our own group in the v2 hierarchy; -1: none that we may write to. */
static int parent_open(const char **ret_why)
{
    char group[PATH_MAX];
    char path[PATH_MAX + 64];

    *ret_why = "no cgroup v2 hierarchy is mounted";
    if (geteuid() != 0) {
        *ret_why = "only the service makes control groups";
        return -1;
    }
    if (!own_group(group, sizeof(group))) {
        return -1;
    }
    /* The root group is everybody's; only a delegated one is ours to fill. */
    if (strcmp(group, "/") == 0) {
        *ret_why = "the broker has no control group of its own (Delegate=yes in its unit)";
        return -1;
    }
    for (size_t i = 0; i < sizeof(roots) / sizeof(roots[0]); i++) {
        int dir;

        (void)snprintf(path, sizeof(path), "%s%s", roots[i], group);
        dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir >= 0 && faccessat(dir, "cgroup.procs", W_OK, 0) == 0) {
            return dir;
        }
        if (dir >= 0) {
            (void)close(dir);
        }
    }
    return -1;
}

bool cgroup_available(const char **ret_why)
{
    int dir = parent_open(ret_why);

    if (dir < 0) {
        return false;
    }
    (void)close(dir);
    *ret_why = "delegated cgroup v2 group";
    return true;
}

enum cordon_err cgroup_make(uint64_t job, struct cgroup *ret_cgroup, struct cordon_fault *fault)
{
    struct cgroup cgroup = {.dir = -1};
    const char *why;
    int parent = parent_open(&why);

    if (parent < 0) {
        *ret_cgroup = cgroup;
        return CORDON_OK;
    }
    (void)snprintf(cgroup.name, sizeof(cgroup.name), GROUP_PREFIX "%" PRIu64, job);
    if (mkdirat(parent, cgroup.name, 0755) == 0) {
        cgroup.dir = openat(parent, cgroup.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (cgroup.dir < 0) {
        int code = errno;

        (void)close(parent);
        return fault_os(fault, code, NULL, "cannot make the control group %s", cgroup.name);
    }
    (void)close(parent);
    *ret_cgroup = cgroup;
    return CORDON_OK;
}

int cgroup_procs_fd(const struct cgroup *cgroup)
{
    if (cgroup->dir < 0) {
        return open("/dev/null", O_WRONLY | O_CLOEXEC);
    }
    return openat(cgroup->dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
}

static void group_kill(int dir)
{
    int fd = openat(dir, "cgroup.kill", O_WRONLY | O_CLOEXEC);

    if (fd >= 0) {
        (void)!write(fd, "1", 1);
        (void)close(fd);
    }
}

/* A killed task leaves its group a little after its death was seen. */
static void group_rmdir(int parent, const char *name)
{
    for (int i = 0; i < 200; i++) {
        if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno != EBUSY) {
            return;
        }
        (void)usleep(500);
    }
}

void cgroup_remove(struct cgroup *cgroup)
{
    const char *why;
    int parent;

    if (cgroup == NULL || cgroup->dir < 0) {
        return;
    }
    group_kill(cgroup->dir);
    (void)close(cgroup->dir);
    cgroup->dir = -1;
    parent = parent_open(&why);
    if (parent >= 0) {
        group_rmdir(parent, cgroup->name);
        (void)close(parent);
    }
}

void cgroup_cleanup(void)
{
    const struct dirent *entry;
    const char *why;
    int parent = parent_open(&why);
    DIR *list = parent < 0 ? NULL : fdopendir(parent);

    while (list != NULL && (entry = readdir(list)) != NULL) {
        int dir;

        if (strncmp(entry->d_name, GROUP_PREFIX, strlen(GROUP_PREFIX)) != 0) {
            continue;
        }
        dir = openat(parent, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir >= 0) {
            group_kill(dir);
            (void)close(dir);
            group_rmdir(parent, entry->d_name);
        }
    }
    if (list != NULL) {
        (void)closedir(list);
    }
}
