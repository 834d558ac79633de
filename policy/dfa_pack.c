/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Row displacement: all rows share one array of cells, each shifted so that its
 * few own cells fall where no other row has any. Long rows are placed first;
 * rows of one cell then fill the holes.
 */
#include "policy/dfa_pack.h"

#include <stdlib.h>
#include <string.h>

#include "policy/dfa_mem.h"

/* Cells looked at for a row of several, before it goes to the end. */
#define SCAN_MAX 256U
#define ROW_MAX 256U

struct packing {
    const struct fsm *fsm;
    struct packed *out;
    uint32_t *order; /* states, those with most edges first */
    uint32_t lowest; /* no free cell lies before it */
    uint32_t end;    /* no used cell lies at or behind it */
};

static uint32_t edge_count(const struct fsm *fsm, uint32_t state)
{
    return fsm_edges_end(fsm, state) - fsm->first[state];
}

/* Counting sort by the number of edges, descending, stable. */
static void order_rows(const struct packing *packing)
{
    const struct fsm *fsm = packing->fsm;
    uint32_t begin[ROW_MAX + 2] = {0};

    for (uint32_t s = 0; s < fsm->states; s++) {
        begin[ROW_MAX - edge_count(fsm, s) + 1]++;
    }
    for (uint32_t i = 1; i < ROW_MAX + 2; i++) {
        begin[i] += begin[i - 1];
    }
    for (uint32_t s = 0; s < fsm->states; s++) {
        packing->order[begin[ROW_MAX - edge_count(fsm, s)]++] = s;
    }
}

/* Free cells up to @count. */
static enum cordon_err cells_reserve(struct packed *out, size_t count)
{
    struct dfa_cell *cells = mem_reserve(out->cells, &out->cell_cap, count, sizeof(*cells));

    if (cells == NULL) {
        return CORDON_E_NOMEM;
    }
    out->cells = cells;
    while (out->part.cells < count) {
        cells[out->part.cells++] = (struct dfa_cell){DFA_CELL_FREE, FSM_DEAD};
    }
    return CORDON_OK;
}

static bool fits(const struct packing *packing, uint32_t state, uint32_t base)
{
    const struct fsm *fsm = packing->fsm;

    for (uint32_t e = fsm->first[state]; e < fsm_edges_end(fsm, state); e++) {
        const uint32_t at = base + fsm->cls[e];

        if (at < packing->out->part.cells && packing->out->cells[at].state != DFA_CELL_FREE) {
            return false;
        }
    }
    return true;
}

static uint32_t least_class(const struct fsm *fsm, uint32_t state)
{
    uint32_t least = UINT8_MAX;

    for (uint32_t e = fsm->first[state]; e < fsm_edges_end(fsm, state); e++) {
        least = fsm->cls[e] < least ? fsm->cls[e] : least;
    }
    return least;
}

/* The base of a row with edges: the first that fits, or behind everything. */
static uint32_t find_base(struct packing *packing, uint32_t state)
{
    const uint32_t least = least_class(packing->fsm, state);
    const bool single = edge_count(packing->fsm, state) == 1;
    uint32_t scanned = 0;

    while (packing->lowest < packing->end &&
           packing->out->cells[packing->lowest].state != DFA_CELL_FREE) {
        packing->lowest++;
    }
    for (uint32_t at = packing->lowest; at < packing->end && (single || scanned < SCAN_MAX); at++) {
        if (packing->out->cells[at].state == DFA_CELL_FREE && fits(packing, state, at - least)) {
            return at - least;
        }
        scanned++;
    }
    return packing->end - least;
}

static enum cordon_err place_row(struct packing *packing, uint32_t state)
{
    const struct fsm *fsm = packing->fsm;
    struct packed *out = packing->out;
    const uint32_t base = edge_count(fsm, state) == 0 ? 0 : find_base(packing, state);
    enum cordon_err err = cells_reserve(out, (size_t)base + fsm->classes);

