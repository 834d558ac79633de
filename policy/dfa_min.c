/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Partition refinement in rounds. States begin in one block per rank; a round
 * looks again at those whose successors changed blocks in the round before, and
 * splits each block by where its members lead. The largest piece keeps the
 * block's number, so a state is looked at only O(log n) times per edge.
 */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "policy/dfa_fsm.h"

/* A state to look at, sortable. */
struct look {
    uint32_t block;
    uint32_t state;
    uint64_t sign; /* of the blocks it leads to, class by class */
};

/* A run of members. */
struct piece {
    uint32_t first;
    uint32_t count;
};

struct partition {
    const struct fsm *fsm;
    struct fsm_preds preds;
    uint32_t *block;   /* per state */
    uint32_t *members; /* all states, block by block */
    uint32_t *place;   /* per state: where in members */
    uint32_t *first;   /* per block: its first member */
    uint32_t *size;    /* per block */
    uint32_t blocks;
    struct look *looks; /* this round's */
    size_t look_count;
    struct piece *pieces; /* to be split off at the end of this round */
    size_t piece_count;
    bool *queued;     /* per state: among the next round's looks */
    uint64_t weights; /* of all classes */
    uint32_t row[256];
    uint32_t other[256];
};

static void partition_deinit(struct partition *part)
{
    fsm_preds_deinit(&part->preds);
    free(part->block);
    free(part->members);
    free(part->place);
    free(part->first);
    free(part->size);
    free(part->looks);
    free(part->pieces);
    free(part->queued);
}

/* The weight of a class in a sign: any odd number of its own. */
static uint64_t weight(uint32_t cls)
{
    return (2U * cls + 1U) * 0x94D049BB133111EBU;
}

static enum cordon_err partition_init(struct partition *part, const struct fsm *fsm)
{
    const size_t states = fsm->states;

    part->fsm = fsm;
    for (uint32_t cls = 0; cls < fsm->classes; cls++) {
        part->weights += weight(cls);
    }
    part->block = calloc(states, sizeof(*part->block));
    part->members = calloc(states, sizeof(*part->members));
    part->place = calloc(states, sizeof(*part->place));
    part->first = calloc(states, sizeof(*part->first));
    part->size = calloc(states, sizeof(*part->size));
    part->looks = calloc(states, sizeof(*part->looks));
    part->pieces = calloc(states, sizeof(*part->pieces));
    part->queued = calloc(states, sizeof(*part->queued));
    if (part->block == NULL || part->members == NULL || part->place == NULL ||
        part->first == NULL || part->size == NULL || part->looks == NULL || part->pieces == NULL ||
        part->queued == NULL) {
        return CORDON_E_NOMEM;
    }
    return fsm_preds_init(fsm, &part->preds);
}

static int look_order(const void *left, const void *right)
{
    const struct look *a = left;
    const struct look *b = right;

    if (a->block != b->block) {
        return a->block < b->block ? -1 : 1;
    }
    if (a->sign != b->sign) {
        return a->sign < b->sign ? -1 : 1;
    }
    return (a->state > b->state) - (a->state < b->state);
}

/* Where @state leads, block by class. */
static void row_of(const struct partition *part, uint32_t state, uint32_t row[256])
{
    const struct fsm *fsm = part->fsm;
    const uint32_t fallback = part->block[fsm->fallback[state]];

    for (uint32_t cls = 0; cls < fsm->classes; cls++) {
        row[cls] = fallback;
    }
    for (uint32_t e = fsm->first[state]; e < fsm_edges_end(fsm, state); e++) {
        row[fsm->cls[e]] = part->block[fsm->to[e]];
    }
}

/* Spreads a block's number over 64 bits. */
static uint64_t mixed(uint32_t block)
{
    uint64_t hash = (block + 1U) * 0x9E3779B97F4A7C15U;

    hash = (hash ^ hash >> 32U) * 0xD6E8FEB86659FD93U;
    return hash ^ hash >> 32U;
}

/* The sum over all classes, weighted; told from the edges alone. */
static uint64_t sign_of(const struct partition *part, uint32_t state)
{
    const struct fsm *fsm = part->fsm;
    const uint64_t fallback = mixed(part->block[fsm->fallback[state]]);
    uint64_t sign = fallback * part->weights;

    for (uint32_t e = fsm->first[state]; e < fsm_edges_end(fsm, state); e++) {
        sign += weight(fsm->cls[e]) * (mixed(part->block[fsm->to[e]]) - fallback);
    }
    return sign;
}

