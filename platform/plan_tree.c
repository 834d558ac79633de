/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/plan_tree.h"

#include <stdlib.h>
#include <string.h>

#include "platform/windows/path.h"
#include "policy/metadata_names.h"

const struct policy_ruleset *plan_rules(const struct policy *policy, uint8_t set)
{
    return set == PLAN_SET_MANAGED ? &policy->managed : &policy->own;
}

bool plan_is_drive(const char *path)
{
    char letter = (char)(path[0] & ~0x20);

    return letter >= 'A' && letter <= 'Z' && path[1] == ':' &&
           (path[2] == '\0' || path[2] == '/' || path[2] == '\\');
}

const char *plan_key(enum policy_os os, const char *path, struct arena *arena)
{
    size_t len = strlen(path);
    char *key;

    if (os != POLICY_OS_WINDOWS) {
        return path;
    }
    key = win_fold(path, len, arena);
    if (key == NULL) {
        return NULL;
    }
    len = strlen(key);
    for (size_t i = 0; i < len; i++) {
        key[i] = key[i] == '\\' ? '/' : key[i];
    }
    /* "C:\" and "C:" are one place. */
    if (len > 1 && key[len - 1] == '/') {
        key[len - 1] = '\0';
    }
    /* A policy's patterns all begin with '/': "/C:/Users", "/UNC/server/share". */
    if (strncmp(key, "/UNC/", 5) == 0) {
        key[3] = '/';
        return key + 3;
    }
    return plan_is_drive(key + (key[0] == '/')) ? key + (key[0] == '/') : key;
}

uint32_t plan_depth(const char *key, size_t len)
{
    uint32_t depth = 0;

    for (size_t i = 0; i < len; i++) {
        depth += key[i] != '/' && (i == 0 || key[i - 1] == '/');
    }
    return depth;
}

size_t plan_parent_len(const char *key, size_t len)
{
    size_t at = len;

    if (len == 0 || (len == 1 && key[0] == '/')) {
        return 0;
    }
    while (at > 0 && key[at - 1] != '/') {
        at--;
    }
    /* Everything lies below "/", a drive too. */
    return at <= 1 ? 1 : at - 1;
}

static int compare_key(uint32_t depth_a, const char *a, size_t len_a, const struct plan_entry *b)
{
    size_t shorter = len_a < b->key_len ? len_a : b->key_len;
    int order;

    if (depth_a != b->depth) {
        return depth_a < b->depth ? -1 : 1;
    }
    order = memcmp(a, b->key, shorter);
    if (order != 0) {
        return order;
    }
    return (len_a > b->key_len) - (len_a < b->key_len);
}

static int compare_entry(const void *left, const void *right)
{
    const struct plan_entry *a = left;
    const struct plan_entry *b = right;
    int order = compare_key(a->depth, a->key, a->key_len, b);

    if (order != 0) {
        return order;
    }
    if (a->set != b->set) {
        return a->set < b->set ? -1 : 1;
    }
    return (a->rule > b->rule) - (a->rule < b->rule);
}

static const struct plan_node *find_exact(const struct plan_tree *tree, const char *key, size_t len)
{
    uint32_t depth = plan_depth(key, len);
    size_t low = 0;
    size_t high = tree->node_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct plan_node *node = &tree->nodes[middle];
        int order = compare_key(depth, key, len, &tree->entries[node->first]);

        if (order == 0) {
            return node;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

const struct plan_node *plan_tree_above(const struct plan_tree *tree, const char *key, size_t len)
{
    while (len > 0) {
        const char *at = key;
        const struct plan_node *node;

        len = plan_parent_len(key, len);
        if (len == 1) {
            at = "/";
        }
        node = len == 0 ? NULL : find_exact(tree, at, len);
        if (node != NULL) {
            return node;
        }
        if (len == 1) {
            break;
        }
    }
    return NULL;
}

const struct plan_node *plan_tree_find(const struct plan_tree *tree, const char *key, size_t len)
{
    const struct plan_node *node = find_exact(tree, key, len);

    return node != NULL ? node : plan_tree_above(tree, key, len);
}

enum plan_view plan_tree_view(const struct plan_tree *tree, const struct plan_node *node)
{
    return node == NULL ? tree->start : node->after;
}

/* Copies the paths of one set's exact rules into entries. */
static void add_set(struct plan_tree *tree, const struct policy_ruleset *rules,
                    const struct plan_fact *facts, uint8_t set)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct policy_rule *rule = &rules->rules[i];
        const struct plan_fact *fact = &facts[i];
        struct plan_entry entry = {.set = set, .rule = (uint32_t)i, .fact = fact};

        if (rule->glob) {
            continue;
        }
        entry.access = rule->access;
        entry.name = rule->pattern;
        entry.path = fact->resolved != NULL ? fact->resolved : rule->pattern;
        tree->entries[tree->entry_count++] = entry;
        /* What a ".git" file points to is protected, never granted. */
        if (fact->gitdir != NULL &&
            (rule->access == ACCESS_READ || rule->access == ACCESS_DENY_WRITE)) {
            entry.access = ACCESS_DENY_WRITE;
            entry.path = fact->gitdir;
            entry.gitdir = true;
            tree->entries[tree->entry_count++] = entry;
        }
    }
}

