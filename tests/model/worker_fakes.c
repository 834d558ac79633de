/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor, the clients' ends and the planner around worker_model.c. */
#include <string.h>

#include "broker/pipeline.h"
#include "broker/strings.h"
#include "broker/worker_query.h"
#include "proto/codec.h"
#include "tests/model/worker_model.h"

struct worker_model model;

struct client *client_of(uint32_t session)
{
    for (size_t i = 0; i < CONNECTIONS; i++) {
        if (model.clients[i].used && model.clients[i].session == session) {
            return &model.clients[i];
        }
    }
    return NULL;
}

struct connection *connection_of(const struct client *client)
{
    struct connection *connection = model.worker.connections;

    while (connection != NULL && connection->id != client->session) {
        connection = connection->next;
    }
    return connection;
}

/* ---- the supervisor ---- */

/* The latest of @session that nothing was asked for; an order does not say the client's number. */
static struct request *request_waiting(uint32_t session)
{
    for (size_t i = 0; i < REQUESTS; i++) {
        struct request *request = &model.requests[i];

        if (request->used && request->session == session && request->asked == ASKED_NOTHING) {
            return request;
        }
    }
    return NULL;
}

static void on_order(const struct ipc_message *message)
{
    struct request *request = request_waiting(message->session);

    if (request == NULL) {
        explore_wrong("an order that no request is behind");
    }
    request->asked = message->type == IPC_SPAWN ? ASKED_ORDER : ASKED_CHECK;
    request->order = message->request;
}

static void on_ask(const struct ipc_message *message)
{
    for (size_t i = 0; i < ASKS; i++) {
        if (!model.asks[i].used) {
            model.asks[i] = (struct ask){true, message->type == IPC_QUERY, message->session,
                                         message->request, message->job};
            return;
        }
    }
    explore_wrong("more questions than requests");
}

static void on_session_end(const struct ipc_message *message)
{
    struct client *client = client_of(message->session);

    if (client == NULL) {
        explore_wrong("a connection ends twice");
    }
    for (size_t i = 0; i < REQUESTS; i++) {
        if (model.requests[i].session == message->session) {
            model.requests[i].used = false;
        }
    }
    for (size_t i = 0; i < ASKS; i++) {
        if (model.asks[i].session == message->session) {
            model.asks[i].used = false;
        }
    }
    stream_deinit(&client->stream);
    client->used = false;
}

enum cordon_err model_sent(struct channel *channel, const struct ipc_message *message)
{
    (void)channel;
    if (client_of(message->session) == NULL) {
        explore_wrong("message %u about a connection that has ended", message->type);
    }
    switch (message->type) {
    case IPC_SPAWN:
    case IPC_CHECK:
        on_order(message);
        break;
    case IPC_ASK:
    case IPC_QUERY:
        on_ask(message);
        break;
    case IPC_SESSION_END:
        on_session_end(message);
        break;
    case IPC_SIGNAL:
        break;
    }
    return CORDON_OK;
}

void query_answer(struct ask *ask, enum cordon_err fault)
{
    const unsigned before = model.finished_count;
    const struct connection *connection;
    const struct client *client;
    struct ipc_packet packet;

    memset(&packet, 0, sizeof(packet));
    packet.message =
        (struct ipc_message){.type = IPC_ANSWER, .session = ask->session, .request = ask->request};
    packet.message.u.fault.err = fault;
    if (fault == CORDON_OK) {
        packet.fds[packet.fd_count++] = world_fd_sure();
    }
    ask->used = false;
    model.answers_query = true;
    worker_query_take(connection_of(client_of(ask->session)), &packet);
    model.answers_query = false;
    for (size_t i = 0; i < packet.fd_count; i++) {
        host_close(packet.fds[i]);
    }
    client = client_of(ask->session);
    connection = client == NULL ? NULL : connection_of(client);
    if (!model.stopped && connection != NULL && model.finished_count == before &&
        connection->session.state != SESSION_CLOSING) {
        explore_wrong("a question is not answered");
    }
}

void model_killed(int pidfd)
{
    (void)pidfd;
}

bool model_child_ended(int pidfd)
{
    (void)pidfd;
    return false;
}

bool model_hung_up(int fd)
{
    (void)fd;
    return false;
}

