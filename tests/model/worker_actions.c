/* SPDX-License-Identifier: Apache-2.0 */
/* What clients and the supervisor can say to the worker. See worker_model.c. */
#include <signal.h>
#include <string.h>

#include "broker/worker_job.h"
#include "broker/worker_records.h"
#include "proto/codec.h"
#include "tests/model/worker_model.h"

struct bounds bounds = {1, 1};

/* ---- the client ---- */

static void client_close_fd(void *context, int fd)
{
    (void)context;
    (void)fd; /* a number here: the broker's end has closed its own */
}

static struct request *request_by_id(const struct client *client, uint32_t id)
{
    for (size_t i = 0; i < REQUESTS; i++) {
        struct request *request = &model.requests[i];

        if (request->used && request->session == client->session && request->id == id) {
            return request;
        }
    }
    return NULL;
}

/* As it is queued: a client that does not read is told all the same. */
void client_told(const struct client *client, uint32_t id, const struct message *message)
{
    struct request *request = request_by_id(client, id);
    const bool is_end = message->type == CORDON_MSG_EXITED || message->type == CORDON_MSG_FAILED;

    for (size_t i = 0; i < FINISHED; i++) {
        if (model.finished[i] == id && id != 0) {
            explore_wrong("a client is told more of a job that has ended");
        }
    }
    if (request == NULL) {
        if (message->type == CORDON_MSG_STATUS_TEXT || message->type == CORDON_MSG_FAILED) {
            model.finished[model.finished_count++ % FINISHED] = id;
        }
        return;
    }
    if (message->type == CORDON_MSG_STARTED && ++request->started > 1) {
        explore_wrong("a client is told twice that a job has started");
    }
    if (is_end && (request->asked == ASKED_ORDER || request->asked == ASKED_CHECK)) {
        explore_wrong("a job has ended for the client before the supervisor answered");
    }
    if (message->type == CORDON_MSG_EXITED && request->started == 0) {
        explore_wrong("a client is told that a job has ended, and not that it started");
    }
    if (is_end) {
        request->used = false;
        model.finished[model.finished_count++ % FINISHED] = id;
    }
}

void client_read(struct client *client, const void *data, size_t len, size_t fd_count)
{
    static const int fds[] = {1, 2, 3, 4};
    const struct stream_chunk chunk = {.data = data, .len = len, .fds = fds, .fd_count = fd_count};
    struct stream_message in;
    struct arena arena;
    enum cordon_err err;

    if (stream_feed(&client->stream, &chunk, NULL) != CORDON_OK) {
        explore_wrong("the client cannot read what it was told");
    }
    do {
        arena_init(&arena, MSG_ARENA_MAX);
        err = stream_receive(&client->stream, &arena, &in, NULL);
        arena_deinit(&arena);
    } while (err == CORDON_OK);
    if (err != CORDON_E_AGAIN) {
        explore_wrong("the client is told nonsense: %s", cordon_err_name(err));
    }
}

static void frame_add(struct strbuf *bytes, uint32_t id, const struct message *message)
{
    unsigned char header[FRAME_HEADER_SIZE];
    struct strbuf body = STRBUF_INIT;

    if (msg_encode(message, &body, NULL) != CORDON_OK) {
        explore_wrong("the model cannot encode");
    }
    frame_header_encode(&(struct frame_header){message->type, id, (uint32_t)body.len}, header);
    strbuf_add(bytes, (const char *)header, sizeof(header));
    strbuf_add(bytes, body.data == NULL ? "" : body.data, body.len);
    strbuf_deinit(&body);
}

/* Writes @message, behind @first if there is one; the broker reads both at once. */
static void client_write_behind(struct client *client, const struct message *first, uint32_t id,
                                const struct message *message, size_t fd_count)
{
    struct strbuf bytes = STRBUF_INIT;
    struct loop_source *source;

    explore_pause();
    if (first != NULL) {
        frame_add(&bytes, ++model.last_id, first);
    }
    frame_add(&bytes, id, message);
    client->data = bytes.data;
    client->len = bytes.len;
    for (client->fd_count = 0; client->fd_count < fd_count; client->fd_count++) {
        client->fds[client->fd_count] = world_fd_sure();
    }
    source = world_source(client->fd);
    explore_resume();
    world_fire(source);
    strbuf_deinit(&bytes);
}

