/* SPDX-License-Identifier: Apache-2.0 */
/* The command is executed; from then on this is the job's pid 1, which reaps, and tells of the end.
 */
#include "platform/linux/init/init.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINGER_MS 2

static void command_start(struct init *init, const struct command *command, int signals)
{
    int code = 0;

    if (child_run(init, command, signals, &code) != CORDON_OK) {
        init_report(IPC_REPORT_SETUP, 0, init);
        _exit(125);
    }
    if (code != 0) {
        bool missing = code == ENOENT || code == ENOTDIR;

        (void)fault_os(&init->fault, code, NULL, "%s", command->argv[0]);
        init_report(missing ? IPC_REPORT_NOT_FOUND : IPC_REPORT_NOT_EXECUTABLE, (uint32_t)code,
                    init);
        _exit(missing ? 127 : 126);
    }
}

/* It has ended, and nobody has reaped it. */
static bool command_is_over(const struct init *init)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    return waitid(P_PID, (id_t)init->child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == init->child;
}

/* Opens wait from now on, for good: the job is ended before anybody notices. */
static _Noreturn void command_unguarded(struct init *init)
{
    (void)kill(-1, SIGKILL);
    (void)guard_is_gone(init);
    init_report(IPC_REPORT_SETUP, 0, init);
    _exit(125);
}

enum left { LEFT_NOBODY, LEFT_SOMEBODY, LEFT_UNKNOWN };

/*
 * Who is left of our children, and so of the job, but for the guard and the keeper: who loses its
 * parent becomes our child. Unknown where the kernel does not tell.
 */
static enum left who_is_left(const struct init *init)
{
    char text[64]; /* room for those two; more is somebody */
    ssize_t len = init->children < 0 ? -1 : pread(init->children, text, sizeof(text) - 1, 0);
    char *at = text;

    if (len < 0) {
        return LEFT_UNKNOWN;
    }
    text[len] = '\0';
    while (*(at += strspn(at, " \n")) != '\0') {
        const long pid = strtol(at, &at, 10);

        if (pid <= 0 || (pid != init->guard && pid != init->keeper)) {
            return LEFT_SOMEBODY;
        }
    }
    return LEFT_NOBODY;
}

/*
 * The command has ended, and with it all of its job: what it left behind is killed now, so that its
 * end can be told before pid 1 goes, which takes the kernel many times longer and would keep the
 * processor from those who are told. The guard and the keeper are root's; they cannot be signalled
 * from here and end with pid 1, as does what is left where the kernel does not tell of children.
 */
static _Noreturn void command_ended(struct init *init, enum ipc_report_kind kind, uint32_t code)
{
    enum left left = who_is_left(init);

    while (left == LEFT_SOMEBODY) {
        pid_t pid = kill(-1, SIGKILL) == 0 ? waitpid(-1, NULL, 0) : -1;

        left = pid <= 0 || pid == init->guard || pid == init->keeper ? LEFT_UNKNOWN
                                                                     : who_is_left(init);
    }
    init->gone = left == LEFT_NOBODY;
    init_report(kind, code, init);
    guard_end(init);
    if (init->gone && !init->is_waited_for) {
        (void)poll(NULL, 0, LINGER_MS);
    }
    _exit(0);
}

/* What cannot be watched is ended: pid 1 takes the whole job with it. */
static _Noreturn void command_lost(struct init *init)
{
    (void)fault_os(&init->fault, errno, "try again", "cannot watch the command");
    init_report(IPC_REPORT_SETUP, 0, init);
    _exit(125);
}

/* An error that ended the loop would be the last that is heard of the command. */
static void command_reap(struct init *init)
{
    int status;
    pid_t pid;

    while ((pid = waitpid(-1, &status, WNOHANG)) != 0) {
        if (pid < 0 && errno == EINTR) {
            continue;
        }
        if (pid < 0) {
            command_lost(init);
        }
        if (pid == init->guard || pid == init->keeper) {
            command_unguarded(init);
        }
        if (pid == init->child && WIFSIGNALED(status)) {
            command_ended(init, IPC_REPORT_SIGNALLED, (uint32_t)WTERMSIG(status));
        }
        if (pid == init->child) {
            command_ended(init, IPC_REPORT_EXITED, (uint32_t)WEXITSTATUS(status));
        }
    }
}

static bool close_from(int first, int end)
{
    return first == end || syscall(SYS_close_range, (unsigned)first, (unsigned)end - 1, 0) == 0;
}

/* What stays open is the report pipe, the socket for INIT_RUNS, and the signals. */
static bool setup_close(void)
{
    _Static_assert(INIT_FD_REPORT < INIT_FD_CGROUP, "in the order of the numbers");
    return close_from(INIT_FD_CHANNEL, INIT_FD_REPORT) &&
           close_from(INIT_FD_REPORT + 1, INIT_FD_CGROUP) &&
           close_from(INIT_FD_CGROUP + 1, INIT_FD_COUNT);
}

_Noreturn void command_run(struct init *init, const struct command *command)
{
    struct signalfd_siginfo info;
    sigset_t all;
    const bool closed = setup_close();
    int signals;

    (void)sigfillset(&all);
    signals = signalfd(-1, &all, SFD_CLOEXEC);
    /* Before anything runs: a command that could not be watched is not started. */
    if (!closed || signals < 0 || sigprocmask(SIG_SETMASK, &all, NULL) != 0) {
        command_lost(init);
    }
    command_start(init, command, signals);
    if (!command_is_over(init)) {
        init_report(IPC_REPORT_RUNNING, 0, init);
    }
    (void)close(init->control);
    (void)close(command->strings);
    (void)close(INIT_FD_CGROUP);
    (void)close_from(0, INIT_FD_CHANNEL);
    for (;;) {
        ssize_t len = read(signals, &info, sizeof(info));

        if (len != (ssize_t)sizeof(info) && (len >= 0 || errno != EINTR)) {
            command_lost(init);
        }
        if (len < 0 || info.ssi_signo == SIGCHLD) {
            command_reap(init);
        } else if (info.ssi_pid == 0) {
            init_pass_signal(init->child, (int)info.ssi_signo);
        }
    }
}