/* Compares with the state whose row is in part->row. */
static bool alike(struct partition *part, uint32_t state)
{
    row_of(part, state, part->other);
    return memcmp(part->row, part->other, part->fsm->classes * sizeof(part->row[0])) == 0;
}

/* The first blocks: the rank stands in for the sign. */
static void partition_start(struct partition *part)
{
    const struct fsm *fsm = part->fsm;

    for (uint32_t s = 0; s < fsm->states; s++) {
        part->looks[s] = (struct look){0, s, fsm->rank[s]};
    }
    qsort(part->looks, fsm->states, sizeof(*part->looks), look_order);
    for (uint32_t i = 0; i < fsm->states; i++) {
        const struct look *look = &part->looks[i];

        if (i == 0 || look->sign != part->looks[i - 1].sign) {
            part->first[part->blocks++] = i;
        }
        part->block[look->state] = part->blocks - 1;
        part->size[part->blocks - 1]++;
        part->members[i] = look->state;
        part->place[look->state] = i;
    }
    part->look_count = fsm->states;
}

static void member_at(struct partition *part, uint32_t place, uint32_t state)
{
    part->members[place] = state;
    part->place[state] = place;
}

/* Looked-at members come first in their block, in the order of the looks. */
static void bring_forward(struct partition *part, const struct look *looks, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t place = part->first[looks[i].block] + i;

        member_at(part, part->place[looks[i].state], part->members[place]);
        member_at(part, place, looks[i].state);
    }
}

/* Drops looks at members that still lead where those not looked at lead. */
static uint32_t drop_unchanged(struct partition *part, struct look *looks, uint32_t count)
{
    const uint32_t block = looks[0].block;
    uint32_t kept = 0;
    uint32_t rest;

    bring_forward(part, looks, count);
    if (count == part->size[block]) {
        return count;
    }
    rest = part->members[part->first[block] + count];
    row_of(part, rest, part->row);
    for (uint32_t i = 0; i < count; i++) {
        if (!alike(part, looks[i].state)) {
            looks[kept++] = looks[i];
        }
    }
    bring_forward(part, looks, kept);
    return kept;
}

/*
 * Cuts one block into pieces: members that are looked at by where they lead, and
 * the rest. The largest stays; the others are noted. Nothing gets its new number
 * before the round is over, so that all rows of a round are told in the same terms.
 */
static void cut_block(struct partition *part, struct look *looks, uint32_t count)
{
    const uint32_t block = looks[0].block;
    const uint32_t first = part->first[block];
    const uint32_t looked = drop_unchanged(part, looks, count);
    struct piece largest = {first + looked, part->size[block] - looked};
    struct piece piece;

    for (uint32_t at = 0; at < looked; at += piece.count) {
        piece = (struct piece){first + at, 1};
        row_of(part, looks[at].state, part->row);
        while (at + piece.count < looked && looks[at + piece.count].sign == looks[at].sign &&
               alike(part, looks[at + piece.count].state)) {
            piece.count++;
        }
        if (piece.count > largest.count) {
            const struct piece swap = largest;

            largest = piece;
            piece.first = swap.first;
            part->pieces[part->piece_count] = swap;
            part->piece_count += swap.count > 0 ? 1U : 0U;
        } else {
            part->pieces[part->piece_count++] = piece;
        }
    }
    part->first[block] = largest.first;
    part->size[block] = largest.count;
}

static void queue_preds(struct partition *part, uint32_t state)
{
    for (uint32_t i = part->preds.first[state]; i < part->preds.first[state + 1]; i++) {
        const uint32_t from = part->preds.from[i];

        if (!part->queued[from]) {
            part->queued[from] = true;
            part->looks[part->look_count++].state = from;
        }
    }
}

/* Gives the pieces cut in this round numbers, and looks at whoever leads to them. */
static void number_pieces(struct partition *part)
{
    part->look_count = 0;
    memset(part->queued, 0, part->fsm->states * sizeof(*part->queued));
    for (size_t i = 0; i < part->piece_count; i++) {
        const struct piece piece = part->pieces[i];
        const uint32_t block = part->blocks++;

        part->first[block] = piece.first;
        part->size[block] = piece.count;
        for (uint32_t at = piece.first; at < piece.first + piece.count; at++) {
            part->block[part->members[at]] = block;
            queue_preds(part, part->members[at]);
        }
    }
}

