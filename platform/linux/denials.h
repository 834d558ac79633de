/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a job's guard reports, as the supervisor receives it. A record that does
 * not fit into the socket's buffer is not waited for; so that none is lost from
 * the count, the guard also counts in a page of memory shared with us, which
 * outlives it however it ends.
 */
#ifndef CORDON_LINUX_DENIALS_H
#define CORDON_LINUX_DENIALS_H

#include <stdint.h>

#include "platform/ipc.h"

struct denials {
    int channel;           /* to receive from, not blocking; -1: nothing comes any more */
    const uint64_t *tally; /* mapped; of all denials so far; NULL: none are counted */
    uint64_t told;         /* denials that were handed on, with or without a record */
};

/* The guard's ends, INIT_FD_VIOLATIONS and INIT_FD_TALLY, are the caller's. CORDON_E_OS. */
CORDON_MUST_USE enum cordon_err denials_open(struct denials *denials, int *ret_channel,
                                             int *ret_tally, struct cordon_fault *fault);
void denials_close(struct denials *denials); /* zeroed but channel -1 is allowed */

/*
 * The next record, checked; @path is terminated. What is malformed is skipped, and so counts as
 * lost. CORDON_E_AGAIN; CORDON_E_CLOSED: there will be none, @channel may be closed.
 */
CORDON_MUST_USE enum cordon_err denials_receive(struct denials *denials,
                                                struct ipc_violation *ret_violation);
/* Once the guard is dead and nothing is left to receive: a record that only counts, or _AGAIN. */
CORDON_MUST_USE enum cordon_err denials_rest(struct denials *denials,
                                             struct ipc_violation *ret_violation);

/* The same of any count: @count denials, of which *told are told. */
CORDON_MUST_USE enum cordon_err denials_count(uint64_t count, uint64_t *told,
                                              struct ipc_violation *ret_violation);

#endif
