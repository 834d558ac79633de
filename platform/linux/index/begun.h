/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs that were made ahead and have got their command: in the memory that the supervisor and
 * cordon-index share (store_send() in index_start.c), at its start. So nobody has to be woken to
 * hear that a job begins, and should cordon-index die, the next one finds who had begun.
 *
 * The supervisor enters a job before it lets it go. Cordon-index takes it out, once all that its
 * guard saw is taken in; the supervisor one whose command never ran.
 */
#ifndef CORDON_LINUX_INDEX_BEGUN_H
#define CORDON_LINUX_INDEX_BEGUN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "platform/linux/index/hold.h"

struct begun_job {
    uint32_t pid; /* of its pid 1, as the host sees it; 0: the place is free */
    uint32_t uid;
    uint32_t lost; /* it had begun when the cordon-index that held it died */
};

struct begun {
    struct begun_job jobs[HOLD_MAX];
};

#define BEGUN_BYTES sizeof(struct begun) /* a multiple of the page */

/* The supervisor's. False: there is no room, or the last process of that pid is still in. */
bool begun_add(struct begun *begun, pid_t pid, uint32_t uid);
/* The supervisor's, before the next cordon-index has the memory: that takes these out, no other. */
void begun_lose(struct begun *begun);
/* Nothing happens to one that is not in. */
void begun_remove(struct begun *begun, pid_t pid);
bool begun_has(const struct begun *begun, pid_t pid);

#endif
