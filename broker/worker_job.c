/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/worker_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/managed.h"
#include "broker/pipeline.h"
#include "broker/strings.h"
#include "broker/worker_records.h"
#include "broker/worker_texts.h"

#define RETRIES_MAX 3U

struct worker_job {
    struct worker_job *next;
    struct connection *connection;
    uint32_t id;      /* the client's */
    uint32_t request; /* the supervisor's answer names it */
    uint64_t job;     /* the supervisor's; 0: not started */
    char name[24];
    unsigned tries;
    bool started; /* the client knows */
    bool timed_out;
    bool network;
    struct arena arena;
    struct msg_spawn spawn; /* leads into @arena */
    int fds[SPAWN_FD_EXTRA];
    int channel; /* to its init */
    struct loop_source *source, *timer;
    struct msg_list notices;
    const char *limits[POLICY_LIMIT_COUNT]; /* what is said when one ended it; NULL: none */
    struct worker_records *records;         /* NULL: nobody asked for its denials */
    struct msg_exited exited;               /* waits until they are told */
    struct cordon_fault refusal; /* waits for the supervisor to say that nothing has changed */
};

void worker_job_free(struct worker_job *job)
{
    struct worker_job **link = &job->connection->jobs;

    while (*link != job) {
        link = &(*link)->next;
    }
    *link = job->next;
    worker_records_free(job->records);
    loop_source_free(job->source);
    loop_source_free(job->timer);
    host_close(job->channel);
    for (size_t i = 0; i < SPAWN_FD_EXTRA; i++) {
        host_close(job->fds[i]);
    }
    arena_deinit(&job->arena);
    free(job);
}

static void fail(struct worker_job *job, const struct cordon_fault *fault,
                 enum session_status status)
{
    struct connection *connection = job->connection;

    session_job_failed(&connection->session, job->id, fault, status);
    worker_job_free(job);
    connection_flush(connection);
}

static void ask_signal(const struct worker_job *job, uint32_t signo)
{
    struct ipc_message message;

    memset(&message, 0, sizeof(message));
    message.type = IPC_SIGNAL;
    message.job = job->job;
    message.u.signo = signo;
    connection_tell(job->connection, &message);
}

static void describe(const struct worker_job *job, enum ipc_type type,
                     const struct pipeline *pipeline, struct ipc_message *message)
{
    struct ipc_spawn *what = &message->u.spawn;

    memset(message, 0, sizeof(*message));
    message->type = (uint16_t)type;
    message->session = job->connection->id;
    message->request = job->request;
    what->generation = job->connection->worker->managed.generation;
    what->timeout_ms = job->spawn.timeout_ms;
    what->argc = (uint32_t)job->spawn.argv.count;
    for (int i = 0; pipeline->policy != NULL && i < POLICY_LIMIT_COUNT; i++) {
        what->limits[i] = pipeline->policy->limits.own[i].value;
    }
    strings_command(&job->spawn.argv, what->command, sizeof(what->command));
    (void)snprintf(what->policy_hash, sizeof(what->policy_hash), "%s", pipeline->hash);
}

static bool texts_add(const struct pipeline *pipeline, struct platform_order *made)
{
    int fd = made->fd_count < IPC_FDS_MAX && pipeline->made->texts_fd >= 0
                 ? host_dup(pipeline->made->texts_fd)
                 : -1;

    if (fd >= 0) {
        made->fds[made->fd_count++] = fd;
    }
    return fd >= 0;
}

/* Plans and sends the order; also a second time when the managed policy changed meanwhile. */
static enum cordon_err order(struct worker_job *job, struct cordon_fault *fault)
{
    static char untold[] = "denials are told by the service only: it decides at each access";
    struct worker *worker = job->connection->worker;
    const struct pipeline_input input = {.worker = worker,
                                         .choice = &job->spawn.choice,
                                         .cwd_fd = job->fds[SPAWN_FD_CWD],
                                         .program = job->spawn.argv.items[0],
                                         .search = strings_path(&job->spawn.env)};
    struct platform_order made = {.fd_count = 0};
    struct ipc_message message;
    struct pipeline pipeline;
    int pair[2] = {-1, -1};
    enum cordon_err err;

