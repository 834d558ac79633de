/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/wine/service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/session.h"
#include "platform/windows/pipe.h"
#include "platform/windows/scm.h"
#include "tests/wine/jobs.h"
#include "tests/wine/keys.h"
#include "tests/wine/token.h"

static struct {
    struct state *state;
    struct pipe *pipe;
    struct sid job;
    HANDLE token;
    struct sd who;
} service;

struct client {
    struct session session;
    struct pipe_peer *peer;
    size_t sending;
    char user[SID_TEXT_MAX];
    uint32_t job; /* request id; 0: none runs */
    struct launch launch;
    HANDLE waits;
    uint32_t serial; /* names the holder */
};

static bool send_next(struct client *client)
{
    struct stream_pending pending;

    if (session_pending(&client->session, &pending) && client->sending == 0) {
        client->sending = pending.len;
        return pipe_send(client->peer, pending.data, pending.len);
    }
    return true;
}

static void go_on(struct client *client)
{
    if (!send_next(client) || session_finished(&client->session)) {
        pipe_hang_up(client->peer);
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

    if (client->waits != NULL) {
        (void)UnregisterWaitEx(client->waits, INVALID_HANDLE_VALUE);
        client->waits = NULL;
    }
    launch_end(wine_launch(), &client->launch);
    holder_of(client, holder);
    if (state_drop(service.state, &service.job, holder, &fault) != CORDON_OK) {
        (void)fprintf(stderr, "%s\n", fault.text);
    }
}

/* On the pipe's thread. */
static void job_over(void *context)
{
    struct client *client = context;
    char job[32];
    struct msg_exited exited = {.job = job, .kind = MSG_EXIT_EXITED, .reason = ""};
    DWORD status = 0;
    const uint32_t id = client->job;

    if (id == 0) {
        return;
    }
    (void)GetExitCodeProcess((HANDLE)client->launch.process, &status);
    (void)snprintf(job, sizeof(job), "%u", client->serial);
    exited.code = status;
    client->job = 0;
    end_job(client);
    session_job_exited(&client->session, id, &exited);
    go_on(client);
}

static void CALLBACK process_ended(void *context, BOOLEAN timed_out)
{
    (void)timed_out;
    pipe_post(service.pipe, job_over, context);
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
    if (!RegisterWaitForSingleObject(&client->waits, (HANDLE)client->launch.process, process_ended,
                                     client, INFINITE, WT_EXECUTEONLYONCE)) {
        process_ended(client, FALSE);
    }
    return CORDON_OK;
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

static void close_handle(void *context, int fd)
{
    (void)context;
    (void)CloseHandle((HANDLE)(intptr_t)fd);
}

/* ---- clients ---- */

static void *on_opened(void *context, struct pipe_peer *peer, const struct pipe_identity *who)
{
    static uint32_t serial;
    struct client *client = calloc(1, sizeof(*client));

    (void)context;
    if (client != NULL) {
        const struct session_owner owner = {.spawn = on_spawn,
                                            .signal = no_signal,
                                            .plan = no_plan,
                                            .query = no_query,
                                            .violations = no_violations,
                                            .close_fd = close_handle,
                                            .context = client,
                                            .mode = MSG_BROKER_SERVICE,
                                            .version = "test"};

        client->peer = peer;
        client->serial = ++serial;
        sid_text(&who->user, client->user);
        session_init(&client->session, &owner);
    }
    return client;
}

static void on_received(void *session, const uint8_t *bytes, size_t len, const int *handles,
                        size_t handle_count)
{
    struct client *client = session;
    const struct stream_chunk chunk = {
        .data = bytes, .len = len, .fds = handles, .fd_count = handle_count};

    session_feed(&client->session, &chunk);
    go_on(client);
}

static void on_sent(void *session, size_t len)
{
    struct client *client = session;

    client->sending = 0;
    session_sent(&client->session, len);
    go_on(client);
}

/* The client is gone, and so is its job. */
static void on_closed(void *session)
{
    struct client *client = session;

    client->job = 0;
    end_job(client);
    session_deinit(&client->session);
    /* Behind what may still be waiting there to tell of its process. */
    pipe_post(service.pipe, free, client);
}

/* ---- the service ---- */

static uint32_t on_start(void *context)
{
    const struct state_config config = keys_config(api_win32());
    struct pipe_config pipe = {.name = PIPE_NAME,
                               .who = &service.who,
                               .peers_max = 8,
                               .owner = {NULL, on_opened, on_received, on_sent, on_closed}};
    const struct sid *const jobs[] = {&service.job};
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
    if (service.token == NULL || pipe_list(jobs, 1, &service.who) != CORDON_OK ||
        state_open(&config, &service.state, &fault) != CORDON_OK ||
        pipe_listen(&pipe, &service.pipe, &fault) != CORDON_OK) {
        return 2;
    }
    return 0;
}

static uint32_t on_run(void *context)
{
    struct cordon_fault fault;
    enum cordon_err err;

    (void)context;
    do {
        err = pipe_step(service.pipe, INFINITE, &fault);
    } while (err == CORDON_OK);
    pipe_free(service.pipe);
    state_close(service.state);
    return err == CORDON_E_CLOSED ? 0 : 3;
}

static void on_stop(void *context)
{
    (void)context;
    pipe_stop(service.pipe);
}

uint32_t service_be(void)
{
    const struct scm_service what = {SERVICE_NAME, on_start, on_run, on_stop, NULL};

    return scm_serve(&what);
}
