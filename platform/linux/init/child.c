/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that becomes the command. It is made with the set-up and waits, since joining its
 * control group may take a grace period of the kernel (15 ms on an idle machine), which nobody who
 * waits for a command should wait for. It is root's still, and behind all walls already.
 *
 * Until it executes it shares memory and descriptors with pid 1, errno included, as after vfork(2).
 * Who had one of both in hand would have the other. So it becomes the caller before pid 1 does, and
 * both have before a byte of the caller's is read. That it is not dumpable does not keep the caller
 * from tracing it while pid 1 is root's: that belongs to the memory, and each change of an id sets
 * it anew, to fs.suid_dumpable. A capability that he has not does, see ptrace(2).
 */
#include "platform/linux/init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES 65536U
#define TRIES 3           /* a call that failed once may succeed then */
#define LOOK_MS 2         /* for whether it was executed */
#define LOOK_NS 20000000L /* for whether it still lives, where nobody would tell */

/* What it is asked for. */
enum asked { ASKED_NOTHING, ASKED_DROP, ASKED_RUN };

/* What became of it: 0, an errno of execve(), -errno of its control group or limits, or: */
#define CODE_KILLED INT_MIN
#define CODE_FAULT (INT_MIN + 1) /* its init.fault says it */

static struct {
    struct init init; /* its own copy: pid 1 goes on with its one */
    const struct command *command;
    int cwd, control;
    int code;
    /* Futexes: enum asked; 1: is the caller, or failed. 0, by the kernel: has executed or ended */
    uint32_t asked, stands, lives;
    _Alignas(16) char stack[STACK_BYTES];
} child;

static uint32_t word_get(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

static bool word_set(uint32_t *word, uint32_t value)
{
    int tries = 0;

    __atomic_store_n(word, value, __ATOMIC_RELEASE);
    while (syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0) < 0) {
        if (++tries == TRIES) {
            return false;
        }
    }
    return true;
}

static void wait_while(const uint32_t *word, uint32_t value, const struct timespec *most)
{
    (void)syscall(SYS_futex, word, FUTEX_WAIT, value, most, NULL, 0);
}

/* ---- in that process ---- */

static const char *environment_get(char *const *env, const char *name)
{
    size_t len = strlen(name);

    for (; *env != NULL; env++) {
        if (strncmp(*env, name, len) == 0 && (*env)[len] == '=') {
            return *env + len + 1;
        }
    }
    return NULL;
}

/* As execvp(3) does, with the job's PATH in the job's view. Returns an errno. */
static int command_exec(const struct command *command)
{
    const char *path = environment_get(command->env, "PATH");
    const char *name = command->argv[0];
    char full[PATH_MAX];
    int code = ENOENT;

    if (strchr(name, '/') != NULL) {
        (void)execve(name, command->argv, command->env);
        return errno;
    }
    for (path = path == NULL ? "/usr/bin:/bin" : path;; path++) {
        size_t len = strcspn(path, ":");
        int used =
            snprintf(full, sizeof(full), "%.*s%s%s", (int)len, path, len > 0 ? "/" : "./", name);

        if (used > 0 && (size_t)used < sizeof(full)) {
            (void)execve(full, command->argv, command->env);
            /* Found but refused beats not found, as a shell reports it. */
            code = errno == ENOENT || errno == ENOTDIR ? code : errno;
            if (code != ENOENT && code != EACCES) {
                return code;
            }
        }
        path += len;
        if (*path == '\0') {
            return code;
        }
    }
}

static void terminal_take(const struct command *command)
{
    for (int i = 0; i < 3; i++) {
        if ((command->head.pty & (1U << i)) != 0 && ioctl(i, TIOCSCTTY, 0) == 0) {
            return;
        }
    }
}

/* Its working directory, like its ids, is its own and not pid 1's. */
static int command_become(const struct command *command)
{
    sigset_t none;

    if (identity_drop(&child.init) != CORDON_OK) {
        return CODE_FAULT;
    }
    (void)setsid();
    terminal_take(command);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (fchdir(child.cwd) != 0) {
        (void)fault_os(&child.init.fault, errno, NULL, "cannot enter the working directory");
        return CODE_FAULT;
    }
    return -limits_take(&child.init);
}

static int group_join(void)
{
    return syscall(SYS_set_tid_address, &child.lives) >= 0 && write(INIT_FD_CGROUP, "0", 1) == 1
               ? 0
               : -errno;
}

