/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client/policy/tool.h"
#include "platform/base/jsonw.h"

static const char *level(enum policy_enforcement enforcement)
{
    return enforcement == ENFORCE_KERNEL ? "kernel" : "snapshot";
}

static void rules_text(struct tool *tool, const char *title, const struct policy_ruleset *set,
                       bool managed)
{
    struct strbuf *out = &tool->out;

    strbuf_printf(out, "%s:\n", title);
    for (size_t i = 0; i < set->count; i++) {
        const struct tool_rule rule = {&set->rules[i], managed};
        const char *note;
        const char *enforced = tool_enforced(tool, &rule, &note);

        strbuf_puts(out, "  ");
        tool_rule_text(rule.rule, out);
        if (strcmp(rule.rule->spelled, rule.rule->pattern) != 0) {
            strbuf_puts(out, " = ");
            strbuf_escape(out, rule.rule->pattern, rule.rule->pattern_len);
        }
        strbuf_puts(out, "  (");
        policy_origin_text(&rule.rule->origin, out);
        strbuf_printf(out, ")  [%s%s%s]\n", enforced, note != NULL ? "; " : "",
                      note != NULL ? note : "");
    }
    if (set->count == 0) {
        strbuf_puts(out, "  none\n");
    }
}

static void limits_text(const struct policy *policy, struct strbuf *out)
{
    for (int i = 0; i < POLICY_LIMIT_COUNT; i++) {
        const enum policy_limit limit = (enum policy_limit)i;
        const struct policy_limit_value *value = policy_limit_in_force(&policy->limits, limit);

        if (value->value != 0) {
            strbuf_printf(out, "limit: %s = ", policy_limit_name(limit));
            policy_limit_text(limit, value, out);
            strbuf_puts(out, "\n");
        }
    }
}

static void limits_json(const struct policy *policy, struct jsonw *json)
{
    jsonw_array(json, "limits");
    for (int i = 0; i < POLICY_LIMIT_COUNT; i++) {
        const enum policy_limit limit = (enum policy_limit)i;
        const struct policy_limit_value *value = policy_limit_in_force(&policy->limits, limit);

        if (value->value == 0) {
            continue;
        }
        jsonw_object(json, NULL);
        jsonw_string(json, "limit", policy_limit_name(limit));
        jsonw_uint(json, "value", value->value);
        jsonw_bool(json, "managed", value == &policy->limits.managed[limit]);
        jsonw_string(json, "key", value->origin.key);
        jsonw_string(json, "file", value->origin.file);
        jsonw_uint(json, "line", value->origin.line);
        jsonw_object_end(json);
    }
    jsonw_array_end(json);
}

static void show_text(struct tool *tool, const char *hash)
{
    const struct policy *policy = tool->policy;
    struct strbuf *out = &tool->out;

    strbuf_printf(out, "profile: %s  (", policy->profile);
    policy_origin_text(&policy->chosen_by, out);
    strbuf_printf(out, ")\nhash: %s\nnetwork: %s\nsandbox: %s\n", hash,
                  policy->network ? "the host's" : "off",
                  policy->full_access ? "none but managed rules" : "on");
    strbuf_printf(out, "least enforcement: managed %s, own %s\n", level(policy->minimum_managed),
                  level(policy->minimum_own));
    for (size_t i = 0; i < policy->workspace_root_count; i++) {
        strbuf_printf(out, "workspace root: %s\n", policy->workspace_roots[i]);
    }
    for (size_t i = 0; i < policy->unix_socket_count; i++) {
        strbuf_printf(out, "unix socket: %s\n", policy->unix_sockets[i]);
    }
    limits_text(policy, out);
    rules_text(tool, "managed rules", &policy->managed, true);
    rules_text(tool, "rules of the profile", &policy->own, false);
    for (size_t i = 0; i < policy->warning_count; i++) {
        strbuf_puts(out, "warning: ");
        policy_origin_text(&policy->warnings[i].origin, out);
        strbuf_printf(out, ": %s\n", policy->warnings[i].text);
    }
    if (tool->plan == NULL) {
        strbuf_printf(out, "cannot be enforced here: %s\n", tool->plan_fault.text);
    }
}

static void rules_json(struct tool *tool, const char *key, const struct policy_ruleset *set,
                       struct jsonw *json)
{
    jsonw_array(json, key);
    for (size_t i = 0; i < set->count; i++) {
        const struct tool_rule rule = {&set->rules[i], set == &tool->policy->managed};

        jsonw_object(json, NULL);
        tool_rule_json(tool, &rule, json);
        jsonw_object_end(json);
    }
    jsonw_array_end(json);
}

static void strings_json(const char *key, const char *const *items, size_t count,
                         struct jsonw *json)
{
    jsonw_array(json, key);
    for (size_t i = 0; i < count; i++) {
        jsonw_string(json, NULL, items[i]);
    }
    jsonw_array_end(json);
}

static void show_json(struct tool *tool, const char *hash)
{
    const struct policy *policy = tool->policy;
    struct jsonw json = JSONW_INIT(&tool->out);

    jsonw_object(&json, NULL);
    jsonw_string(&json, "profile", policy->profile);
    jsonw_string(&json, "hash", hash);
    jsonw_bool(&json, "network", policy->network);
    jsonw_bool(&json, "full_access", policy->full_access);
    jsonw_string(&json, "minimum_managed", level(policy->minimum_managed));
    jsonw_string(&json, "minimum_own", level(policy->minimum_own));
    strings_json("workspace_roots", policy->workspace_roots, policy->workspace_root_count, &json);
    strings_json("unix_sockets", policy->unix_sockets, policy->unix_socket_count, &json);
    limits_json(policy, &json);
    rules_json(tool, "managed", &policy->managed, &json);
    rules_json(tool, "own", &policy->own, &json);
    jsonw_array(&json, "warnings");
    for (size_t i = 0; i < policy->warning_count; i++) {
        jsonw_object(&json, NULL);
        jsonw_string(&json, "text", policy->warnings[i].text);
        jsonw_string(&json, "key", policy->warnings[i].origin.key);
        jsonw_string(&json, "file", policy->warnings[i].origin.file);
        jsonw_uint(&json, "line", policy->warnings[i].origin.line);
        jsonw_object_end(&json);
    }
    jsonw_array_end(&json);
    jsonw_string(&json, "refused", tool->plan == NULL ? tool->plan_fault.text : NULL);
    jsonw_object_end(&json);
    jsonw_newline(&json);
}

int verb_show(struct tool *tool)
{
    struct cordon_fault fault = {0};
    char hash[POLICY_HASH_HEX];

    if (tool_context(tool, &fault) != CORDON_OK || tool_documents(tool, &fault) != CORDON_OK ||
        tool_policy(tool, &fault) != CORDON_OK) {
        return tool_fail(tool, &fault);
    }
    if (policy_hash(tool->policy, hash) != CORDON_OK) {
        (void)fault_set(&fault, CORDON_E_NOMEM, NULL, "out of memory");
        return tool_fail(tool, &fault);
    }
    tool_plan(tool);
    if (tool->json) {
        show_json(tool, hash);
    } else {
        show_text(tool, hash);
    }
    return 0;
}
