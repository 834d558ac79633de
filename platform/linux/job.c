/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/job.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/backend.h"

/* A set-up takes milliseconds, a snapshot of a large tree seconds. */
#define SETUP_SECONDS_MAX 60
#define RELEASE_WAIT_MS 10000

static int watch_make(struct platform_job *job)
{
    const int fds[] = {job->pidfd, job->report, job->timer, job->denials.channel, job->bpf.ring};
    int watch = epoll_create1(EPOLL_CLOEXEC);

    for (size_t i = 0; watch >= 0 && i < sizeof(fds) / sizeof(fds[0]); i++) {
        struct epoll_event event = {.events = EPOLLIN};

        if (fds[i] >= 0 && epoll_ctl(watch, EPOLL_CTL_ADD, fds[i], &event) != 0) {
            (void)close(watch);
            return -1;
        }
    }
    return watch;
}

enum cordon_err job_new(const struct job_parts *parts, struct platform_job **ret_job,
                        struct cordon_fault *fault)
{
    struct itimerspec limit = {.it_value = {.tv_sec = SETUP_SECONDS_MAX}};
    struct platform_job *job = calloc(1, sizeof(*job));

    if (job == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "job: out of memory");
    }
    job->pidfd = parts->pidfd;
    job->pid = parts->pid;
    job->report = parts->report;
    job->cgroup = parts->cgroup;
    job->denials = parts->denials;
    job->bpf = parts->bpf;
    job->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    if (job->timer >= 0 && timerfd_settime(job->timer, 0, &limit, NULL) == 0) {
        job->watch = watch_make(job);
    }
    if (job->timer < 0 || job->watch <= 0) {
        int code = errno;

        if (job->timer >= 0) {
            (void)close(job->timer);
        }
        free(job);
        return fault_os(fault, code, NULL, "cannot watch the job");
    }
    *ret_job = job;
    return CORDON_OK;
}

int linux_watch_fd(const struct platform_job *job)
{
    return job->watch;
}

static void unwatch(struct platform_job *job, int *fd)
{
    if (*fd >= 0) {
        (void)epoll_ctl(job->watch, EPOLL_CTL_DEL, *fd, NULL);
        (void)close(*fd);
        *fd = -1;
    }
}

static void job_fail(struct platform_job *job, const char *text, const char *remedy)
{
    if (job->ended) {
        return;
    }
    job->ended = true;
    memset(&job->last, 0, sizeof(job->last));
    job->last.kind = IPC_REPORT_SETUP;
    job->last.fault.err = CORDON_E_STATE;
    (void)snprintf(job->last.fault.text, sizeof(job->last.fault.text), "%s", text);
    (void)snprintf(job->last.fault.remedy, sizeof(job->last.fault.remedy), "%s", remedy);
}

/* Reads one report. CORDON_OK: RUNNING, to be passed on now. */
static enum cordon_err report_read(struct platform_job *job, struct ipc_report *ret_report)
{
    struct ipc_report report;
    ssize_t len;

    if (job->report < 0) {
        return CORDON_E_AGAIN;
    }
    len = read(job->report, &report, sizeof(report));
    if (len < 0) {
        return CORDON_E_AGAIN;
    }
    if (len != (ssize_t)sizeof(report)) {
        unwatch(job, &job->report);
        return CORDON_E_AGAIN;
    }
    report.fault.text[sizeof(report.fault.text) - 1] = '\0';
    report.fault.remedy[sizeof(report.fault.remedy) - 1] = '\0';
    report.limit = IPC_NO_LIMIT;
    if (report.kind == IPC_REPORT_RUNNING) {
        job->running = true;
        unwatch(job, &job->timer);
        *ret_report = report;
        return CORDON_OK;
    }
    job->last = report;
    job->ended = true;
    unwatch(job, &job->report);
    return CORDON_E_AGAIN;
}

static void timer_check(struct platform_job *job)
{
    uint64_t ticks;

    if (job->timer >= 0 && read(job->timer, &ticks, sizeof(ticks)) == (ssize_t)sizeof(ticks)) {
        job_fail(job, "setting up the sandbox took too long",
                 "a denied pattern may cover a very large or unresponsive file system; "
                 "set glob_scan_max_depth or give it a deeper fixed directory");
        (void)linux_signal(job, SIGKILL);
        unwatch(job, &job->timer);
    }
}