static int caller_become(struct init *init)
{
    /* In a user namespace of the caller's nothing is kept from him. */
    const bool own = (init->order->flags & ORDER_USER_NS) != 0;
    uint64_t keep = 0;

    return (own || identity_shield(init, &keep) == CORDON_OK) &&
                   identity_become(init, keep) == CORDON_OK
               ? 0
               : CODE_FAULT;
}

static void asked_wait(enum asked what)
{
    uint32_t now;

    while ((now = word_get(&child.asked)) < (uint32_t)what) {
        wait_while(&child.asked, now, NULL);
    }
}

/*
 * That the command runs the supervisor can know from here on, should pid 1 be killed next; nobody
 * is woken to hear it if the end, which says it as well, comes at once.
 */
static int begun_tell(void)
{
    const char word = INIT_RUNS;
    int tries = 0;

    while (send(child.control, &word, 1, MSG_DONTWAIT | MSG_NOSIGNAL) != 1) {
        if (++tries == TRIES) {
            (void)fault_os(&child.init.fault, errno, "try again", "cannot tell of the command");
            return CODE_FAULT;
        }
    }
    return 0;
}

static int child_main(void *argument)
{
    int code;

    (void)argument;
    (void)prctl(PR_SET_NAME, "cordon-command", 0, 0, 0);
    code = group_join();
    __atomic_store_n(&child.code, code, __ATOMIC_RELEASE);
    asked_wait(ASKED_DROP);
    if (code == 0) {
        child.code = caller_become(&child.init);
    }
    (void)!word_set(&child.stands, 1); /* pid 1 looks from time to time as well */
    asked_wait(ASKED_RUN);
    code = command_become(child.command);
    if (code == 0) {
        code = begun_tell();
    }
    child.code = code;
    if (code == 0) {
        child.code = command_exec(child.command);
    }
    _exit(127);
}

/* ---- in pid 1 ---- */

enum cordon_err child_make(struct init *init)
{
    init->children = open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
    child.init = *init;
    child.lives = 1;
    init->child =
        clone(child_main, child.stack + STACK_BYTES, CLONE_VM | CLONE_FILES | SIGCHLD, NULL);
    return init->child > 0 ? CORDON_OK
                           : fault_os(&init->fault, errno, NULL, "cannot start the command");
}

static bool has_ended(pid_t pid)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
}

bool child_is_sound(void)
{
    return __atomic_load_n(&child.code, __ATOMIC_ACQUIRE) == 0;
}

static void ask(const struct init *init, enum asked what)
{
    if (!word_set(&child.asked, (uint32_t)what)) {
        (void)kill(init->child, SIGKILL);
    }
}

void child_drop(const struct init *init)
{
    ask(init, ASKED_DROP);
}

static enum cordon_err child_fault(struct init *init, int code)
{
    if (code == CODE_FAULT) {
        init->fault = child.init.fault;
        return init->fault.err;
    }
    if (code == CODE_KILLED) {
        return fault_set(&init->fault, CORDON_E_STATE, "try again",
                         "the command was killed before it was executed");
    }
    return fault_os(&init->fault, -code, NULL, "cannot limit the command");
}

enum cordon_err child_stands(struct init *init)
{
    const struct timespec while_ns = {0, LOOK_NS};

    while (word_get(&child.stands) == 0) {
        if (has_ended(init->child)) {
            return child_fault(init, CODE_KILLED);
        }
        wait_while(&child.stands, 0, &while_ns);
    }
    return child.code == 0 ? CORDON_OK : child_fault(init, child.code);
}

enum cordon_err child_run(struct init *init, const struct command *command, int signals,
                          int *ret_code)
{
    struct pollfd signal = {.fd = signals, .events = POLLIN};
    nfds_t signal_count = 1;

    child.cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (child.cwd < 0) {
        return fault_os(&init->fault, errno, NULL, "cannot enter the working directory");
    }
    child.command = command;
    child.control = init->control;
    child.code = CODE_KILLED;
    ask(init, ASKED_RUN);
    while (word_get(&child.lives) != 0) {
        /* Nobody would answer: the command waits for its first open, and we for that. */
        if (init->guard > 0 && has_ended(init->guard)) {
            return guard_is_gone(init);
        }
        /* Most commands are executed and over before anybody has to know the first. A signal that
         * is not of the end stays, and is not waited for again. */
        if (poll(&signal, signal_count, LOOK_MS) > 0) {
            signal_count = 0;
        }
    }
    (void)close(child.cwd);
    /* Not of the command: the caller has more processes than he may, see execve(2). */
    if (child.code == EAGAIN) {
        return fault_os(&init->fault, EAGAIN, NULL, "cannot start the command");
    }
    *ret_code = child.code;
    return child.code >= 0 ? CORDON_OK : child_fault(init, child.code);
}
