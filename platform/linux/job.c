/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/job.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/host.h"
#include "platform/linux/backend.h"
#include "platform/linux/index_start.h"
#include "platform/linux/networks.h"
#include "platform/linux/pass.h"
#include "platform/linux/spare.h"

/* A set-up takes milliseconds, a snapshot of a large tree seconds. */
#define SETUP_SECONDS_MAX 60
#define GRACE_MS 20U /* for who was killed just now, so that next to nothing ever remains */

static bool watch_add(struct platform_job *job, int fd)
{
    struct epoll_event event = {.events = EPOLLIN};

    return fd < 0 || epoll_ctl(job->watch, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void close_fd(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
    }
    *fd = -1;
}

static void channel_close(struct platform_job *job)
{
    host_end_foreign(job->channel);
    job->channel = -1;
}

static bool watch_make(struct platform_job *job)
{
    job->watch = epoll_create1(EPOLL_CLOEXEC);
    job->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    return job->watch >= 0 && job->timer >= 0 && watch_add(job, job->timer) &&
           watch_add(job, job->parts.report) && watch_add(job, job->parts.denials.channel) &&
           watch_add(job, job->parts.bpf.ring);
}

/* Tells cordon-init what its job is. */
static enum cordon_err init_tell(const struct platform_job *job, bool ahead,
                                 struct cordon_fault *fault)
{
    return launch_tell(&job->parts.launch, job->parts.control, ahead, fault);
}

/* One that will find what it was told, if none waits for that already. */
static enum cordon_err init_start(struct platform_job *job, struct cordon_fault *fault)
{
    enum cordon_err err = job->pidfd >= 0
                              ? CORDON_OK
                              : launch_start(&job->parts.launch, &job->pidfd, &job->pid, fault);

    if (err == CORDON_OK && !watch_add(job, job->pidfd)) {
        err = fault_os(fault, errno, NULL, "cannot watch the job");
    }
    if (err == CORDON_OK) {
        bpf_job_seen(&job->parts.bpf, job->pid);
    }
    return err;
}

/* One message, and the channel with it; there is room for it before anybody reads. */
static enum cordon_err go_send(const struct platform_job *job, bool check,
                               struct cordon_fault *fault)
{
    const struct init_go go = {.magic = INIT_GO_MAGIC, .check = check ? 1 : 0};

    return pass_send(job->parts.control, &go, sizeof(go), PASS_ONE(job->channel))
               ? CORDON_OK
               : fault_os(fault, errno, "try again", "the job's set-up cannot be told to go on");
}

static enum cordon_err timer_begin(const struct platform_job *job, struct cordon_fault *fault)
{
    const struct itimerspec limit = {.it_value = {.tv_sec = SETUP_SECONDS_MAX}};

    return timerfd_settime(job->timer, 0, &limit, NULL) == 0
               ? CORDON_OK
               : fault_os(fault, errno, NULL, "cannot prepare the job");
}

enum cordon_err job_go(struct platform_job *job, int *channel, bool check,
                       struct cordon_fault *fault)
{
    job->channel = *channel;
    *channel = -1;
    return timer_begin(job, fault) == CORDON_OK ? go_send(job, check, fault) : fault->err;
}

enum cordon_err job_new(struct job_parts *parts, int *channel, struct platform_job **ret_job,
                        struct cordon_fault *fault)
{
    struct platform_job *job = calloc(1, sizeof(*job));
    enum cordon_err err;

    if (parts->remains == NULL) {
        parts->remains = calloc(1, sizeof(*parts->remains));
    }
    if (job == NULL || parts->remains == NULL) {
        free(job);
        job_parts_close(parts);
        return fault_set(fault, CORDON_E_NOMEM, NULL, "job: out of memory");
    }
    job->parts = *parts;
    job->index = index_number();
    job->channel = job->timer = job->watch = -1;
    job->pidfd = parts->pidfd;
    job->pid = parts->pid;
    job->blank = parts->pidfd >= 0;
    job->parts.pidfd = -1;
    err = watch_make(job) ? init_tell(job, channel == NULL, fault)
                          : fault_os(fault, errno, NULL, "cannot watch the job");
    if (err == CORDON_OK && channel != NULL) {
        err = job_go(job, channel, false, fault);
    }
    if (err == CORDON_OK) {
        err = init_start(job, fault);
    }
    if (err == CORDON_OK) {
        *ret_job = job;
        return CORDON_OK;
    }
    job->reaped = job->pidfd < 0;
    linux_release(job);
    return err;
}

/* Nobody holds what has no guard. */
static bool is_held(const struct platform_job *job)
{
    return job->parts.launch.asks && job->parts.bpf.slot == ORDER_NO_SLOT;
}

bool job_begins(struct platform_job *job)
{
    if (!job_init_is_quiet(job->pidfd, job->parts.report)) {
        return false;
    }
    job->begins = is_held(job) && index_begins(job->index, job->pid, job->parts.uid);
    return job->begins || !is_held(job);
}

int linux_watch_fd(const struct platform_job *job)
{
    return job->watch;
}

static void unwatch(struct platform_job *job, int *fd)
{
    if (*fd >= 0) {
        (void)epoll_ctl(job->watch, EPOLL_CTL_DEL, *fd, NULL);
        close_fd(fd);
    }
}

/* What is kept for starting it again, and no longer. */
static void parts_spend(struct platform_job *job)
{
    launch_close(&job->parts.launch);
    close_fd(&job->parts.control);
    channel_close(job);
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
    (void)snprintf(job->last.fault.text, sizeof(job->last.fault.text), "%.*s",
                   (int)sizeof(job->last.fault.text) - 1, text);
    (void)snprintf(job->last.fault.remedy, sizeof(job->last.fault.remedy), "%.*s",
                   (int)sizeof(job->last.fault.remedy) - 1, remedy);
}

static void job_runs(struct platform_job *job)
{
    job->running = true;
    job->begins = false;
    spare_seen(job->spare, true);
}

/* It began, perhaps without a report of that. */
static bool has_begun(const struct platform_job *job)
{
    char word = INIT_WAITS;

    while (job->parts.control >= 0 && word == INIT_WAITS &&
           recv(job->parts.control, &word, 1, MSG_DONTWAIT) == 1) {
    }
    return word == INIT_RUNS;
}

/* Of what was made before the job was wanted, or a part of it. */
static bool is_ahead(const struct platform_job *job)
{
    return job->spare != 0 || job->blank;
}

/* Reads one report. CORDON_OK: to be passed on now, and not the last. */
static enum cordon_err report_read(struct platform_job *job, struct ipc_report *ret_report)
{
    struct ipc_report report;
    ssize_t len;

    if (job->parts.report < 0) {
        return CORDON_E_AGAIN;
    }
    len = read(job->parts.report, &report, sizeof(report));
    if (len < 0) {
        return CORDON_E_AGAIN;
    }
    if (len != (ssize_t)sizeof(report)) {
        unwatch(job, &job->parts.report);
        return CORDON_E_AGAIN;
    }
    report.fault.text[sizeof(report.fault.text) - 1] = '\0';
    report.fault.remedy[sizeof(report.fault.remedy) - 1] = '\0';
    report.limit = IPC_NO_LIMIT;
    if (report.kind == IPC_REPORT_RUNNING) {
        job_runs(job);
        unwatch(job, &job->timer);
        parts_spend(job);
        *ret_report = report;
        return CORDON_OK;
    }
    if (report.kind == IPC_REPORT_STALE) {
        job->stale = true;
        spare_seen(job->spare, false);
        return CORDON_E_AGAIN;
    }
    job->last = report;
    job->last.more = 0;
    /* Made now, it may do better: see must_be_made_again(). */
    if (report.kind == IPC_REPORT_SETUP && is_ahead(job) && !job->running) {
        job->failed = true;
        return CORDON_E_AGAIN;
    }
    job->ended = true;
    unwatch(job, &job->parts.report);
    /* Who killed a command is known only when all is counted. */
    if (report.more == 0 || job->reaped || report.code == SIGKILL) {
        return CORDON_E_AGAIN;
    }
    *ret_report = report;
    return CORDON_OK;
}

static void timer_check(struct platform_job *job)
{
    uint64_t ticks;

    if (job->timer < 0 || read(job->timer, &ticks, sizeof(ticks)) != (ssize_t)sizeof(ticks)) {
        return;
    }
    unwatch(job, &job->timer);
    if (!job->ended) {
        job_fail(job, "setting up the sandbox took too long",
                 "a denied pattern may cover a very large or unresponsive file system; "
                 "set glob_scan_max_depth or give it a deeper fixed directory");
        (void)linux_signal(job, SIGKILL);
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
        if (!job->running && has_begun(job)) {
            job_runs(job);
        }
        if (job->begins) {
            index_begins_not(job->pid);
            job->begins = false;
        }
        cgroup_usage(&job->parts.cgroup, &used, &job->usage);
    }
}

/* With memory.oom.group nothing of a job survives that; what ends otherwise ended by itself. */
static bool ended_by_memory(const struct platform_job *job)
{
    return job->last.kind == IPC_REPORT_SIGNALLED && job->last.code == SIGKILL &&
           job->usage.value[IPC_USAGE_OOM_KILLS] > 0 && job->usage.value[IPC_USAGE_MEMORY_HITS] > 0;
}

/* It was out of date, or had failed or died before it was wanted, perhaps long ago; unless we
 * wanted that. What only waited failed before it was wanted if it has not heard of its job. */
static bool must_be_made_again(const struct platform_job *job)
{
    const bool died = is_ahead(job) && !job->running && !job->ended;
    bool told;

    if (!job->reaped || job->killed_ms != 0) {
        return false;
    }
    return job->stale || (died && job_parts_take_back(&job->parts, &told) &&
                          (job->spare != 0 || !told || !job->failed));
}

/* From all that is now; whoever waits for the job does not notice. */
static void job_again(struct platform_job *job)
{
    struct cordon_fault fault;

    job->stale = job->failed = job->reaped = job->blank = false;
    job->spare = 0;
    unwatch(job, &job->pidfd);
    if (timer_begin(job, &fault) != CORDON_OK ||
        recipe_renew(&job->parts.launch, &fault) != CORDON_OK ||
        bpf_job_renew(&job->parts.bpf, &fault) != CORDON_OK ||
        init_tell(job, false, &fault) != CORDON_OK || go_send(job, false, &fault) != CORDON_OK ||
        init_start(job, &fault) != CORDON_OK) {
        job_fail(job, fault.text, fault.remedy);
        job->reaped = job->pidfd < 0;
        (void)linux_signal(job, SIGKILL);
    }
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
    if (must_be_made_again(job)) {
        job_again(job);
    }
    if (!job->reaped) {
        return CORDON_E_AGAIN;
    }
    job->ended = job->ended || job->failed;
    job_conclude(job);
    *ret_report = job->last;
    return CORDON_OK;
}

static enum cordon_err violation_of_program(struct platform_job *job,
                                            struct ipc_violation *ret_violation)
{
    enum cordon_err err = bpf_job_receive(&job->parts.bpf, ret_violation);

    return err == CORDON_E_AGAIN && job->reaped
               ? denials_count(bpf_job_denied(&job->parts.bpf), &job->parts.bpf.told, ret_violation)
               : err;
}

enum cordon_err linux_violation(struct platform_job *job, struct ipc_violation *ret_violation)
{
    enum cordon_err err;

    if (job->parts.bpf.slot != ORDER_NO_SLOT) {
        return violation_of_program(job, ret_violation);
    }
    err = denials_receive(&job->parts.denials, ret_violation);
    if (err == CORDON_E_CLOSED) {
        unwatch(job, &job->parts.denials.channel);
    }
    if (err == CORDON_OK) {
        return CORDON_OK;
    }
    /* Until the tree is gone a record may still be on its way. */
    return job->reaped ? denials_rest(&job->parts.denials, ret_violation) : CORDON_E_AGAIN;
}

enum cordon_err linux_signal(struct platform_job *job, int signo)
{
    if (signo <= 0 || signo >= 65) {
        return CORDON_E_INVALID;
    }
    if (signo == SIGKILL && job->killed_ms == 0) {
        job->killed_ms = host_now_ms();
        if (job->ended && !job->reaped && (job->parts.launch.flags & ORDER_NET_HOST) == 0) {
            networks_hold(job->pid, job->killed_ms);
        }
    }
    if (syscall(SYS_pidfd_send_signal, job->pidfd, signo, NULL, 0) != 0) {
        return errno == ESRCH ? CORDON_E_NOT_FOUND : CORDON_E_OS;
    }
    return CORDON_OK;
}

void linux_about(const struct platform_job *job, struct platform_about *ret_about)
{
    ret_about->pid = job->pid;
    ret_about->mechanism = job->parts.bpf.slot != ORDER_NO_SLOT ? IPC_MECHANISM_BPF
                           : job->parts.denials.channel >= 0    ? IPC_MECHANISM_FANOTIFY
                                                                : 0;
}

/* With it goes all of its job; within milliseconds, unless a system call of it hangs. */
static void init_end(struct platform_job *job)
{
    struct pollfd ended = {.fd = job->pidfd, .events = POLLIN};
    uint64_t since_ms;

    (void)linux_signal(job, SIGKILL);
    since_ms = host_now_ms() - job->killed_ms;
    if (since_ms < GRACE_MS) {
        (void)poll(&ended, 1, (int)(GRACE_MS - since_ms));
    }
}

void linux_release(struct platform_job *job)
{
    struct job_remains *remains;

    if (job == NULL) {
        return;
    }
    if (!job->reaped) {
        init_end(job);
        job_reap(job);
    }
    barren_keep_save(&job->parts.barren);
    remains = job->parts.remains;
    job->parts.remains = NULL;
    *remains = (struct job_remains){.uid = job->parts.uid,
                                    .pidfd = job->reaped ? -1 : job->pidfd,
                                    .cgroup = job->parts.cgroup,
                                    .bpf = job->parts.bpf};
    if (job->reaped) {
        close_fd(&job->pidfd);
    }
    job->parts.cgroup.dir = -1;
    job->parts.bpf = (struct bpf_job){.slot = ORDER_NO_SLOT, .ring = -1};
    job_parts_close(&job->parts);
    channel_close(job);
    close_fd(&job->timer);
    close_fd(&job->watch);
    free(job);
    remains_keep(remains);
}

void linux_cleanup(bool embedded)
{
    if (!embedded) {
        cgroup_cleanup();
        cgroup_start();
        (void)bpf_start(bpf_maps_open);
    }
}
