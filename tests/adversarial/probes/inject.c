/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MT-19, MT-22, MT-23: makes one system call of one program fail, whoever starts it, or ends
 * or stops the program there.
 *
 *   inject PROGRAM N ERRNO|kill|HOOK FILE [-p PID] -- CMD...
 *
 * Traces PID (and what it starts) or CMD (and what it starts); the N-th system
 * call made by processes whose executable is called PROGRAM returns ERRNO
 * without being made. CMD runs untraced when PID is given. FILE gets the number
 * of the call that failed, or "none" if there were fewer than N.
 * Exit status: CMD's, 128+n for a signal.
 *
 * "kill": the process is killed as it makes the call. HOOK, a path: the process is stopped by
 * SIGSTOP with the call made, is no longer traced, and goes on when HOOK PID has ended. The others
 * go on meanwhile.
 *
 * strace's own fault injection counts for every process by itself, so that the
 * same call fails in client, worker and init at once; this counts over all.
 */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#define TRACEES 4096
#define OPTIONS                                                                                    \
    (PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |      \
     PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL)

/* The start of struct ptrace_syscall_info, which not every libc declares. */
#define PTRACE_GET_SYSCALL_INFO_NUMBER 0x420e
#define CALL_ENTRY 1
struct call_info {
    unsigned char op;
    unsigned char rest[87];
};

struct tracee {
    pid_t pid;
    bool known;     /* @matches is up to date */
    bool matches;   /* its executable is the program */
    bool injecting; /* the call is to fail at its exit */
};

static struct tracee tracees[TRACEES];
static const char *program;
static long countdown;
static long fired = -1;
static int error;
static char *hook; /* NULL: none */
static pid_t command;
static int command_status;
static bool command_ended;
static pid_t looking; /* 0: no hook runs */
static pid_t stopped; /* as long as it does */

static struct tracee *find(pid_t pid)
{
    struct tracee *empty = NULL;

    for (size_t i = 0; i < TRACEES; i++) {
        if (tracees[i].pid == pid) {
            return &tracees[i];
        }
        if (tracees[i].pid == 0 && empty == NULL) {
            empty = &tracees[i];
        }
    }
    if (empty != NULL) {
        *empty = (struct tracee){.pid = pid};
    }
    return empty;
}

static bool is_program(pid_t pid)
{
    char path[64];
    char exe[4096];
    ssize_t len;
    const char *base;

    (void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
    len = readlink(path, exe, sizeof(exe) - 1);
    if (len <= 0) {
        return false;
    }
    exe[len] = '\0';
    base = strrchr(exe, '/');
    base = base == NULL ? exe : base + 1;
    /* A program may run from a sealed memfd of its own. */
    if (strncmp(base, "memfd:", 6) == 0) {
        base += 6;
    }
    len = (ssize_t)strlen(program);
    return strncmp(base, program, (size_t)len) == 0 && (base[len] == '\0' || base[len] == ' ');
}

/* Ending is not among the calls that can fail, nor is asking who one is; waiting fails with EINTR
 * alone. */
static bool may_fail(long nr)
{
    static const long never[] = {SYS_exit,    SYS_exit_group, SYS_rt_sigreturn, SYS_restart_syscall,
                                 SYS_execve,  SYS_arch_prctl, SYS_getpid,       SYS_getuid,
                                 SYS_geteuid, SYS_getgid,     SYS_getegid};
    static const long waits[] = {SYS_epoll_wait, SYS_epoll_pwait, SYS_poll,  SYS_ppoll,
                                 SYS_wait4,      SYS_waitid,      SYS_futex, SYS_nanosleep};

    for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++) {
        if (error != 0 && (nr == never[i] || (nr == waits[i] && error != EINTR))) {
            return false;
        }
    }
    return true;
}

static bool is_stopped(pid_t pid)
{
    char path[64];
    char state = 'T';
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (file != NULL) {
        (void)fscanf(file, "%*d (%*[^)]) %c", &state);
        (void)fclose(file);
    }
    return state == 'T';
}

/* What is pending when it is let go of stops it before anything else of its own happens. */
static void stop_and_look(struct tracee *t)
{
    char number[16];
    char *const argv[] = {hook, number, NULL};
    pid_t pid = t->pid;
    pid_t child;

    (void)snprintf(number, sizeof(number), "%d", (int)pid);
    (void)kill(pid, SIGSTOP);
    (void)ptrace(PTRACE_DETACH, pid, NULL, NULL);
    t->pid = 0;
    for (int i = 0; i < 500 && !is_stopped(pid); i++) {
        (void)usleep(200);
    }
    child = fork();
    if (child == 0) {
        (void)execv(hook, argv);
        _exit(127);
    }
    stopped = pid;
    looking = child;
}

