/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether an open can be denied at access time: a file on a mount of its own,
 * which is attached nowhere, a child that opens it, and an answer "no".
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fanotify.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/backend.h"
#include "platform/linux/init/sys.h"

#define PROBE_MS 2000
#define ROOM_TRIES 500
#define ROOM_WAIT_US 10000
#define GROUPS_PATH "/proc/sys/user/max_fanotify_groups"

enum outcome { WORKS, NO_ROOM, NO_GROUP, NO_MOUNT, NO_MARK, NO_EVENT, NOT_DENIED, OUTCOME_COUNT };

static const char *const words[OUTCOME_COUNT] = {
    [WORKS] = "an open was denied",           [NO_ROOM] = "root has no fanotify groups left",
    [NO_GROUP] = "fanotify_init is refused",  [NO_MOUNT] = "no mount for the trial",
    [NO_MARK] = "fanotify_mark is refused",   [NO_EVENT] = "no permission event came",
    [NOT_DENIED] = "a denied open succeeded",
};

static int trial_tree(void)
{
    int context = sys_fsopen("tmpfs");
    int mount = -1;
    int tree = -1;
    int file;

    if (context >= 0 && sys_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL) == 0) {
        mount = sys_fsmount(context, 0);
        tree = mount < 0 ? -1 : openat(mount, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    file = tree < 0 ? -1 : openat(tree, "canary", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (context >= 0) {
        (void)close(context);
    }
    if (mount >= 0) {
        (void)close(mount);
    }
    if (file >= 0) {
        (void)close(file);
    }
    return file < 0 ? -1 : tree;
}

/* Answers the one event of the canary; its exit status is 0 if the open was denied. */
static enum outcome trial_deny(int group, int tree)
{
    struct fanotify_event_metadata event;
    struct fanotify_response response = {.response = FAN_DENY};
    struct pollfd wait = {.fd = group, .events = POLLIN};
    int status = -1;
    pid_t canary = fork();

    if (canary == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        _exit(openat(tree, "canary", O_RDONLY | O_CLOEXEC) < 0 && errno == EPERM ? 0 : 1);
    }
    if (canary < 0 || poll(&wait, 1, PROBE_MS) != 1 ||
        read(group, &event, sizeof(event)) != (ssize_t)sizeof(event) || event.fd < 0) {
        return NO_EVENT;
    }
    response.fd = event.fd;
    if (write(group, &response, sizeof(response)) != (ssize_t)sizeof(response) ||
        waitpid(canary, &status, 0) != canary || status != 0) {
        return NOT_DENIED;
    }
    return WORKS;
}

static enum outcome trial(void)
{
    int decide = sys_fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC | FAN_UNLIMITED_QUEUE, O_RDONLY);
    int events = sys_fanotify_init(
        FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_REPORT_DFID_NAME_TARGET | FAN_REPORT_TID, O_RDONLY);
    int tree;

    if (decide < 0 || events < 0) {
        return errno == EMFILE ? NO_ROOM : NO_GROUP;
    }
    tree = trial_tree();
    if (tree < 0) {
        return NO_MOUNT;
    }
    if (sys_fanotify_mark(decide, FAN_MARK_ADD | FAN_MARK_MOUNT,
                          FAN_OPEN_PERM | FAN_OPEN_EXEC_PERM | FAN_ONDIR, tree) != 0 ||
        sys_fanotify_mark(events, FAN_MARK_ADD | FAN_MARK_FILESYSTEM,
                          FAN_CREATE | FAN_DELETE | FAN_RENAME | FAN_ONDIR | FAN_ATTRIB |
                              FAN_MOVE_SELF,
                          tree) != 0) {
        return NO_MARK;
    }
    return trial_deny(decide, tree);
}

/* In a child: its end closes whatever a failed trial left. */
static enum outcome trial_apart(void)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        _exit((int)trial());
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
        WEXITSTATUS(status) >= OUTCOME_COUNT) {
        return NO_EVENT;
    }
    return (enum outcome)WEXITSTATUS(status);
}

bool linux_fanotify(const char **ret_why)
{
    static int outcome = -1;

    /* What worked once is relied on: a job that cannot have it is refused, not weaker. */
    if (outcome != WORKS && !linux_is_privileged()) {
        *ret_why = "only a privileged process can ask; the service decides";
        return false;
    }
    /* At the service's start those of others are waited for: what is found then holds for long. */
    for (int i = 0; outcome < 0 && i < ROOM_TRIES; i++) {
        enum outcome found = trial_apart();

        if (found != NO_ROOM || i == ROOM_TRIES - 1) {
            outcome = (int)found;
        } else {
            (void)usleep(ROOM_WAIT_US);
        }
    }
    /* A trial that came to no end may do so the next time. */
    if (outcome == NO_EVENT || outcome == NO_ROOM) {
        outcome = (int)trial_apart();
    }
    *ret_why = words[outcome];
    return outcome == WORKS;
}

unsigned linux_fanotify_groups(void)
{
    FILE *file = fopen(GROUPS_PATH, "re");
    unsigned groups = 0;

    if (file != NULL && fscanf(file, "%u", &groups) != 1) {
        groups = 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return groups;
}
