/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/plan_build.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "policy/limits.h"

#define NOTICE_MAX 1024

static struct plan_label *new_labels(struct plan_builder *builder, size_t count,
                                     enum plan_level level)
{
    struct plan_label *labels = arena_array(builder->arena, count, sizeof(*labels));

    for (size_t i = 0; labels != NULL && i < count; i++) {
        labels[i].level = level;
    }
    return labels;
}

enum cordon_err plan_begin(struct plan_builder *builder, enum plan_level level,
                           const struct plan_base *base, size_t base_count)
{
    const struct policy *policy = builder->policy;
    struct plan *plan = arena_alloc(builder->arena, sizeof(*plan));

    if (plan != NULL) {
        plan->os = policy->os;
        plan->managed = new_labels(builder, policy->managed.count, level);
        plan->own = new_labels(builder, policy->own.count, level);
    }
    if (plan == NULL || plan->managed == NULL || plan->own == NULL ||
        plan_tree_build(policy, builder->facts, base, base_count, builder->arena, &builder->tree) !=
            CORDON_OK) {
        return fault_set(builder->fault, CORDON_E_NOMEM, NULL, "out of memory for the plan");
    }
    builder->plan = plan;
    return CORDON_OK;
}

size_t plan_add(struct plan_builder *builder, const struct plan_step *step)
{
    struct plan *plan = builder->plan;
    struct plan_step *steps = arena_widen(builder->arena, plan->steps, plan->step_count,
                                          &builder->step_size, sizeof(*steps));

    if (steps == NULL) {
        builder->failed = true;
        return 0;
    }
    plan->steps = steps;
    steps[plan->step_count] = *step;
    return plan->step_count++;
}

void plan_add_plain(struct plan_builder *builder, uint16_t op, const char *path, const char *text)
{
    struct plan_step step = {.op = op, .rule = PLAN_NO_RULE, .path = path, .text = text};

    (void)plan_add(builder, &step);
}

size_t plan_add_node(struct plan_builder *builder, uint16_t op, uint16_t flags,
                     const struct plan_node *node)
{
    struct plan_step step = {
        .op = op, .flags = flags, .set = node->set, .rule = node->rule, .path = node->path};

    return plan_add(builder, &step);
}

void plan_notice(struct plan_builder *builder, const char *fmt, ...)
{
    struct plan *plan = builder->plan;
    const char **notices = arena_widen(builder->arena, plan->notices, plan->notice_count,
                                       &builder->notice_size, sizeof(*notices));
    char line[NOTICE_MAX];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    if (notices == NULL) {
        builder->failed = true;
        return;
    }
    plan->notices = notices;
    notices[plan->notice_count] = arena_strdup(builder->arena, line);
    if (notices[plan->notice_count] == NULL) {
        builder->failed = true;
        return;
    }
    plan->notice_count++;
}

void plan_note(struct plan_builder *builder, uint8_t set, uint32_t rule, const char *note)
{
    struct plan_label *labels =
        set == PLAN_SET_MANAGED ? builder->plan->managed : builder->plan->own;

    if (rule != PLAN_NO_RULE && labels[rule].note == NULL) {
        labels[rule].note = note;
    }
}

void plan_note_node(struct plan_builder *builder, const struct plan_node *node, const char *note)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct plan_entry *entry = &builder->tree.entries[node->first + i];

        plan_note(builder, entry->set, entry->rule, note);
    }
}

bool plan_narrows(const struct policy_rule *rule)
{
    return rule->access == ACCESS_DENY || rule->access == ACCESS_DENY_WRITE;
}

void plan_skip_missing(struct plan_builder *builder, const struct plan_node *node,
                       const char *absent)
{
    for (size_t i = 0; i < node->count; i++) {
        const struct plan_entry *entry = &builder->tree.entries[node->first + i];
        const struct policy_rule *rule = plan_rule(builder->policy, entry->set, entry->rule);

        if (rule == NULL) {
            continue;
        }
        plan_note(builder, entry->set, entry->rule,
                  plan_narrows(rule) || node->after < node->before
                      ? absent
                      : "absent at start: not granted");
        /* What a special stands for need not all be there (:minimal and /nix/store). */
        if (!plan_narrows(rule) && node->after > node->before && rule->spelled[0] != ':' &&
            rule->origin.layer != LAYER_BUILTIN) {
            plan_notice(builder, "%s is missing: not granted", node->path);
        }
    }
}