    memset(&job->refusal, 0, sizeof(job->refusal));
    job->request = ++worker->last_request;
    pipeline_init(&pipeline);
    err = pipeline_plan(&pipeline, &input, fault);
    if (err == CORDON_OK) {
        err = ipc_pair(pair, fault);
    }
    if (err == CORDON_OK) {
        err = pipeline_order(&pipeline, &input, pair[1], &made, fault);
        host_close(pair[1]);
    }
    if (err == CORDON_OK) {
        host_close(job->channel);
        job->channel = pair[0];
        pair[0] = -1;
        job->network = pipeline.policy->network;
        texts_notices(pipeline.plan, worker->embedded && job->spawn.log_denials ? untold : NULL,
                      &job->arena, &job->notices);
        texts_limits(&pipeline.policy->limits, &job->arena, job->limits);
        describe(job, IPC_SPAWN, &pipeline, &message);
        message.u.spawn.has_texts = texts_add(&pipeline, &made) ? 1 : 0;
        err = channel_send(&worker->channel, &message, made.fds, made.fd_count);
    } else {
        /* The policy that refuses may be an old one by now. */
        job->refusal = *fault;
        job->refusal.err = err;
        describe(job, IPC_CHECK, &pipeline, &message);
        err = channel_send(&worker->channel, &message, NULL, 0);
    }
    host_close(pair[0]);
    pipeline_deinit(&pipeline);
    if (err != CORDON_OK) {
        return fault_set(fault, err, NULL, "the broker cannot be reached");
    }
    return CORDON_OK;
}

static enum cordon_err check(const struct worker_job *job, const struct platform *platform,
                             struct cordon_fault *fault)
{
    static const enum msg_os systems[] = {
        [POLICY_OS_LINUX] = MSG_OS_LINUX,
        [POLICY_OS_MACOS] = MSG_OS_MACOS,
        [POLICY_OS_WINDOWS] = MSG_OS_WINDOWS,
    };
    enum cordon_err err = CORDON_OK;

    if (job->spawn.choice.os != MSG_OS_HOST && job->spawn.choice.os != systems[platform->os]) {
        return fault_set(fault, CORDON_E_UNSUPPORTED, "use --print-plan to see the plan",
                         "this host runs no other system's sandbox");
    }
    if (job->spawn.fd_targets.count > 0) {
        return fault_set(fault, CORDON_E_UNSUPPORTED, "pass standard streams only",
                         "more descriptors than the standard streams cannot be passed yet");
    }
    for (int i = SPAWN_FD_STDIN; err == CORDON_OK && i <= SPAWN_FD_STDERR; i++) {
        err = host_check_stream(job->fds[i], fault);
    }
    return err;
}

enum cordon_err worker_job_new(struct connection *connection, const struct session_request *request,
                               struct cordon_fault *fault)
{
    struct worker_job *job = calloc(1, sizeof(*job));
    enum cordon_err err;