static void job_reap(struct platform_job *job)
{
    struct rusage used;
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    /* The system call itself: waitid(3) does not tell what init and all below it used. */
    if (!job->reaped &&
        syscall(SYS_waitid, P_PIDFD, job->pidfd, &info, WEXITED | WNOHANG | __WALL, &used) == 0 &&
        info.si_pid != 0) {
        job->reaped = true;
        cgroup_usage(&job->cgroup, &used, &job->usage);
    }
}

/* With memory.oom.group nothing of a job survives that; what ends otherwise ended by itself. */
static bool ended_by_memory(const struct platform_job *job)
{
    return job->last.kind == IPC_REPORT_SIGNALLED && job->last.code == SIGKILL &&
           job->usage.value[IPC_USAGE_OOM_KILLS] > 0 && job->usage.value[IPC_USAGE_MEMORY_HITS] > 0;
}

/* Init is gone, and its last report, if it wrote one, was read. */
static void job_conclude(struct platform_job *job)
{
    if (!job->ended && job->running) {
        job->ended = true;
        memset(&job->last, 0, sizeof(job->last));
        job->last.kind = IPC_REPORT_SIGNALLED;
        job->last.code = SIGKILL;
    }
    job_fail(job, "the set-up process of the sandbox was killed", "try again");
    job->last.usage = job->usage;
    job->last.limit = ended_by_memory(job) ? (uint32_t)LIMIT_MEMORY_MIB : IPC_NO_LIMIT;
}

enum cordon_err linux_poll(struct platform_job *job, struct ipc_report *ret_report)
{
    /* Before the pipe is read: what init wrote is in it by the time that init is gone. */
    job_reap(job);
    if (report_read(job, ret_report) == CORDON_OK) {
        return CORDON_OK;
    }
    timer_check(job);
    if (!job->reaped) {
        return CORDON_E_AGAIN;
    }
    job_conclude(job);
    *ret_report = job->last;
    return CORDON_OK;
}

static enum cordon_err violation_of_program(struct platform_job *job,
                                            struct ipc_violation *ret_violation)
{
    enum cordon_err err = bpf_job_receive(&job->bpf, ret_violation);

    return err == CORDON_E_AGAIN && job->reaped
               ? denials_count(bpf_job_denied(&job->bpf), &job->bpf.told, ret_violation)
               : err;
}

enum cordon_err linux_violation(struct platform_job *job, struct ipc_violation *ret_violation)
{
    enum cordon_err err;

    if (job->bpf.slot != ORDER_NO_SLOT) {
        return violation_of_program(job, ret_violation);
    }
    err = denials_receive(&job->denials, ret_violation);
    if (err == CORDON_E_CLOSED) {
        unwatch(job, &job->denials.channel);
    }
    if (err == CORDON_OK) {
        return CORDON_OK;
    }
    /* Until the tree is gone a record may still be on its way. */
    return job->reaped ? denials_rest(&job->denials, ret_violation) : CORDON_E_AGAIN;
}

enum cordon_err linux_signal(struct platform_job *job, int signo)
{
    if (signo <= 0 || signo >= 65) {
        return CORDON_E_INVALID;
    }
    if (syscall(SYS_pidfd_send_signal, job->pidfd, signo, NULL, 0) != 0) {
        return errno == ESRCH ? CORDON_E_NOT_FOUND : CORDON_E_OS;
    }
    return CORDON_OK;
}

void linux_about(const struct platform_job *job, struct platform_about *ret_about)
{
    ret_about->pid = job->pid;
    ret_about->mechanism = job->bpf.slot != ORDER_NO_SLOT ? IPC_MECHANISM_BPF
                           : job->denials.channel >= 0    ? IPC_MECHANISM_FANOTIFY
                                                          : 0;
}

void job_kill(int pidfd, int wait_ms)
{
    struct pollfd ended = {.fd = pidfd, .events = POLLIN};
    siginfo_t info;

    (void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    if (poll(&ended, 1, wait_ms) > 0) {
        (void)waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | __WALL);
    }
}

void linux_release(struct platform_job *job)
{
    if (job == NULL) {
        return;
    }
    if (!job->reaped) {
        job_kill(job->pidfd, RELEASE_WAIT_MS);
    }
    cgroup_remove(&job->cgroup);
    unwatch(job, &job->report);
    unwatch(job, &job->timer);
    denials_close(&job->denials);
    bpf_job_close(&job->bpf);
    (void)close(job->watch);
    (void)close(job->pidfd);
    free(job);
}

void linux_cleanup(bool embedded)
{
    if (!embedded) {
        cgroup_cleanup();
        cgroup_start();
        (void)bpf_start(bpf_maps_open);
    }
}
