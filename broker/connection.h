/* SPDX-License-Identifier: Apache-2.0 */
/* A session with its socket, in the worker. */
#ifndef CORDON_BROKER_CONNECTION_H
#define CORDON_BROKER_CONNECTION_H

#include "broker/session.h"
#include "broker/worker.h"

struct worker_job;
struct worker_records;
struct worker_query;

struct connection {
    struct connection *next;
    struct worker *worker;
    uint32_t id; /* the supervisor's */
    int fd;
    struct loop_source *source, *timer, *soon;
    struct session session;
    struct worker_job *jobs;
    struct worker_records *records;
    struct worker_query *queries;
};

/* Takes @fd over, also when it fails. */
void connection_new(struct worker *worker, uint32_t id, int fd);
/* Tells the supervisor that the session is over. */
void connection_free(struct connection *connection);
/*
 * To the supervisor, about this connection: @message's session is set. What cannot be said ends the
 * worker, which the supervisor sees.
 */
void connection_tell(struct connection *connection, struct ipc_message *message);
/* Writes what the session has to say; may free @connection. */
void connection_flush(struct connection *connection);

#endif
