/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/plan_scan.h"

#include <stdlib.h>
#include <string.h>

#include "platform/linux/plan_linux.h"
#include "platform/linux/plan_watch.h"

struct scan {
    const char *path;
    size_t len;
    uint32_t depth;  /* components of path */
    uint32_t levels; /* 0: all */
    uint32_t rule;
};

static int compare_scan(const void *left, const void *right)
{
    const struct scan *a = left;
    const struct scan *b = right;
    int order;

    if (a->depth != b->depth) {
        return a->depth < b->depth ? -1 : 1;
    }
    order = memcmp(a->path, b->path, a->len < b->len ? a->len : b->len);
    if (order == 0) {
        order = (a->len > b->len) - (a->len < b->len);
    }
    if (order == 0) {
        order = (a->rule > b->rule) - (a->rule < b->rule);
    }
    return order;
}

/* The scan at exactly this prefix among those kept so far; they are sorted. */
static struct scan *find_scan(struct scan *scans, size_t count, const char *path, size_t len)
{
    struct scan wanted = {path, len, plan_depth(path, len), 0, 0};
    size_t low = 0;
    size_t high = count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order;

        wanted.rule = scans[middle].rule;
        order = compare_scan(&wanted, &scans[middle]);
        if (order == 0) {
            return &scans[middle];
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

/* Whether a scan kept further up reaches all that @scan would look at. */
static bool is_covered(struct scan *kept, size_t count, const struct scan *scan)
{
    size_t len = scan->len;

    while ((len = plan_parent_len(scan->path, len)) > 0) {
        const struct scan *above = find_scan(kept, count, scan->path, len);

        if (above != NULL &&
            (above->levels == 0 ||
             (scan->levels != 0 && above->levels >= scan->levels + scan->depth - above->depth))) {
            return true;
        }
        if (len == 1) {
            break;
        }
    }
    return false;
}

static size_t merge(struct scan *scans, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        struct scan *same = find_scan(scans, kept, scans[i].path, scans[i].len);

        if (same != NULL) {
            if (scans[i].levels == 0 || (same->levels != 0 && same->levels < scans[i].levels)) {
                same->levels = scans[i].levels;
            }
        } else {
            scans[kept++] = scans[i];
        }
    }
    return kept;
}

/* Own globs are bounded by the profile's glob_scan_max_depth, managed ones by nothing. */
static size_t collect(struct plan_builder *b, const struct policy_ruleset *rules, uint8_t set,
                      struct scan *scans)
{
    uint32_t bound = set == PLAN_SET_OWN ? b->policy->glob_scan_max_depth : 0;
    size_t count = 0;

    for (size_t i = 0; i < rules->count; i++) {
        const struct policy_rule *rule = &rules->rules[i];
        struct scan scan = {.path = rule->pattern, .rule = (uint32_t)i};

        if (!rule->glob || (plan_at_access(b) && rule->access == ACCESS_DENY)) {
            continue;
        }
        scan.len = plan_glob_prefix(rule->pattern, rule->pattern_len);
        scan.depth = plan_depth(scan.path, scan.len);
        scan.levels = plan_glob_levels(rule->pattern, rule->pattern_len);
        if (bound != 0 && (scan.levels == 0 || scan.levels > bound)) {
            scan.levels = bound;
            plan_note(b, set, scan.rule, "the scan stops at glob_scan_max_depth");
        }
        scans[count++] = scan;
    }
    return count;
}

static void add_set(struct plan_builder *b, const struct policy_ruleset *rules, uint8_t set)
{
    struct scan *scans = arena_array(b->arena, rules->count, sizeof(*scans));
    size_t count;

    if (scans == NULL) {
        b->failed = true;
        return;
    }
    count = collect(b, rules, set, scans);
    qsort(scans, count, sizeof(*scans), compare_scan);
    count = merge(scans, count);
    for (size_t i = 0; i < count; i++) {
        struct plan_step step = {.op = PLAN_LINUX_SCAN,
                                 .flags = PLAN_STEP_DIR,
                                 .set = set,
                                 .rule = scans[i].rule,
                                 .value = scans[i].levels};

        if (is_covered(scans, i, &scans[i])) {
            continue;
        }
        step.path = arena_strndup(b->arena, scans[i].path, scans[i].len);
        b->failed = b->failed || step.path == NULL;
        (void)plan_add(b, &step);
    }
}

void plan_add_scans(struct plan_builder *builder)
{
    const struct policy *policy = builder->policy;

    add_set(builder, &policy->managed, PLAN_SET_MANAGED);
    if (!policy->full_access) {
        add_set(builder, &policy->own, PLAN_SET_OWN);
    }
}
