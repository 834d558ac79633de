/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "policy/loader.h"
#include "policy/metadata_names.h"
#include "policy/spelling.h"

static bool is_managed(const struct policy_rule *rule)
{
    return rule->origin.layer == LAYER_MANAGED || rule->origin.layer == LAYER_MANAGED_CODEX;
}

/*
 * A managed denial beats everything, exact or not. A limit on writing (deny_write,
 * nested metadata) beats grants but never hides a denial. An exact entry that
 * names protected metadata, or something below it, stands with the generated
 * limits and before them (ids are in settled order), so that it lifts them.
 */
static enum dfa_class class_of(const struct policy_rule *rule, enum policy_os os, bool limited)
{
    static const enum dfa_class classes[] = {[ACCESS_DENY] = DFA_OVERRIDING,
                                             [ACCESS_DENY_WRITE] = DFA_LIMITING,
                                             [ACCESS_READ] = DFA_EXACT,
                                             [ACCESS_WRITE] = DFA_EXACT};

    if (rule->glob || is_managed(rule)) {
        return classes[rule->access];
    }
    return limited && metadata_named(rule->pattern, policy_folds_case(os)) ? DFA_LIMITING
                                                                           : DFA_EXACT;
}

static struct dfa_rule to_dfa(const struct policy_rule *rule, enum policy_os os, bool limited)
{
    static const uint8_t prefer[] = {
        [ACCESS_DENY] = 3, [ACCESS_DENY_WRITE] = 2, [ACCESS_WRITE] = 1, [ACCESS_READ] = 0};

    return (struct dfa_rule){.pattern = rule->pattern,
                             .len = rule->pattern_len,
                             .glob = rule->glob,
                             .cls = class_of(rule, os, limited),
                             .prefer = prefer[rule->access]};
}

static bool has_limits(const struct policy_ruleset *set)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->rules[i].access == ACCESS_DENY_WRITE) {
            return true;
        }
    }
    return false;
}

enum cordon_err policy_compile(const struct policy_ruleset *set, enum policy_os os,
                               struct dfa **ret_table, struct cordon_fault *fault)
{
    struct dfa_rule *rules = calloc(set->count + 1, sizeof(*rules));
    bool limited = has_limits(set);
    uint32_t culprit = DFA_NO_RULE;
    enum cordon_err err;

    if (rules == NULL) {
        return place_no_memory(fault);
    }
    for (size_t i = 0; i < set->count; i++) {
        rules[i] = to_dfa(&set->rules[i], os, limited);
    }
    err = dfa_compile(rules, set->count, DFA_OPTIONS(policy_folds_case(os), DFA_BYTES_MAX),
                      ret_table, &culprit, fault);
    free(rules);
    if (err != CORDON_OK && culprit < set->count) {
        struct strbuf where = STRBUF_INIT;

        policy_origin_text(&set->rules[culprit].origin, &where);
        fault_prefix(fault, "%s", strbuf_text(&where));
        strbuf_deinit(&where);
    }
    return err;
}

/* The longest exact entry that covers @path: rules are settled deepest first. */
static const struct policy_rule *exact_rule(const struct policy *policy, const char *path,
                                            size_t path_len)
{
    for (size_t i = 0; i < policy->own.count; i++) {
        const struct policy_rule *rule = &policy->own.rules[i];

        if (!rule->glob &&
            spelling_covers(rule->pattern, path, path_len, policy_folds_case(policy->os))) {
            return rule;
        }
    }
    return NULL;
}

static struct policy_verdict verdict(const struct policy_rule *rule, enum policy_question question,
                                     bool managed)
{
    bool allow = rule != NULL && (rule->access == ACCESS_WRITE ||
                                  (rule->access == ACCESS_READ && question == ASK_READ));

    return (struct policy_verdict){allow, managed, rule};
}

enum cordon_err policy_subject(const char *path, enum policy_os os, struct arena *arena,
                               const char **ret_subject)
{
    return spelling_normal(path, os, arena, ret_subject);
}

struct policy_verdict policy_eval(const struct policy *policy, const struct dfa *managed,
                                  const struct dfa *own, const char *path, size_t path_len,
                                  enum policy_question question)
{
    uint32_t id = dfa_match(managed, path, path_len);
    const struct policy_rule *rule = NULL;

    if (id < policy->managed.count) {
        rule = &policy->managed.rules[id];
        if (rule->access == ACCESS_DENY || question == ASK_WRITE) {
            return verdict(rule, question, true);
        }
    }
    id = dfa_match(own, path, path_len);
    rule = id < policy->own.count ? &policy->own.rules[id] : NULL;
    if (rule != NULL && rule->access == ACCESS_DENY_WRITE && question == ASK_READ) {
        rule = exact_rule(policy, path, path_len);
    }
    return verdict(rule, question, false);
}
