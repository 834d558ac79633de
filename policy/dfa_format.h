/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The block that dfa.h calls a table. Private to dfa*.c and to whoever walks it
 * elsewhere (the kernel's program). All numbers in host order; offsets from the
 * start of the block, multiples of 8.
 *
 *   struct dfa, then the rule ids by rank (0 is the strongest), then for each
 *   part its states and its cells.
 *
 * A step: the state's row begins at cell @base; the cell of the byte's class is
 * the state's own if it names the state, and leads to @next; otherwise the step
 * leads to @fallback. On every '/' the rank of the state before the step is
 * kept, if it is the best so far: it covers all that lies below.
 */
#ifndef CORDON_POLICY_DFA_FORMAT_H
#define CORDON_POLICY_DFA_FORMAT_H

#include <stdint.h>

#include "policy/dfa.h"

#define DFA_MAGIC 0x41464443U /* "CDFA" read as little-endian */
#define DFA_VERSION 1U
#define DFA_CELL_FREE UINT32_MAX

struct dfa_state {
    uint32_t base;     /* base + any class is a cell */
    uint32_t fallback; /* a state */
    uint32_t rank;     /* of the rule whose path ends here; DFA_NO_RULE */
    uint32_t best;     /* least rank that any continuation can reach; DFA_NO_RULE */
};

struct dfa_cell {
    uint32_t state; /* whose row this cell belongs to; DFA_CELL_FREE */
    uint32_t next;  /* a state */
};

struct dfa_part {
    uint32_t states_off;
    uint32_t states; /* 0: no such part */
    uint32_t cells_off;
    uint32_t cells;
    uint32_t start;
    uint32_t classes; /* 1..256 */
    uint8_t class_of[256];
};

struct dfa {
    uint32_t magic;
    uint32_t version;
    uint64_t size; /* of the whole block */
    uint32_t ranks;
    uint32_t ranks_off;
    struct dfa_part part[DFA_PARTS];
};

#endif
