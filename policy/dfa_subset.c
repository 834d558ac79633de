/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Subset construction. An item is a node of the tree with a guard: the node is
 * reached unless the bytes that follow make a well-formed character out of the
 * one that was taken alone (glob_set.h).
 */
#include <stdlib.h>
#include <string.h>

#include "policy/dfa.h"
#include "policy/dfa_items.h"
#include "policy/dfa_nfa.h"

/*
 * Member of the sets reached by a '/': another one changes nothing there, so that
 * a position after "/" is as good as the start for whoever asks what lies below.
 */
#define ITEM_SLASH UINT32_MAX
#define ITEM(node, guard) ((uint32_t)(node) << 3U | (uint32_t)(guard))
#define ITEM_NODE(item) ((item) >> 3U)
#define ITEM_GUARD(item) ((item)&7U)

/* What one state and one edge take in the table. */
#define STATE_BYTES 16U
#define EDGE_BYTES 8U

struct subset {
    const struct nfa *nfa;
    const struct glob_sets *sets;
    struct fsm *fsm;
    struct item_table table;          /* set n is state n */
    struct items from;                /* the state being expanded, a copy */
    struct items base;                /* what every byte but '/' leads to */
    struct items on[256];             /* per class: what it leads to besides */
    struct items scratch;             /* a set before it becomes a state */
    uint32_t target[256];             /* per class: the state it leads to */
    uint8_t guards[GUARD_COUNT][256]; /* per guard and class: glob_guard_step() */
    uint8_t slash;                    /* the class of '/' */
    uint64_t work;
};

/* Takes @node on @cls, seen from an item that holds under @guard. */
static void reach(struct subset *sub, uint8_t cls, uint32_t node, uint32_t guard, uint32_t own)
{
    const uint32_t left = sub->guards[guard][cls];

    if (left != GUARD_COUNT) {
        items_put(&sub->on[cls], ITEM(node, left != GUARD_NONE ? left : own));
    }
}

/* Takes @node on every byte but '/'. */
static void reach_all(struct subset *sub, uint32_t node, uint32_t guard)
{
    if (guard == GUARD_NONE) {
        items_put(&sub->base, ITEM(node, GUARD_NONE));
        return;
    }
    for (uint32_t cls = 0; cls < sub->fsm->classes; cls++) {
        if (cls != sub->slash) {
            reach(sub, (uint8_t)cls, node, guard, GUARD_NONE);
        }
    }
}

/* Takes @arc of the character that leads to @node. */
static void reach_arc(struct subset *sub, const struct glob_arc *arc, uint32_t node, uint32_t guard)
{
    int last = -1;

    for (unsigned byte = arc->lo; byte <= arc->hi; byte++) {
        const uint8_t cls = sub->fsm->class_of[byte];

        if (cls != last) {
            reach(sub, cls, node + arc->to, guard, arc->guard);
        }
        last = cls;
    }
}

static void reach_child(struct subset *sub, uint32_t child, uint32_t guard)
{
    const struct nfa_node *node = &sub->nfa->nodes[child];
    const struct glob_set *set;

    if (node->op == GLOB_BYTE) {
        reach(sub, sub->fsm->class_of[node->byte], child, guard, GUARD_NONE);
        return;
    }
    if (node->op == GLOB_NONSLASH) {
        reach_all(sub, child, guard);
        return;
    }
    set = &sub->sets->sets[node->link];
    for (size_t i = 0; i < set->arc_count; i++) {
        reach_arc(sub, &sub->sets->arcs[set->arc_first + i], child, guard);
    }
}

/* Puts what one item leads to in sub->base and sub->on. */
static void expand(struct subset *sub, uint32_t item)
{
    const uint32_t at = ITEM_NODE(item);
    const uint32_t guard = ITEM_GUARD(item);
    const struct nfa_node *node = &sub->nfa->nodes[at];

    if (node->op == NFA_INNER) {
        const struct glob_set *set = &sub->sets->sets[sub->nfa->nodes[node->link].link];

        reach_arc(sub, &sub->sets->inner[set->inner_first + node->sibling - 1], node->link, guard);
        return;
    }
    if (node->op == NFA_BELOW) {
        reach_all(sub, at, guard);
        reach(sub, sub->slash, node->link, guard, GUARD_NONE);
        return;
    }
    if (node->op == GLOB_STAR) {
        reach_all(sub, at, guard);
    } else if (node->op == GLOB_DEEP) {
        reach_all(sub, at + 1, guard);
    }
    for (uint32_t child = node->child; child != 0; child = sub->nfa->nodes[child].sibling) {
        sub->work++;
        reach_child(sub, child, guard);
    }
}

