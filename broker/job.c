/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/job.h"

#include <stdlib.h>
#include <string.h>

#include "broker/feed.h"
#include "broker/job_state.h"

#define DENIALS_AT_ONCE 64U /* then others have their turn */
#define DOOM_MS 3000U       /* after which a killed job is released the hard way */

static void undo_charge(void *arg)
{
    struct job *job = arg;

    quota_release(&job->charge);
}

static void undo_denials(void *arg)
{
    struct job *job = arg;

    denials_end(&job->denials);
}

static void undo_handle(void *arg)
{
    struct job *job = arg;

    job->caller->supervisor->platform->release(job->handle);
    job->handle = NULL;
}

static void undo_sources(void *arg)
{
    struct job *job = arg;

    loop_source_free(job->source);
    loop_source_free(job->timer);
    loop_source_free(job->wall);
    job->source = NULL;
    job->timer = NULL;
    job->wall = NULL;
}

static void waits_no_more(struct job *job)
{
    if (job->waits) {
        job->waits = false;
        tend_go_on(job->caller->supervisor);
    }
}

static void undo_waits(void *arg)
{
    waits_no_more(arg);
}

static void undo_list(void *arg)
{
    struct job *job = arg;
    struct job **link = &job->caller->jobs;

    while (*link != job) {
        link = &(*link)->next;
    }
    *link = job->next;
}

static void take_denials(struct job *job, size_t most)
{
    const struct audit_event about = job_describe(job, AUDIT_VIOLATION);

    denials_take(&job->denials, job->caller, job->handle, &about, most);
}

/* Takes back everything that was done for the job. */
static void job_end(struct job *job)
{
    struct caller *caller = job->caller;
    const uint64_t id = job->id;

    undo_run(&job->undo);
    free(job);
    feed_wake(caller->supervisor, caller->key.uid, id, true);
    caller_check_idle(caller);
}

/* @message needs no more than its payload. */
static void tell(const struct job *job, enum ipc_type type, struct ipc_message *message)
{
    message->type = (uint16_t)type;
    message->session = job->session;
    message->request = job->request;
    message->job = job->id;
    if (!job->doomed) {
        caller_send(job->caller, message);
    }
}

static void tell_report(const struct job *job, const struct ipc_report *report)
{
    struct ipc_message message;

    memset(&message, 0, sizeof(message));
    message.u.report = *report;
    tell(job, IPC_REPORT, &message);
}

static void tell_started(const struct job *job)
{
    struct platform_about about = {0, 0};
    struct ipc_message message;

    job->caller->supervisor->platform->about(job->handle, &about);
    memset(&message, 0, sizeof(message));
    message.u.pid = (uint32_t)about.pid;
    tell(job, IPC_STARTED, &message);
}

/* Which limit ended it, if one did; the platform knows of its own only. */
static void judge_limit(const struct job *job, struct ipc_report *report)
{
    if (job->expired && report->kind != IPC_REPORT_EXITED) {
        report->kind = IPC_REPORT_SIGNALLED;
        report->code = HOST_SIGNAL_KILL;
        report->limit = LIMIT_WALL_S;
    } else if (report->limit < POLICY_LIMIT_COUNT &&
               policy_limit_in_force(&job->limits, (enum policy_limit)report->limit)->value == 0) {
        report->limit = IPC_NO_LIMIT;
    }
}

/* All that belongs into the last report. */
static void judge_end(struct job *job, struct ipc_report *report)
{
    take_denials(job, SIZE_MAX);
    report->denied = job->denials.count;
    judge_limit(job, report);
}

/* The caller hears of the end as soon as nothing of his runs, and once. */
static void tell_end(struct job *job, const struct ipc_report *report)
{
    if (!job->ended) {
        job->ended = true;
        waits_no_more(job);
        job->last = *report;
        loop_source_free(job->wall);
        job->wall = NULL;
        tell_report(job, report);
        tend_rest(job->caller->supervisor);
    }
}

static void on_report(void *context, unsigned events)
{
    struct job *job = context;
    const struct platform *platform = job->caller->supervisor->platform;
    struct cordon_fault fault;
    struct ipc_report report;
    enum cordon_err err;

    (void)events;
    memset(&report, 0, sizeof(report));
    take_denials(job, DENIALS_AT_ONCE);
    err = platform->poll(job->handle, &report);
    if (err == CORDON_E_AGAIN) {
        return;
    }
    if (err != CORDON_OK) {
        (void)fault_set(&fault, err, NULL, "the job's end cannot be told");
        memset(&report, 0, sizeof(report));
        report.kind = IPC_REPORT_SETUP;
        report.limit = IPC_NO_LIMIT;
        fault_to_ipc(&fault, &report.fault);
    }
    report.denied = 0;
    job->running = report.kind == IPC_REPORT_RUNNING;
    if (job->running) {
        waits_no_more(job);
        tell_report(job, &report);
        return;
    }
    judge_end(job, &report);
    if (report.more == 0) {
        fault_from_ipc(&report.fault, &fault);
        job_record(job, AUDIT_END, &report, &fault);
    }
    tell_end(job, &report);
    if (report.more == 0) {
        job_end(job);
    }
}

