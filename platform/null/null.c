/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The back end that enforces nothing: records, and in test builds runs the
 * command as it is. Elsewhere it refuses, so that nobody gets a sandbox that is
 * none. Signals reach the command's process group.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/host.h"
#include "platform/null/null_child.h"
#include "platform/platform.h"

struct platform_job {
    int pid;
    int pidfd;
    int status; /* pipe: errno of a failed exec, or the end of the file */
    int poll;   /* epoll over both */
    bool running;
    bool ended;
};

static void null_probe(struct platform_probe *ret_probe)
{
    memset(ret_probe, 0, sizeof(*ret_probe));
    ret_probe->layers[0] =
        (struct platform_layer){.name = "null",
                                .evidence = "enforces nothing",
                                .remedy = "build cordon for a system that it supports",
                                .since = "always"};
    ret_probe->layer_count = 1;
}

static enum cordon_err null_resolve(const struct policy *policy, const struct platform_start *start,
                                    struct arena *arena, struct platform_resolved *ret_resolved,
                                    struct cordon_fault *fault)
{
    struct platform_resolved resolved = {.own_count = 0};

    resolved.facts.managed = arena_array(arena, policy->managed.count, sizeof(struct plan_fact));
    resolved.facts.own = arena_array(arena, policy->own.count, sizeof(struct plan_fact));
    if (resolved.facts.managed == NULL || resolved.facts.own == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "resolve: out of memory");
    }
    resolved.facts.cwd = start->cwd;
    resolved.facts.cwd_object = PLAN_DIRECTORY;
    *ret_resolved = resolved;
    return CORDON_OK;
}

static void null_resolved_release(struct platform_resolved *resolved)
{
    (void)resolved;
}

static bool null_resolved_holds(const struct platform_resolved *resolved)
{
    (void)resolved;
    return false;
}

static enum cordon_err null_needed(const struct platform_start *start, struct arena *arena,
                                   struct plan_facts *facts)
{
    (void)start;
    (void)arena;
    (void)facts;
    return CORDON_OK;
}

static enum cordon_err null_plan(const struct policy *policy, const struct plan_facts *facts,
                                 struct arena *arena, struct plan **ret_plan,
                                 struct cordon_fault *fault)
{
    struct plan *plan = arena_alloc(arena, sizeof(*plan));

    (void)facts;
    if (plan != NULL) {
        plan->os = policy->os;
        plan->managed = arena_array(arena, policy->managed.count, sizeof(*plan->managed));
        plan->own = arena_array(arena, policy->own.count, sizeof(*plan->own));
    }
    if (plan == NULL || plan->managed == NULL || plan->own == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "plan: out of memory");
    }
    *ret_plan = plan;
    return CORDON_OK;
}

static enum cordon_err null_order(const struct platform_parts *parts,
                                  struct platform_order *ret_order, struct cordon_fault *fault)
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

static enum cordon_err null_spawn(const struct platform_spawn *spawn, struct platform_job **ret_job,
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

static int null_watch_fd(const struct platform_job *job)
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

static enum cordon_err null_poll(struct platform_job *job, struct ipc_report *ret_report)
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

/* Nothing is denied. */
static enum cordon_err null_violation(struct platform_job *job, struct ipc_violation *ret_violation)
{
    (void)job;
    (void)ret_violation;
    return CORDON_E_AGAIN;
}

static void null_about(const struct platform_job *job, struct platform_about *ret_about)
{
    *ret_about = (struct platform_about){.pid = job->pid};
}

static enum cordon_err null_signal(struct platform_job *job, int signo)
{
    if (job->ended || (kill(-job->pid, signo) != 0 && kill(job->pid, signo) != 0)) {
        return CORDON_E_NOT_FOUND;
    }
    return CORDON_OK;
}

static void null_release(struct platform_job *job)
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

static void null_cleanup(bool embedded)
{
    (void)embedded;
}

/* Nothing is made ahead of time. */
static uint32_t null_tend(void)
{
    return 0;
}

static void null_forget(void)
{
}

const struct platform *platform_null(void)
{
    static const struct platform backend = {
        .name = "null",
        .os = POLICY_OS_LINUX,
        .probe = null_probe,
        .resolve = null_resolve,
        .resolved_release = null_resolved_release,
        .resolved_holds = null_resolved_holds,
        .needed = null_needed,
        .plan = null_plan,
        .order = null_order,
        .spawn = null_spawn,
        .watch_fd = null_watch_fd,
        .poll = null_poll,
        .violation = null_violation,
        .about = null_about,
        .signal = null_signal,
        .release = null_release,
        .cleanup = null_cleanup,
        .tend = null_tend,
        .forget = null_forget,
    };

    return &backend;
}
