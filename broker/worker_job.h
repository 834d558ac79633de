/* SPDX-License-Identifier: Apache-2.0 */
/* One job as its worker sees it: the request, the order, the channel to its init. */
#ifndef CORDON_BROKER_WORKER_JOB_H
#define CORDON_BROKER_WORKER_JOB_H

#include "broker/connection.h"

struct worker_job;

/* Sends the order; on CORDON_OK the request's arena and descriptors are taken. */
CORDON_MUST_USE enum cordon_err worker_job_new(struct connection *connection,
                                               const struct session_request *request,
                                               struct cordon_fault *fault);
/* Forgets it; the supervisor ends it with the session. */
void worker_job_free(struct worker_job *job);

/* What the supervisor said about the order of @request, if it is one of @connection's. */
bool worker_job_message(struct connection *connection, const struct ipc_message *message);
/* CORDON_E_NOT_FOUND when the connection has no such job. */
CORDON_MUST_USE enum cordon_err worker_job_signal(struct connection *connection,
                                                  const struct msg_signal *signal,
                                                  struct cordon_fault *fault);
/* How many the connection has, started or not; the model compares the session's own count. */
size_t worker_job_count(const struct connection *connection);
/* Its denials are all told; the client learns of its end. */
void worker_job_told(struct connection *connection, const struct worker_records *records);

#endif