void plan_notice_level(struct plan_builder *builder, const struct policy_ruleset *set,
                       const struct plan_label *labels, const char *whose)
{
    size_t count = 0;

    for (size_t i = 0; i < set->count; i++) {
        count += plan_narrows(&set->rules[i]) && labels[i].level == PLAN_SNAPSHOT;
    }
    if (count > 0) {
        plan_notice(builder,
                    "%zu %s deny rule%s hold%s for what exists when the job starts (snapshot)",
                    count, whose, count == 1 ? "" : "s", count == 1 ? "s" : "");
    }
}

enum cordon_err plan_finish(struct plan_builder *builder, struct plan **ret_plan)
{
    if (builder->failed) {
        return fault_set(builder->fault, CORDON_E_NOMEM, NULL, "out of memory for the plan");
    }
    *ret_plan = builder->plan;
    return CORDON_OK;
}

const struct policy_rule *plan_rule(const struct policy *policy, uint8_t set, uint32_t rule)
{
    return rule == PLAN_NO_RULE ? NULL : &plan_rules(policy, set)->rules[rule];
}

enum cordon_err plan_refuse(const struct plan_builder *builder, enum cordon_err err,
                            const struct policy_rule *rule, const char *remedy, const char *what)
{
    struct strbuf text = STRBUF_INIT;

    if (rule != NULL) {
        plan_rule_text(rule, &text);
    }
    (void)fault_set(builder->fault, err, remedy, "%s%s%s", what, rule == NULL ? "" : ": ",
                    strbuf_text(&text));
    strbuf_deinit(&text);
    return err;
}

uint16_t plan_kind(enum plan_object object)
{
    return object == PLAN_DIRECTORY ? PLAN_STEP_DIR : PLAN_STEP_FILE;
}

/* ---- what all planners check ---- */

static enum cordon_err check_root(const struct plan_builder *builder)
{
    const struct plan_tree *tree = &builder->tree;

    for (size_t i = 0; i < tree->entry_count && tree->entries[i].depth == 0; i++) {
        const struct plan_entry *entry = &tree->entries[i];
        const struct policy_rule *rule = plan_rule(builder->policy, entry->set, entry->rule);

        /* ":root" = "deny" only takes back a grant that an extended profile made. */
        if (rule != NULL && entry->access == ACCESS_DENY &&
            (entry->set == PLAN_SET_MANAGED || strcmp(rule->spelled, ":root") != 0)) {
            return plan_refuse(builder, CORDON_E_DENIED, rule,
                               "deny the directories that are meant, not \"/\"",
                               "no command can start when \"/\" is denied");
        }
    }
    return CORDON_OK;
}

static bool is_workspace_root(const struct policy *policy, const struct policy_rule *rule)
{
    for (size_t i = 0; i < policy->workspace_root_count; i++) {
        if (strcmp(policy->workspace_roots[i], rule->pattern) == 0) {
            return true;
        }
    }
    return false;
}

static enum cordon_err check_workspace(const struct plan_builder *builder)
{
    const struct policy *policy = builder->policy;

    for (size_t i = 0; !policy->full_access && i < policy->own.count; i++) {
        const struct policy_rule *rule = &policy->own.rules[i];

        if ((rule->access == ACCESS_WRITE || rule->access == ACCESS_READ) &&
            builder->facts->own[i].object == PLAN_MISSING && is_workspace_root(policy, rule)) {
            return plan_refuse(builder, CORDON_E_NOT_FOUND, rule,
                               "create it, or take it out of the workspace roots",
                               "a workspace root is missing");
        }
    }
    return CORDON_OK;
}