static const struct ipc_report killed = {
    .kind = IPC_REPORT_SIGNALLED, .code = HOST_SIGNAL_KILL, .limit = IPC_NO_LIMIT};

static void on_doom(void *context, unsigned events)
{
    struct job *job = context;
    struct ipc_report report = job->ended ? job->last : killed;

    (void)events;
    judge_end(job, &report);
    job_record(job, AUDIT_END, &report, NULL);
    tell_end(job, &report);
    job_end(job);
}

/* Now, or the hard way if that does not end it. */
static void job_kill_soon(struct job *job)
{
    struct supervisor *supervisor = job->caller->supervisor;
    bool sent = supervisor->platform->signal(job->handle, (int)HOST_SIGNAL_KILL) == CORDON_OK;

    if (loop_after(supervisor->loop, DOOM_MS, on_doom, job, &job->timer) != CORDON_OK || !sent) {
        audit_info(&supervisor->audit, "job %llu: cannot be killed at once",
                   (unsigned long long)job->id);
    }
}

/* Nobody but us can be trusted with the time: the worker is its caller's, who may stop it. */
static void on_wall(void *context, unsigned events)
{
    struct job *job = context;

    (void)events;
    if (!job->doomed) {
        job->expired = true;
        job_kill_soon(job);
    }
}

/* What is checked before anything is started; an order of one row each would say no more. */
static enum cordon_err check(struct caller *caller, const struct ipc_packet *packet,
                             struct cordon_fault *fault)
{
    struct supervisor *supervisor = caller->supervisor;

    const size_t texts = packet->message.u.spawn.has_texts != 0 ? 1 : 0;

    if (packet->fd_count < IPC_SPAWN_GRANTS + texts) {
        return fault_set(fault, CORDON_E_PROTO, NULL, "order without its descriptors");
    }
    if (packet->message.u.spawn.generation != supervisor->managed.generation) {
        return fault_set(fault, CORDON_E_AGAIN, NULL, "the managed policy has changed");
    }
    return managed_rules_update(&supervisor->managed, &caller->user, &caller->rules, fault);
}

static struct job *job_new(struct caller *caller, const struct caller_session *session,
                           const struct ipc_message *message)
{
    struct job *job = calloc(1, sizeof(*job));

    if (job != NULL) {
        job->caller = caller;
        job->id = ++caller->supervisor->last_job;
        job->session = session->id;
        job->request = message->request;
        job->pid = session->peer.pid;
        job->start_ms = host_now_ms();
        job->start_unix_ms = host_unix_ms();
        job->generation = caller->supervisor->managed.generation;
        job->what = message->u.spawn;
        job->what.command[sizeof(job->what.command) - 1] = '\0';
        job->what.policy_hash[sizeof(job->what.policy_hash) - 1] = '\0';
        job->denials.own_fd = -1;
        job->next = caller->jobs;
        caller->jobs = job;
        undo_push(&job->undo, undo_list, job, "list");
    }
    return job;
}

/* The managed ones from our own reading of the files; the caller can only narrow them. */
static void limits_merge(struct job *job)
{
    const struct policy_limits *managed = &job->caller->rules.policy->limits;

    memcpy(job->limits.managed, managed->managed, sizeof(job->limits.managed));
    for (int i = 0; i < POLICY_LIMIT_COUNT; i++) {
        job->limits.own[i].value = job->what.limits[i];
        job->limits.own[i].origin.layer = LAYER_USER;
        job->limits.own[i].origin.key = policy_limit_name((enum policy_limit)i);
    }
}

static enum cordon_err start(struct job *job, const struct caller_session *session,
                             struct ipc_packet *packet, struct cordon_fault *fault)
{
    struct caller *caller = job->caller;
    struct supervisor *supervisor = caller->supervisor;
    struct platform_spawn spawn;
    size_t fd_count = packet->fd_count;
    uint32_t wall_s;
    int texts = -1;
    enum cordon_err err;