static void add_matches(struct plan_tree *tree, const struct policy *policy,
                        const struct plan_facts *facts)
{
    for (size_t i = 0; i < facts->match_count; i++) {
        const struct plan_match *match = &facts->matches[i];

        tree->entries[tree->entry_count++] = (struct plan_entry){
            .path = match->fact.resolved != NULL ? match->fact.resolved : match->path,
            .name = match->path,
            .set = match->set,
            .rule = match->rule,
            .access = plan_rules(policy, match->set)->rules[match->rule].access,
            .fact = &match->fact,
            .match = true,
        };
    }
}

static enum cordon_err set_keys(struct plan_tree *tree, struct arena *arena)
{
    for (size_t i = 0; i < tree->entry_count; i++) {
        struct plan_entry *entry = &tree->entries[i];

        entry->key = plan_key(tree->os, entry->path, arena);
        if (entry->key == NULL) {
            return CORDON_E_NOMEM;
        }
        entry->key_len = strlen(entry->key);
        entry->depth = plan_depth(entry->key, entry->key_len);
    }
    return CORDON_OK;
}

static void group_nodes(struct plan_tree *tree)
{
    for (size_t i = 0; i < tree->entry_count; i++) {
        const struct plan_entry *entry = &tree->entries[i];
        struct plan_node *last = tree->node_count == 0 ? NULL : &tree->nodes[tree->node_count - 1];

        if (last == NULL || compare_key(entry->depth, entry->key, entry->key_len,
                                        &tree->entries[last->first]) != 0) {
            last = &tree->nodes[tree->node_count++];
            last->path = entry->path;
            last->first = i;
            last->object = PLAN_DIRECTORY;
        }
        last->count++;
        last->base = last->base || entry->fact == NULL;
        if (entry->fact != NULL && !entry->gitdir) {
            last->object = entry->fact->object;
        }
    }
}

/* Takes what the surroundings say as the starting point. */
static void inherit(struct plan_tree *tree, struct plan_node *node)
{
    const struct plan_entry *entry = &tree->entries[node->first];
    const struct plan_node *parent = plan_tree_above(tree, entry->key, entry->key_len);

    node->parent = parent;
    node->before = tree->start;
    node->own = tree->start;
    node->rule = PLAN_NO_RULE;
    node->limit_rule = PLAN_NO_RULE;
    if (parent == NULL) {
        return;
    }
    tree->nodes[parent - tree->nodes].inner = true;
    node->before = parent->after;
    node->own = parent->own;
    node->set = parent->own_set;
    node->rule = parent->own_rule;
    node->managed_hidden = parent->managed_hidden;
    node->readonly = parent->readonly;
    node->lifted = parent->lifted;
    node->limit_set = parent->limit_set;
    node->limit_rule = parent->limit_rule;
}

/* Managed entries come first, so that on one path theirs is the limit named. */
static void apply_limit(struct plan_node *node, const struct plan_entry *entry)
{
    bool hides = entry->access == ACCESS_DENY && (entry->set == PLAN_SET_MANAGED || entry->match);
    bool limits = entry->access == ACCESS_DENY_WRITE && !entry->gitdir &&
                  (entry->set == PLAN_SET_MANAGED || !node->lifted);

    if (node->managed_hidden || (!hides && (!limits || node->readonly))) {
        return; /* decided already, by the same path or further up */
    }
    node->managed_hidden = hides;
    node->readonly = node->readonly || limits;
    node->limit_set = entry->set;
    node->limit_rule = entry->rule;
}

