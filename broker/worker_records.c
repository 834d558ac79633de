/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/worker_records.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/names.h"
#include "broker/worker_job.h"

#define REQUESTS_MAX 8U /* VIOLATIONS of one connection at a time */
#define TEXT_MAX 4351U  /* of a record's path, rule or origin, as the protocol caps them */

struct worker_records {
    struct worker_records *next;
    struct connection *connection;
    struct records_options what;
    uint32_t request; /* asked, and not answered yet; 0: none */
    uint64_t after;   /* number of the last record told */
    uint64_t total;   /* denials accounted for */
    uint64_t told;    /* records sent since then */
    bool ended;       /* the job is */
    bool asked_last;  /* ... and was when the present answer was asked for */
};

static size_t requests_of(const struct connection *connection)
{
    size_t count = 0;

    for (const struct worker_records *at = connection->records; at != NULL; at = at->next) {
        count += at->what.job == 0;
    }
    return count;
}

enum cordon_err worker_records_new(struct connection *connection,
                                   const struct records_options *options,
                                   struct worker_records **ret_records, struct cordon_fault *fault)
{
    struct worker_records *records;

    if (options->job == 0 && requests_of(connection) >= REQUESTS_MAX) {
        return fault_set(fault, CORDON_E_QUOTA, "end some first",
                         "the connection waits for denials %u times already", REQUESTS_MAX);
    }
    records = calloc(1, sizeof(*records));
    if (records == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    records->connection = connection;
    records->what = *options;
    records->next = connection->records;
    connection->records = records;
    if (ret_records != NULL) {
        *ret_records = records;
    }
    return CORDON_OK;
}

void worker_records_free(struct worker_records *records)
{
    struct worker_records **link;

    if (records == NULL) {
        return;
    }
    link = &records->connection->records;
    while (*link != records) {
        link = &(*link)->next;
    }
    *link = records->next;
    free(records);
}

static void ask(struct worker_records *records)
{
    struct connection *connection = records->connection;
    struct ipc_message message;

    memset(&message, 0, sizeof(message));
    message.type = IPC_ASK;
    message.request = ++connection->worker->last_request;
    message.job = records->what.job;
    message.u.ask.after = records->after;
    message.u.ask.wait = records->what.follow && !records->ended;
    records->request = message.request;
    records->asked_last = records->ended;
    connection_tell(connection, &message);
}

void worker_records_ask(struct connection *connection)
{
    for (struct worker_records *at = connection->records; at != NULL; at = at->next) {
        if (at->request == 0) {
            ask(at);
        }
    }
}

void worker_records_end(struct worker_records *records)
{
    records->ended = true;
    if (records->request == 0 && stream_backlog(&records->connection->session.stream) == 0) {
        ask(records);
    }
}

/* ---- an answer ---- */

struct cursor {
    const char *at;
    size_t left;
};

static bool take(struct cursor *cursor, void *ret, size_t len)
{
    if (cursor->left < len) {
        return false;
    }
    memcpy(ret, cursor->at, len);
    cursor->at += len;
    cursor->left -= len;
    return true;
}

static bool take_text(struct cursor *cursor, size_t len, char ret[TEXT_MAX + 1])
{
    if (len > TEXT_MAX || !take(cursor, ret, len)) {
        return false;
    }
    ret[len] = '\0';
    return true;
}

static bool tell_one(struct worker_records *records, struct cursor *cursor)
{
    static char path[TEXT_MAX + 1];
    static char rule[TEXT_MAX + 1];
    static char origin[TEXT_MAX + 1];
    char time[HOST_TIME_MAX];
    char job[24];
    struct ipc_record record;
    struct msg_violation violation = {
        .path = path, .rule = rule, .origin = origin, .time = time, .job = job};

    if (!take(cursor, &record, sizeof(record)) || !take_text(cursor, record.path_len, path) ||
        !take_text(cursor, record.rule_len, rule) ||
        !take_text(cursor, record.origin_len, origin)) {
        return false;
    }
    record.comm[sizeof(record.comm) - 1] = '\0';
    host_time_of(record.time_ms, time);
    (void)snprintf(job, sizeof(job), "%llu", (unsigned long long)record.job);
    violation.operation = denial_operation(record.operation);
    violation.mechanism = denial_mechanism(record.mechanism);
    violation.comm = record.comm;
    violation.pid = record.pid;
    violation.uid = record.uid;
    session_violation(&records->connection->session, records->what.id, &violation);
    return true;
}

static bool tell_batch(struct worker_records *records, struct cursor *cursor,
                       struct ipc_records_head *ret_head)
{
    if (!take(cursor, ret_head, sizeof(*ret_head)) || ret_head->magic != IPC_MAGIC) {
        return false;
    }
    for (uint32_t i = 0; i < ret_head->count; i++) {
        if (!tell_one(records, cursor)) {
            return false;
        }
    }
    records->after = ret_head->next;
    records->told += ret_head->count;
    return true;
}

/* What is counted and was not told is lost for good: it left the ring, or never had a record. */
static void tell_account(struct worker_records *records, uint64_t total)
{
    const uint64_t since = total > records->total ? total - records->total : 0;
    const uint64_t missed = since > records->told ? since - records->told : 0;
    const struct msg_violations_told told = {.missed = missed > UINT32_MAX ? UINT32_MAX
                                                                           : (uint32_t)missed,
                                             .last = !records->what.follow};

    session_told(&records->connection->session, records->what.id, &told);
    records->total = total;
    records->told = 0;
}

static void after_batch(struct worker_records *records, const struct ipc_records_head *head)
{
    struct connection *connection = records->connection;

    if (head->more != 0) {
        return;
    }
    if (records->what.job == 0) {
        tell_account(records, head->total);
        if (!records->what.follow) {
            worker_records_free(records);
        }
    } else if (records->asked_last) {
        worker_job_told(connection, records);
    }
}

void worker_records_take(struct connection *connection, const struct ipc_packet *packet)
{
    struct worker_records *records = connection->records;
    struct ipc_records_head head;
    struct cordon_fault ignored;
    struct cursor cursor;
    const void *block;
    size_t len;

    while (records != NULL && records->request != packet->message.request) {
        records = records->next;
    }
    if (records == NULL) {
        return; /* its job or its request is over */
    }
    records->request = 0;
    if (packet->fd_count != 1 || ipc_map(packet->fds[0], IPC_RECORDS_MAX + sizeof(head), &block,
                                         &len, &ignored) != CORDON_OK) {
        loop_stop(connection->worker->loop);
        return;
    }
    cursor = (struct cursor){block, len};
    if (tell_batch(records, &cursor, &head)) {
        after_batch(records, &head);
    } else {
        loop_stop(connection->worker->loop); /* out of step with the supervisor */
    }
    ipc_unmap(block, len);
    connection_flush(connection);
}