void loop_stop(struct loop *loop)
{
    (void)loop;
    model.stopped = true;
}

/* ---- the clients' ends ---- */

static struct client *client_at(int fd)
{
    for (size_t i = 0; i < CONNECTIONS; i++) {
        if (model.clients[i].used && model.clients[i].fd == fd) {
            return &model.clients[i];
        }
    }
    explore_wrong("a socket of nobody's");
}

enum cordon_err __real_stream_send(struct stream *stream, uint32_t id,
                                   const struct message *message, const struct stream_fds *fds,
                                   struct cordon_fault *fault);
enum cordon_err __wrap_stream_send(struct stream *stream, uint32_t id,
                                   const struct message *message, const struct stream_fds *fds,
                                   struct cordon_fault *fault);
enum cordon_err __wrap_stream_send(struct stream *stream, uint32_t id,
                                   const struct message *message, const struct stream_fds *fds,
                                   struct cordon_fault *fault)
{
    const enum cordon_err err = __real_stream_send(stream, id, message, fds, fault);

    for (size_t i = 0; err == CORDON_OK && i < CONNECTIONS; i++) {
        const struct client *client = &model.clients[i];
        const struct connection *connection = client->used ? connection_of(client) : NULL;

        if (connection != NULL && stream == &connection->session.stream) {
            client_told(client, id, message);
        }
    }
    return err;
}

enum cordon_err __wrap_host_adopt_stream(int fd, struct cordon_fault *fault);
enum cordon_err __wrap_host_adopt_stream(int fd, struct cordon_fault *fault)
{
    (void)fd;
    return explore_fails("adopt") ? fault_set(fault, CORDON_E_OS, NULL, "no socket") : CORDON_OK;
}

enum cordon_err __wrap_host_recv(int fd, void *buf, size_t size, int *fds, size_t fds_max,
                                 struct host_chunk *ret_chunk);
enum cordon_err __wrap_host_recv(int fd, void *buf, size_t size, int *fds, size_t fds_max,
                                 struct host_chunk *ret_chunk)
{
    struct client *client = client_at(fd);

    if (client->gone) {
        return CORDON_E_CLOSED;
    }
    if (client->len == 0) {
        return CORDON_E_AGAIN;
    }
    if (client->len > size || client->fd_count > fds_max) {
        explore_wrong("a client that writes too much");
    }
    memcpy(buf, client->data, client->len);
    memcpy(fds, client->fds, client->fd_count * sizeof(*fds));
    *ret_chunk = (struct host_chunk){.len = client->len, .fd_count = client->fd_count};
    client->len = 0;
    client->fd_count = 0;
    return CORDON_OK;
}

enum cordon_err __wrap_host_send(int fd, const void *data, size_t len, const int *fds,
                                 size_t fd_count, size_t *ret_sent);
enum cordon_err __wrap_host_send(int fd, const void *data, size_t len, const int *fds,
                                 size_t fd_count, size_t *ret_sent)
{
    struct client *client = client_at(fd);

    (void)fds;
    if (client->gone) {
        return CORDON_E_CLOSED;
    }
    if (client->deaf) {
        return CORDON_E_AGAIN;
    }
    if (explore_fails("host_send")) {
        return CORDON_E_CLOSED;
    }
    explore_pause();
    client_read(client, data, len, fd_count);
    explore_resume();
    *ret_sent = len;
    return CORDON_OK;
}

enum cordon_err __wrap_host_check_stream(int fd, struct cordon_fault *fault);
enum cordon_err __wrap_host_check_stream(int fd, struct cordon_fault *fault)
{
    if (!world_is_open(fd)) {
        explore_wrong("a closed stream is checked");
    }
    return explore_fails("stream") ? fault_set(fault, CORDON_E_DENIED, NULL, "directory")
                                   : CORDON_OK;
}

enum cordon_err __wrap_host_send_record(int fd, const void *record, size_t size, const int *fds,
                                        size_t fd_count);
enum cordon_err __wrap_host_send_record(int fd, const void *record, size_t size, const int *fds,
                                        size_t fd_count)
{
    (void)record;
    (void)size;
    for (size_t i = 0; i < fd_count; i++) {
        if (!world_is_open(fds[i])) {
            explore_wrong("a closed stream is sent to a job");
        }
    }
    if (!world_is_open(fd)) {
        explore_wrong("the command is sent to nobody");
    }
    return explore_fails("send_record") ? CORDON_E_CLOSED : CORDON_OK;
}

