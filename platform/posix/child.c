/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/host.h"

#define FD_CHANNEL 3
#define FD_HIGH 64 /* above every descriptor that the child is given */

/* Exit statuses of a child that never became the program, by the step that failed. */
static const char *const steps[] = {"descriptors", "exec", "identity"};
enum step { STEP_FDS, STEP_EXEC, STEP_IDENTITY, STEP_COUNT };
#define STEP_STATUS 100
_Static_assert(HOST_STATUS_IDENTITY == STEP_STATUS + STEP_IDENTITY, "a step, too");

static bool place(int from, int to)
{
    int high = from < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : from;

    return high >= 0 && dup2(high, to) == to;
}

static bool child_fds(const struct host_start *start)
{
    int out = start->output < 0 ? -1 : fcntl(start->output, F_DUPFD_CLOEXEC, FD_HIGH);
    int channel = start->channel < 0 ? -1 : fcntl(start->channel, F_DUPFD_CLOEXEC, FD_HIGH);

    /* Without its channel it would live, and be of no use to anybody. */
    if ((start->output >= 0 && out < 0) || (start->channel >= 0 && channel < 0)) {
        return false;
    }
    if (!place(-1, 0) || !place(out, 1) || (!start->keep_stderr && !place(-1, 2))) {
        return false;
    }
    if (channel >= 0 && dup2(channel, FD_CHANNEL) != FD_CHANNEL) {
        return false;
    }
    return syscall(SYS_close_range, channel < 0 ? 3U : 4U, ~0U, 0) == 0;
}

/* As after an execve(2), but for the memory. */
static int child_call(const struct host_start *start, char **env)
{
    int argc = 0;

    for (int signo = 1; signo < NSIG; signo++) {
        (void)signal(signo, SIG_DFL);
    }
    while (start->argv[argc] != NULL) {
        argc++;
    }
    (void)prctl(PR_SET_NAME, start->argv[0]);
    environ = env;
    return start->main(argc, (char **)(uintptr_t)start->argv);
}

__attribute__((noreturn)) static void child_main(const struct host_start *start, int parent)
{
    static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
    static char lang[] = "LANG=C.UTF-8";
    /* Free pieces that malloc(3) keeps at hand would hold what host_trim() is to give back; and
     * nothing else is to be given back, only to be asked for again. */
    static char tunables[] =
        "GLIBC_TUNABLES=glibc.malloc.tcache_count=0:glibc.malloc.trim_threshold=16777216";
    static char *env[] = {path, lang, tunables, NULL};
    sigset_t none;

    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGPIPE, SIG_DFL);
    if (!child_fds(start)) {
        _exit(STEP_STATUS + STEP_FDS);
    }
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() == parent) {
        if (start->main != NULL) {
            exit(child_call(start, env));
        }
        (void)execve(start->program, start->argv, env);
    }
    _exit(STEP_STATUS + STEP_EXEC);
}

int host_channel(void)
{
    return FD_CHANNEL;
}

enum cordon_err host_start(const struct host_start *start, struct host_child *ret_child,
                           struct cordon_fault *fault)
{
    int parent = getpid();
    int pidfd;
    pid_t pid;

    if (start->as != NULL) {
        return fault_set(fault, CORDON_E_UNSUPPORTED, NULL, "%s: cannot be started as another user",
                         start->argv[0]);
    }
    pid = fork();

    if (pid == 0) {
        child_main(start, parent);
    }
    if (pid < 0) {
        return fault_os(fault, errno, NULL, "cannot start %s", start->argv[0]);
    }
    pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    if (pidfd < 0) {
        enum cordon_err err = fault_os(fault, errno, NULL, "cannot watch %s", start->argv[0]);

        (void)kill(pid, SIGKILL);
        (void)waitpid(pid, NULL, 0);
        return err;
    }
    *ret_child = (struct host_child){pid, pidfd};
    return CORDON_OK;
}

void host_child_kill(const struct host_child *child)
{
    if (child->pidfd >= 0) {
        (void)syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0);
    }
}

static void describe(int status, char *ret_how, size_t size)
{
    const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;

    if (code >= STEP_STATUS && code < STEP_STATUS + STEP_COUNT) {
        (void)snprintf(ret_how, size, "could not be started (%s)", steps[code - STEP_STATUS]);
    } else if (code >= 0) {
        (void)snprintf(ret_how, size, "exited with %d", code);
    } else {
        (void)snprintf(ret_how, size, "was killed by signal %d", WTERMSIG(status));
    }
}

enum cordon_err host_child_reap(struct host_child *child, char *ret_how, size_t size)
{
    int status = 0;

    if (child->pidfd < 0 || child->pid == 0 ||
        waitpid(child->pid, &status, WNOHANG) != child->pid) {
        return CORDON_E_AGAIN;
    }
    describe(status, ret_how, size);
    child->pid = 0;
    return CORDON_OK;
}

void host_child_deinit(struct host_child *child)
{
    if (child->pidfd < 0) {
        return;
    }
    if (child->pid != 0) {
        host_child_kill(child);
        while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    (void)close(child->pidfd);
    child->pidfd = -1;
}