/* Adds an item, and what a star or a "**" behind it makes of it without a byte. */
static void close_item(struct subset *sub, uint32_t item)
{
    const struct nfa_node *node = &sub->nfa->nodes[ITEM_NODE(item)];

    items_put(&sub->scratch, item);
    if (node->star != 0) {
        close_item(sub, ITEM(node->star, ITEM_GUARD(item)));
    }
    if (node->deep != 0) {
        close_item(sub, ITEM(node->deep, ITEM_GUARD(item)));
    }
}

/*
 * The rule that is decided already, however the component goes on: its pattern
 * ends in a star that has been reached. Worse ones are of no interest from here
 * on, for a position remembers what it has passed.
 */
static uint32_t decided(const struct subset *sub)
{
    uint32_t rank = DFA_NO_RULE;

    for (size_t i = 0; i < sub->scratch.count; i++) {
        const uint32_t item = sub->scratch.data[i];
        const struct nfa_node *node = &sub->nfa->nodes[ITEM_NODE(item)];

        if (ITEM_GUARD(item) == GUARD_NONE && node->op == GLOB_STAR && node->rank < rank) {
            rank = node->rank;
        }
    }
    return rank;
}

/* Sorts; drops doubles, guarded items that hold unguarded too, and hopeless ones. */
static void tidy(struct subset *sub)
{
    struct items *items = &sub->scratch;
    const uint32_t rank = decided(sub);
    uint32_t unguarded = UINT32_MAX; /* the last node seen without a guard */
    uint32_t last = ITEM_SLASH;
    size_t kept = 0;

    items_sort(items);
    for (size_t i = 0; i < items->count; i++) {
        const uint32_t item = items->data[i];
        const uint32_t node = ITEM_NODE(item);

        if (item == last || node == unguarded || sub->nfa->nodes[node].best > rank) {
            continue;
        }
        last = item;
        unguarded = ITEM_GUARD(item) == GUARD_NONE ? node : unguarded;
        items->data[kept++] = item;
    }
    items->count = kept;
}

/* The state of the items in @one and @two (may be NULL) together. */
static enum cordon_err state_of(struct subset *sub, const struct items *one,
                                const struct items *two, bool slash, uint32_t *ret_state)
{
    sub->scratch.count = 0;
    for (size_t i = 0; i < one->count; i++) {
        close_item(sub, one->data[i]);
    }
    for (size_t i = 0; two != NULL && i < two->count; i++) {
        close_item(sub, two->data[i]);
    }
    if (one->failed || (two != NULL && two->failed)) {
        return CORDON_E_NOMEM;
    }
    sub->work += sub->scratch.count;
    tidy(sub);
    if (slash && sub->scratch.count > 0) {
        items_put(&sub->scratch, ITEM_SLASH);
    }
    return item_table_intern(&sub->table, &sub->scratch, ret_state);
}

/* Fills sub->target for the state whose items are in sub->from. */
static enum cordon_err find_targets(struct subset *sub, uint32_t state)
{
    const struct items *from = &sub->from;
    const bool after_slash = from->count > 0 && from->data[from->count - 1] == ITEM_SLASH;
    uint32_t plain = UINT32_MAX; /* where a class without items of its own leads */
    enum cordon_err err = CORDON_OK;

    sub->base.count = 0;
    for (uint32_t cls = 0; cls < sub->fsm->classes; cls++) {
        sub->on[cls].count = 0;
    }
    for (size_t i = 0; i < from->count - (after_slash ? 1U : 0U); i++) {
        expand(sub, from->data[i]);
    }
    for (uint32_t cls = 0; cls < sub->fsm->classes && err == CORDON_OK; cls++) {
        uint32_t *target = &sub->target[cls];

        if (cls == sub->slash && after_slash) {
            *target = state;
        } else if (cls == sub->slash) {
            err = state_of(sub, &sub->on[cls], NULL, true, target);
        } else if (sub->on[cls].count > 0 || sub->on[cls].failed) {
            err = state_of(sub, &sub->on[cls], &sub->base, false, target);
        } else if (plain != UINT32_MAX) {
            *target = plain;
        } else {
            err = state_of(sub, &sub->base, NULL, false, target);
            plain = *target;
        }
    }
    return err;
}

/* The commonest target, as far as a vote with one ballot box can tell. */
static uint32_t vote(const struct subset *sub)
{
    uint32_t leader = sub->target[0];
    uint32_t lead = 0;

    for (uint32_t cls = 0; cls < sub->fsm->classes; cls++) {
        if (lead == 0) {
            leader = sub->target[cls];
        }
        lead = sub->target[cls] == leader ? lead + 1 : lead - 1;
    }
    return leader;
}

static uint32_t rank_of(const struct subset *sub)
{
    uint32_t rank = DFA_NO_RULE;

    for (size_t i = 0; i < sub->from.count; i++) {
        const uint32_t item = sub->from.data[i];

        if (item != ITEM_SLASH && sub->nfa->nodes[ITEM_NODE(item)].rank < rank) {
            rank = sub->nfa->nodes[ITEM_NODE(item)].rank;
        }
    }
    return rank;
}

