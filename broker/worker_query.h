/* SPDX-License-Identifier: Apache-2.0 */
/* STATUS, KILL and RELOAD: asked of the supervisor, who decides; its answer becomes text here. */
#ifndef CORDON_BROKER_WORKER_QUERY_H
#define CORDON_BROKER_WORKER_QUERY_H

#include "broker/connection.h"
#include "platform/ipc.h"

/* CORDON_E_QUOTA, CORDON_E_NOMEM. What is no job's name is asked for all the same: as job 0. */
CORDON_MUST_USE enum cordon_err worker_query_new(struct connection *connection,
                                                 const struct session_request *request,
                                                 struct cordon_fault *fault);
/* An IPC_ANSWER; may free @connection. */
void worker_query_take(struct connection *connection, const struct ipc_packet *packet);
void worker_queries_free(struct connection *connection);

#endif
