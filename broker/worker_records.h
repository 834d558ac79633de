/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of denials on their way from the supervisor to a client: one batch
 * is asked for when the client has read the last one.
 */
#ifndef CORDON_BROKER_WORKER_RECORDS_H
#define CORDON_BROKER_WORKER_RECORDS_H

#include "broker/connection.h"
#include "platform/ipc.h"

struct worker_records;

struct records_options {
    uint32_t id;  /* of the client's request */
    uint64_t job; /* the supervisor's; 0: all that the caller may see */
    bool follow;  /* and those to come; of a job until its end */
};

/* CORDON_E_NOMEM, CORDON_E_QUOTA. @ret_records may be NULL; of a job, it is the job's to free. */
CORDON_MUST_USE enum cordon_err worker_records_new(struct connection *connection,
                                                   const struct records_options *options,
                                                   struct worker_records **ret_records,
                                                   struct cordon_fault *fault);
/* NULL is allowed. */
void worker_records_free(struct worker_records *records);

/* The job is over: what is left is fetched, then worker_job_told() is called. */
void worker_records_end(struct worker_records *records);

/* Once the client has read everything: asks for more where that is due. */
void worker_records_ask(struct connection *connection);
/* An IPC_RECORDS; may free @connection. */
void worker_records_take(struct connection *connection, const struct ipc_packet *packet);

#endif