static enum cordon_err build_state(struct subset *sub, uint32_t state)
{
    size_t count;
    const uint32_t *items = item_table_set(&sub->table, state, &count);
    uint32_t fallback;
    enum cordon_err err;

    sub->from.count = 0;
    for (size_t i = 0; i < count; i++) {
        items_put(&sub->from, items[i]);
    }
    err = sub->from.failed ? CORDON_E_NOMEM : find_targets(sub, state);
    if (err != CORDON_OK) {
        return err;
    }
    fallback = vote(sub);
    err = fsm_state(sub->fsm, fallback, rank_of(sub));
    for (uint32_t cls = 0; cls < sub->fsm->classes && err == CORDON_OK; cls++) {
        if (sub->target[cls] != fallback) {
            err = fsm_edge(sub->fsm, (uint8_t)cls, sub->target[cls]);
        }
    }
    return err;
}

static enum cordon_err subset_init(struct subset *sub)
{
    const uint32_t root = ITEM(0, GUARD_NONE);
    uint32_t data[] = {root};
    const struct items start = {data, 1, 1, false};

    sub->slash = sub->fsm->class_of[(uint8_t)'/'];
    for (unsigned guard = 0; guard < GUARD_COUNT; guard++) {
        for (unsigned byte = 0; byte < 256; byte++) {
            sub->guards[guard][sub->fsm->class_of[byte]] =
                (uint8_t)glob_guard_step((enum glob_guard)guard, (uint8_t)byte);
        }
    }
    if (item_table_init(&sub->table) != CORDON_OK) {
        return CORDON_E_NOMEM;
    }
    return state_of(sub, &start, NULL, false, &sub->fsm->start);
}

/*
 * The rule whose nodes tell the most states apart: a node that is in half of
 * them counts most, one that is in all or hardly any counts nothing.
 */
static enum cordon_err blame(const struct subset *sub, uint32_t *ret_owner)
{
    const uint32_t nodes = sub->nfa->count;
    const double states = (double)sub->table.ends.count;
    uint32_t owners = 0;
    double *weight;
    uint32_t *seen = calloc(nodes, sizeof(*seen));

    for (uint32_t i = 0; i < nodes; i++) {
        owners = sub->nfa->nodes[i].owner >= owners ? sub->nfa->nodes[i].owner + 1 : owners;
    }
    weight = calloc(owners, sizeof(*weight));
    if (seen == NULL || weight == NULL) {
        free(seen);
        free(weight);
        return CORDON_E_NOMEM;
    }
    for (size_t i = 0; i < sub->table.pool.count; i++) {
        if (sub->table.pool.data[i] != ITEM_SLASH) {
            seen[ITEM_NODE(sub->table.pool.data[i])]++;
        }
    }
    *ret_owner = sub->nfa->nodes[nodes - 1].owner;
    for (uint32_t i = 0; i < nodes; i++) {
        const double share = (double)seen[i] / states;
        const uint32_t owner = sub->nfa->nodes[i].owner;

        weight[owner] += share * (1.0 - share);
        *ret_owner = weight[owner] > weight[*ret_owner] ? owner : *ret_owner;
    }
    free(seen);
    free(weight);
    return CORDON_OK;
}

static enum cordon_err subset_run(struct subset *sub, const struct nfa_limits *limits,
                                  uint32_t *ret_owner)
{
    enum cordon_err err = subset_init(sub);

    for (uint32_t state = 0; state < sub->table.ends.count && err == CORDON_OK; state++) {
        const uint64_t bytes =
            sub->table.ends.count * (uint64_t)STATE_BYTES + sub->fsm->edges * (uint64_t)EDGE_BYTES;

        if (bytes > limits->bytes || sub->work > limits->work) {
            err = blame(sub, ret_owner);
            return err == CORDON_OK ? CORDON_E_LIMIT : err;
        }
        err = build_state(sub, state);
    }
    return err;
}

enum cordon_err nfa_to_fsm(const struct nfa *nfa, const struct glob_sets *sets,
                           struct nfa_limits *limits, struct fsm *fsm, uint32_t *ret_owner)
{
    struct subset *sub = calloc(1, sizeof(*sub));
    enum cordon_err err;

    if (sub == NULL) {
        return CORDON_E_NOMEM;
    }
    sub->nfa = nfa;
    sub->sets = sets;
    sub->fsm = fsm;
    err = subset_run(sub, limits, ret_owner);
    limits->work -= sub->work < limits->work ? sub->work : limits->work;
    item_table_deinit(&sub->table);
    items_deinit(&sub->from);
    items_deinit(&sub->base);
    items_deinit(&sub->scratch);
    for (size_t i = 0; i < 256; i++) {
        items_deinit(&sub->on[i]);
    }
    free(sub);
    return err;
}