static void client_write(struct client *client, uint32_t id, const struct message *message,
                         size_t fd_count)
{
    client_write_behind(client, NULL, id, message, fd_count);
}

/* ---- what can happen ---- */

static struct client *client_n(unsigned n)
{
    return n < bounds.connections && model.clients[n].used && !model.clients[n].gone
               ? &model.clients[n]
               : NULL;
}

/* It has something to read already: what it asks for would only be more of that. */
static bool is_behind(const struct client *client)
{
    return stream_backlog(&connection_of(client)->session.stream) > 0;
}

static bool do_connect(unsigned n, unsigned unused)
{
    const struct stream_config config = {FRAME_TO_CLIENT, STREAM_OUT_SMALL, client_close_fd, NULL};
    struct client *client = &model.clients[n];

    (void)unused;
    if (n >= bounds.connections || client->used) {
        return false;
    }
    *client = (struct client){.used = true, .fd = world_fd_sure(), .session = ++model.last_session};
    stream_init(&client->stream, &config);
    connection_new(&model.worker, client->session, client->fd);
    /* Without memory for a connection it is closed, and the supervisor's affair. */
    if (connection_of(client) == NULL && client->used) {
        stream_deinit(&client->stream);
        client->used = false;
    }
    return true;
}

static struct message hello_of(unsigned version)
{
    return (struct message){.type = CORDON_MSG_HELLO,
                            .u.hello = {1 + version, 1 + version, "model"}};
}

static bool do_hello(unsigned n, unsigned version)
{
    const struct message hello = hello_of(version);
    struct client *client = client_n(n);

    if (client == NULL || is_behind(client)) {
        return false;
    }
    client_write(client, ++model.last_id, &hello, 0);
    return true;
}

/* @kind KIND_COUNT: plain, along with HELLO. */
static bool do_spawn(unsigned n, unsigned kind)
{
    static char name[] = "true";
    static char *const argv[] = {name, NULL};
    const struct message hello = hello_of(0);
    const bool greets = kind == KIND_COUNT;
    struct client *client = client_n(n);
    struct message spawn = {.type = CORDON_MSG_SPAWN, .u.spawn.argv = {argv, 1}};
    struct request *request = NULL;
    size_t live = 0;

    for (size_t i = 0; i < REQUESTS; i++) {
        live += model.requests[i].used;
        request = model.requests[i].used ? request : &model.requests[i];
    }
    if (client == NULL || live >= bounds.requests || request == NULL || is_behind(client) ||
        (greets && connection_of(client)->session.state != SESSION_NEW)) {
        return false;
    }
    spawn.u.spawn.stdin_tty = kind == KIND_TERMINAL;
    spawn.u.spawn.log_denials = kind == KIND_DENIALS;
    spawn.u.spawn.timeout_ms = kind == KIND_TIMEOUT ? 7 : 0;
    *request = (struct request){.used = true,
                                .session = client->session,
                                .id = ++model.last_id,
                                .kind = greets ? KIND_PLAIN : kind};
    client_write_behind(client, greets ? &hello : NULL, request->id, &spawn, SPAWN_FD_EXTRA);
    if (request->asked == ASKED_NOTHING) {
        request->asked = ASKED_OVER; /* refused at once */
    }
    return true;
}

static bool do_violations(unsigned n, unsigned follow)
{
    const struct message ask = {.type = CORDON_MSG_VIOLATIONS, .u.violations.follow = follow != 0};
    struct client *client = client_n(n);

    if (client == NULL || is_behind(client) || connection_of(client)->records != NULL) {
        return false;
    }
    client_write(client, ++model.last_id, &ask, 0);
    return true;
}

