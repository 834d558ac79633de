/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guard answers every open on the watched mounts that is asked about. It is a child of init,
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
 * And cordon-index holds both until all of the job are gone: closing the last
 * descriptor takes long, and nobody waits for it there. It is told which names
 * went, for the guards of later jobs (former.c), and has another process take in
 * what a guard that is gone had not (index/heir.c). So that this is seldom
 * needed, init ends the guard before it ends, and the guard then takes in all
 * that is there.
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
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/init/files.h"
#include "platform/linux/init/index_ask.h"
#include "platform/linux/init/names.h"
#include "platform/linux/init/sys.h"

#define EVENTS_AT_ONCE 64U
#define LULL_MS 100
#define GUARD_FILES 65536U /* one for each level of the deepest folder */
#define GUARD_CAPABILITIES (1ULL << CAP_DAC_READ_SEARCH | 1ULL << CAP_SYS_CHROOT) /* name.c */
#define ANSWER_MS 1000

/* Words between init and the guard. */
enum { FINISH = 'f', ASK = 'a', SAME = 's', MORE = 'm' };
#define FAILED_MAX 3U
/* What is said instead of nothing when the guard is ready. */
#define READY_FULL 1
#define FINISH_MS 1000 /* what the guard has not taken in by then the heir does */

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

/* The file behind @fd, which a command opened if it @is_asked. The path is good until the next. */
static void judge(struct names *names, int fd, bool is_asked, struct denial *denial)
{
    static struct strbuf path = STRBUF_INIT;
    struct stat st = {.st_mode = 0};

    /* What has no name is denied. A link count, too, goes down before that is told of. */
    if (fstat(fd, &st) == 0 && settle_name(names, fd, &path)) {
        denial->path_len = path.len;
    }
    denial->path = strbuf_text(&path);
    denial->why = verdict_of(names->watch, denial->path, denial->path_len);
    if (!denial->why.denied && names_deny(names, fd, &st)) {
        denial->why = (struct verdict){true, ORDER_SET_COUNT, ORDER_NO_RULE};
    }
    if (denial->why.denied) {
        /* Permission events do not say whether it is a directory. */
        denial->operation = S_ISDIR(st.st_mode) ? IPC_OPERATION_LIST : IPC_OPERATION_OPEN;
    } else {
        exempt_take(names, fd, &path, &st, is_asked);
    }
}

