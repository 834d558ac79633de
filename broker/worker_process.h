/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's end of one worker: its process and its channel. */
#ifndef CORDON_BROKER_WORKER_PROCESS_H
#define CORDON_BROKER_WORKER_PROCESS_H

#include "broker/caller.h"

/* Does nothing where one is running. */
CORDON_MUST_USE enum cordon_err worker_start(struct caller *caller, struct cordon_fault *fault);
/*
 * Starts one that the next caller gets who has none, if none waits for that already. It is root's
 * until it is told whom it serves (identity.h), and takes nothing else before; so where it cannot
 * be, or is nobody's but ours (embedded), nothing is made.
 */
void worker_ahead_make(struct supervisor *supervisor);
/* Embedded: starts that of the one client, who has not been looked at yet and is who we are. */
void worker_ahead_of_client(struct supervisor *supervisor);
void worker_ahead_free(struct supervisor *supervisor);
/* Kills it; its end is noticed on the channel. */
void worker_kill(struct caller *caller);
/* Kills and forgets it; it is reaped in the background. */
void worker_stop(struct caller *caller);
/* Waits no more for those that were stopped; for the supervisor's own end. */
void worker_remains_free(struct supervisor *supervisor);

/* caller.c: what the worker says, and that it is gone. */
void caller_session_ended(struct caller *caller, uint32_t id);
void caller_worker_gone(struct caller *caller);

#endif