/* What has no answer, BYE, and a question. */
static bool do_say(unsigned n, unsigned what)
{
    static char job[] = "1";
    const struct message messages[] = {
        {.type = CORDON_MSG_SIGNAL, .u.signal = {job, SIGTERM}},
        {.type = CORDON_MSG_BYE},
        {.type = CORDON_MSG_STATUS},
    };
    struct client *client = client_n(n);

    if (client == NULL || is_behind(client) ||
        (messages[what].type == CORDON_MSG_STATUS && connection_of(client)->queries != NULL)) {
        return false;
    }
    client_write(client, ++model.last_id, &messages[what], 0);
    return true;
}

static bool do_nonsense(unsigned n, unsigned unused)
{
    struct client *client = client_n(n);

    (void)unused;
    if (client == NULL || is_behind(client)) {
        return false;
    }
    client->data = "GET / HTTP/1.1\r\n\r\n";
    client->len = 18;
    client->fds[0] = world_fd_sure();
    client->fd_count = 1;
    world_fire(world_source(client->fd));
    return true;
}

static bool do_leave(unsigned n, unsigned unused)
{
    struct client *client = client_n(n);

    (void)unused;
    if (client == NULL) {
        return false;
    }
    client->gone = true;
    world_fire(world_source(client->fd));
    return true;
}

static bool do_deaf(unsigned n, unsigned unused)
{
    struct client *client = client_n(n);

    (void)unused;
    if (client == NULL) {
        return false;
    }
    client->deaf = !client->deaf;
    if (!client->deaf && (world_source(client->fd)->events & LOOP_WRITE) != 0) {
        world_fire(world_source(client->fd));
    }
    return true;
}

static void tell(const struct request *request, struct ipc_message *message)
{
    const struct client *client = client_of(request->session);

    message->session = request->session;
    message->request = request->order;
    if (!worker_job_message(connection_of(client), message)) {
        explore_wrong("the worker has forgotten order %u", request->order);
    }
}

enum answer { ANSWER_STARTED, ANSWER_NO, ANSWER_AGAIN, ANSWER_COUNT };

static bool do_answer(unsigned n, unsigned answer)
{
    struct request *request = &model.requests[n];
    struct ipc_message message = {.type = answer == ANSWER_STARTED ? IPC_STARTED : IPC_REFUSED};
    const bool can_start = request->asked == ASKED_ORDER;

    if (!request->used || (request->asked != ASKED_ORDER && request->asked != ASKED_CHECK) ||
        (answer == ANSWER_STARTED && !can_start)) {
        return false;
    }
    message.job = request->order;
    message.u.fault.err = answer == ANSWER_AGAIN ? CORDON_E_AGAIN : CORDON_E_DENIED;
    if (answer == ANSWER_STARTED) {
        request->asked = ASKED_RUNNING;
        tell(request, &message);
        return true;
    }
    request->asked = ASKED_NOTHING;
    request->again += answer == ANSWER_AGAIN;
    tell(request, &message);
    if (request->asked == ASKED_NOTHING) {
        request->asked = ASKED_OVER;
    }
    return true;
}

static void answer_ask(struct ask *ask)
{
    struct ipc_packet packet;

    memset(&packet, 0, sizeof(packet));
    packet.message = (struct ipc_message){
        .type = IPC_RECORDS, .session = ask->session, .request = ask->request, .job = ask->job};
    packet.fds[0] = world_fd_sure();
    packet.fd_count = 1;
    ask->used = false;
    worker_records_take(connection_of(client_of(ask->session)), &packet);
    host_close(packet.fds[0]);
}

/* The end of its job answers what waits for its denials. */
static void answer_waiting(uint64_t job, uint32_t last)
{
    for (size_t i = 0; i < ASKS; i++) {
        if (model.asks[i].used && !model.asks[i].query && model.asks[i].job == job &&
            model.asks[i].request <= last) {
            answer_ask(&model.asks[i]);
        }
    }
}

