/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk from a few lines of text, for tests that need a Windows tree to look at: paths in normal
 * form ("C:\a\b"), what is above them is there by itself. Names are compared as NTFS does.
 */
#ifndef CORDON_TESTS_TREE_CASE_H
#define CORDON_TESTS_TREE_CASE_H

#include "platform/windows/facts.h"

#define TREE_NODES_MAX 4096U

struct tree_node {
    const char *path; /* as made */
    const char *key;  /* what is compared */
    size_t parent;    /* index; of a volume its own */
    enum plan_object object;
    const char *target; /* of a link */
    bool own_list;
    bool unlisted; /* listing it is denied */
    bool broken;   /* listing it fails */
};

struct tree_case {
    struct arena *arena;
    struct tree_node *nodes;
    size_t count;
    uint32_t late_after; /* calls of is_late() until it is; 0: never */
    uint32_t asked;
    uint32_t listed;
    struct win_tree tree;
    struct plan_windows_facts facts;
    const char *private_dirs[8];
    const char *system_dirs[8];
};

void tree_init(struct tree_case *tree, struct arena *arena);

/* Adds @path with all above it; an existing one is given anew. NULL: too many. */
struct tree_node *tree_add(struct tree_case *tree, const char *path, enum plan_object object);

/* The node that @path leads to, links in it and at its end followed; NULL: none. */
const struct tree_node *tree_find(const struct tree_case *tree, const char *path);

/* The node of exactly this path, not followed. */
const struct tree_node *tree_at(const struct tree_case *tree, const char *path);

/* Path with the links in it followed; NULL when it leads nowhere. */
const char *tree_resolve(const struct tree_case *tree, const char *path);

#endif