static void refine(struct partition *part)
{
    while (part->look_count > 0) {
        uint32_t end;

        for (size_t i = 0; i < part->look_count; i++) {
            struct look *look = &part->looks[i];

            look->block = part->block[look->state];
            look->sign = sign_of(part, look->state);
        }
        qsort(part->looks, part->look_count, sizeof(*part->looks), look_order);
        part->piece_count = 0;
        for (uint32_t at = 0; at < part->look_count; at = end) {
            for (end = at + 1;
                 end < part->look_count && part->looks[end].block == part->looks[at].block; end++) {
            }
            cut_block(part, part->looks + at, end - at);
        }
        number_pieces(part);
    }
}

/* Numbers the blocks breadth first from the start; *order: a state of each, 0 the dead one's. */
static void order_blocks(const struct partition *part, uint32_t *number, uint32_t *order)
{
    const struct fsm *fsm = part->fsm;
    uint32_t count = 0;

    for (uint32_t b = 0; b < part->blocks; b++) {
        number[b] = UINT32_MAX;
    }
    number[part->block[FSM_DEAD]] = count;
    order[count++] = FSM_DEAD;
    if (number[part->block[fsm->start]] == UINT32_MAX) {
        number[part->block[fsm->start]] = count;
        order[count++] = fsm->start;
    }
    for (uint32_t at = 0; at < count; at++) {
        const uint32_t state = order[at];

        for (uint32_t e = fsm->first[state]; e <= fsm_edges_end(fsm, state); e++) {
            const bool edge = e < fsm_edges_end(fsm, state);
            const uint32_t to = edge ? fsm->to[e] : fsm->fallback[state];

            if (number[part->block[to]] == UINT32_MAX) {
                number[part->block[to]] = count;
                order[count++] = to;
            }
        }
    }
}

static enum cordon_err emit_blocks(const struct partition *part, const uint32_t *number,
                                   const uint32_t *order, struct fsm *ret)
{
    const struct fsm *fsm = part->fsm;
    enum cordon_err err = CORDON_OK;

    for (uint32_t at = 0; at < part->blocks && err == CORDON_OK; at++) {
        const uint32_t state = order[at];
        const uint32_t fallback = number[part->block[fsm->fallback[state]]];

        err = fsm_state(ret, fallback, fsm->rank[state]);
        for (uint32_t e = fsm->first[state]; e < fsm_edges_end(fsm, state) && err == CORDON_OK;
             e++) {
            const uint32_t to = number[part->block[fsm->to[e]]];

            err = to == fallback ? CORDON_OK : fsm_edge(ret, fsm->cls[e], to);
        }
    }
    return err;
}

static enum cordon_err quotient(const struct partition *part, struct fsm *ret)
{
    const struct fsm *fsm = part->fsm;
    uint32_t *number = calloc(part->blocks, sizeof(*number));
    uint32_t *order = calloc(part->blocks, sizeof(*order));
    enum cordon_err err = CORDON_E_NOMEM;

    if (number != NULL && order != NULL) {
        order_blocks(part, number, order);
        memcpy(ret->class_of, fsm->class_of, sizeof(ret->class_of));
        ret->classes = fsm->classes;
        ret->start = number[part->block[fsm->start]];
        err = emit_blocks(part, number, order, ret);
    }
    free(number);
    free(order);
    return err;
}

enum cordon_err fsm_minimise(struct fsm *fsm)
{
    struct partition *part = calloc(1, sizeof(*part));
    struct fsm small;
    enum cordon_err err;

    if (part == NULL) {
        return CORDON_E_NOMEM;
    }
    memset(&small, 0, sizeof(small));
    err = partition_init(part, fsm);
    if (err == CORDON_OK) {
        partition_start(part);
        refine(part);
        err = quotient(part, &small);
    }
    partition_deinit(part);
    free(part);
    if (err != CORDON_OK) {
        fsm_deinit(&small);
        return err;
    }
    fsm_deinit(fsm);
    *fsm = small;
    return CORDON_OK;
}
