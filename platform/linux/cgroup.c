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

#include "platform/plan.h"

#define GROUP_PREFIX "cordon-job-"
/* Where the service's own processes are, once the groups of jobs have controllers: cgroup v2 has
 * those in groups without processes only. The service manager removes it with the service. */
#define OWN_GROUP "cordon-service"

static const char *const roots[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};

static const struct {
    const char *name;
    uint32_t bit;
    enum policy_limit limit; /* tried by */
} controllers[] = {
    {"memory", PLAN_CONTROLLER_MEMORY, LIMIT_MEMORY_MIB},
    {"pids", PLAN_CONTROLLER_PIDS, LIMIT_PIDS},
    {"cpu", PLAN_CONTROLLER_CPU, LIMIT_CPU_PERCENT},
};
#define CONTROLLERS (sizeof(controllers) / sizeof(controllers[0]))

/* What cgroup_start() found out. */
static struct {
    bool done;
    uint32_t working;
    char why[160];
} started;

bool cgroup_read(int dir, const char *name, char *text, size_t size)
{
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
    ssize_t len = fd < 0 ? -1 : read(fd, text, size - 1);

    if (fd >= 0) {
        (void)close(fd);
    }
    text[len < 0 ? 0 : len] = '\0';
    return len >= 0;
}

int cgroup_write(int dir, const char *name, const char *text)
{
    int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
    int code = fd < 0 || write(fd, text, strlen(text)) < 0 ? errno : 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    return code;
}

/* Where the group is that we were given: the "0::" line of proc(5), but for OWN_GROUP. */
static bool own_group(char *path, size_t size)
{
    char *last;
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
    last = found ? strrchr(path, '/') : NULL;
    if (last != NULL && last != path && strcmp(last, "/" OWN_GROUP) == 0) {
        *last = '\0';
    }
    return found;
}

