/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker's real code (connections, the session's state machine and its table of requests,
 * jobs, questions about denials) for clients that say anything at any time, leave, or do not
 * read, and a supervisor that answers in any order; every call that can fail failing. What holds
 * in every state that can be reached:
 *
 *   - a SPAWN has one end, EXITED or FAILED, and at most one STARTED, before it;
 *   - a STATUS has one answer;
 *   - the connection is charged for as many jobs as it has;
 *   - the supervisor hears of the end of each connection once, and of nothing of it afterwards;
 *   - when all is over nothing is held: jobs, descriptors, timers.
 */
#include <string.h>

#include "broker/worker_job.h"
#include "tests/model/worker_model.h"

static void model_begin(void)
{
    memset(&model, 0, sizeof(model));
    model.answer_pty = -1;
    world_begin();
    model.worker.channel.fd = world_fd_sure();
    model.worker.managed.known = true;
    model.worker.managed.generation = 1;
    model.worker.platform = platform_null();
}

static void describe_request(const struct request *request, struct strbuf *out)
{
    strbuf_printf(out, " r%d%u%u%d%u", request->asked, request->started, request->again,
                  request->told_running, request->kind);
}

/* Of which of the jobs; REQUESTS: of none in particular, or of one that is over. */
static size_t request_rank(const struct ask *ask)
{
    size_t rank = 0;

    for (size_t i = 0; i < REQUESTS; i++) {
        if (model.requests[i].used && model.requests[i].order == ask->job) {
            return rank;
        }
        rank += model.requests[i].used;
    }
    return ask->job == 0 ? REQUESTS : REQUESTS + 1;
}

static void model_describe(struct strbuf *out)
{
    for (size_t n = 0; n < bounds.connections; n++) {
        const struct client *client = &model.clients[n];
        const struct connection *connection = client->used ? connection_of(client) : NULL;

        if (connection == NULL) {
            strbuf_puts(out, "-;");
            continue;
        }
        strbuf_printf(out, "%d%d%db%dr%dq%de%u", connection->session.state, client->deaf,
                      connection->timer != NULL, stream_backlog(&connection->session.stream) > 0,
                      connection->records != NULL, connection->queries != NULL,
                      world_source(client->fd)->events);
        for (size_t i = 0; i < REQUESTS; i++) {
            if (model.requests[i].used && model.requests[i].session == client->session) {
                describe_request(&model.requests[i], out);
            }
        }
        for (size_t i = 0; i < ASKS; i++) {
            if (model.asks[i].used && model.asks[i].session == client->session) {
                strbuf_printf(out, " a%zu", request_rank(&model.asks[i]));
            }
        }
        strbuf_puts(out, ";");
    }
    for (unsigned n = 0; world_timer(n) != NULL; n++) {
        strbuf_printf(out, "t%llu", (unsigned long long)world_timer(n)->delay_ms);
    }
    strbuf_printf(out, "d%u%d", world_open(), model.stopped);
}

static bool is_waiting(const struct client *client)
{
    for (size_t i = 0; i < ASKS; i++) {
        if (model.asks[i].used && !model.asks[i].query &&
            model.asks[i].session == client->session) {
            return true;
        }
    }
    return false;
}

static void check_client(const struct client *client, const struct connection *connection)
{
    if (connection->session.jobs != worker_job_count(connection)) {
        explore_wrong("a connection is charged for %u jobs and has %zu", connection->session.jobs,
                      worker_job_count(connection));
    }
    if (stream_backlog(&connection->session.stream) > 0 && connection->soon == NULL &&
        (world_source(client->fd)->events & LOOP_WRITE) == 0) {
        explore_wrong("what is to be said waits for nothing");
    }
    for (size_t i = 0; i < REQUESTS; i++) {
        const struct request *request = &model.requests[i];

        if (request->used && request->session == client->session && request->asked == ASKED_OVER &&
            !client->deaf && !is_waiting(client)) {
            explore_wrong("the end of a job is not told");
        }
    }
}

static void model_check(void)
{
    if (model.stopped) {
        return; /* the supervisor ends all of it */
    }
    for (size_t n = 0; n < CONNECTIONS; n++) {
        const struct client *client = &model.clients[n];

        if (client->used && connection_of(client) == NULL) {
            explore_wrong("the supervisor was not told that a connection has ended");
        }
        if (client->used) {
            check_client(client, connection_of(client));
        }
    }
}

static void model_end(void)
{
    while (model.worker.connections != NULL) {
        connection_free(model.worker.connections);
    }
    channel_deinit(&model.worker.channel);
    for (size_t n = 0; n < CONNECTIONS; n++) {
        if (model.clients[n].used && !model.stopped) {
            explore_wrong("at the end the supervisor was not told of a connection's");
        }
    }
    for (size_t n = 0; n < CONNECTIONS; n++) {
        if (model.clients[n].used) {
            stream_deinit(&model.clients[n].stream);
        }
    }
    world_check_empty();
}

/* The worker ends, and the supervisor all of its jobs. */
static bool model_is_over(void)
{
    return model.stopped;
}

int main(int argc, char **argv)
{
    const struct explore_model whole = {
        .name = "worker",
        .actions = model_actions,
        .action_count = model_action_count,
        .begin = model_begin,
        .describe = model_describe,
        .check = model_check,
        .end = model_end,
        .is_over = model_is_over,
        .bounds = {{"CONNECTIONS", &bounds.connections, CONNECTIONS},
                   {"REQUESTS", &bounds.requests, REQUESTS}},
    };

    return explore_main(&whole, argc, argv);
}
