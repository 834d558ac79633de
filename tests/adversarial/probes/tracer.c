/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
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

static struct tracee tracees[TRACEES];
static const struct tracer *tracer;
static bool letting_go; /* all further calls pass */
static bool acted;      /* on the one call that was to be acted on */
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

/* Empty if it cannot be told. */
static void name_program(struct tracee *t)
{
    char path[64];
    char exe[4096];
    ssize_t len;
    const char *base;

    t->program[0] = '\0';
    t->known = true;
    (void)snprintf(path, sizeof(path), "/proc/%d/exe", (int)t->pid);
    len = readlink(path, exe, sizeof(exe) - 1);
    if (len <= 0) {
        return;
    }
    exe[len] = '\0';
    base = strrchr(exe, '/');
    base = base == NULL ? exe : base + 1;
    /* A program may run from a sealed memfd of its own; that shows as deleted. */
    if (strncmp(base, "memfd:", 6) == 0) {
        base += 6;
    }
    (void)snprintf(t->program, sizeof(t->program), "%.*s", (int)strcspn(base, " "), base);
}

static bool is_stopped(pid_t pid)
{
    char path[64];
    char state = 'T';
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    file = fopen(path, "re");
    if (file != NULL) {
        if (fscanf(file, "%*d (%*[^)]) %c", &state) != 1) {
            state = 'T';
        }
        (void)fclose(file);
    }
    return state == 'T';
}

/* What is pending when it is let go of stops it before anything else of its own happens. */
static void stop_and_look(struct tracee *t)
{
    char number[16];
    char *const argv[] = {tracer->hook, number, NULL};
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
        (void)execv(tracer->hook, argv);
        _exit(127);
    }
    stopped = pid;
    looking = child;
}

/*
 * brk(2) returns no error: one that fails returns the end that there is, as brk(0) does. An errno
 * instead would be an end that there is not, which malloc(3) would use.
 */
static void fail_call(struct tracee *t, struct user_regs_struct *regs)
{
    t->injecting = true;
    if (regs->orig_rax == SYS_brk) {
        t->end = regs->rdi;
        regs->rdi = 0;
    } else {
        regs->orig_rax = (unsigned long long)-1;
    }
    (void)ptrace(PTRACE_SETREGS, t->pid, NULL, regs);
}

static void end_failed(struct tracee *t, struct user_regs_struct *regs)
{
    if (regs->orig_rax == SYS_brk) {
        regs->rdi = t->end; /* no call changes its arguments */
    } else {
        regs->rax = (unsigned long long)-(long long)tracer->error;
    }
    (void)ptrace(PTRACE_SETREGS, t->pid, NULL, regs);
    t->injecting = false;
    acted = tracer->once;
}

static void begin_call(struct tracee *t, struct user_regs_struct *regs)
{
    if (letting_go) {
        return;
    }
    if (!t->known) {
        name_program(t);
    }
    switch (tracer->at_call(t, regs)) {
    case TRACER_PASS:
        break;
    case TRACER_FAIL:
        fail_call(t, regs);
        break;
    case TRACER_KILL:
        (void)kill(t->pid, SIGKILL);
        acted = tracer->once;
        break;
    case TRACER_STOP:
        stop_and_look(t);
        break;
    }
}

static void at_syscall(struct tracee *t)
{
    struct user_regs_struct regs;
    struct call_info info = {0};

    if (ptrace(PTRACE_GET_SYSCALL_INFO_NUMBER, t->pid, (void *)sizeof(info), &info) <= 0 ||
        ptrace(PTRACE_GETREGS, t->pid, NULL, &regs) != 0) {
        return;
    }
    if (info.op == CALL_ENTRY) {
        begin_call(t, &regs);
    } else if (t->injecting) {
        end_failed(t, &regs);
    }
}

/* A child is traced from birth, and known from then on: it may be stopped when all are let go. */
static void at_birth(pid_t parent)
{
    unsigned long child = 0;

    if (ptrace(PTRACE_GETEVENTMSG, parent, NULL, &child) == 0 && child != 0) {
        (void)find((pid_t)child);
    }
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
    } else if (event == PTRACE_EVENT_FORK || event == PTRACE_EVENT_VFORK ||
               event == PTRACE_EVENT_CLONE) {
        at_birth(t->pid);
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

    while (!acted && (!command_ended || looking != 0) && (pid = waitpid(-1, &status, __WALL)) > 0) {
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
    struct tracee *t;
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
    t = find(pid);
    if (t != NULL) {
        t->found = !required;
    }
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
 * The command may go on for longer.
 */
static void let_go(void)
{
    int status;
    pid_t pid;

    letting_go = true;
    for (size_t i = 0; i < TRACEES; i++) {
        if (tracees[i].pid != 0 && ptrace(PTRACE_INTERRUPT, tracees[i].pid, NULL, NULL) != 0) {
            tracees[i].pid = 0;
        }
    }
    while ((any_left() || !command_ended) && (pid = waitpid(-1, &status, __WALL)) > 0) {
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

int tracer_run(const struct tracer *what, pid_t attach, char **argv)
{
    tracer = what;
    if (attach != 0) {
        seize(attach, true);
    }
    command = start(argv, attach == 0);
    trace_command();
    if (attach != 0 || acted) {
        let_go();
    }
    return WIFSIGNALED(command_status) ? 128 + WTERMSIG(command_status)
                                       : WEXITSTATUS(command_status);
}