    if (job == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    job->connection = connection;
    job->id = request->in->id;
    job->channel = -1;
    job->spawn = request->in->message.u.spawn;
    job->arena = *request->arena;
    arena_init(request->arena, 0);
    for (size_t i = 0; i < SPAWN_FD_EXTRA; i++) {
        job->fds[i] = request->in->fds[i];
        request->in->fds[i] = -1;
    }
    job->next = connection->jobs;
    connection->jobs = job;
    err = check(job, connection->worker->platform, fault);
    if (err == CORDON_OK) {
        err = order(job, fault);
    }
    if (err != CORDON_OK) {
        worker_job_free(job);
    }
    return err;
}

static void tell_started(struct worker_job *job, int pty)
{
    const struct msg_started started = {
        .job = job->name, .terminal = pty >= 0, .notices = job->notices};

    if (!job->started) {
        job->started = true;
        session_job_started(&job->connection->session, job->id, &started, pty);
    } else {
        host_close(pty);
    }
}

/* The terminal of the job, once its init has made it. */
static void take_answer(struct worker_job *job)
{
    struct channel_answer answer;
    int pty = -1;
    enum cordon_err err;

    if (job->channel < 0) {
        return;
    }
    err = host_recv_record(job->channel, &answer, sizeof(answer), &pty);
    if (err == CORDON_E_AGAIN) {
        return;
    }
    loop_source_free(job->source);
    job->source = NULL;
    host_close(job->channel);
    job->channel = -1;
    if (err == CORDON_OK && answer.magic == CHANNEL_MAGIC && pty >= 0) {
        tell_started(job, pty);
    } else {
        host_close(pty);
    }
}

static void on_answer(void *context, unsigned events)
{
    struct worker_job *job = context;
    struct connection *connection = job->connection;

    (void)events;
    take_answer(job);
    connection_flush(connection);
}

static void on_timeout(void *context, unsigned events)
{
    struct worker_job *job = context;

    (void)events;
    job->timed_out = true;
    ask_signal(job, HOST_SIGNAL_KILL);
}

static uint32_t terminals(const struct msg_spawn *spawn)
{
    return (spawn->stdin_tty ? CHANNEL_PTY_IN : 0U) | (spawn->stdout_tty ? CHANNEL_PTY_OUT : 0U) |
           (spawn->stderr_tty ? CHANNEL_PTY_ERR : 0U);
}

static enum cordon_err send_command(struct worker_job *job, struct cordon_fault *fault)
{
    const uint32_t ptys = terminals(&job->spawn);
    const struct strings_extra extra = {job->name, job->network};
    struct channel_command command = {.magic = CHANNEL_MAGIC,
                                      .pty = ptys,
                                      .rows = (uint16_t)job->spawn.term_rows,
                                      .cols = (uint16_t)job->spawn.term_cols};
    int fds[1 + 3] = {-1, -1, -1, -1};
    size_t count = 1;
    enum cordon_err err = strings_make(&job->spawn, &extra, &command, &fds[0], fault);