enum cordon_err __wrap_host_recv_record(int fd, void *record, size_t size, int *ret_fd);
enum cordon_err __wrap_host_recv_record(int fd, void *record, size_t size, int *ret_fd)
{
    const struct channel_answer answer = {CHANNEL_MAGIC, 1};

    if (!world_is_open(fd) || size != sizeof(answer)) {
        explore_wrong("an answer is read from nowhere");
    }
    if (model.answer_pty < 0) {
        return CORDON_E_AGAIN;
    }
    if (model.answer_pty == 0) {
        return CORDON_E_CLOSED;
    }
    memcpy(record, &answer, sizeof(answer));
    *ret_fd = world_fd_sure();
    return CORDON_OK;
}

/* An answer with no record: whoever waits has all there was. */
enum cordon_err __wrap_ipc_map(int fd, size_t max, const void **ret_data, size_t *ret_len,
                               struct cordon_fault *fault);
enum cordon_err __wrap_ipc_map(int fd, size_t max, const void **ret_data, size_t *ret_len,
                               struct cordon_fault *fault)
{
    static const struct ipc_records_head head = {.magic = IPC_MAGIC, .next = 1, .total = 0};
    static const struct ipc_status status = {.magic = IPC_MAGIC};

    (void)max;
    if (!world_is_open(fd)) {
        explore_wrong("a closed memfd is mapped");
    }
    *ret_data = model.answers_query ? (const void *)&status : &head;
    *ret_len = model.answers_query ? sizeof(status) : sizeof(head);
    return explore_fails("ipc_map") ? fault_set(fault, CORDON_E_OS, NULL, "no memory") : CORDON_OK;
}

void __wrap_ipc_unmap(const void *data, size_t len);
void __wrap_ipc_unmap(const void *data, size_t len)
{
    (void)data;
    (void)len;
}

/* ---- the planner ---- */

void pipeline_init(struct pipeline *pipeline)
{
    memset(pipeline, 0, sizeof(*pipeline));
    pipeline->hash = "";
}

void pipeline_deinit(struct pipeline *pipeline)
{
    (void)pipeline;
}

enum cordon_err pipeline_plan(struct pipeline *pipeline, const struct pipeline_input *input,
                              struct cordon_fault *fault)
{
    static struct memo_policy made = {.own_fd = -1, .texts_fd = -1};
    static const struct policy policy;
    static struct plan plan;

    (void)input;
    pipeline->made = &made;
    pipeline->policy = &policy;
    pipeline->plan = &plan;
    return explore_fails("plan") ? fault_set(fault, CORDON_E_DENIED, NULL, "refused") : CORDON_OK;
}

enum cordon_err pipeline_order(struct pipeline *pipeline, const struct pipeline_input *input,
                               int channel, struct platform_order *ret_order,
                               struct cordon_fault *fault)
{
    (void)pipeline;
    (void)input;
    if (!world_is_open(channel)) {
        explore_wrong("an order without a channel");
    }
    ret_order->fds[0] = world_fd();
    ret_order->fd_count = ret_order->fds[0] >= 0;
    return ret_order->fd_count == 0 ? fault_set(fault, CORDON_E_OS, NULL, "no order") : CORDON_OK;
}

enum cordon_err strings_make(const struct msg_spawn *spawn, const struct strings_extra *extra,
                             struct channel_command *ret_command, int *ret_fd,
                             struct cordon_fault *fault)
{
    (void)spawn;
    (void)extra;
    (void)ret_command;
    *ret_fd = world_fd();
    return *ret_fd < 0 ? fault_set(fault, CORDON_E_OS, NULL, "no memfd") : CORDON_OK;
}

void strings_command(const struct msg_list *argv, char *ret_text, size_t size)
{
    (void)argv;
    if (size > 0) {
        ret_text[0] = '\0';
    }
}

const char *strings_path(const struct msg_list *env)
{
    (void)env;
    return NULL;
}

enum cordon_err worker_managed_take(struct worker_managed *managed, int fd,
                                    struct cordon_fault *fault)
{
    (void)managed;
    (void)fd;
    (void)fault;
    return CORDON_OK;
}
