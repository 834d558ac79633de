/* SPDX-License-Identifier: Apache-2.0 */
/* One job as the supervisor sees it: from a worker's order to the record of its end. */
#ifndef CORDON_BROKER_JOB_H
#define CORDON_BROKER_JOB_H

#include "broker/caller.h"

/* Answers with IPC_STARTED or IPC_REFUSED. Descriptors of @packet that it keeps are -1 then. */
void job_spawn(struct caller *caller, struct ipc_packet *packet);
/* Before a worker refuses a request by itself: is its policy the newest? Recorded if it is. */
void job_check(struct caller *caller, const struct ipc_message *message);
/*
 * To the command; SIGKILL ends the whole tree. One that does not run yet may not hear it, which is
 * CORDON_E_STATE if @sure. Else CORDON_E_NOT_FOUND, CORDON_E_INVALID, CORDON_E_OS.
 */
CORDON_MUST_USE enum cordon_err job_signal(const struct caller *caller, uint64_t id, uint32_t signo,
                                           bool sure, struct cordon_fault *fault);
/* Appends an ipc_job for each; how many. */
uint32_t jobs_list(const struct caller *caller, struct strbuf *out);
/* Whether there is such a job of the caller's, also one that is still set up. */
bool job_is_running(const struct caller *caller, uint64_t id);
/* Kills the jobs of one session, or with 0 of all; they are reaped as usual. */
void jobs_doom(struct caller *caller, uint32_t session);
/* Kills and frees every job now; bounded by the back end. */
void jobs_free(struct caller *caller);

#endif
