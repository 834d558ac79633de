/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/connection.h"

#include <stdlib.h>
#include <string.h>

#include "broker/pipeline.h"
#include "broker/worker_job.h"
#include "broker/worker_query.h"
#include "broker/worker_records.h"
#include "platform/host.h"

#define HELLO_MS 10000U /* within which a client must have said HELLO */
#define SOON_MS 1U      /* what is said at once when a job is ordered may wait for what follows */
#define FDS_MAX 253U
#define READ_MAX 65536U

static enum cordon_err on_spawn(void *context, const struct session_request *request,
                                struct cordon_fault *fault)
{
    return worker_job_new(context, request, fault);
}

static enum cordon_err on_signal(void *context, const struct msg_signal *signal,
                                 struct cordon_fault *fault)
{
    return worker_job_signal(context, signal, fault);
}

static enum cordon_err on_plan(void *context, const struct session_request *request,
                               struct strbuf *out, struct cordon_fault *fault)
{
    const struct connection *connection = context;
    const struct msg_plan *plan = &request->in->message.u.plan;
    const struct pipeline_input input = {
        .worker = connection->worker, .choice = &plan->choice, .cwd_fd = request->in->fds[0]};
    struct pipeline pipeline;
    enum cordon_err err;

    pipeline_init(&pipeline);
    err = pipeline_plan(&pipeline, &input, fault);
    if (err == CORDON_OK) {
        plan_print(pipeline.plan, pipeline.policy, plan->json, out);
    }
    pipeline_deinit(&pipeline);
    return err;
}

static enum cordon_err on_query(void *context, const struct session_request *request,
                                struct cordon_fault *fault)
{
    return worker_query_new(context, request, fault);
}

static void close_fd(void *context, int fd)
{
    (void)context;
    host_close(fd);
}

static enum cordon_err on_violations(void *context, uint32_t id, bool follow,
                                     struct cordon_fault *fault)
{
    const struct records_options options = {.id = id, .follow = follow};

    return worker_records_new(context, &options, NULL, fault);
}

void connection_tell(struct connection *connection, struct ipc_message *message)
{
    struct worker *worker = connection->worker;

    message->session = connection->id;
    if (channel_send(&worker->channel, message, NULL, 0) != CORDON_OK) {
        loop_stop(worker->loop);
    }
}

void connection_free(struct connection *connection)
{
    struct worker *worker = connection->worker;
    struct connection **link = &worker->connections;
    struct ipc_message message;

    while (*link != connection) {
        link = &(*link)->next;
    }
    *link = connection->next;
    while (connection->jobs != NULL) {
        worker_job_free(connection->jobs);
    }
    while (connection->records != NULL) {
        worker_records_free(connection->records);
    }
    worker_queries_free(connection);
    memset(&message, 0, sizeof(message));
    message.type = IPC_SESSION_END;
    connection_tell(connection, &message);
    session_deinit(&connection->session);
    loop_source_free(connection->source);
    loop_source_free(connection->timer);
    loop_source_free(connection->soon);
    host_close(connection->fd);
    free(connection);
    if (lull_ended(&worker->lull, worker->connections == NULL)) {
        memo_keep_used(&worker->memo);
        host_trim();
    }
}

void connection_flush(struct connection *connection)
{
    struct stream_pending pending;
    enum cordon_err err = CORDON_OK;

    loop_source_free(connection->soon);
    connection->soon = NULL;
    while (err == CORDON_OK && session_pending(&connection->session, &pending)) {
        size_t sent = 0;

        err = host_send(connection->fd, pending.data, pending.len, pending.fds, pending.fd_count,
                        &sent);
        if (err == CORDON_OK) {
            session_sent(&connection->session, sent);
        }
    }
    if (err == CORDON_E_AGAIN) {
        err = loop_watch_for(connection->source, LOOP_READ | LOOP_WRITE);
    } else if (err == CORDON_OK) {
        err = loop_watch_for(connection->source, LOOP_READ);
        worker_records_ask(connection);
    }
    if (err != CORDON_OK || session_finished(&connection->session)) {
        connection_free(connection);
    }
}

static void on_soon(void *context, unsigned events)
{
    (void)events;
    connection_flush(context);
}

/* With the next thing that is said; most clients say all that they want at once. False: now. */
static bool flush_soon(struct connection *connection)
{
    return !session_finished(&connection->session) &&
           (connection->soon != NULL || loop_after(connection->worker->loop, SOON_MS, on_soon,
                                                   connection, &connection->soon) == CORDON_OK);
}

static void on_ready(void *context, unsigned events)
{
    static char buffer[READ_MAX];
    struct connection *connection = context;
    const struct worker_job *jobs = connection->jobs;
    struct stream_chunk chunk = {.data = buffer};
    struct host_chunk got;
    int fds[FDS_MAX];
    enum cordon_err err = CORDON_E_AGAIN;

    if ((events & LOOP_READ) != 0) {
        err = host_recv(connection->fd, buffer, sizeof(buffer), fds, FDS_MAX, &got);
    }
    if (err == CORDON_OK) {
        chunk.len = got.len;
        chunk.fds = fds;
        chunk.fd_count = got.fd_count;
        chunk.fds_truncated = got.fds_truncated;
        session_feed(&connection->session, &chunk);
    } else if (err != CORDON_E_AGAIN) {
        connection_free(connection);
        return;
    }
    if (connection->timer != NULL && connection->session.state != SESSION_NEW) {
        loop_source_free(connection->timer);
        connection->timer = NULL;
    }
    if (connection->jobs == jobs || !flush_soon(connection)) {
        connection_flush(connection);
    }
}

static void on_silent(void *context, unsigned events)
{
    (void)events;
    connection_free(context);
}

void connection_new(struct worker *worker, uint32_t id, int fd)
{
    struct connection *connection = calloc(1, sizeof(*connection));
    const struct session_owner owner = {
        .spawn = on_spawn,
        .signal = on_signal,
        .plan = on_plan,
        .query = on_query,
        .violations = on_violations,
        .close_fd = close_fd,
        .context = connection,
        .mode = worker->embedded ? MSG_BROKER_EMBEDDED : MSG_BROKER_SERVICE,
        .version = CORDON_VERSION,
    };

    if (connection == NULL) {
        host_close(fd);
        return;
    }
    connection->worker = worker;
    connection->id = id;
    connection->fd = fd;
    session_init(&connection->session, &owner);
    connection->next = worker->connections;
    worker->connections = connection;
    if (host_adopt_stream(fd, NULL) != CORDON_OK ||
        loop_watch(worker->loop, fd, LOOP_READ, on_ready, connection, &connection->source) !=
            CORDON_OK ||
        loop_after(worker->loop, HELLO_MS, on_silent, connection, &connection->timer) !=
            CORDON_OK) {
        connection_free(connection);
    }
}