    if (err != CORDON_OK) {
        return err;
    }
    out->states[state].base = base;
    for (uint32_t e = fsm->first[state]; e < fsm_edges_end(fsm, state); e++) {
        const uint32_t at = base + fsm->cls[e];

        out->cells[at] = (struct dfa_cell){state, fsm->to[e]};
        packing->end = at >= packing->end ? at + 1 : packing->end;
    }
    return CORDON_OK;
}

static int rank_order(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left;
    const uint64_t b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

/* Spreads @rank from a state to all that lead to it and have no better one. */
static void spread(struct packed *out, const struct fsm_preds *preds, uint32_t *stack,
                   uint32_t state, uint32_t rank)
{
    size_t depth = 0;

    out->states[state].best = rank;
    stack[depth++] = state;
    while (depth > 0) {
        const uint32_t at = stack[--depth];

        for (uint32_t i = preds->first[at]; i < preds->first[at + 1]; i++) {
            struct dfa_state *from = &out->states[preds->from[i]];

            if (from->best == DFA_NO_RULE) {
                from->best = rank;
                stack[depth++] = preds->from[i];
            }
        }
    }
}

/* Sets what is the best that each state can lead to: in order of rank, backwards. */
static enum cordon_err find_best(const struct fsm *fsm, struct packed *out)
{
    struct fsm_preds preds = {NULL, NULL};
    uint64_t *by_rank = calloc(fsm->states, sizeof(*by_rank));
    uint32_t *stack = calloc(fsm->states, sizeof(*stack));
    enum cordon_err err = fsm_preds_init(fsm, &preds);

    if (err == CORDON_OK && by_rank != NULL && stack != NULL) {
        for (uint32_t s = 0; s < fsm->states; s++) {
            by_rank[s] = (uint64_t)fsm->rank[s] << 32U | s;
        }
        qsort(by_rank, fsm->states, sizeof(*by_rank), rank_order);
        for (uint32_t i = 0; i < fsm->states; i++) {
            const uint32_t rank = (uint32_t)(by_rank[i] >> 32U);
            const uint32_t state = (uint32_t)by_rank[i];

            if (rank != DFA_NO_RULE && out->states[state].best == DFA_NO_RULE) {
                spread(out, &preds, stack, state, rank);
            }
        }
    } else {
        err = CORDON_E_NOMEM;
    }
    fsm_preds_deinit(&preds);
    free(by_rank);
    free(stack);
    return err;
}

enum cordon_err fsm_pack(const struct fsm *fsm, struct packed *packed)
{
    /* With the first cells left out any free cell suits a row of one, whatever its class. */
    struct packing packing = {
        .fsm = fsm, .out = packed, .lowest = fsm->classes, .end = fsm->classes};
    enum cordon_err err = CORDON_OK;

    packed->states = calloc(fsm->states, sizeof(*packed->states));
    packing.order = calloc(fsm->states, sizeof(*packing.order));
    if (packed->states == NULL || packing.order == NULL) {
        free(packing.order);
        return CORDON_E_NOMEM;
    }
    packed->part.states = fsm->states;
    packed->part.start = fsm->start;
    packed->part.classes = fsm->classes;
    memcpy(packed->part.class_of, fsm->class_of, sizeof(packed->part.class_of));
    for (uint32_t s = 0; s < fsm->states; s++) {
        packed->states[s] = (struct dfa_state){0, fsm->fallback[s], fsm->rank[s], DFA_NO_RULE};
    }
    order_rows(&packing);
    for (uint32_t i = 0; i < fsm->states && err == CORDON_OK; i++) {
        err = place_row(&packing, packing.order[i]);
    }
    free(packing.order);
    return err == CORDON_OK ? find_best(fsm, packed) : err;
}

uint64_t packed_size(const struct packed *packed)
{
    return (uint64_t)packed->part.states * sizeof(struct dfa_state) +
           (uint64_t)packed->part.cells * sizeof(struct dfa_cell);
}

void packed_deinit(struct packed *packed)
{
    free(packed->states);
    free(packed->cells);
    memset(packed, 0, sizeof(*packed));
}
