/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/dfa_nfa.h"

#include <stdlib.h>
#include <string.h>

#include "policy/dfa.h"
#include "policy/dfa_mem.h"

/* Three bits of an item are its guard; see dfa_subset.c. */
#define NFA_NODES_MAX (1U << 28U)

/* Appends @count nodes entered alike; the index of the first, or 0. */
static uint32_t nfa_new(struct nfa *nfa, uint32_t count, uint8_t op, uint32_t owner)
{
    const uint32_t first = nfa->count;
    struct nfa_node *nodes;

    if (count > NFA_NODES_MAX - nfa->count) {
        return 0;
    }
    nodes = mem_reserve(nfa->nodes, &nfa->cap, (size_t)nfa->count + count, sizeof(*nodes));
    if (nodes == NULL) {
        return 0;
    }
    nfa->nodes = nodes;
    memset(nodes + first, 0, count * sizeof(*nodes));
    for (uint32_t i = first; i < first + count; i++) {
        nodes[i].op = op;
        nodes[i].owner = owner;
        nodes[i].rank = DFA_NO_RULE;
    }
    nfa->count += count;
    return first;
}

/* A node entered by one character of a set, and the nodes within the character. */
static uint32_t new_char(struct nfa *nfa, const struct glob_sets *sets, uint32_t set,
                         uint32_t owner)
{
    const uint32_t inner = (uint32_t)sets->sets[set].inner_count;
    const uint32_t node = nfa_new(nfa, 1 + inner, NFA_INNER, owner);

    if (node == 0) {
        return 0;
    }
    nfa->nodes[node].op = GLOB_CHAR;
    nfa->nodes[node].link = set;
    for (uint32_t i = 1; i <= inner; i++) {
        nfa->nodes[node + i].link = node;
        nfa->nodes[node + i].sibling = i;
    }
    return node;
}

static uint32_t new_deep(struct nfa *nfa, uint32_t owner)
{
    const uint32_t node = nfa_new(nfa, 2, GLOB_DEEP, owner);

    if (node != 0) {
        nfa->nodes[node + 1].op = NFA_BELOW;
        nfa->nodes[node + 1].link = node;
    }
    return node;
}

static bool same_token(const struct nfa_node *node, const struct glob_token *token)
{
    if (node->op != token->op) {
        return false;
    }
    return token->op == GLOB_BYTE ? node->byte == token->byte
                                  : token->op != GLOB_CHAR || node->link == token->set;
}

static uint32_t find_child(const struct nfa *nfa, uint32_t at, const struct glob_token *token)
{
    uint32_t child = nfa->nodes[at].child;

    if (token->op == GLOB_STAR) {
        return nfa->nodes[at].star;
    }
    if (token->op == GLOB_DEEP) {
        return nfa->nodes[at].deep;
    }
    while (child != 0 && !same_token(&nfa->nodes[child], token)) {
        child = nfa->nodes[child].sibling;
    }
    return child;
}

static uint32_t add_child(struct nfa *nfa, const struct glob_sets *sets, uint32_t at,
                          const struct glob_token *token, uint32_t owner)
{
    uint32_t node;

    if (token->op == GLOB_CHAR) {
        node = new_char(nfa, sets, token->set, owner);
    } else if (token->op == GLOB_DEEP) {
        node = new_deep(nfa, owner);
    } else {
        node = nfa_new(nfa, 1, token->op, owner);
    }
    if (node == 0) {
        return 0;
    }
    if (token->op == GLOB_STAR) {
        nfa->nodes[at].star = node;
    } else if (token->op == GLOB_DEEP) {
        nfa->nodes[at].deep = node;
    } else {
        nfa->nodes[node].byte = token->byte;
        nfa->nodes[node].sibling = nfa->nodes[at].child;
        nfa->nodes[at].child = node;
    }
    return node;
}

