/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a denied directory passes on comes after an object's own entries: a file below it that
 * grants Users something by itself, or whose list is protected, would stay readable. Such objects
 * are looked for, and get the entry themselves.
 */
#include <string.h>

#include "platform/windows/plan_parts.h"

struct list_walk {
    struct win_walk walk;
    struct plan_builder *b;
    const struct plan_node *node;
    uint16_t op;
};

/* Places with entries of their own are looked into by themselves; what a rule further up decides
 * all the same has none. */
static bool is_apart(const struct plan_builder *b, const char *key)
{
    const struct plan_node *node = plan_tree_find(&b->tree, key, strlen(key));

    if (node == NULL || strcmp(b->tree.entries[node->first].key, key) != 0) {
        return false;
    }
    return node->after == PLAN_HIDDEN ? win_needs_deny(b, node) : node->after != node->before;
}

static bool look(struct win_walk *walk, const struct win_place *above, const struct win_place *at,
                 const struct win_entry *entry, void **ret_mark)
{
    struct list_walk *l = walk->context;
    struct plan_builder *b = l->b;
    const char *key = plan_key(POLICY_OS_WINDOWS, at->path, b->arena);
    const struct plan_step by = {.set = l->node->set, .rule = l->node->rule};

    (void)above;
    (void)ret_mark;
    b->failed = b->failed || key == NULL;
    /* What a link leads to is no part of the subtree. */
    if (key == NULL || entry->link || is_apart(b, key)) {
        return false;
    }
    if (entry->own_list) {
        win_add_entry(b, l->op, plan_kind(entry->object), &by, at->path);
    }
    return entry->object == PLAN_DIRECTORY;
}

/*
 * Reading is decided by all groups of the token, writing by the restricting ones alone, and of
 * those only full access has any that an object may grant something to.
 */
static uint16_t passed_on(const struct plan_builder *b, const struct plan_node *node)
{
    if (node->after == PLAN_HIDDEN) {
        return PLAN_WINDOWS_DENY;
    }
    return node->after < node->before && b->policy->full_access ? PLAN_WINDOWS_DENY_WRITE : 0;
}

static enum cordon_err walk_node(struct plan_builder *b, struct win_scan *scan,
                                 const struct plan_node *node, uint16_t op)
{
    bool managed = node->set == PLAN_SET_MANAGED;
    struct list_walk l = {.walk = {.scan = scan, .look = look}, .b = b, .node = node, .op = op};
    struct win_place start;
    struct win_entry entry;
    enum cordon_err err;

    l.walk.rule = plan_rule(b->policy, node->set, node->rule);
    l.walk.cut = (managed ? scan->managed_cut : scan->own_cut) + node->rule;
    l.walk.context = &l;
    err = win_walk_start(&l.walk, node->path, &start, &entry);
    return err != CORDON_OK || entry.object != PLAN_DIRECTORY ? err : win_walk_run(&l.walk, &start);
}

enum cordon_err win_add_own_lists(struct plan_builder *b, struct win_scan *scan)
{
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < b->tree.node_count; i++) {
        const struct plan_node *node = &b->tree.nodes[i];
        uint16_t op = passed_on(b, node);

        if (op != 0 && node->object == PLAN_DIRECTORY && node->rule != PLAN_NO_RULE &&
            !win_is_volume(&b->tree.entries[node->first])) {
            err = walk_node(b, scan, node, op);
        }
    }
    return err;
}
