/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/plan_watch.h"

#include <stdlib.h>
#include <string.h>

#include "platform/linux/plan_linux.h"
#include "platform/linux/plan_scan.h"

struct place {
    const char *path;
    size_t len;
    uint32_t rule;
};

bool plan_at_access(const struct plan_builder *builder)
{
    return builder->facts->privileged &&
           (builder->facts->host.fanotify || builder->facts->host.bpf);
}

/* A `read` takes writing back only where something above it grants writing. */
static bool takes_back(const struct policy_ruleset *rules, const struct policy_rule *rule)
{
    for (size_t i = 0; i < rules->count; i++) {
        const struct policy_rule *above = &rules->rules[i];
        size_t len = above->pattern_len == 1 ? 0 : above->pattern_len;

        if (above->access == ACCESS_WRITE && above->pattern_len < rule->pattern_len &&
            memcmp(above->pattern, rule->pattern, len) == 0 && rule->pattern[len] == '/') {
            return true;
        }
    }
    return false;
}

static bool is_related(const char *one, size_t one_len, const char *other, size_t other_len)
{
    size_t len = one_len < other_len ? one_len : other_len;
    const char *longer = one_len < other_len ? other : one;

    return len == 1 ||
           (memcmp(one, other, len) == 0 && (one_len == other_len || longer[len] == '/'));
}

static bool has_nameless(const struct plan_builder *b)
{
    bool found = false;

    for (size_t i = 0; !found && i < b->policy->own.count; i++) {
        found = b->facts->own[i].nameless;
    }
    return found;
}

/* The job may write where nobody is told of it: there a rule is about names alone. */
static bool is_unseen(const struct plan_builder *b, const struct policy_rule *rule)
{
    size_t len =
        rule->glob ? plan_glob_prefix(rule->pattern, rule->pattern_len) : rule->pattern_len;

    for (size_t i = 0; i < b->policy->own.count; i++) {
        const struct plan_fact *fact = &b->facts->own[i];
        const char *path;

        if (!fact->nameless) {
            continue;
        }
        path = fact->resolved != NULL ? fact->resolved : b->policy->own.rules[i].pattern;
        if (is_related(rule->pattern, len, path, strlen(path))) {
            return true;
        }
    }
    return false;
}

/* Permission events tell of opens, not of writes: what forbids those is a mount made at start. */
static void label_set(struct plan_builder *b, uint8_t set, const struct policy_ruleset *rules,
                      struct plan_label *labels)
{
    /* The kernel's program sees every name itself. */
    bool unseen = plan_at_access(b) && !b->facts->host.bpf && has_nameless(b);

    for (size_t i = 0; i < rules->count; i++) {
        const struct policy_rule *rule = &rules->rules[i];

        if (rule->access == ACCESS_DENY_WRITE ||
            (rule->access == ACCESS_READ && takes_back(rules, rule))) {
            labels[i].level = PLAN_SNAPSHOT;
        } else if (unseen && rule->access == ACCESS_DENY && is_unseen(b, rule)) {
            labels[i].level = PLAN_SNAPSHOT;
            plan_note(b, set, (uint32_t)i, "the file system does not tell of renames");
        }
    }
}

void plan_watch_labels(struct plan_builder *builder)
{
    const struct policy *policy = builder->policy;

    label_set(builder, PLAN_SET_MANAGED, &policy->managed, builder->plan->managed);
    label_set(builder, PLAN_SET_OWN, &policy->own, builder->plan->own);
}

static int compare_place(const void *left, const void *right)
{
    const struct place *a = left;
    const struct place *b = right;
    int order = memcmp(a->path, b->path, a->len < b->len ? a->len : b->len);

    if (order == 0) {
        order = (a->len > b->len) - (a->len < b->len);
    }
    return order != 0 ? order : (a->rule > b->rule) - (a->rule < b->rule);
}

/* A glob is watched below its fixed part, a path beside it; what a link leads to, itself. */
static struct place place_of(const struct policy_rule *rule, const struct plan_fact *fact,
                             uint32_t index)
{
    struct place place = {rule->pattern, rule->pattern_len, index};

    if (rule->glob) {
        place.len = plan_glob_prefix(rule->pattern, rule->pattern_len);
    } else if (fact->resolved == NULL || strcmp(fact->resolved, rule->pattern) == 0) {
        place.len = plan_parent_len(rule->pattern, rule->pattern_len);
    }
    /* Of a thousand paths below what is missing, cordon-init would find one and the same. */
    if (!rule->glob && fact->object == PLAN_MISSING && fact->resolved == NULL &&
        fact->there_len > 0 && fact->there_len < place.len) {
        place.len = fact->there_len;
    }
    return place;
}

static void watch_set(struct plan_builder *b, const struct policy_ruleset *rules,
                      const struct plan_fact *facts, uint8_t set)
{
    struct place *places = arena_array(b->arena, rules->count, sizeof(*places));
    size_t count = 0;

    if (places == NULL) {
        b->failed = true;
        return;
    }
    for (size_t i = 0; i < rules->count; i++) {
        if (rules->rules[i].access == ACCESS_DENY) {
            places[count++] = place_of(&rules->rules[i], &facts[i], (uint32_t)i);
        }
    }
    qsort(places, count, sizeof(*places), compare_place);
    for (size_t i = 0; i < count; i++) {
        struct plan_step step = {.op = PLAN_LINUX_WATCH, .set = set, .rule = places[i].rule};

        if (i > 0 && places[i].len == places[i - 1].len &&
            memcmp(places[i].path, places[i - 1].path, places[i].len) == 0) {
            continue;
        }
        step.path = arena_strndup(b->arena, places[i].path, places[i].len);
        b->failed = b->failed || step.path == NULL;
        (void)plan_add(b, &step);
    }
}

void plan_add_watches(struct plan_builder *builder)
{
    const struct policy *policy = builder->policy;

    watch_set(builder, &policy->managed, builder->facts->managed, PLAN_SET_MANAGED);
    if (!policy->full_access) {
        watch_set(builder, &policy->own, builder->facts->own, PLAN_SET_OWN);
    }
}

bool plan_is_masked(const struct plan_builder *builder, uint8_t set, uint32_t rule)
{
    const struct policy_ruleset *managed = &builder->policy->managed;
    size_t before = 0;

    if (set != PLAN_SET_MANAGED || !plan_at_access(builder)) {
        return true;
    }
    for (size_t i = 0; i < rule; i++) {
        before += !managed->rules[i].glob && managed->rules[i].access == ACCESS_DENY;
    }
    return before < PLAN_MANAGED_MASKS_MAX;
}
