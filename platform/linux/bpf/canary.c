/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/bpf/canary.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/bpf/call.h"
#include "platform/linux/bpf/place.h"
#include "platform/linux/bpf/shape.h"
#include "platform/linux/init/sys.h"

#define SLOT (SHAPE_JOBS - 1U) /* the broker gives it to no job */

enum outcome {
    DENIED,
    NO_PLACE,
    NOT_REGISTERED,
    OPEN_ALLOWED,
    RENAME_ALLOWED,
    UNLINK_ALLOWED,
    OTHER_DENIED,
    NO_CHILD,
    OUTCOME_COUNT
};
static const char *const words[OUTCOME_COUNT] = {
    [NO_PLACE] = "the canary has no place",
    [NOT_REGISTERED] = "programs are attached, but the kernel does not ask them",
    [OPEN_ALLOWED] = "a denied open succeeded",
    [RENAME_ALLOWED] = "a denied rename succeeded",
    [UNLINK_ALLOWED] = "a denied removal succeeded",
    [OTHER_DENIED] = "an allowed open was denied",
    [NO_CHILD] = "the canary could not be started",
};

/* A file system of its own, attached nowhere, with two files. */
static int tree_make(void)
{
    int context = sys_fsopen("tmpfs");
    int tree = -1;

    if (context >= 0 && sys_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL) == 0) {
        tree = sys_fsmount(context, 0);
    }
    if (tree < 0 || mknodat(tree, "canary", S_IFREG | 0600, 0) != 0 ||
        mknodat(tree, "other", S_IFREG | 0600, 0) != 0) {
        return -1;
    }
    return tree;
}

/* In a pid namespace of its own, under the tag of that. */
static enum outcome fly(const struct canary_maps *maps, struct shape_job *job)
{
    const uint32_t slot = SLOT;
    int tree = tree_make();
    int canary = tree < 0 ? -1 : openat(tree, "canary", O_RDONLY | O_CLOEXEC);
    struct stat st;
    uint32_t tag;

    if (canary < 0 || stat("/proc/self/ns/pid", &st) != 0) {
        return NO_PLACE;
    }
    tag = (uint32_t)st.st_ino;
    job->state = SHAPE_SETTING;
    if (sys_bpf_update(maps->tags, &tag, &slot) != 0) {
        return NO_PLACE;
    }
    if (place_register(job, tree, SHAPE_PRIVATE, NULL) != 0 ||
        place_register(job, canary, SHAPE_DENIED, NULL) != 0) {
        return NOT_REGISTERED;
    }
    __atomic_store_n(&job->state, SHAPE_ACTIVE, __ATOMIC_RELEASE);
    if (openat(tree, "canary", O_RDONLY | O_CLOEXEC) >= 0 || errno != EPERM) {
        return OPEN_ALLOWED;
    }
    if (renameat(tree, "canary", tree, "moved") == 0 || errno != EPERM) {
        return RENAME_ALLOWED;
    }
    if (unlinkat(tree, "canary", 0) == 0 || errno != EPERM) {
        return UNLINK_ALLOWED;
    }
    return openat(tree, "other", O_RDONLY | O_CLOEXEC) < 0 ? OTHER_DENIED : DENIED;
}

/* Waits for @pid, which ends with an outcome. */
static enum outcome outcome_of(pid_t pid)
{
    int status = -1;

    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
        WEXITSTATUS(status) >= OUTCOME_COUNT) {
        return NO_CHILD;
    }
    return (enum outcome)WEXITSTATUS(status);
}

/* In a process of its own, since only one's children come into a new pid namespace. */
static enum outcome cage(const struct canary_maps *maps, struct shape_job *job)
{
    enum outcome outcome;
    struct stat st;
    uint32_t tag = 0;
    pid_t pid;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (unshare(CLONE_NEWPID) != 0) {
        return NO_CHILD;
    }
    pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        _exit((int)fly(maps, job));
    }
    if (pid > 0 && stat("/proc/self/ns/pid_for_children", &st) == 0) {
        tag = (uint32_t)st.st_ino;
    }
    outcome = outcome_of(pid);
    (void)sys_bpf_delete(maps->tags, &tag);
    return outcome;
}

/* What every job has of its own. */
static bool places_give(const struct canary_maps *maps)
{
    const uint32_t slot = SLOT;
    int places = sys_bpf_map(BPF_MAP_TYPE_HASH, SHAPE_PLACES, sizeof(struct shape_place_key),
                             sizeof(struct shape_place), BPF_F_NO_PREALLOC);
    bool given = places >= 0 && sys_bpf_update(maps->places, &slot, &places) == 0;

    if (places >= 0) {
        (void)close(places);
    }
    return given;
}

const char *canary_fly(const struct canary_maps *maps)
{
    const size_t size = sizeof(struct shape_job) * SHAPE_JOBS;
    struct shape_summary summary = {.high = 0};
    const uint32_t zero = 0;
    const uint32_t slot = SLOT;
    enum outcome outcome = NO_PLACE;
    struct shape_job *jobs = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, maps->jobs, 0);
    pid_t pid;

    if (jobs == MAP_FAILED || sys_bpf_lookup(maps->summary, &zero, &summary) != 0) {
        return words[NO_PLACE];
    }
    summary.high = SHAPE_JOBS;
    if (places_give(maps) && sys_bpf_update(maps->summary, &zero, &summary) == 0) {
        pid = fork();
        if (pid == 0) {
            _exit((int)cage(maps, &jobs[SLOT]));
        }
        outcome = outcome_of(pid);
    }
    memset(&jobs[SLOT], 0, sizeof(jobs[SLOT]));
    (void)sys_bpf_delete(maps->places, &slot);
    summary.high = 0;
    if (sys_bpf_update(maps->summary, &zero, &summary) != 0) {
        outcome = NO_PLACE;
    }
    (void)munmap(jobs, size);
    return words[outcome];
}