int cgroup_parent_open(const char **ret_why)
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
    int dir = cgroup_parent_open(ret_why);

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
    int parent = cgroup_parent_open(&why);

    if (parent < 0) {
        *ret_cgroup = cgroup;
        return CORDON_OK;
    }
    /* One that a predecessor left, since nothing ends what is in it, has another name. */
    (void)snprintf(cgroup.name, sizeof(cgroup.name), GROUP_PREFIX "%d-%" PRIu64, (int)getpid(),
                   job);
    /* Runtimes ask their control group how much there is, so not by our umask. */
    if (mkdirat(parent, cgroup.name, 0755) == 0 && fchmodat(parent, cgroup.name, 0755, 0) == 0) {
        cgroup.dir = openat(parent, cgroup.name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    if (cgroup.dir < 0) {
        int code = errno;

        (void)unlinkat(parent, cgroup.name, AT_REMOVEDIR);
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

bool cgroup_remove(struct cgroup *cgroup)
{
    const char *why;
    int parent;
    bool busy;

    if (cgroup->dir < 0) {
        return true;
    }
    (void)cgroup_write(cgroup->dir, "cgroup.kill", "1");
    parent = cgroup_parent_open(&why);
    busy = parent >= 0 && unlinkat(parent, cgroup->name, AT_REMOVEDIR) != 0 && errno == EBUSY;
    if (parent >= 0) {
        (void)close(parent);
    }
    if (!busy) {
        (void)close(cgroup->dir);
        cgroup->dir = -1;
    }
    return !busy;
}

void cgroup_cleanup(void)
{
    const struct dirent *entry;
    const char *why;
    int parent = cgroup_parent_open(&why);
    DIR *list = parent < 0 ? NULL : fdopendir(parent);

    while (list != NULL && (entry = readdir(list)) != NULL) {
        int dir;

        if (strncmp(entry->d_name, GROUP_PREFIX, strlen(GROUP_PREFIX)) != 0) {
            continue;
        }
        dir = openat(parent, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir >= 0) {
            (void)cgroup_write(dir, "cgroup.kill", "1");
            (void)close(dir);
            group_rmdir(parent, entry->d_name);
        }
    }
    if (list != NULL) {
        (void)closedir(list);
    }
}

/* ---- controllers ---- */

static bool has_word(const char *text, const char *word)
{
    size_t len = strlen(word);

    for (text += strspn(text, " \n"); *text != '\0'; text += strspn(text, " \n")) {
        size_t here = strcspn(text, " \n");

        if (here == len && memcmp(text, word, len) == 0) {
            return true;
        }
        text += here;
    }
    return false;
}

static uint32_t controllers_in(int dir, const char *name)
{
    char text[512];
    uint32_t offered = 0;

    if (!cgroup_read(dir, name, text, sizeof(text))) {
        return 0;
    }
    for (size_t i = 0; i < CONTROLLERS; i++) {
        offered |= has_word(text, controllers[i].name) ? controllers[i].bit : 0;
    }
    return offered;
}

/* Nobody else is moved: a group with others in it was not given to us alone. */
static int enter_own_group(int parent)
{
    char text[64];
    char self[32];

    (void)snprintf(self, sizeof(self), "%d\n", (int)getpid());
    if (!cgroup_read(parent, "cgroup.procs", text, sizeof(text)) ||
        (text[0] != '\0' && strcmp(text, self) != 0)) {
        return EBUSY;
    }
    if (mkdirat(parent, OWN_GROUP, 0755) != 0 && errno != EEXIST) {
        return errno;
    }
    return cgroup_write(parent, OWN_GROUP "/cgroup.procs", "0");
}

static void leave_own_group(int parent)
{
    if (cgroup_write(parent, "cgroup.procs", "0") == 0) {
        (void)unlinkat(parent, OWN_GROUP, AT_REMOVEDIR);
    }
}

/* By doing: a group like a job's, limited. */
static uint32_t controllers_try(int parent)
{
    struct cordon_fault fault;
    struct cgroup group;
    uint32_t working = 0;

    if (cgroup_make(0, &group, &fault) != CORDON_OK || group.dir < 0) {
        return 0;
    }
    for (size_t i = 0; i < CONTROLLERS; i++) {
        if (cgroup_limit(&group, controllers[i].limit, 1000, &fault) == CORDON_OK) {
            working |= controllers[i].bit;
        }
    }
    (void)close(group.dir);
    group_rmdir(parent, group.name);
    return working;
}

static const char *controllers_names(uint32_t bits, char *text, size_t size)
{
    text[0] = '\0';
    for (size_t i = 0; i < CONTROLLERS; i++) {
        size_t len = strlen(text);

        if ((bits & controllers[i].bit) != 0) {
            (void)snprintf(text + len, size - len, "%s%s", len == 0 ? "" : " ",
                           controllers[i].name);
        }
    }
    return text[0] == '\0' ? "none" : text;
}

static void controllers_enable(int parent)
{
    const uint32_t offered = controllers_in(parent, "cgroup.controllers");
    const int code = offered == 0 ? ENOENT : enter_own_group(parent);
    char names[64];

    for (size_t i = 0; code == 0 && i < CONTROLLERS; i++) {
        char word[16];

        (void)snprintf(word, sizeof(word), "+%s", controllers[i].name);
        if ((offered & controllers[i].bit) != 0) {
            /* What that did is tried next. */
            (void)cgroup_write(parent, "cgroup.subtree_control", word);
        }
    }
    started.working = code == 0 ? controllers_try(parent) : 0;
    if (code == 0 && started.working == 0) {
        leave_own_group(parent);
    }
    (void)snprintf(started.why, sizeof(started.why), "%s%s",
                   code == 0        ? "tried: "
                   : code == ENOENT ? "the broker's control group is offered none"
                   : code == EBUSY  ? "other processes share the broker's control group"
                                    : strerror(code),
                   code == 0 ? controllers_names(started.working, names, sizeof(names)) : "");
}

void cgroup_start(void)
{
    const char *why;
    int parent = cgroup_parent_open(&why);

    started.done = true;
    if (parent < 0) {
        (void)snprintf(started.why, sizeof(started.why), "%s", why);
        return;
    }
    controllers_enable(parent);
    (void)close(parent);
}

/* For those who ask about the service from elsewhere: its group, if its unit is our own. */
static int service_open(void)
{
    char path[128];
    int dir = -1;

    for (size_t i = 0; dir < 0 && i < sizeof(roots) / sizeof(roots[0]); i++) {
        (void)snprintf(path, sizeof(path), "%s/system.slice/cordond.service", roots[i]);
        dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir >= 0 && faccessat(dir, OWN_GROUP, F_OK, 0) != 0) {
            (void)close(dir);
            dir = -1;
        }
    }
    return dir;
}

uint32_t cgroup_controllers(const char **ret_why)
{
    static char why[96];
    char names[64];
    uint32_t offered;
    int service;
    int dir;

    *ret_why = started.why;
    if (started.done) {
        return started.working;
    }
    service = service_open();
    dir = service >= 0 ? service : cgroup_parent_open(ret_why);
    if (dir < 0) {
        return 0;
    }
    offered = controllers_in(dir, service >= 0 ? "cgroup.subtree_control" : "cgroup.controllers");
    (void)close(dir);
    (void)snprintf(why, sizeof(why), "%s: %s", service >= 0 ? "the service has" : "offered",
                   controllers_names(offered, names, sizeof(names)));
    *ret_why = why;
    return offered;
}
