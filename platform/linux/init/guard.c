/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guard answers every open on the watched mounts. It is a child of init,
 * still root but for its capabilities, so that the job can neither signal nor
 * trace it. If it dies, opens wait: init and the keeper hold the group too.
 *
 * The keeper only holds the groups. A dying pid 1 closes its files before the
 * kernel kills its namespace, and kills it in the order of the pids; when the
 * group's last descriptor is closed, whatever waits is allowed. So the last
 * holder must die last: it has the highest pid there can be. The group of the
 * names is held as well: whoever closes that one last waits until no open is
 * pending on the same file system, so a killed guard would never be gone.
 *
 * And cordon-index holds both until the keeper is gone, where it runs: closing
 * the last descriptor takes long, and nobody waits for it there.
 */
#include <errno.h>
#include <linux/capability.h>
#include <linux/fanotify.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/init/index_ask.h"
#include "platform/linux/init/names.h"
#include "platform/linux/init/sys.h"

#define EVENTS_AT_ONCE 64U
#define GUARD_FILES 65536U /* one for each level of the deepest folder */
#define GUARD_CAPABILITIES (1ULL << CAP_DAC_READ_SEARCH | 1ULL << CAP_SYS_CHROOT) /* name.c */
#define LULL_MS 100

static const char deleted[] = " (deleted)";

/* The caller's limits are the job's; a guard that ran out of something would deny everything. */
static void limits_lift(void)
{
    static const int unlimited[] = {RLIMIT_CPU, RLIMIT_AS, RLIMIT_DATA, RLIMIT_FSIZE, RLIMIT_STACK};
    const struct rlimit none = {RLIM_INFINITY, RLIM_INFINITY};
    const struct rlimit files = {GUARD_FILES, GUARD_FILES};

    for (size_t i = 0; i < sizeof(unlimited) / sizeof(unlimited[0]); i++) {
        (void)setrlimit(unlimited[i], &none);
    }
    (void)setrlimit(RLIMIT_NOFILE, &files);
}

/* Closes what lies between the two. */
static void files_close(int after, int before)
{
    if (before - after > 1) {
        (void)syscall(SYS_close_range, after + 1, before - 1, 0);
    }
}

/* ---- the verdict ---- */

static struct verdict verdict_of(const struct watch *watch, const char *path, size_t len)
{
    struct verdict verdict = {true, ORDER_SET_COUNT, ORDER_NO_RULE};
    size_t suffix = sizeof(deleted) - 1;

    if (len == 0) {
        return verdict;
    }
    verdict = verdict_by_name(watch, path, len);
    /* The suffix may be the kernel's or part of the name. */
    if (!verdict.denied && len > suffix && memcmp(path + len - suffix, deleted, suffix) == 0) {
        verdict = verdict_by_name(watch, path, len - suffix);
    }
    return verdict;
}

/* Permission events do not say whether it is a directory. */
static uint16_t operation_of(const struct fanotify_event_metadata *event)
{
    struct stat st;

    if ((event->mask & FAN_OPEN_EXEC_PERM) != 0) {
        return IPC_OPERATION_EXEC;
    }
    return fstat(event->fd, &st) == 0 && S_ISDIR(st.st_mode) ? IPC_OPERATION_LIST
                                                             : IPC_OPERATION_OPEN;
}

static void event_answer(struct names *names, const struct fanotify_event_metadata *event)
{
    struct fanotify_response response = {.fd = event->fd, .response = FAN_DENY};
    const struct watch *watch = names->watch;
    static struct strbuf path = STRBUF_INIT;
    struct denial denial = {.pid = event->pid};
    struct stat st;

    /* What has no name is denied. A link count, too, goes down before that is told of. */
    if (fstat(event->fd, &st) == 0 && settle_name(names, event->fd, &path)) {
        denial.path_len = path.len;
    }
    denial.path = strbuf_text(&path);
    denial.why = verdict_of(watch, denial.path, denial.path_len);
    if (!denial.why.denied && names_deny(names, event->fd, &st)) {
        denial.why = (struct verdict){true, ORDER_SET_COUNT, ORDER_NO_RULE};
    }
    if (denial.why.denied) {
        denial.operation = operation_of(event);
    } else {
        response.response = FAN_ALLOW;
    }
    /* First closed, then answered: the opener must not find its file still in use. */
    (void)close(event->fd);
    /* And reported before: an answer may be what the job ends with, and the guard with it. */
    if (denial.why.denied) {
        violation_report(&denial);
    }
    if (write(watch->decide, &response, sizeof(response)) != (ssize_t)sizeof(response) &&
        errno != ENOENT) {
        _exit(1); /* ENOENT: whoever asked is dead */
    }
}

static void events_answer(struct names *names)
{
    static union {
        struct fanotify_event_metadata first;
        char bytes[EVENTS_AT_ONCE * sizeof(struct fanotify_event_metadata)];
    } buffer;
    const struct fanotify_event_metadata *event = &buffer.first;
    ssize_t len = read(names->watch->decide, buffer.bytes, sizeof(buffer.bytes));

    /* A file that cannot be opened for us is denied by the kernel, and read() says why. */
    if (len < 0 && (errno == EBADF || errno == EFAULT || errno == EINVAL)) {
        _exit(1);
    }
    for (; FAN_EVENT_OK(event, len); event = FAN_EVENT_NEXT(event, len)) {
        if (event->vers != FANOTIFY_METADATA_VERSION || (event->mask & FAN_Q_OVERFLOW) != 0) {
            _exit(1);
        }
        if (event->fd >= 0) {
            event_answer(names, event);
        }
    }
}

