/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process that becomes the command. It is made with the set-up and waits, since joining its
 * control group may take a grace period of the kernel (15 ms on an idle machine), which nobody who
 * waits for a command should wait for. It is root's still, and behind all walls already.
 *
 * Until it executes it shares memory and descriptors with pid 1, errno included, as after vfork(2):
 * only one of both does anything at a time.
 */
#include "platform/linux/init/init.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STACK_BYTES 65536U
#define WAKE_TRIES 3
#define LOOK_NS 20000000L /* for whether it still lives, where nobody would tell */

static struct {
    struct init *init;
    const struct command *command;
    int cwd;
    int joined_code; /* errno */
    int code;        /* see child_run() */
    uint32_t joined, due,
        lives; /* futexes: set to 1, 1; to 0 by the kernel as it executes or ends */
    _Alignas(16) char stack[STACK_BYTES];
} child;

static uint32_t word_get(const uint32_t *word)
{
    return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* A call that failed once may succeed then. */
static bool word_set(uint32_t *word)
{
    int tries = 0;

    __atomic_store_n(word, 1U, __ATOMIC_RELEASE);
    while (syscall(SYS_futex, word, FUTEX_WAKE, 1, NULL, NULL, 0) < 0) {
        if (++tries == WAKE_TRIES) {
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
static int command_become(struct init *init, const struct command *command)
{
    sigset_t none;
    int code;

    if (identity_drop(init) != CORDON_OK) {
        return CHILD_FAULT;
    }
    (void)setsid();
    terminal_take(command);
    (void)signal(SIGPIPE, SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    if (fchdir(child.cwd) != 0) {
        return -errno;
    }
    code = limits_take(init);
    return code == 0 ? 0 : -code;
}

static int child_main(void *argument)
{
    (void)argument;
    (void)prctl(PR_SET_NAME, "cordon-command", 0, 0, 0);
    if (syscall(SYS_set_tid_address, &child.lives) < 0 || write(INIT_FD_CGROUP, "0", 1) != 1) {
        child.joined_code = errno;
    }
    (void)!word_set(&child.joined); /* pid 1 looks from time to time as well */
    while (word_get(&child.due) == 0) {
        wait_while(&child.due, 0, NULL);
    }
    child.code = command_become(child.init, child.command);
    if (child.code == 0) {
        child.code = command_exec(child.command);
    }
    _exit(127);
}

/* ---- in pid 1 ---- */

enum cordon_err child_make(struct init *init)
{
    child.init = init;
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
    return word_get(&child.joined) == 0 || child.joined_code == 0;
}

int child_run(struct init *init, const struct command *command)
{
    const struct timespec while_ns = {0, LOOK_NS};

    while (word_get(&child.joined) == 0 && !has_ended(init->child)) {
        wait_while(&child.joined, 0, &while_ns);
    }
    child.cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (child.cwd < 0) {
        return -errno;
    }
    child.command = command;
    child.code = CHILD_KILLED;
    if (word_get(&child.joined) != 0 && child.joined_code != 0) {
        child.code = -child.joined_code;
    } else if (word_get(&child.joined) != 0) {
        if (!word_set(&child.due)) {
            (void)kill(init->child, SIGKILL);
        }
        while (word_get(&child.lives) != 0) {
            wait_while(&child.lives, 1, NULL);
        }
    }
    (void)close(child.cwd);
    return child.code;
}
