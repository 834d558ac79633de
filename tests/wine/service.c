/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/wine/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/session.h"
#include "platform/windows/io.h"
#include "platform/windows/scm.h"
#include "tests/wine/jobs.h"
#include "tests/wine/keys.h"
#include "tests/wine/token.h"

static struct {
    struct state *state;
    struct loop *loop;
    int listener;
    struct loop_source *accepting, *stopping;
    struct client *clients;
    struct sid job;
    HANDLE token;
} service;

struct client {
    struct client *next;
    struct session session;
    int fd;
    struct loop_source *source;
    char user[SID_TEXT_MAX];
    uint32_t job; /* request id; 0: none runs */
    struct launch launch;
    struct loop_source *waits;
    uint32_t serial; /* names the holder */
};

static void client_free(struct client *client);

/* Writes what the session has to say; may free @client. */
static void go_on(struct client *client)
{
    struct stream_pending pending;
    enum cordon_err err = CORDON_OK;

    while (err == CORDON_OK && session_pending(&client->session, &pending)) {
        size_t sent = 0;

        err = host_send(client->fd, pending.data, pending.len, NULL, 0, &sent);
        session_sent(&client->session, sent);
    }
    if (err == CORDON_E_AGAIN) {
        err = loop_watch_for(client->source, LOOP_READ | LOOP_WRITE);
    } else if (err == CORDON_OK) {
        err = loop_watch_for(client->source, LOOP_READ);
    }
    if (err != CORDON_OK || session_finished(&client->session)) {
        client_free(client);
    }
}

/* ---- jobs ---- */

static void holder_of(const struct client *client, char name[32])
{
    (void)snprintf(name, 32, "client-%u", client->serial);
}

static void end_job(struct client *client)
{
    struct cordon_fault fault;
    char holder[32];

    loop_source_free(client->waits);
    client->waits = NULL;
    (void)launch_end(wine_launch(), &client->launch);
    holder_of(client, holder);
    if (state_drop(service.state, &service.job, holder, &fault) != CORDON_OK) {
        (void)fprintf(stderr, "%s\n", fault.text);
    }
}

static void job_over(void *context, unsigned events)
{
    struct client *client = context;
    char job[32];
    struct msg_exited exited = {.job = job, .kind = MSG_EXIT_EXITED, .reason = ""};
    DWORD status = 0;
    const uint32_t id = client->job;

    (void)events;
    (void)GetExitCodeProcess((HANDLE)client->launch.process, &status);
    (void)snprintf(job, sizeof(job), "%u", client->serial);
    exited.code = status;
    client->job = 0;
    end_job(client);
    session_job_exited(&client->session, id, &exited);
    go_on(client);
}

static enum cordon_err deny_and_start(struct client *client, const struct msg_spawn *spawn,
                                      const struct stream_message *in, struct cordon_fault *fault)
{
    const struct state_target target = {
        {.object = API_KEY, .type = SD_DENIED, .mask = 0x000d017f, .path = KEYS_A, .managed = true},
        STATE_REFUSE};
    struct state_request request = {.principal = service.job,
                                    .token = (api_handle)service.token,
                                    .targets = &target,
                                    .target_count = 1};
    struct launch_order order = {.process = {.token = (api_handle)service.token, .folder = "C:\\"}};
    struct strbuf line = STRBUF_INIT;
    char holder[32];
    enum cordon_err err;

    for (size_t i = 0; i < spawn->argv.count; i++) {
        strbuf_printf(&line, i == 0 ? "\"%s\"" : " %s", spawn->argv.items[i]);
    }
    /* The working directory comes first, then the standard three. */
    for (size_t i = 1; i < 4 && i < in->fd_count; i++) {
        order.process.handles[order.process.handle_count++] = (api_handle)(intptr_t)in->fds[i];
    }
    order.process.command_line = strbuf_text(&line);
    holder_of(client, holder);
    request.holder = holder;
    err = state_apply(service.state, &request, fault);
    if (err == CORDON_OK) {
        err = launch_start(wine_launch(), &order, &client->launch, fault);
    }
    strbuf_deinit(&line);
    return err;
}

static enum cordon_err on_spawn(void *context, const struct session_request *request,
                                struct cordon_fault *fault)
{
    struct client *client = context;
    char *const notices[] = {client->user};
    struct msg_started started = {.job = "1", .notices = {notices, 1}};
    const enum cordon_err err =
        client->job != 0
            ? fault_set(fault, CORDON_E_QUOTA, NULL, "one job at a time")
            : deny_and_start(client, &request->in->message.u.spawn, request->in, fault);

    if (err != CORDON_OK) {
        end_job(client);
        return err;
    }
    client->job = request->in->id;
    session_job_started(&client->session, client->job, &started, -1);
    return loop_watch(service.loop, (int)(intptr_t)client->launch.process, LOOP_READ, job_over,
                      client, &client->waits);
}

static enum cordon_err no_signal(void *context, const struct msg_signal *signal,
                                 struct cordon_fault *fault)
{
    (void)context;
    (void)signal;
    return fault_set(fault, CORDON_E_UNSUPPORTED, NULL, "not here");
}

