/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The patterns of one automaton as a tree of tokens: equal beginnings are one
 * path, so that ten thousand rules below one "**" share its states.
 * Private to dfa*.c.
 */
#ifndef CORDON_POLICY_DFA_NFA_H
#define CORDON_POLICY_DFA_NFA_H

#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"
#include "policy/dfa_fsm.h"
#include "policy/glob.h"

/* How a node is entered: an enum glob_op, or from within a token. */
enum nfa_op {
    NFA_INNER = GLOB_DEEP + 1, /* within a character; @link: the node after it */
    NFA_BELOW,                 /* within a component that a GLOB_DEEP passes; @link: its node */
    NFA_ROOT
};

/* Nodes are numbered from 0, the root; as a reference to a child 0 means none. */
struct nfa_node {
    uint32_t child;   /* the first of those entered by bytes */
    uint32_t sibling; /* the parent's next such child; NFA_INNER: which inner step, from 1 */
    uint32_t star;    /* child entered by GLOB_STAR */
    uint32_t deep;    /* child entered by GLOB_DEEP; its NFA_BELOW is the node after it */
    uint32_t rank;    /* best rule that ends here */
    uint32_t best;    /* best rule that ends here or below; set by nfa_finish() */
    uint32_t owner;   /* the rule that made it */
    uint32_t link;    /* GLOB_CHAR: the set; its inner nodes follow it */
    uint8_t op;
    uint8_t byte;
};

struct nfa {
    struct nfa_node *nodes;
    uint32_t count;
    size_t cap;
};

/* Adds one spelling of rule @owner, which ranks @rank. CORDON_E_NOMEM, CORDON_E_LIMIT. */
CORDON_MUST_USE enum cordon_err nfa_add(struct nfa *nfa, const struct glob_sets *sets,
                                        const struct glob_spelling *spelling, uint32_t rank,
                                        uint32_t owner);

/* Call once all is added. */
void nfa_finish(struct nfa *nfa);
void nfa_deinit(struct nfa *nfa);

/* Sets the classes of @fsm: bytes that no node tells apart share one. */
void nfa_classes(const struct nfa *nfa, const struct glob_sets *sets, bool fold_case,
                 struct fsm *fsm);

/* An automaton of literal patterns only is its own tree. CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err nfa_tree_to_fsm(const struct nfa *nfa, struct fsm *fsm);

/* Bounds of one subset construction. */
struct nfa_limits {
    uint64_t bytes; /* of the table that would result, before it is minimised */
    uint64_t work;  /* nodes looked at; what was spent is taken off */
};

/*
 * Subset construction.
 * CORDON_E_LIMIT  a bound was reached; *ret_owner is the rule most to blame
 * CORDON_E_NOMEM
 */
CORDON_MUST_USE enum cordon_err nfa_to_fsm(const struct nfa *nfa, const struct glob_sets *sets,
                                           struct nfa_limits *limits, struct fsm *fsm,
                                           uint32_t *ret_owner);

#endif