enum cordon_err nfa_add(struct nfa *nfa, const struct glob_sets *sets,
                        const struct glob_spelling *spelling, uint32_t rank, uint32_t owner)
{
    uint32_t at = 0;

    /* The root is node 0, so a failure to make it shows in the count alone. */
    if (nfa->count == 0) {
        (void)nfa_new(nfa, 1, NFA_ROOT, owner);
        if (nfa->count == 0) {
            return CORDON_E_NOMEM;
        }
    }
    for (size_t i = 0; i < spelling->count; i++) {
        uint32_t child = find_child(nfa, at, &spelling->tokens[i]);

        if (child == 0) {
            child = add_child(nfa, sets, at, &spelling->tokens[i], owner);
        }
        if (child == 0) {
            return CORDON_E_NOMEM;
        }
        at = child;
    }
    if (rank < nfa->nodes[at].rank) {
        nfa->nodes[at].rank = rank;
    }
    return CORDON_OK;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

void nfa_finish(struct nfa *nfa)
{
    /* Children come after their parents, so one pass backwards sees them first. */
    for (uint32_t i = nfa->count; i-- > 0;) {
        struct nfa_node *node = &nfa->nodes[i];

        node->best = node->rank;
        if (node->star != 0) {
            node->best = least(node->best, nfa->nodes[node->star].best);
        }
        if (node->deep != 0) {
            node->best = least(node->best, nfa->nodes[node->deep].best);
        }
        for (uint32_t c = node->child; c != 0; c = nfa->nodes[c].sibling) {
            node->best = least(node->best, nfa->nodes[c].best);
        }
    }
    for (uint32_t i = 0; i < nfa->count; i++) {
        struct nfa_node *node = &nfa->nodes[i];

        if (node->op == NFA_INNER || node->op == NFA_BELOW) {
            node->best = nfa->nodes[node->link].best;
        }
    }
}

void nfa_deinit(struct nfa *nfa)
{
    free(nfa->nodes);
    memset(nfa, 0, sizeof(*nfa));
}

static void split_at(bool cut[257], unsigned lo, unsigned hi)
{
    cut[lo] = true;
    cut[hi + 1] = true;
}

static void split_at_set(bool cut[257], const struct glob_sets *sets, uint32_t index)
{
    const struct glob_set *set = &sets->sets[index];

    for (size_t i = 0; i < set->arc_count; i++) {
        split_at(cut, sets->arcs[set->arc_first + i].lo, sets->arcs[set->arc_first + i].hi);
    }
    for (size_t i = 0; i < set->inner_count; i++) {
        split_at(cut, sets->inner[set->inner_first + i].lo, sets->inner[set->inner_first + i].hi);
    }
    /* What a guard tells apart. */
    split_at(cut, 0x80, 0x8F);
    split_at(cut, 0x90, 0x9F);
    split_at(cut, 0xA0, 0xBF);
}

void nfa_classes(const struct nfa *nfa, const struct glob_sets *sets, bool fold_case,
                 struct fsm *fsm)
{
    bool cut[257] = {false};
    uint8_t raw[256];
    int final[256];
    unsigned count = 0;

    split_at(cut, '/', '/');
    for (uint32_t i = 0; i < nfa->count; i++) {
        if (nfa->nodes[i].op == GLOB_BYTE) {
            split_at(cut, nfa->nodes[i].byte, nfa->nodes[i].byte);
        } else if (nfa->nodes[i].op == GLOB_CHAR) {
            split_at_set(cut, sets, nfa->nodes[i].link);
        }
    }
    for (unsigned b = 0; b < 256; b++) {
        count += b > 0 && cut[b] ? 1U : 0U;
        raw[b] = (uint8_t)count;
        final[b] = -1;
    }
    count = 0;
    for (unsigned b = 0; b < 256; b++) {
        const unsigned like = fold_case && b >= 'A' && b <= 'Z' ? b + ('a' - 'A') : b;

        if (final[raw[like]] < 0) {
            final[raw[like]] = (int)count++;
        }
        fsm->class_of[b] = (uint8_t) final[raw[like]];
    }
    fsm->classes = count;
}

enum cordon_err nfa_tree_to_fsm(const struct nfa *nfa, struct fsm *fsm)
{
    const uint8_t slash = fsm->class_of[(uint8_t)'/'];
    enum cordon_err err = fsm_state(fsm, FSM_DEAD, DFA_NO_RULE);

    for (uint32_t i = 0; i < nfa->count && err == CORDON_OK; i++) {
        const struct nfa_node *node = &nfa->nodes[i];

        err = fsm_state(fsm, FSM_DEAD, node->rank);
        /* "//" is as good as "/", here as in dfa_subset.c. */
        if (err == CORDON_OK && node->op == GLOB_BYTE && node->byte == '/') {
            err = fsm_edge(fsm, slash, i + 1);
        }
        for (uint32_t c = node->child; c != 0 && err == CORDON_OK; c = nfa->nodes[c].sibling) {
            err = fsm_edge(fsm, fsm->class_of[nfa->nodes[c].byte], c + 1);
        }
    }
    fsm->start = 1;
    return err;
}