/* ---- the processes ---- */

/*
 * Names are taken in before each verdict anyway. Without one they are as well, so
 * that they do not pile up, but only ten times a second: the host may be busy.
 */
static void guard_wait(struct names *names)
{
    static bool lull;
    struct pollfd polls[] = {{.fd = names->watch->decide, .events = POLLIN},
                             {.fd = names->watch->events, .events = POLLIN}};

    if (poll(polls, lull ? 1 : 2, lull ? LULL_MS : -1) < 0 && errno != EINTR) {
        _exit(1);
    }
    lull = (polls[0].revents & POLLIN) == 0 && !lull;
    if ((polls[0].revents & POLLIN) == 0 && !names_drain(names)) {
        _exit(1);
    }
}

/* Once, to the init that waits for it: from here on nothing can go wrong that is no attack. */
static void say_ready(int ready)
{
    if (write(ready, "", 1) != 1) {
        _exit(1);
    }
    (void)close(ready);
}

static _Noreturn void guard_main(struct names *names, struct watch *watch, int ready)
{
    (void)prctl(PR_SET_NAME, "cordon-guard", 0, 0, 0);
    limits_lift();
    watch->links = watch_raise_fd(openat(watch->proc, "self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC));
    if (!violation_prepare(watch)) {
        _exit(1);
    }
    files_close(-1, INIT_FD_VIOLATIONS);
    files_close(INIT_FD_VIOLATIONS, WATCH_FD_BASE);
    if (watch->links < 0 || identity_narrow(watch->init, GUARD_CAPABILITIES) != CORDON_OK) {
        _exit(1);
    }
    say_ready(ready);
    for (;;) {
        guard_wait(names);
        events_answer(names);
    }
}

/* Closes all but @kept, which is put in order. */
static void files_close_but(int *kept, size_t count)
{
    int after = -1;

    for (size_t i = 1; i < count; i++) {
        for (size_t k = i; k > 0 && kept[k - 1] > kept[k]; k--) {
            int swap = kept[k];

            kept[k] = kept[k - 1];
            kept[k - 1] = swap;
        }
    }
    for (size_t i = 0; i < count; i++) {
        files_close(after, kept[i]);
        after = kept[i];
    }
    files_close(after, INT_MAX);
}

static _Noreturn void keeper_main(const struct watch *watch, int ready)
{
    /* The first may be -1: then there is one less. */
    int kept[] = {watch->life, watch->decide, watch->events, ready};

    (void)prctl(PR_SET_NAME, "cordon-keeper", 0, 0, 0);
    files_close_but(kept + (watch->life < 0), 4 - (watch->life < 0));
    if (identity_narrow(watch->init, 0) != CORDON_OK) {
        _exit(1);
    }
    say_ready(ready);
    for (;;) {
        (void)pause();
    }
}

static pid_t highest_pid(void)
{
    FILE *file = fopen("/proc/sys/kernel/pid_max", "re");
    int max = 0;

    if (file != NULL) {
        if (fscanf(file, "%d", &max) != 1) {
            max = 0;
        }
        (void)fclose(file);
    }
    return max - 1;
}

static pid_t keeper_fork(void)
{
    pid_t pid = highest_pid();
    struct clone_args args = {
        .exit_signal = SIGCHLD, .set_tid = (uint64_t)(uintptr_t)&pid, .set_tid_size = 1};

    return (pid_t)syscall(SYS_clone3, &args, sizeof(args));
}

enum cordon_err guard_start(struct names *names, struct watch *watch)
{
    struct init *init = watch->init;
    sigset_t all;
    sigset_t before;
    int ready[2];

    if (pipe2(ready, O_CLOEXEC) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot start the guard of the denied files");
    }
    ready[0] = watch_raise_fd(ready[0]);
    ready[1] = watch_raise_fd(ready[1]);
    watch->life = watch_raise_fd(index_hold(watch->index, watch->decide, watch->events));
    /* Both are born with every signal blocked; what cannot be blocked ends the job. */
    (void)sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, &before) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot start the guard of the denied files");
    }
    init->guard = fork();
    if (init->guard == 0) {
        guard_main(names, watch, ready[1]);
    }
    init->keeper = init->guard < 0 ? -1 : keeper_fork();
    if (init->keeper == 0) {
        keeper_main(watch, ready[1]);
    }
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    if (watch->life >= 0) {
        (void)close(watch->life);
    }
    if (ready[1] >= 0) {
        (void)close(ready[1]);
    }
    init->guard_ready = ready[0];
    if (init->guard < 0 || init->keeper < 0 || init->guard_ready < 0) {
        return fault_os(&init->fault, errno, NULL, "cannot start the guard of the denied files");
    }
    return CORDON_OK;
}

enum cordon_err watch_ready(struct init *init)
{
    char byte;

    /* Of the guard and of the keeper. */
    for (int heard = 0; init->guard_ready >= 0 && heard < 2;) {
        ssize_t len = read(init->guard_ready, &byte, 1);

        if (len == 0 || (len < 0 && errno != EINTR)) {
            return fault_set(&init->fault, CORDON_E_STATE, "try again",
                             "the guard of the denied files could not start");
        }
        heard += len == 1;
    }
    if (init->guard_ready >= 0) {
        (void)close(init->guard_ready);
    }
    return CORDON_OK;
}
