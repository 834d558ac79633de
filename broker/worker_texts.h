/* SPDX-License-Identifier: Apache-2.0 */
/* Lines for the caller that a job's worker makes of policy and plan. */
#ifndef CORDON_BROKER_WORKER_TEXTS_H
#define CORDON_BROKER_WORKER_TEXTS_H

#include "platform/platform.h"
#include "proto/message.h"

/* The plan's notices, after @first (NULL: none), in @arena; as many as STARTED takes. */
void texts_notices(const struct plan *plan, char *first, struct arena *arena,
                   struct msg_list *ret_notices);

/* For each limit in force, why a job that reached it was ended; NULL where there is none. */
void texts_limits(const struct policy_limits *limits, struct arena *arena,
                  const char *ret_texts[POLICY_LIMIT_COUNT]);

#endif