static enum cordon_err no_plan(void *context, const struct session_request *request,
                               struct strbuf *out, struct cordon_fault *fault)
{
    (void)context;
    (void)request;
    (void)out;
    return fault_set(fault, CORDON_E_UNSUPPORTED, NULL, "not here");
}

static enum cordon_err no_query(void *context, const struct session_request *request,
                                struct cordon_fault *fault)
{
    (void)context;
    (void)request;
    return fault_set(fault, CORDON_E_UNSUPPORTED, NULL, "not here");
}

static enum cordon_err no_violations(void *context, uint32_t id, bool follow,
                                     struct cordon_fault *fault)
{
    (void)context;
    (void)id;
    (void)follow;
    return fault_set(fault, CORDON_E_UNSUPPORTED, NULL, "not here");
}

static void close_fd(void *context, int fd)
{
    (void)context;
    host_close(fd);
}

/* ---- clients ---- */

/* The client is gone, and so is its job. */
static void client_free(struct client *client)
{
    struct client **link = &service.clients;

    while (*link != client) {
        link = &(*link)->next;
    }
    *link = client->next;
    end_job(client);
    loop_source_free(client->source);
    host_close(client->fd);
    session_deinit(&client->session);
    free(client);
}

static void on_ready(void *context, unsigned events)
{
    static uint8_t bytes[65536];
    struct client *client = context;
    int fds[PIPE_HANDLES_MAX];
    struct host_chunk got;
    enum cordon_err err = CORDON_E_AGAIN;

    if ((events & LOOP_READ) != 0) {
        err = host_recv(client->fd, bytes, sizeof(bytes), fds, PIPE_HANDLES_MAX, &got);
    }
    if (err == CORDON_OK) {
        const struct stream_chunk chunk = {
            .data = bytes, .len = got.len, .fds = fds, .fd_count = got.fd_count};

        session_feed(&client->session, &chunk);
    } else if (err != CORDON_E_AGAIN) {
        client_free(client);
        return;
    }
    go_on(client);
}

static void client_new(int fd, const struct platform_peer *peer)
{
    static uint32_t serial;
    struct client *client = calloc(1, sizeof(*client));
    const struct session_owner owner = {.spawn = on_spawn,
                                        .signal = no_signal,
                                        .plan = no_plan,
                                        .query = no_query,
                                        .violations = no_violations,
                                        .close_fd = close_fd,
                                        .context = client,
                                        .mode = MSG_BROKER_SERVICE,
                                        .version = "test"};

    if (client == NULL) {
        host_close(fd);
        return;
    }
    client->fd = fd;
    client->serial = ++serial;
    (void)snprintf(client->user, sizeof(client->user), "%.*s", (int)strcspn(peer->label, "/"),
                   peer->label);
    session_init(&client->session, &owner);
    client->next = service.clients;
    service.clients = client;
    if (host_adopt_stream(fd, NULL) != CORDON_OK ||
        loop_watch(service.loop, fd, LOOP_READ, on_ready, client, &client->source) != CORDON_OK) {
        client_free(client);
    }
}

static void on_connection(void *context, unsigned events)
{
    struct cordon_fault fault;
    struct platform_peer peer;
    int fd;

    (void)context;
    (void)events;
    if (host_accept(service.listener, &fd) != CORDON_OK) {
        return;
    }
    if (peer_identify(fd, false, &peer, &fault) != CORDON_OK) {
        (void)fprintf(stderr, "%s\n", fault.text);
        host_close(fd);
        return;
    }
    client_new(fd, &peer);
    peer_deinit(&peer);
}

/* ---- the service ---- */

static void on_stop(void *context, unsigned events)
{
    (void)context;
    (void)events;
    loop_stop(service.loop);
}

static uint32_t start(void *context)
{
    const struct state_config config = keys_config(api_win32());
    struct sd_member members[2] = {{.deny_only = false}, {.deny_only = false}};
    const struct sd_token token = {.members = members, .member_count = 2};
    struct cordon_fault fault;

    (void)context;
    if (sid_from_text(KEYS_JOB, &service.job) != CORDON_OK) {
        return 1;
    }
    members[0].sid = service.job;
    members[1].sid = sid_everyone();
    service.token = token_make(&token, TRUE);
    if (service.token == NULL || state_open(&config, &service.state, &fault) != CORDON_OK ||
        host_listen(host_service_socket, &service.listener, &fault) != CORDON_OK ||
        loop_new(&service.loop) != CORDON_OK ||
        loop_watch(service.loop, service.listener, LOOP_READ, on_connection, NULL,
                   &service.accepting) != CORDON_OK ||
        loop_on_signal(service.loop, LOOP_TERM, on_stop, NULL, &service.stopping) != CORDON_OK) {
        return 2;
    }
    return 0;
}

static uint32_t run(void *context)
{
    (void)context;
    loop_run(service.loop);
    while (service.clients != NULL) {
        client_free(service.clients);
    }
    loop_source_free(service.accepting);
    loop_source_free(service.stopping);
    loop_free(service.loop);
    host_close(service.listener);
    state_close(service.state);
    return 0;
}

static void stop(void *context)
{
    (void)context;
    loop_tell(LOOP_TERM);
}

uint32_t service_be(void)
{
    const struct scm_service what = {SERVICE_NAME, start, run, stop, NULL};

    return scm_serve(&what);
}
