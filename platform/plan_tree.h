/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exact rules of both sets over resolved paths, and what globs matched, as
 * a tree: what may be done at each path that a rule names, and what its
 * surroundings allow. Every back end's steps follow from the difference of the two.
 *
 * This is the decision of POLICY.md section 1: the most specific entry of the
 * profile wins; managed denies, matches of deny globs, and deny-writes of either
 * set, take away from the whole subtree for good.
 */
#ifndef CORDON_PLATFORM_PLAN_TREE_H
#define CORDON_PLATFORM_PLAN_TREE_H

#include "platform/plan.h"

/* Ordered: more is greater. */
enum plan_view { PLAN_HIDDEN, PLAN_READABLE, PLAN_WRITABLE };

/* A place that the back end provides by itself; a rule of the profile on it wins. */
struct plan_base {
    const char *path;
    enum plan_view view; /* PLAN_READABLE or PLAN_WRITABLE */
};

struct plan_entry {
    const char *path; /* as the tree has it: resolved where that is known */
    const char *name; /* as the rule or its match spells it */
    const char *key;  /* what is compared: on Windows folded, with '/' */
    size_t key_len;
    uint32_t depth; /* components; 0 for "/" */
    uint8_t set;    /* enum plan_set; PLAN_SET_NONE for a plan_base */
    uint32_t rule;
    enum policy_access access;
    const struct plan_fact *fact; /* NULL for a plan_base */
    bool gitdir;                  /* the second path of the rule, see plan_fact */
    bool match;                   /* what a glob matched, see plan_match */
};

/* All entries of one path. */
struct plan_node {
    const char *path;
    size_t first; /* entries[first .. first + count) */
    size_t count;
    const struct plan_node *parent; /* the nearest node above; NULL at the top */
    enum plan_object object;
    bool base;  /* a plan_base is here */
    bool inner; /* other nodes lie below */

    enum plan_view before; /* what the path would be without its entries */
    enum plan_view after;  /* what it is */
    uint8_t set;           /* whose rule decided `after`; PLAN_SET_NONE: none */
    uint32_t rule;

    enum plan_view own; /* what the profile's entries alone say */
    uint8_t own_set;    /* whose entry said so; PLAN_SET_NONE: none, or a plan_base */
    uint32_t own_rule;
    bool managed_hidden; /* a managed deny, or the match of a deny glob, covers it */
    bool readonly;       /* a deny-write covers it: nothing below is writable again */
    bool lifted;         /* unless it is one of nested metadata: an entry names them, see
                            metadata_names.h */
    uint8_t limit_set;   /* whose rule did either */
    uint32_t limit_rule;
};

struct plan_tree {
    enum policy_os os;
    enum plan_view start; /* of a path that no node covers */
    struct plan_entry *entries;
    size_t entry_count;
    struct plan_node *nodes; /* by depth, then bytes: parents come first */
    size_t node_count;
};

/*
 * Under full access the profile's rules are left out and everything starts
 * writable. CORDON_E_NOMEM
 */
CORDON_MUST_USE enum cordon_err plan_tree_build(const struct policy *policy,
                                                const struct plan_facts *facts,
                                                const struct plan_base *base, size_t base_count,
                                                struct arena *arena, struct plan_tree *ret_tree);

/*
 * The node at @path or the nearest one above; NULL: none. @path is resolved,
 * spelled as the entries' keys are (fold with plan_key()).
 */
const struct plan_node *plan_tree_find(const struct plan_tree *tree, const char *key, size_t len);

/* As plan_tree_find() for what is strictly above @key. */
const struct plan_node *plan_tree_above(const struct plan_tree *tree, const char *key, size_t len);

/* What holds at a node found; @node may be NULL. */
enum plan_view plan_tree_view(const struct plan_tree *tree, const struct plan_node *node);

/* The rules of PLAN_SET_MANAGED or PLAN_SET_OWN. */
const struct policy_ruleset *plan_rules(const struct policy *policy, uint8_t set);

/* @path as a key of @os; NULL when the arena is exhausted. */
const char *plan_key(enum policy_os os, const char *path, struct arena *arena);

/* "C:", "C:\x" or "C:/x". */
bool plan_is_drive(const char *path);

/* Components of a key; 0 for "/". */
uint32_t plan_depth(const char *key, size_t len);

/* Length of the parent's key: 0 for what has none ("/"); 1 for children of "/". */
size_t plan_parent_len(const char *key, size_t len);

#endif
