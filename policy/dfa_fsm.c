/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/dfa_fsm.h"

#include <stdlib.h>
#include <string.h>

#include "policy/dfa_mem.h"

void fsm_deinit(struct fsm *fsm)
{
    free(fsm->fallback);
    free(fsm->rank);
    free(fsm->first);
    free(fsm->to);
    free(fsm->cls);
    memset(fsm, 0, sizeof(*fsm));
}

static enum cordon_err put32(uint32_t **array, size_t *cap, uint32_t at, uint32_t value)
{
    uint32_t *grown = mem_reserve(*array, cap, (size_t)at + 1, sizeof(*grown));

    if (grown == NULL) {
        return CORDON_E_NOMEM;
    }
    *array = grown;
    grown[at] = value;
    return CORDON_OK;
}

enum cordon_err fsm_state(struct fsm *fsm, uint32_t fallback, uint32_t rank)
{
    if (put32(&fsm->fallback, &fsm->fallback_cap, fsm->states, fallback) != CORDON_OK ||
        put32(&fsm->rank, &fsm->rank_cap, fsm->states, rank) != CORDON_OK ||
        put32(&fsm->first, &fsm->first_cap, fsm->states, fsm->edges) != CORDON_OK) {
        return CORDON_E_NOMEM;
    }
    fsm->states++;
    return CORDON_OK;
}

enum cordon_err fsm_edge(struct fsm *fsm, uint8_t cls, uint32_t to)
{
    uint8_t *classes = mem_reserve(fsm->cls, &fsm->cls_cap, (size_t)fsm->edges + 1, 1);

    if (classes == NULL) {
        return CORDON_E_NOMEM;
    }
    fsm->cls = classes;
    if (put32(&fsm->to, &fsm->to_cap, fsm->edges, to) != CORDON_OK) {
        return CORDON_E_NOMEM;
    }
    classes[fsm->edges++] = cls;
    return CORDON_OK;
}

enum cordon_err fsm_preds_init(const struct fsm *fsm, struct fsm_preds *preds)
{
    const size_t states = fsm->states;

    preds->first = calloc(states + 1, sizeof(*preds->first));
    preds->from = calloc(states + fsm->edges, sizeof(*preds->from));
    if (preds->first == NULL || preds->from == NULL) {
        fsm_preds_deinit(preds);
        return CORDON_E_NOMEM;
    }
    for (size_t s = 0; s < states; s++) {
        preds->first[fsm->fallback[s]]++;
    }
    for (size_t e = 0; e < fsm->edges; e++) {
        preds->first[fsm->to[e]]++;
    }
    for (size_t s = 1; s <= states; s++) {
        preds->first[s] += preds->first[s - 1];
    }
    /* Filling backwards turns each end into the beginning. */
    for (uint32_t s = fsm->states; s-- > 0;) {
        preds->from[--preds->first[fsm->fallback[s]]] = s;
        for (uint32_t e = fsm->first[s]; e < fsm_edges_end(fsm, s); e++) {
            preds->from[--preds->first[fsm->to[e]]] = s;
        }
    }
    return CORDON_OK;
}

void fsm_preds_deinit(struct fsm_preds *preds)
{
    free(preds->first);
    free(preds->from);
    preds->first = NULL;
    preds->from = NULL;
}
