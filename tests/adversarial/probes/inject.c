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
#include "tracer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

static const char *program;
static long countdown;
static long fired = -1;
static struct tracer tracer;

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
        if (tracer.error != 0 && (nr == never[i] || (nr == waits[i] && tracer.error != EINTR))) {
            return false;
        }
    }
    return true;
}

static enum tracer_do at_call(const struct tracee *who, const struct user_regs_struct *regs)
{
    if (fired >= 0 || strcmp(who->program, program) != 0 || !may_fail((long)regs->orig_rax) ||
        --countdown > 0) {
        return TRACER_PASS;
    }
    fired = (long)regs->orig_rax;
    if (tracer.hook != NULL) {
        return TRACER_STOP;
    }
    return tracer.error == 0 ? TRACER_KILL : TRACER_FAIL;
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
    const bool attach = argc > 7 && strcmp(argv[5], "-p") == 0;
    const int first = attach ? 8 : 6;
    int status;

    if (argc <= first || strcmp(argv[first - 1], "--") != 0) {
        return 64;
    }
    program = argv[1];
    countdown = atol(argv[2]);
    tracer.at_call = at_call;
    tracer.hook = argv[3][0] == '/' ? argv[3] : NULL;
    tracer.error = atoi(argv[3]);
    tracer.once = true; /* what follows may take thousands of calls, of a walk for example */
    status = tracer_run(&tracer, attach ? (pid_t)atoi(argv[6]) : 0, argv + first);
    write_report(argv[4]);
    return status;
}