static bool do_report(unsigned n, unsigned kind)
{
    struct request *request = &model.requests[n];
    struct ipc_message message = {.type = IPC_REPORT,
                                  .u.report = {.kind = kind, .limit = IPC_NO_LIMIT}};
    const uint32_t last = model.worker.last_request;

    if (!request->used || request->asked != ASKED_RUNNING ||
        (kind == IPC_REPORT_RUNNING && request->told_running)) {
        return false;
    }
    message.job = request->order;
    message.u.report.fault.err = kind >= IPC_REPORT_NOT_FOUND ? CORDON_E_OS : CORDON_OK;
    request->told_running = true;
    if (kind != IPC_REPORT_RUNNING) {
        request->asked = ASKED_OVER;
    }
    tell(request, &message);
    if (kind != IPC_REPORT_RUNNING) {
        answer_waiting(message.job, last);
    }
    return true;
}

/* The job's init hands over the terminal, or (0) ends without. */
static bool do_terminal(unsigned n, unsigned pty)
{
    struct loop_source *source = NULL;

    if (!model.requests[n].used || model.requests[n].kind != KIND_TERMINAL) {
        return false;
    }
    for (int fd = 1000; fd < 1000 + (int)WORLD_FDS && source == NULL; fd++) {
        source = world_is_open(fd) ? world_source(fd) : NULL;
        for (size_t i = 0; i < CONNECTIONS; i++) {
            source = model.clients[i].used && model.clients[i].fd == fd ? NULL : source;
        }
    }
    if (source == NULL) {
        return false;
    }
    model.answer_pty = (int)pty;
    world_fire(source);
    model.answer_pty = -1;
    return true;
}

static bool do_records(unsigned n, unsigned unused)
{
    (void)unused;
    if (!model.asks[n].used || model.asks[n].query) {
        return false;
    }
    answer_ask(&model.asks[n]);
    return true;
}

static bool do_query(unsigned n, unsigned refused)
{
    if (!model.asks[n].used || !model.asks[n].query) {
        return false;
    }
    query_answer(&model.asks[n], refused != 0 ? CORDON_E_DENIED : CORDON_OK);
    return true;
}

static bool do_timer(unsigned n, unsigned unused)
{
    struct loop_source *timer = world_timer(n);

    (void)unused;
    if (timer == NULL) {
        return false;
    }
    world_fire(timer);
    for (const struct connection *at = model.worker.connections; at != NULL; at = at->next) {
        if (at->soon == timer) {
            explore_wrong("what was to be said by now is not");
        }
    }
    return true;
}

const struct explore_action model_actions[] = {
    {"client connects", do_connect, CONNECTIONS, 1},
    {"HELLO of client, of that or (1) an unknown version", do_hello, CONNECTIONS, 2},
    {"SPAWN of client, plain, with a terminal, with denials, with a time limit, along with HELLO",
     do_spawn, CONNECTIONS, KIND_COUNT + 1},
    {"VIOLATIONS of client, or (1) and those to come", do_violations, CONNECTIONS, 2},
    {"SIGNAL, BYE or STATUS of client", do_say, CONNECTIONS, 3},
    {"nonsense of client", do_nonsense, CONNECTIONS, 1},
    {"client leaves", do_leave, CONNECTIONS, 1},
    {"client stops reading, or goes on", do_deaf, CONNECTIONS, 1},
    {"answer to request: started, refused, again", do_answer, REQUESTS, ANSWER_COUNT},
    {"report of request", do_report, REQUESTS, IPC_REPORT_SETUP + 1},
    {"no terminal, or (1) a terminal of request", do_terminal, REQUESTS, 2},
    {"records for question", do_records, ASKS, 1},
    {"answer to STATUS, or (1) a refusal", do_query, ASKS, 2},
    {"timer is up", do_timer, REQUESTS + 2 * CONNECTIONS, 1},
};
const size_t model_action_count = sizeof(model_actions) / sizeof(model_actions[0]);