/* What an exact entry says that names metadata, the limits of nested ones do not take back. */
static void lift_limits(const struct policy *policy, struct plan_node *node,
                        const struct plan_entry *entries)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct plan_entry *entry = &entries[i];

        if (entry->set == PLAN_SET_OWN && !entry->match && !entry->gitdir &&
            metadata_named(policy->own.rules[entry->rule].pattern, policy_folds_case(policy->os))) {
            node->lifted = true;
        }
    }
    if (node->lifted && node->limit_set == PLAN_SET_OWN && !node->managed_hidden) {
        node->readonly = false;
    }
}

/* On one path deny beats write beats read, and any of them the gitdir of another. */
static void apply_own(struct plan_node *node, const struct plan_entry *entries)
{
    static const enum policy_access order[] = {ACCESS_DENY_WRITE, ACCESS_READ, ACCESS_WRITE,
                                               ACCESS_DENY};
    static const enum plan_view gives[] = {
        [ACCESS_DENY] = PLAN_HIDDEN,
        [ACCESS_DENY_WRITE] = PLAN_READABLE,
        [ACCESS_READ] = PLAN_READABLE,
        [ACCESS_WRITE] = PLAN_WRITABLE,
    };

    /* What a rule denied does not come back as a private place inside it. */
    bool below_denied = node->own == PLAN_HIDDEN && node->parent != NULL &&
                        strcmp(node->parent->path, "/") != 0 &&
                        node->parent->own_rule != PLAN_NO_RULE;

    for (size_t pass = 0; pass < sizeof(order) / sizeof(order[0]); pass++) {
        for (size_t i = 0; i < node->count; i++) {
            const struct plan_entry *entry = &entries[i];
            bool lowers = entry->gitdir && node->own == PLAN_WRITABLE;

            if (entry->access != order[pass] || entry->set == PLAN_SET_MANAGED ||
                (entry->set == PLAN_SET_NONE && below_denied) ||
                (entry->access == ACCESS_DENY_WRITE && !lowers)) {
                continue;
            }
            node->own = gives[entry->access];
            node->set = entry->set;
            node->rule = entry->rule;
        }
    }
}

static void decide(struct plan_tree *tree, const struct policy *policy, struct plan_node *node)
{
    const struct plan_entry *entries = &tree->entries[node->first];

    inherit(tree, node);
    lift_limits(policy, node, entries);
    for (size_t i = 0; i < node->count; i++) {
        apply_limit(node, &entries[i]);
    }
    apply_own(node, entries);
    node->own_set = node->set;
    node->own_rule = node->rule;
    node->after = node->own;
    if (node->managed_hidden || (node->readonly && node->own == PLAN_WRITABLE)) {
        node->after = node->managed_hidden ? PLAN_HIDDEN : PLAN_READABLE;
        node->set = node->limit_set;
        node->rule = node->limit_rule;
    }
}

static void add_base(struct plan_tree *tree, const struct plan_base *base, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct plan_entry *entry = &tree->entries[tree->entry_count++];

        entry->path = base[i].path;
        entry->name = base[i].path;
        entry->set = PLAN_SET_NONE;
        entry->rule = PLAN_NO_RULE;
        entry->access = base[i].view == PLAN_WRITABLE ? ACCESS_WRITE : ACCESS_READ;
    }
}

enum cordon_err plan_tree_build(const struct policy *policy, const struct plan_facts *facts,
                                const struct plan_base *base, size_t base_count,
                                struct arena *arena, struct plan_tree *ret_tree)
{
    size_t most = 2 * (policy->managed.count + policy->own.count) + facts->match_count + base_count;
    struct plan_tree tree = {.os = policy->os,
                             .start = policy->full_access ? PLAN_WRITABLE : PLAN_HIDDEN};

    tree.entries = arena_array(arena, most, sizeof(*tree.entries));
    tree.nodes = arena_array(arena, most, sizeof(*tree.nodes));
    if (tree.entries == NULL || tree.nodes == NULL) {
        return CORDON_E_NOMEM;
    }
    add_base(&tree, base, base_count);
    add_set(&tree, &policy->managed, facts->managed, PLAN_SET_MANAGED);
    if (!policy->full_access) {
        add_set(&tree, &policy->own, facts->own, PLAN_SET_OWN);
    }
    add_matches(&tree, policy, facts);
    if (set_keys(&tree, arena) != CORDON_OK) {
        return CORDON_E_NOMEM;
    }
    qsort(tree.entries, tree.entry_count, sizeof(*tree.entries), compare_entry);
    group_nodes(&tree);
    for (size_t i = 0; i < tree.node_count; i++) {
        decide(&tree, policy, &tree.nodes[i]);
    }
    *ret_tree = tree;
    return CORDON_OK;
}