static void at_syscall(struct tracee *t)
{
    struct user_regs_struct regs;
    struct call_info info = {0};

    if (ptrace(PTRACE_GET_SYSCALL_INFO_NUMBER, t->pid, (void *)sizeof(info), &info) <= 0 ||
        ptrace(PTRACE_GETREGS, t->pid, NULL, &regs) != 0) {
        return;
    }
    if (info.op != CALL_ENTRY) {
        if (t->injecting) {
            regs.rax = (unsigned long long)-(long long)error;
            (void)ptrace(PTRACE_SETREGS, t->pid, NULL, &regs);
            t->injecting = false;
        }
        return;
    }
    if (!t->known) {
        t->matches = is_program(t->pid);
        t->known = true;
    }
    if (!t->matches || fired >= 0 || !may_fail((long)regs.orig_rax) || --countdown > 0) {
        return;
    }
    fired = (long)regs.orig_rax;
    if (hook != NULL) {
        stop_and_look(t);
        return;
    }
    if (error == 0) {
        (void)kill(t->pid, SIGKILL);
        return;
    }
    t->injecting = true;
    regs.orig_rax = (unsigned long long)-1;
    (void)ptrace(PTRACE_SETREGS, t->pid, NULL, &regs);
}

/* One stop of one tracee; returns the signal to hand on. */
static int at_stop(struct tracee *t, int status)
{
    int event = status >> 16;
    int sig = WSTOPSIG(status);

    if (sig == (SIGTRAP | 0x80)) {
        at_syscall(t);
        return 0;
    }
    if (event == PTRACE_EVENT_EXEC) {
        t->known = false;
        return 0;
    }
    return event != 0 ? 0 : sig;
}

static bool has_ended(pid_t pid, struct tracee *t, int status)
{
    if (WIFSTOPPED(status)) {
        return false;
    }
    if (t != NULL) {
        t->pid = 0;
    }
    if (pid == looking) {
        looking = 0;
        (void)kill(stopped, SIGCONT);
    }
    if (pid == command) {
        command_status = status;
        command_ended = true;
    }
    return true;
}

static void trace_command(void)
{
    int status;
    pid_t pid;

    while ((!command_ended || looking != 0) && (pid = waitpid(-1, &status, __WALL)) > 0) {
        struct tracee *t = find(pid);
        int sig;

        if (has_ended(pid, t, status)) {
            continue;
        }
        sig = t != NULL ? at_stop(t, status) : 0;
        (void)ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(long)sig);
    }
}

static pid_t start(char **argv, bool traced)
{
    pid_t pid = fork();

    if (pid == 0) {
        if (traced) {
            (void)raise(SIGSTOP);
        }
        (void)execvp(argv[0], argv);
        _exit(127);
    }
    if (traced) {
        (void)waitpid(pid, NULL, WUNTRACED);
        if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)OPTIONS) != 0) {
            perror("seize");
            exit(70);
        }
        (void)kill(pid, SIGCONT);
        (void)ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
    }
    return pid;
}

/* A child may be ending just now: only the process named must be there. */
static void seize(pid_t pid, bool required)
{
    char path[64];
    FILE *children;
    int child;

    if (ptrace(PTRACE_SEIZE, pid, NULL, (void *)OPTIONS) != 0) {
        if (required) {
            perror("seize");
            exit(70);
        }
        return;
    }
    (void)ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
    (void)snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
    children = fopen(path, "re");
    while (children != NULL && fscanf(children, "%d", &child) == 1) {
        seize(child, false);
    }
    if (children != NULL) {
        (void)fclose(children);
    }
}

static bool any_left(void)
{
    for (size_t i = 0; i < TRACEES; i++) {
        if (tracees[i].pid != 0) {
            return true;
        }
    }
    return false;
}

/*
 * Lets a seized service run on by itself. Any stop will do: the first takes the interrupt. What
 * ends meanwhile is taken as it comes: the first of a pid namespace ends after all others in it.
 */
static void let_go(void)
{
    int status;
    pid_t pid;

    countdown = LONG_MAX;
    for (size_t i = 0; i < TRACEES; i++) {
        if (tracees[i].pid != 0 && ptrace(PTRACE_INTERRUPT, tracees[i].pid, NULL, NULL) != 0) {
            tracees[i].pid = 0;
        }
    }
    while (any_left() && (pid = waitpid(-1, &status, __WALL)) > 0) {
        struct tracee *t = find(pid);

        if (!has_ended(pid, t, status)) {
            const int sig = t == NULL ? 0 : at_stop(t, status);

            (void)ptrace(PTRACE_DETACH, pid, NULL, (void *)(long)sig);
            if (t != NULL) {
                t->pid = 0;
            }
        }
    }
}

static void write_report(const char *file)
{
    FILE *out = fopen(file, "we");

    if (out == NULL) {
        exit(70);
    }
    if (fired >= 0) {
        (void)fprintf(out, "%ld\n", fired);
    } else {
        (void)fprintf(out, "none\n");
    }
    (void)fclose(out);
}

int main(int argc, char **argv)
{
    bool attach = argc > 7 && strcmp(argv[5], "-p") == 0;
    const int first = attach ? 8 : 6;

    if (argc <= first || strcmp(argv[first - 1], "--") != 0) {
        return 64;
    }
    program = argv[1];
    countdown = atol(argv[2]);
    hook = argv[3][0] == '/' ? argv[3] : NULL;
    error = atoi(argv[3]);
    if (attach) {
        seize((pid_t)atoi(argv[6]), true);
    }
    command = start(argv + first, !attach);
    trace_command();
    if (attach) {
        let_go();
    }
    write_report(argv[4]);
    return WIFSIGNALED(command_status) ? 128 + WTERMSIG(command_status)
                                       : WEXITSTATUS(command_status);
}