static void event_answer(struct names *names, const struct fanotify_event_metadata *event)
{
    struct fanotify_response response = {.fd = event->fd, .response = FAN_ALLOW};
    const struct watch *watch = names->watch;
    struct denial denial = {.pid = event->pid};

    judge(names, event->fd, true, &denial);
    if (denial.why.denied) {
        response.response = FAN_DENY;
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

/* Only where opens are asked about, and neither a server is nor cordon-index. */
static void rehearse_at(struct names *names, const char *path)
{
    const struct watch *watch = names->watch;
    const struct mount_entry *mount = path == NULL ? NULL : mounts_of(&watch->mounts, path);
    struct denial denial = {.pid = 0};
    struct stat st;
    int fd = mount == NULL || !mount->watched || mount->nameless
                 ? -1
                 : openat(watch->root, path + 1, O_PATH | O_CLOEXEC);

    if (fd >= 0 && fstat(fd, &st) == 0 && (S_ISDIR(st.st_mode) || st.st_nlink == 1)) {
        judge(names, fd, false, &denial);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

/*
 * Ahead of time: what a first verdict needs is in reach then, the directories that most commands
 * lie in are known to be in their place, and what those before opened is exempt.
 */
static void rehearse(struct names *names)
{
    const struct init *init = names->watch->init;
    char path[USUAL_PATH_MAX + 1];
    unsigned at = 0;

    rehearse_at(names, "/usr/bin/env");
    rehearse_at(names, order_text(init->order, init->order->cwd));
    while (exempt_usual(names, &at, path)) {
        rehearse_at(names, path);
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

/* Init asks whether names went, or has nothing more to ask. */
static void init_hear(struct names *names)
{
    const int init = names->watch->finish;
    char word = FINISH;
    ssize_t len = read(init, &word, 1);

    if (!names_drain(names)) {
        _exit(1);
    }
    if (len != 1 || word != ASK) {
        _exit(0);
    }
    word = names_have_gone(names) ? MORE : SAME;
    if (write(init, &word, 1) != 1) {
        _exit(1);
    }
}

/*
 * Names are taken in before each verdict anyway. Without one they are as well, so
 * that they do not pile up, but only ten times a second, or as often as it takes
 * to end what is exempt: the host may be busy.
 */
static void guard_wait(struct names *names)
{
    const int lull_ms = names->exempt.count > 0 ? EXEMPT_LULL_MS : LULL_MS;
    static bool lull;
    static bool alone;      /* cordon-index is gone */
    static unsigned failed; /* without a guard init may wait for the command's first open */
    struct pollfd polls[] = {{.fd = names->watch->decide, .events = POLLIN},
                             {.fd = names->watch->finish, .events = POLLIN},
                             {.fd = alone ? -1 : names->watch->life, .events = POLLIN},
                             {.fd = names->watch->events, .events = POLLIN}};

    if (poll(polls, lull ? 3 : 4, lull ? lull_ms : -1) >= 0) {
        failed = 0;
    } else if (errno != EINTR && ++failed == FAILED_MAX) {
        _exit(1);
    }
    lull = (polls[0].revents & POLLIN) == 0 && !lull;
    if ((polls[0].revents & POLLIN) == 0 && !names_drain(names)) {
        _exit(1);
    }
    if (polls[1].revents != 0) {
        init_hear(names);
    }
    if ((polls[2].revents & POLLIN) != 0) {
        former_hear(names);
    }
    alone = alone || (polls[2].revents & (POLLHUP | POLLERR)) != 0;
}

/* Once, to the init that waits for it: from here on nothing can go wrong that is no attack. */
static void say_ready(int ready, char what)
{
    if (write(ready, &what, 1) != 1) {
        _exit(1);
    }
    (void)close(ready);
}

static _Noreturn void guard_main(struct names *names, struct watch *watch, int ready)
{
    bool full;

    (void)prctl(PR_SET_NAME, "cordon-guard", 0, 0, 0);
    limits_lift();
    watch->links = watch_raise_fd(openat(watch->proc, "self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC));
    exempt_begin(names);
    if (!violation_prepare(watch) || !files_close(-1, INIT_FD_VIOLATIONS) ||
        !files_close(INIT_FD_VIOLATIONS, WATCH_FD_BASE) || watch->links < 0 ||
        identity_narrow(watch->init, GUARD_CAPABILITIES) != CORDON_OK) {
        _exit(1);
    }
    (void)close(watch->init->guard_finish);
    if (!batch_share(names->batch, watch->batch) || !former_begin(names, &full)) {
        _exit(1);
    }
    if (watch->init->ahead) {
        rules_touch(watch->init);
        rehearse(names);
    }
    say_ready(ready, full ? READY_FULL : 0);
    for (;;) {
        guard_wait(names);
        events_answer(names);
    }
}

static _Noreturn void keeper_main(const struct watch *watch, int ready)
{
    int kept[] = {watch->decide, watch->events, ready};

    (void)prctl(PR_SET_NAME, "cordon-keeper", 0, 0, 0);
    if (!files_close_but(kept, sizeof(kept) / sizeof(kept[0])) ||
        identity_narrow(watch->init, 0) != CORDON_OK) {
        _exit(1);
    }
    say_ready(ready, 0);
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

/* The two ends of a connection, above what init closes. False: errno. */
static bool pair_make(int ends[2])
{
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        return false;
    }
    ends[0] = watch_raise_fd(ends[0]);
    ends[1] = watch_raise_fd(ends[1]);
    return ends[0] >= 0 && ends[1] >= 0;
}

/* What the guard and cordon-index share. */
static enum cordon_err index_begin_with(const struct names *names, struct watch *watch)
{
    struct init *init = watch->init;
    int fds[HELD_COUNT] = {[HELD_INIT] = (int)syscall(SYS_pidfd_open, getpid(), 0),
                           [HELD_DECIDE] = watch->decide,
                           [HELD_EVENTS] = watch->events,
                           [HELD_ORDER] = INIT_FD_ORDER,
                           [HELD_OWN] = INIT_FD_OWN,
                           [HELD_MANAGED] = INIT_FD_MANAGED};

    watch->batch =
        watch_raise_fd((int)syscall(SYS_memfd_create, "cordon-batch", (unsigned)MFD_CLOEXEC));
    init->words = watch->batch < 0 ? NULL : batch_words_of(watch->batch);
    if (init->words == NULL || fds[HELD_INIT] < 0) {
        return fault_os(&init->fault, errno, NULL, "cannot prepare the guard");
    }
    init->words->begun = !init->ahead;
    fds[HELD_BATCH] = watch->batch;
    watch->life =
        watch_raise_fd(index_hold(watch->index, init->order->identity.uid, init->ahead, fds));
    (void)close(fds[HELD_INIT]);
    /* Of a job made ahead it has to hear that it begins: see index/begun.h. */
    if (watch->life < 0 && (names->mount_count > 0 || init->ahead)) {
        return fault_set(&init->fault, CORDON_E_STATE, "try again",
                         "cordon-index, which knows what earlier jobs renamed, does not answer");
    }
    return CORDON_OK;
}

enum cordon_err guard_start(struct names *names, struct watch *watch)
{
    struct init *init = watch->init;
    enum cordon_err err = index_begin_with(names, watch);
    int finish[2] = {-1, -1};
    sigset_t all;
    sigset_t before;
    int ready[2];

    if (err != CORDON_OK) {
        return err;
    }
    if (!pair_make(ready) || !pair_make(finish)) {
        return fault_os(&init->fault, errno, NULL, "cannot start the guard of the denied files");
    }
    watch->finish = finish[0];
    init->guard_finish = finish[1];
    init->events = watch->events;
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
    init->guard_life = watch->life;
    (void)close(watch->batch);
    (void)close(finish[0]);
    (void)close(ready[1]);
    init->guard_ready = ready[0];
    if (init->guard < 0 || init->keeper < 0) {
        return fault_os(&init->fault, errno, NULL, "cannot start the guard of the denied files");
    }
    return CORDON_OK;
}

enum cordon_err guard_is_gone(struct init *init)
{
    return fault_set(&init->fault, CORDON_E_STATE, "try again",
                     "the guard of the denied files is gone");
}

void guard_end(struct init *init)
{
    struct pollfd events = {.fd = init->events, .events = POLLIN};
    struct pollfd finish = {.fd = init->guard_finish};
    const char word = FINISH;

    /* Most commands change no names in the end, and nobody else does. */
    if (init->guard > 0 && poll(&events, 1, 0) != 0 && write(init->guard_finish, &word, 1) == 1) {
        (void)poll(&finish, 1, FINISH_MS);
    }
}

/* Cordon-index was told that the job begins before we were: if it is there still, it knows. */
static bool index_lives(const struct init *init)
{
    struct pollfd life = {.fd = init->guard_life};

    return poll(&life, 1, 0) == 0;
}

/* In this order, as cordon-index looks: see is_idle() there. */
static bool guard_is_idle(const struct init *init)
{
    struct pollfd events = {.fd = init->events, .events = POLLIN};

    return poll(&events, 1, 0) == 0 && __atomic_load_n(&init->words->busy, __ATOMIC_SEQ_CST) == 0;
}

/* It takes in what is queued first. */
static bool guard_says_same(const struct init *init)
{
    struct pollfd answer = {.fd = init->guard_finish, .events = POLLIN};
    char word = ASK;

    return write(init->guard_finish, &word, 1) == 1 && poll(&answer, 1, ANSWER_MS) == 1 &&
           read(init->guard_finish, &word, 1) == 1 && word == SAME;
}

bool guard_begins(const struct init *init)
{
    bool same;

    if (init->guard <= 0) {
        return true;
    }
    /* What went until here, no job saw. */
    same = guard_is_idle(init) ? __atomic_load_n(&init->words->learned, __ATOMIC_SEQ_CST) == 0
                               : guard_says_same(init);
    if (!same || !index_lives(init)) {
        return false;
    }
    __atomic_store_n(&init->words->begun, 1, __ATOMIC_SEQ_CST);
    return true;
}

enum cordon_err watch_ready(struct init *init)
{
    char byte = 0;

    /* Of the guard and of the keeper. */
    for (int heard = 0; init->guard_ready >= 0 && heard < 2;) {
        ssize_t len = read(init->guard_ready, &byte, 1);

        if (len == 0 || (len < 0 && errno != EINTR)) {
            return fault_set(&init->fault, CORDON_E_STATE, "try again",
                             "the guard of the denied files could not start");
        }
        heard += len == 1;
        if (len == 1 && byte == READY_FULL) {
            return fault_set(
                &init->fault, CORDON_E_LIMIT, "restart the service: systemctl restart cordond",
                "which denied files earlier jobs of this user renamed is not known any more: "
                "there were too many, or cordon-index was killed");
        }
    }
    if (init->guard_ready >= 0) {
        (void)close(init->guard_ready);
        init->guard_ready = -1;
    }
    return CORDON_OK;
}