    err = quota_charge(&supervisor->quota, caller->key.uid, QUOTA_JOBS, &job->charge, fault);
    if (err != CORDON_OK) {
        return err;
    }
    undo_push(&job->undo, undo_charge, job, "quota");
    err = check(caller, packet, fault);
    if (err != CORDON_OK) {
        return err;
    }
    limits_merge(job);
    if (packet->message.u.spawn.has_texts != 0) {
        texts = packet->fds[--fd_count];
        packet->fds[fd_count] = -1;
    }
    denials_begin(&job->denials, caller, texts);
    undo_push(&job->undo, undo_denials, job, "texts of rules");
    spawn = (struct platform_spawn){
        .job = job->id,
        .embedded = supervisor->options->embedded,
        .peer = &session->peer,
        .managed = caller->rules.policy,
        .managed_table = caller->rules.table_fd,
        .limits = &job->limits,
        .fds = packet->fds,
        .fd_count = fd_count,
    };
    err = supervisor->platform->spawn(&spawn, &job->handle, fault);
    if (err != CORDON_OK) {
        return err;
    }
    undo_push(&job->undo, undo_handle, job, "process tree");
    undo_push(&job->undo, undo_sources, job, "watch");
    job->waits = true;
    tend_hold(supervisor);
    undo_push(&job->undo, undo_waits, job, "set-up");
    wall_s = policy_limit_in_force(&job->limits, LIMIT_WALL_S)->value;
    if (loop_watch(supervisor->loop, supervisor->platform->watch_fd(job->handle), LOOP_READ,
                   on_report, job, &job->source) != CORDON_OK ||
        (wall_s != 0 && loop_after(supervisor->loop, (uint64_t)wall_s * 1000, on_wall, job,
                                   &job->wall) != CORDON_OK)) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "job: out of memory");
    }
    return CORDON_OK;
}

static void refuse(struct caller *caller, const struct ipc_message *order,
                   const struct cordon_fault *fault)
{
    struct ipc_message message;

    memset(&message, 0, sizeof(message));
    message.type = IPC_REFUSED;
    message.session = order->session;
    message.request = order->request;
    fault_to_ipc(fault, &message.u.fault);
    caller_send(caller, &message);
}

void job_spawn(struct caller *caller, struct ipc_packet *packet)
{
    const struct caller_session *session = caller_find_session(caller, packet->message.session);
    struct cordon_fault fault = {.err = CORDON_OK};
    bool started;
    struct job *job;

    supervisor_refresh(caller->supervisor, false);
    job = session == NULL ? NULL : job_new(caller, session, &packet->message);
    if (job == NULL) {
        (void)fault_set(&fault, session == NULL ? CORDON_E_STATE : CORDON_E_NOMEM, NULL,
                        "job: its connection is gone, or out of memory");
        refuse(caller, &packet->message, &fault);
        return;
    }
    started = start(job, session, packet, &fault) == CORDON_OK;
    if (started) {
        tell_started(job); /* first: the command waits for it */
    }
    job_redact(job);
    if (!started) {
        if (fault.err != CORDON_E_AGAIN) {
            job_record(job, AUDIT_REFUSED, NULL, &fault);
        }
        refuse(caller, &packet->message, &fault);
        job_end(job);
        return;
    }
    job_record(job, AUDIT_START, NULL, NULL);
}

void job_check(struct caller *caller, const struct ipc_message *message)
{
    struct supervisor *supervisor = caller->supervisor;
    const struct caller_session *session = caller_find_session(caller, message->session);
    struct job job = {.caller = caller, .start_ms = host_now_ms(), .what = message->u.spawn};
    struct cordon_fault fault;

    supervisor_refresh(supervisor, false);
    job.generation = supervisor->managed.generation;
    if (message->u.spawn.generation != job.generation) {
        (void)fault_set(&fault, CORDON_E_AGAIN, NULL, "the managed policy has changed");
    } else {
        (void)fault_set(&fault, CORDON_E_DENIED, NULL,
                        "refused for its policy, its plan or its working directory");
        job.pid = session == NULL ? 0 : session->peer.pid;
        job.what.command[sizeof(job.what.command) - 1] = '\0';
        job.what.policy_hash[sizeof(job.what.policy_hash) - 1] = '\0';
        job_redact(&job);
        job_record(&job, AUDIT_REFUSED, NULL, &fault);
    }
    refuse(caller, message, &fault);
}

void jobs_doom(struct caller *caller, uint32_t session)
{
    for (struct job *job = caller->jobs; job != NULL; job = job->next) {
        if (job->doomed || (session != 0 && job->session != session)) {
            continue;
        }
        job->doomed = true;
        if (!job->expired) { /* else it was killed already */
            job_kill_soon(job);
        }
    }
}

void jobs_free(struct caller *caller)
{
    /* First: one that runs may provoke denials as fast as they are taken. */
    jobs_doom(caller, 0);
    while (caller->jobs != NULL) {
        struct job *job = caller->jobs;

        take_denials(job, PLATFORM_DENIALS_MAX);
        job_record(job, AUDIT_END, &killed, NULL);
        undo_run(&job->undo);
        free(job);
    }
}
