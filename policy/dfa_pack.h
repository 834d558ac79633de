/* SPDX-License-Identifier: Apache-2.0 */
/* From automata to the block of dfa_format.h. Private to dfa*.c. */
#ifndef CORDON_POLICY_DFA_PACK_H
#define CORDON_POLICY_DFA_PACK_H

#include "policy/dfa_format.h"
#include "policy/dfa_fsm.h"

/* One automaton laid out; its arrays are owned. */
struct packed {
    struct dfa_state *states;
    struct dfa_cell *cells;
    size_t cell_cap;
    struct dfa_part part; /* the offsets are not set */
};

CORDON_MUST_USE enum cordon_err fsm_pack(const struct fsm *fsm, struct packed *packed);
void packed_deinit(struct packed *packed);

/* Bytes of it in the block. */
uint64_t packed_size(const struct packed *packed);

#endif
