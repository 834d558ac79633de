/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/plan_pin.h"

#include <stdlib.h>
#include <string.h>

#include "platform/linux/plan_linux.h"
#include "platform/linux/plan_scan.h"

struct pin {
    const char *path; /* its first @len bytes */
    size_t len;
    uint32_t depth;
    uint32_t rule;
    uint8_t set;
};

struct pin_list {
    struct pin *pins;
    size_t count, next;
};

static int compare_pin(const void *left, const void *right)
{
    const struct pin *a = left;
    const struct pin *b = right;
    int order = (a->depth > b->depth) - (a->depth < b->depth);

    if (order == 0) {
        order = memcmp(a->path, b->path, a->len < b->len ? a->len : b->len);
    }
    if (order == 0) {
        order = (a->len > b->len) - (a->len < b->len);
    }
    if (order == 0) {
        order = (a->set > b->set) - (a->set < b->set);
    }
    return order != 0 ? order : (a->rule > b->rule) - (a->rule < b->rule);
}

/* The job may rename it: it may write its parent, and no mount lies on it yet. */
static bool is_movable(const struct plan_builder *b, const char *path, size_t len)
{
    const struct plan_node *at = plan_tree_find(&b->tree, path, len);
    bool is_mount = at != NULL && strlen(at->path) == len && at->after != at->before;

    return !is_mount &&
           plan_tree_view(&b->tree, plan_tree_above(&b->tree, path, len)) == PLAN_WRITABLE;
}

/* Every directory from the first @len bytes of @path upwards; without @pins: at most so many. */
static size_t collect(const struct plan_builder *b, struct pin pin, struct pin *pins)
{
    size_t count = 0;

    if (pins == NULL) {
        return plan_depth(pin.path, pin.len);
    }
    while (pin.len > 1) {
        if (is_movable(b, pin.path, pin.len)) {
            pin.depth = plan_depth(pin.path, pin.len);
            pins[count++] = pin;
        }
        pin.len = plan_parent_len(pin.path, pin.len);
    }
    return count;
}

static size_t collect_nodes(const struct plan_builder *b, struct pin *pins)
{
    size_t count = 0;

    for (size_t i = 0; i < b->tree.node_count; i++) {
        const struct plan_node *node = &b->tree.nodes[i];

        if (node->after == PLAN_HIDDEN && node->before != PLAN_HIDDEN &&
            node->object != PLAN_MISSING) {
            size_t len = plan_parent_len(node->path, strlen(node->path));
            struct pin pin = {node->path, len, 0, node->rule, node->set};

            count += collect(b, pin, pins == NULL ? NULL : pins + count);
        }
    }
    return count;
}

static size_t collect_globs(const struct plan_builder *b, const struct policy_ruleset *rules,
                            uint8_t set, struct pin *pins)
{
    size_t count = 0;

    for (size_t i = 0; i < rules->count; i++) {
        const struct policy_rule *rule = &rules->rules[i];

        if (rule->glob && rule->access == ACCESS_DENY) {
            struct pin pin = {rule->pattern, plan_glob_prefix(rule->pattern, rule->pattern_len), 0,
                              (uint32_t)i, set};

            count += collect(b, pin, pins == NULL ? NULL : pins + count);
        }
    }
    return count;
}

static size_t collect_all(const struct plan_builder *b, struct pin *pins)
{
    size_t count = collect_nodes(b, pins);

    count +=
        collect_globs(b, &b->policy->managed, PLAN_SET_MANAGED, pins == NULL ? NULL : pins + count);
    if (!b->policy->full_access) {
        count +=
            collect_globs(b, &b->policy->own, PLAN_SET_OWN, pins == NULL ? NULL : pins + count);
    }
    return count;
}

static bool is_same(const struct pin *a, const struct pin *b)
{
    return a->len == b->len && memcmp(a->path, b->path, a->len) == 0;
}

struct pin_list *plan_find_pins(struct plan_builder *builder)
{
    struct pin_list *list = arena_array(builder->arena, 1, sizeof(*list));
    size_t count = collect_all(builder, NULL);
    struct pin *pins = arena_array(builder->arena, count, sizeof(*pins));

    if (list == NULL || pins == NULL) {
        builder->failed = true;
        return NULL;
    }
    *list = (struct pin_list){pins, 0, 0};
    count = collect_all(builder, pins);
    qsort(pins, count, sizeof(*pins), compare_pin);
    for (size_t i = 0; i < count; i++) {
        if (list->count == 0 || !is_same(&pins[list->count - 1], &pins[i])) {
            pins[list->count++] = pins[i];
        }
    }
    return list;
}

void plan_add_pins(struct plan_builder *builder, struct pin_list *list, uint32_t depth)
{
    for (; list != NULL && list->next < list->count && list->pins[list->next].depth < depth;
         list->next++) {
        const struct pin *pin = &list->pins[list->next];
        struct plan_step step = {
            .op = PLAN_LINUX_PIN, .flags = PLAN_STEP_DIR, .set = pin->set, .rule = pin->rule};

        step.path = arena_strndup(builder->arena, pin->path, pin->len);
        builder->failed = builder->failed || step.path == NULL;
        (void)plan_add(builder, &step);
    }
}
