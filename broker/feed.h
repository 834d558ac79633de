/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Workers ask for records of denials and are answered once, now or when there
 * is something: so a flood of denials costs no more than they are willing to
 * read. Root's worker is told of everybody's, another's of its own user's.
 */
#ifndef CORDON_BROKER_FEED_H
#define CORDON_BROKER_FEED_H

#include "broker/caller.h"

#define FEED_WAITS_MAX 16384U /* of one caller */

/* An IPC_ASK. */
void feed_ask(struct caller *caller, const struct ipc_message *message);
/* Answers those who waited for a record about a job of @uid's, or for its end. */
void feed_wake(struct supervisor *supervisor, uint32_t uid, uint64_t job, bool ended);
/* Forgets what session @id, or with 0 any, waits for. */
void feed_forget(struct caller *caller, uint32_t id);

#endif
