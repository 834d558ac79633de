/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tracer of one command, or of a service while a command runs, that asks at each system call
 * what is to become of it. x86-64.
 */
#ifndef CORDON_TESTS_TRACER_H
#define CORDON_TESTS_TRACER_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/user.h>

#define TRACER_NAME 64

struct tracee {
    pid_t pid;
    bool found;                /* it was there when tracing began, below the one to attach to */
    bool known;                /* @program is up to date */
    char program[TRACER_NAME]; /* the name of its executable, without its folder */
    bool injecting;            /* the call is to fail at its exit */
    unsigned long long end;    /* ... if that is brk(2): what it asks for, in vain */
};

enum tracer_do {
    TRACER_PASS,
    TRACER_FAIL, /* with tracer.error, without being made; brk(2) has its own way, see tracer.c */
    TRACER_KILL, /* SIGKILL, as it makes the call */
    TRACER_STOP, /* SIGSTOP, untraced from then on, until `tracer.hook PID` has ended */
};

struct tracer {
    /* A call is about to be made: its number is orig_rax. */
    enum tracer_do (*at_call)(const struct tracee *who, const struct user_regs_struct *regs);
    int error;
    bool once; /* after one that failed or was killed all go on untraced */
    char *hook;
};

/*
 * Runs @argv; traces it and what it starts, or with @attach, not 0, that process and what it
 * starts instead, which goes on afterwards. Returns the exit status of @argv, 128+n for a signal.
 */
int tracer_run(const struct tracer *what, pid_t attach, char **argv);

#endif
