/* SPDX-License-Identifier: Apache-2.0 */
/* What the managed rules add to every order, from our own rules: no worker can leave it out. */
#include <stdlib.h>
#include <string.h>

#include "platform/linux/backend.h"

/* The directory that a pattern cannot leave: up to the slash before its first wildcard. */
static size_t literal_prefix(const struct policy_rule *rule)
{
    size_t len = strcspn(rule->pattern, "*?[{\\");

    while (len > 0 && rule->pattern[len - 1] != '/') {
        len--;
    }
    return len > 1 ? len - 1 : 1;
}

/* The directory of an exact rule, the literal one of a pattern. */
static size_t directory_above(const struct policy_rule *rule)
{
    size_t len = rule->pattern_len;

    if (rule->glob) {
        return literal_prefix(rule);
    }
    while (len > 0 && rule->pattern[len - 1] != '/') {
        len--;
    }
    return len > 1 ? len - 1 : 1;
}

struct prefix {
    const char *text;
    size_t len;
    uint32_t rule;
};

static int prefix_order(const void *a, const void *b)
{
    const struct prefix *x = a;
    const struct prefix *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int order = memcmp(x->text, y->text, len);

    return order != 0 ? order : (x->len > y->len) - (x->len < y->len);
}

static bool prefix_covers(const struct prefix *outer, const struct prefix *inner)
{
    if (outer->len == 1) {
        return true; /* the root */
    }
    return inner->len >= outer->len && memcmp(outer->text, inner->text, outer->len) == 0 &&
           (inner->len == outer->len || inner->text[outer->len] == '/');
}

/* One walk does for every pattern below it, so walks inside a walk are dropped. */
static enum cordon_err managed_scans(const struct policy *managed, bool at_access,
                                     struct order_builder *builder, struct cordon_fault *fault)
{
    struct prefix *prefixes = calloc(managed->managed.count + 1, sizeof(*prefixes));
    const struct prefix *last = NULL;
    size_t count = 0;

    if (prefixes == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "managed rules: out of memory");
    }
    for (size_t i = 0; i < managed->managed.count; i++) {
        const struct policy_rule *rule = &managed->managed.rules[i];

        if (rule->glob && (rule->access != ACCESS_DENY || !at_access)) {
            prefixes[count++] = (struct prefix){rule->pattern, literal_prefix(rule), (uint32_t)i};
        }
    }
    qsort(prefixes, count, sizeof(*prefixes), prefix_order);
    for (size_t i = 0; i < count; i++) {
        if (last == NULL || !prefix_covers(last, &prefixes[i])) {
            struct order_step step = {.op = ORDER_SCAN,
                                      .set = ORDER_SET_MANAGED,
                                      .rule = prefixes[i].rule,
                                      .fd = ORDER_NO_FD};

            last = &prefixes[i];
            step.text = order_add_text(builder, last->text, last->len);
            order_add_step(builder, &step);
        }
    }
    free(prefixes);
    return CORDON_OK;
}

/* A managed mask is a wall below the decision at access time; this many are enough. */
#define MANAGED_MASKS_MAX 64U

/* Where the managed denials are decided at each access; a worker cannot leave one out. */
static enum cordon_err managed_watch(const struct policy *managed, struct order_builder *builder,
                                     struct cordon_fault *fault)
{
    struct prefix *prefixes = calloc(managed->managed.count + 1, sizeof(*prefixes));
    size_t count = 0;

    if (prefixes == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "managed rules: out of memory");
    }
    for (size_t i = 0; i < managed->managed.count; i++) {
        const struct policy_rule *rule = &managed->managed.rules[i];

        if (rule->access == ACCESS_DENY) {
            prefixes[count++] = (struct prefix){
                rule->pattern, rule->glob ? literal_prefix(rule) : rule->pattern_len, (uint32_t)i};
        }
    }
    qsort(prefixes, count, sizeof(*prefixes), prefix_order);
    for (size_t i = 0; i < count; i++) {
        struct order_step step = {.op = ORDER_WATCH,
                                  .set = ORDER_SET_MANAGED,
                                  .rule = prefixes[i].rule,
                                  .fd = ORDER_NO_FD};

        if (i == 0 || prefix_order(&prefixes[i - 1], &prefixes[i]) != 0) {
            step.text = order_add_text(builder, prefixes[i].text, prefixes[i].len);
            order_add_step(builder, &step);
        }
    }
    free(prefixes);
    return CORDON_OK;
}

/*
 * The directories that patterns begin with, and those of paths that have no mask. What is above a
 * mask is held with it.
 */
static enum cordon_err managed_pins(const struct policy *managed, bool at_access,
                                    struct order_builder *builder, struct cordon_fault *fault)
{
    struct prefix *prefixes = calloc(managed->managed.count + 1, sizeof(*prefixes));
    size_t masks = 0;
    size_t count = 0;

    if (prefixes == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "managed rules: out of memory");
    }
    for (size_t i = 0; i < managed->managed.count; i++) {
        const struct policy_rule *rule = &managed->managed.rules[i];

        if (rule->access == ACCESS_DENY &&
            (rule->glob || (at_access && masks++ >= MANAGED_MASKS_MAX))) {
            prefixes[count++] = (struct prefix){rule->pattern, directory_above(rule), (uint32_t)i};
        }
    }
    qsort(prefixes, count, sizeof(*prefixes), prefix_order);
    for (size_t i = 0; i < count; i++) {
        struct order_step step = {
            .op = ORDER_PIN, .set = ORDER_SET_MANAGED, .rule = prefixes[i].rule, .fd = ORDER_NO_FD};

        if (i == 0 || prefix_order(&prefixes[i - 1], &prefixes[i]) != 0) {
            step.text = order_add_text(builder, prefixes[i].text, prefixes[i].len);
            order_add_step(builder, &step);
        }
    }
    free(prefixes);
    return CORDON_OK;
}

enum cordon_err linux_managed_steps(const struct policy *managed, bool at_access,
                                    struct order_builder *builder, struct cordon_fault *fault)
{
    enum cordon_err err = managed_pins(managed, at_access, builder, fault);
    size_t masks = 0;

    for (size_t i = 0; err == CORDON_OK && i < managed->managed.count; i++) {
        const struct policy_rule *rule = &managed->managed.rules[i];
        struct order_step step = {.set = ORDER_SET_MANAGED, .rule = (uint32_t)i, .fd = ORDER_NO_FD};

        if (rule->glob ||
            (at_access && rule->access == ACCESS_DENY && masks++ >= MANAGED_MASKS_MAX)) {
            continue;
        }
        step.op = rule->access == ACCESS_DENY ? ORDER_MASK : ORDER_PROTECT;
        step.text = order_add_text(builder, rule->pattern, rule->pattern_len);
        order_add_step(builder, &step);
    }
    if (err == CORDON_OK && at_access) {
        err = managed_watch(managed, builder, fault);
    }
    return err == CORDON_OK ? managed_scans(managed, at_access, builder, fault) : err;
}
