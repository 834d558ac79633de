/* SPDX-License-Identifier: Apache-2.0 */
/* A command as a process of this system. Signals reach its process group. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/host.h"
#include "platform/null/null_child.h"
#include "platform/null/null_job.h"

struct platform_job {
    int pid;
    int pidfd;
    int status; /* pipe: errno of a failed exec, or the end of the file */
    int poll;   /* epoll over both */
    bool running;
    bool ended;
};

enum policy_os null_os(void)
{
    return POLICY_OS_LINUX;
}

enum cordon_err null_order(const struct platform_parts *parts, struct platform_order *ret_order,
                           struct cordon_fault *fault)
{
    struct platform_order order = {.fd_count = 0};
    enum cordon_err err = ipc_memfd("cordon-null", "order", 6, &order.fds[0], fault);

    if (err == CORDON_OK) {
        order.fds[IPC_SPAWN_TABLE] = fcntl(parts->own_fd, F_DUPFD_CLOEXEC, 3);
        order.fds[IPC_SPAWN_CHANNEL] = fcntl(parts->channel, F_DUPFD_CLOEXEC, 3);
        order.fds[IPC_SPAWN_CWD] = fcntl(parts->cwd_fd, F_DUPFD_CLOEXEC, 3);
        order.fd_count = IPC_SPAWN_GRANTS;
    }
    *ret_order = order;
    return err;
}

static void job_close(struct platform_job *job)
{
    host_close(job->pidfd);
    host_close(job->status);
    host_close(job->poll);
    free(job);
}

static enum cordon_err job_watch(struct platform_job *job, struct cordon_fault *fault)
{
    struct epoll_event event = {.events = EPOLLIN};

    job->poll = epoll_create1(EPOLL_CLOEXEC);
    if (job->poll < 0 || epoll_ctl(job->poll, EPOLL_CTL_ADD, job->status, &event) != 0 ||
        epoll_ctl(job->poll, EPOLL_CTL_ADD, job->pidfd, &event) != 0) {
        return fault_os(fault, errno, NULL, "null: cannot watch the job");
    }
    return CORDON_OK;
}

enum cordon_err null_spawn(const struct platform_spawn *spawn, struct platform_job **ret_job,
                           struct cordon_fault *fault)
{
    struct platform_job *job;
    int status[2];
    enum cordon_err err;

    if (!null_may_run()) {
        return fault_set(fault, CORDON_E_UNSUPPORTED, "run it on a system that cordon supports",
                         "no sandbox can be made on this system");
    }
    job = calloc(1, sizeof(*job));
    if (job == NULL || pipe2(status, O_CLOEXEC | O_NONBLOCK) != 0) {
        free(job);
        return fault_set(fault, CORDON_E_NOMEM, NULL, "null: out of memory");
    }
    job->status = status[0];
    job->poll = -1;
    job->pid = fork();
    if (job->pid == 0) {
        null_child(spawn, status[1]);
    }
    host_close(status[1]);
    job->pidfd = job->pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, job->pid, 0);
    err = job_watch(job, fault);
    if (err != CORDON_OK) {
        job_close(job);
        return err;
    }
    *ret_job = job;
    return CORDON_OK;
}

int null_watch_fd(const struct platform_job *job)
{
    return job->poll;
}

static void set_fault(struct ipc_fault *fault, int code)
{
    struct cordon_fault text;

    (void)fault_os(&text, code, NULL, "command");
    fault->err = (uint32_t)(code == ENOENT ? CORDON_E_NOT_FOUND : CORDON_E_OS);
    fault->os_code = code;
    memcpy(fault->text, text.text, sizeof(fault->text) - 1);
}

enum cordon_err null_poll(struct platform_job *job, struct ipc_report *ret_report)
{
    struct ipc_report report;
    siginfo_t info;
    int code = 0;
    ssize_t len;

    memset(&report, 0, sizeof(report));
    report.limit = IPC_NO_LIMIT;
    memset(&info, 0, sizeof(info));
    len = job->status < 0 ? 0 : read(job->status, &code, sizeof(code));
    if (len < 0) {
        return CORDON_E_AGAIN;
    }
    host_close(job->status);
    job->status = -1;
    if (len == (ssize_t)sizeof(code)) {
        report.kind = code == ENOENT ? IPC_REPORT_NOT_FOUND : IPC_REPORT_NOT_EXECUTABLE;
        set_fault(&report.fault, code);
    } else if (!job->running) {
        job->running = true;
        report.kind = IPC_REPORT_RUNNING;
    } else if (waitid(P_PIDFD, (id_t)job->pidfd, &info, WEXITED | WNOHANG) != 0 ||
               info.si_pid == 0) {
        return CORDON_E_AGAIN;
    } else {
        job->ended = true;
        report.kind = info.si_code == CLD_EXITED ? IPC_REPORT_EXITED : IPC_REPORT_SIGNALLED;
        report.code = (uint32_t)info.si_status;
    }
    *ret_report = report;
    return CORDON_OK;
}

void null_about(const struct platform_job *job, struct platform_about *ret_about)
{
    *ret_about = (struct platform_about){.pid = job->pid};
}

enum cordon_err null_signal(struct platform_job *job, int signo)
{
    if (job->ended || (kill(-job->pid, signo) != 0 && kill(job->pid, signo) != 0)) {
        return CORDON_E_NOT_FOUND;
    }
    return CORDON_OK;
}

void null_release(struct platform_job *job)
{
    if (job == NULL) {
        return;
    }
    if (job->pid > 0) {
        (void)kill(-job->pid, SIGKILL);
    }
    if (job->pid > 0 && !job->ended) {
        (void)kill(job->pid, SIGKILL);
        while (waitpid(job->pid, NULL, 0) < 0 && errno == EINTR) {
        }
    }
    job_close(job);
}
