/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One automaton on its way from the patterns to the table. Private to dfa*.c.
 * State 0 is dead: nothing leads out of it, nothing is decided there. Each state
 * has a fallback for every class of bytes that none of its edges names.
 */
#ifndef CORDON_POLICY_DFA_FSM_H
#define CORDON_POLICY_DFA_FSM_H

#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"

#define FSM_DEAD 0U

struct fsm {
    uint32_t states;
    uint32_t start;
    uint32_t classes;
    uint32_t edges;
    uint8_t class_of[256]; /* of a byte */
    uint32_t *fallback;    /* per state */
    uint32_t *rank;        /* per state: the best rule whose path ends here, DFA_NO_RULE if none */
    uint32_t *first;       /* per state: its first edge; edges end where the next state's begin */
    uint32_t *to;          /* per edge */
    uint8_t *cls;          /* per edge: the class it is taken on */
    size_t fallback_cap;
    size_t rank_cap;
    size_t first_cap;
    size_t to_cap;
    size_t cls_cap;
};

/* An automaton without states; a zeroed one is released likewise. */
void fsm_deinit(struct fsm *fsm);

/* Appends a state; its edges are appended next. CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err fsm_state(struct fsm *fsm, uint32_t fallback, uint32_t rank);

/* Appends an edge to the state appended last. CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err fsm_edge(struct fsm *fsm, uint8_t cls, uint32_t to);

static inline uint32_t fsm_edges_end(const struct fsm *fsm, uint32_t state)
{
    return state + 1 < fsm->states ? fsm->first[state + 1] : fsm->edges;
}

/* For each state those that lead to it, as often as they do. */
struct fsm_preds {
    uint32_t *first; /* per state and one more */
    uint32_t *from;
};

CORDON_MUST_USE enum cordon_err fsm_preds_init(const struct fsm *fsm, struct fsm_preds *preds);
void fsm_preds_deinit(struct fsm_preds *preds);

/*
 * Replaces *fsm by the smallest automaton that decides the same, its states
 * numbered breadth first. CORDON_E_NOMEM.
 */
CORDON_MUST_USE enum cordon_err fsm_minimise(struct fsm *fsm);

#endif