/* CORDON_OK when @path is at least readable; else the fault names path and rule. */
static enum cordon_err check_visible(const struct plan_builder *builder, const char *path,
                                     const char *what, const char *remedy)
{
    const char *key = plan_key(builder->policy->os, path, builder->arena);
    const struct plan_node *node;
    const char *message;

    if (key == NULL) {
        return fault_set(builder->fault, CORDON_E_NOMEM, NULL, "out of memory for the plan");
    }
    node = plan_tree_find(&builder->tree, key, strlen(key));
    if (plan_tree_view(&builder->tree, node) != PLAN_HIDDEN) {
        return CORDON_OK;
    }
    if (node == NULL || node->rule == PLAN_NO_RULE) {
        return fault_set(builder->fault, CORDON_E_DENIED, remedy,
                         "%s %s is denied: no entry of profile %s covers it", what, path,
                         builder->policy->profile);
    }
    message = arena_printf(builder->arena, "%s %s is denied", what, path);
    if (message == NULL) {
        return fault_set(builder->fault, CORDON_E_NOMEM, NULL, "out of memory for the plan");
    }
    return plan_refuse(builder, CORDON_E_DENIED, plan_rule(builder->policy, node->set, node->rule),
                       remedy, message);
}

enum cordon_err plan_check_common(const struct plan_builder *builder)
{
    const struct plan_facts *facts = builder->facts;
    enum cordon_err err = check_root(builder);

    if (err == CORDON_OK) {
        err = check_workspace(builder);
    }
    if (err == CORDON_OK && facts->cwd_object != PLAN_DIRECTORY) {
        err = fault_set(builder->fault, CORDON_E_NOT_FOUND, "choose another with -C DIR",
                        "the working directory %s is missing or no directory", facts->cwd);
    }
    if (err == CORDON_OK) {
        err = check_visible(builder, facts->cwd, "the working directory",
                            "choose another with -C DIR, or grant it in the profile");
    }
    for (size_t i = 0; err == CORDON_OK && i < facts->needed_count; i++) {
        err = check_visible(builder, facts->needed[i], "the command needs a path, and",
                            "grant it in the profile, or narrow the rule");
    }
    return err;
}

enum cordon_err plan_check_exact_only(const struct plan_builder *builder)
{
    static const char remedy[] = "use exact paths here; Linux plans such rules";
    const struct policy *policy = builder->policy;

    for (uint8_t set = PLAN_SET_MANAGED; set <= PLAN_SET_OWN; set++) {
        const struct policy_ruleset *rules = plan_rules(policy, set);

        if (set == PLAN_SET_OWN && policy->full_access) {
            continue;
        }
        for (size_t i = 0; i < rules->count; i++) {
            if (rules->rules[i].glob) {
                return plan_refuse(builder, CORDON_E_UNSUPPORTED, &rules->rules[i], remedy,
                                   "cannot be planned yet");
            }
        }
    }
    /* Full access is no network rule: nothing is limited there. */
    if (policy->network && !policy->full_access) {
        return fault_set(builder->fault, CORDON_E_UNSUPPORTED,
                         "leave the network off here; Linux plans it",
                         "cannot be planned yet: network = true (profile %s)", policy->profile);
    }
    return CORDON_OK;
}

enum cordon_err plan_limits_elsewhere(struct plan_builder *builder)
{
    enum cordon_err err = CORDON_OK;

    for (int i = 0; err == CORDON_OK && i < POLICY_LIMIT_COUNT; i++) {
        const enum policy_limit limit = (enum policy_limit)i;
        const struct policy_limit_value *value =
            policy_limit_in_force(&builder->policy->limits, limit);
        const char *name = policy_limit_name(limit);
        struct strbuf origin = STRBUF_INIT;

        plan_origin_text(&value->origin, &origin);
        if (value->value != 0 && limit == LIMIT_WALL_S) {
            plan_notice(builder, "%s = %u: the broker's clock (%s)", name, value->value,
                        strbuf_text(&origin));
        } else if (value->value != 0) {
            err = fault_set(
                builder->fault, CORDON_E_UNSUPPORTED, "leave it out here; Linux enforces it",
                "cannot be planned yet: %s = %u (%s)", name, value->value, strbuf_text(&origin));
        }
        strbuf_deinit(&origin);
    }
    return err;
}