    for (unsigned i = 0; i < 3; i++) {
        if ((ptys & (1U << i)) == 0) {
            command.stdio_mask |= 1U << i;
            fds[count++] = job->fds[SPAWN_FD_STDIN + i];
        }
    }
    if (err == CORDON_OK) {
        err = host_send_record(job->channel, &command, sizeof(command), fds, count);
        host_close(fds[0]);
    }
    return err;
}

static void on_started(struct worker_job *job, uint64_t number, uint32_t pid)
{
    struct worker *worker = job->connection->worker;
    struct cordon_fault fault = {.err = CORDON_OK};
    enum cordon_err err;

    job->job = number;
    (void)snprintf(job->name, sizeof(job->name), "%llu", (unsigned long long)number);
    err = host_meet(job->channel, pid);
    if (err == CORDON_OK) {
        err = send_command(job, &fault);
    }
    /* The job has them now; held here too, no reader of a pipe would ever see its end. */
    for (size_t i = SPAWN_FD_STDIN; i <= SPAWN_FD_STDERR; i++) {
        host_close(job->fds[i]);
        job->fds[i] = -1;
    }
    if (err == CORDON_OK && terminals(&job->spawn) != 0) {
        err = loop_watch(worker->loop, job->channel, LOOP_READ, on_answer, job, &job->source);
    }
    if (err == CORDON_OK && job->spawn.log_denials) {
        const struct records_options options = {job->id, number, true};

        err = worker_records_new(job->connection, &options, &job->records, &fault);
        worker_records_ask(job->connection);
    }
    if (err == CORDON_OK && job->spawn.timeout_ms > 0) {
        err = loop_after(worker->loop, job->spawn.timeout_ms, on_timeout, job, &job->timer);
    }
    if (err != CORDON_OK) {
        /* Its end is reported as that of any job. */
        ask_signal(job, HOST_SIGNAL_KILL);
    }
}

static void on_refused(struct worker_job *job, const struct ipc_fault *in)
{
    struct cordon_fault fault;

    fault_from_ipc(in, &fault);
    if (fault.err == CORDON_E_AGAIN && ++job->tries < RETRIES_MAX) {
        fault.err = order(job, &fault);
        if (fault.err == CORDON_OK) {
            return;
        }
    } else if (job->refusal.err != CORDON_OK) {
        fault = job->refusal;
    }
    fail(job, &fault, STATUS_SETUP);
}

static void exit_tell(struct worker_job *job)
{
    session_job_exited(&job->connection->session, job->id, &job->exited);
    worker_job_free(job);
}

void worker_job_told(struct connection *connection, const struct worker_records *records)
{
    struct worker_job *job = connection->jobs;

    while (job != NULL && job->records != records) {
        job = job->next;
    }
    if (job != NULL) {
        exit_tell(job);
    }
}

static void on_end(struct worker_job *job, const struct ipc_report *report)
{
    struct connection *connection = job->connection;
    struct msg_exited *exited = &job->exited;

    tell_started(job, -1);
    *exited = (struct msg_exited){.job = job->name, .kind = MSG_EXIT_KILLED};
    exited->violations = report->denied > UINT32_MAX ? UINT32_MAX : (uint32_t)report->denied;
    exited->reason = report->limit < POLICY_LIMIT_COUNT ? job->limits[report->limit] : NULL;
    if (job->timed_out || report->limit == LIMIT_WALL_S) {
        exited->kind = MSG_EXIT_TIMEOUT;
    } else if (report->kind == IPC_REPORT_EXITED) {
        exited->kind = MSG_EXIT_EXITED;
        exited->code = report->code & 0xffU;
    } else if (report->code >= 1 && report->code <= 64) {
        exited->kind = MSG_EXIT_SIGNALLED;
        exited->code = report->code;
    }
    if (job->records != NULL) {
        worker_records_end(job->records);
    } else {
        exit_tell(job);
    }
    connection_flush(connection);
}

static void on_report(struct worker_job *job, const struct ipc_report *report)
{
    struct connection *connection = job->connection;
    struct cordon_fault fault;

    fault_from_ipc(&report->fault, &fault);
    if (terminals(&job->spawn) != 0 && !job->started) {
        take_answer(job);
    }
    switch (report->kind) {
    case IPC_REPORT_RUNNING:
        tell_started(job, -1);
        connection_flush(connection);
        return;
    case IPC_REPORT_EXITED:
    case IPC_REPORT_SIGNALLED:
        on_end(job, report);
        return;
    case IPC_REPORT_NOT_FOUND:
        fail(job, &fault, STATUS_NOTFOUND);
        return;
    case IPC_REPORT_NOT_EXECUTABLE:
        fail(job, &fault, STATUS_NOEXEC);
        return;
    }
    fail(job, &fault, STATUS_SETUP);
}

bool worker_job_message(struct connection *connection, const struct ipc_message *message)
{
    struct worker_job *job = connection->jobs;

    while (job != NULL && job->request != message->request) {
        job = job->next;
    }
    if (job == NULL) {
        return false;
    }
    switch (message->type) {
    case IPC_STARTED:
        on_started(job, message->job, message->u.pid);
        break;
    case IPC_REFUSED:
        on_refused(job, &message->u.fault);
        break;
    case IPC_REPORT:
        on_report(job, &message->u.report);
        break;
    }
    return true;
}

enum cordon_err worker_job_signal(struct connection *connection, const struct msg_signal *signal,
                                  struct cordon_fault *fault)
{
    for (const struct worker_job *job = connection->jobs; job != NULL; job = job->next) {
        if (job->job != 0 && signal->job != NULL && strcmp(job->name, signal->job) == 0) {
            ask_signal(job, signal->signo);
            return CORDON_OK;
        }
    }
    return fault_set(fault, CORDON_E_NOT_FOUND, NULL, "there is no such job");
}

size_t worker_job_count(const struct connection *connection)
{
    size_t count = 0;

    for (const struct worker_job *job = connection->jobs; job != NULL; job = job->next) {
        count++;
    }
    return count;
}
