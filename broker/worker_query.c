/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/worker_query.h"

#include <stdlib.h>
#include <string.h>

#include "broker/managed.h"
#include "broker/report.h"
#include "platform/base/number.h"

#define QUERIES_MAX 8U /* of one connection at a time */

struct worker_query {
    struct worker_query *next;
    uint32_t request; /* the supervisor's answer names it */
    uint32_t id;      /* the client's */
    report_fn *report;
    bool json;
};

/* Nothing but the digits of a job's number, as it was told; 0: it is none. */
static uint64_t job_number(const char *text)
{
    uint64_t number;

    return text[0] != '0' && number_parse(text, UINT64_MAX, &number) ? number : 0;
}

/* What a request means to the supervisor, and who makes text of the answer. */
static struct worker_query read_request(const struct message *message, struct ipc_message *ret_ask)
{
    struct ipc_query *ask = &ret_ask->u.query;

    if (message->type == CORDON_MSG_KILL) {
        ask->kind = IPC_QUERY_KILL;
        ask->signo = message->u.kill.signo;
        ret_ask->job = job_number(message->u.kill.job);
        return (struct worker_query){.report = NULL};
    }
    if (message->type == CORDON_MSG_RELOAD) {
        ask->kind = IPC_QUERY_RELOAD;
        return (struct worker_query){.report = report_reload, .json = message->u.reload.json};
    }
    if (message->u.status.report == MSG_REPORT_JOBS) {
        ask->kind = IPC_QUERY_JOBS;
        return (struct worker_query){.report = report_jobs, .json = message->u.status.json};
    }
    ask->kind = IPC_QUERY_STATUS;
    return (struct worker_query){.report = report_status, .json = message->u.status.json};
}

enum cordon_err worker_query_new(struct connection *connection,
                                 const struct session_request *request, struct cordon_fault *fault)
{
    struct worker_query *query;
    struct ipc_message ask;
    size_t count = 0;

    for (const struct worker_query *at = connection->queries; at != NULL; at = at->next) {
        count++;
    }
    if (count >= QUERIES_MAX) {
        return fault_set(fault, CORDON_E_QUOTA, "wait for the answers",
                         "the connection has asked %u times already", QUERIES_MAX);
    }
    query = calloc(1, sizeof(*query));
    if (query == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    memset(&ask, 0, sizeof(ask));
    *query = read_request(&request->in->message, &ask);
    query->id = request->in->id;
    query->request = ++connection->worker->last_request;
    query->next = connection->queries;
    connection->queries = query;
    ask.type = IPC_QUERY;
    ask.request = query->request;
    connection_tell(connection, &ask);
    return CORDON_OK;
}

void worker_queries_free(struct connection *connection)
{
    while (connection->queries != NULL) {
        struct worker_query *query = connection->queries;

        connection->queries = query->next;
        free(query);
    }
}

/* Takes it out of the list; NULL: nobody asked. */
static struct worker_query *query_take(struct connection *connection, uint32_t request)
{
    struct worker_query **link = &connection->queries;
    struct worker_query *query;

    while (*link != NULL && (*link)->request != request) {
        link = &(*link)->next;
    }
    query = *link;
    if (query != NULL) {
        *link = query->next;
    }
    return query;
}

/* False: out of step with the supervisor. */
static bool tell(struct connection *connection, const struct worker_query *query, int fd)
{
    struct report_options options = {.embedded = connection->worker->embedded, .json = query->json};
    struct msg_status_text report = {.failed = false};
    struct strbuf text = STRBUF_INIT;
    struct cordon_fault fault;
    const void *block = NULL;
    size_t len = 0;
    bool understood = true;

    if (query->report != NULL) {
        understood = ipc_map(fd, IPC_ANSWER_MAX, &block, &len, &fault) == CORDON_OK &&
                     query->report(block, len, &options, &text);
        ipc_unmap(block, len);
    }
    if (understood && text.failed) {
        (void)fault_set(&fault, CORDON_E_NOMEM, NULL, "out of memory");
        session_refused(&connection->session, query->id, &fault);
    } else if (understood) {
        report.text = strbuf_text(&text);
        report.failed = options.failed;
        session_report(&connection->session, query->id, &report);
    }
    strbuf_deinit(&text);
    return understood;
}

void worker_query_take(struct connection *connection, const struct ipc_packet *packet)
{
    struct worker_query *query = query_take(connection, packet->message.request);
    struct cordon_fault fault;

    if (query == NULL) {
        return;
    }
    fault_from_ipc(&packet->message.u.fault, &fault);
    if (fault.err != CORDON_OK) {
        session_refused(&connection->session, query->id, &fault);
    } else if (!tell(connection, query, packet->fd_count == 1 ? packet->fds[0] : -1)) {
        loop_stop(connection->worker->loop);
    }
    free(query);
    connection_flush(connection);
}
