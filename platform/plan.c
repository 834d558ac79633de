/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/plan.h"

#include <string.h>

#include "platform/base/jsonw.h"
#include "platform/linux/plan_linux.h"
#include "platform/macos/plan_macos.h"
#include "platform/windows/plan_windows.h"

/* One row per system; a new planner is one more row. */
static const struct {
    const char *name;
    plan_fn *make;
    const char *const *ops;
    uint16_t op_count;
} systems[] = {
    [POLICY_OS_LINUX] = {"linux", plan_linux, plan_linux_op_names, PLAN_LINUX_OP_COUNT},
    [POLICY_OS_MACOS] = {"macos", plan_macos, plan_macos_op_names, PLAN_MACOS_OP_COUNT},
    [POLICY_OS_WINDOWS] = {"windows", plan_windows, plan_windows_op_names, PLAN_WINDOWS_OP_COUNT},
};

static const struct {
    uint16_t flag;
    const char *name;
} flag_names[] = {
    {PLAN_STEP_DIR, "dir"},
    {PLAN_STEP_FILE, "file"},
    {PLAN_STEP_LINK, "link"},
    {PLAN_STEP_OPEN, "open"},
};
#define FLAG_COUNT (sizeof(flag_names) / sizeof(flag_names[0]))

static const char *const set_names[] = {
    [PLAN_SET_NONE] = "none",
    [PLAN_SET_MANAGED] = "managed",
    [PLAN_SET_OWN] = "own",
};

static const char *const layer_names[] = {
    [LAYER_MANAGED_CODEX] = "managed-codex", [LAYER_MANAGED] = "managed",
    [LAYER_USER_CODEX] = "user-codex",       [LAYER_USER] = "user",
    [LAYER_COMMAND_LINE] = "command-line",   [LAYER_BUILTIN] = "builtin",
};

enum cordon_err plan_for_os(enum policy_os os, const struct policy *policy,
                            const struct plan_facts *facts, struct arena *arena,
                            struct plan **ret_plan, struct cordon_fault *fault)
{
    return systems[os].make(policy, facts, arena, ret_plan, fault);
}

const char *plan_os_name(enum policy_os os)
{
    return systems[os].name;
}

const char *plan_op_name(enum policy_os os, uint16_t op)
{
    return op < systems[os].op_count ? systems[os].ops[op] : "?";
}

const char *plan_level_name(enum plan_level level)
{
    static const char *const names[] = {
        [PLAN_KERNEL] = "kernel",
        [PLAN_NAME_ONLY] = "kernel (name only)",
        [PLAN_OBJECT_ONLY] = "kernel (object only)",
        [PLAN_SNAPSHOT] = "snapshot",
    };

    return names[level];
}

const char *plan_access_name(enum policy_access access)
{
    static const char *const names[] = {
        [ACCESS_DENY] = "deny",
        [ACCESS_DENY_WRITE] = "deny-write",
        [ACCESS_READ] = "read",
        [ACCESS_WRITE] = "write",
    };

    return names[access];
}

static void add_escaped(struct strbuf *out, const char *text)
{
    strbuf_escape(out, text, strlen(text));
}

void plan_origin_text(const struct policy_origin *origin, struct strbuf *out)
{
    add_escaped(out, origin->key != NULL ? origin->key : layer_names[origin->layer]);
    if (origin->file != NULL) {
        strbuf_puts(out, ", ");
        add_escaped(out, origin->file);
        strbuf_printf(out, ":%u", origin->line);
    }
}

void plan_rule_text(const struct policy_rule *rule, struct strbuf *out)
{
    strbuf_printf(out, "%s \"", plan_access_name(rule->access));
    add_escaped(out, rule->spelled);
    strbuf_puts(out, "\" (");
    plan_origin_text(&rule->origin, out);
    strbuf_puts(out, ")");
}

/* ---- text ---- */

static void text_step(const struct plan *plan, const struct plan_step *step, struct strbuf *out)
{
    bool bare = step->path == NULL && step->text == NULL && step->value == 0;

    strbuf_printf(out, bare ? "  %s" : "  %-16s", plan_op_name(plan->os, step->op));
    if (step->path != NULL) {
        strbuf_puts(out, " ");
        add_escaped(out, step->path);
    }
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if ((step->flags & flag_names[i].flag) != 0) {
            strbuf_printf(out, " %s", flag_names[i].name);
        }
    }
    if (step->value != 0) {
        strbuf_printf(out, plan->os == POLICY_OS_WINDOWS ? " value=0x%x" : " value=%u",
                      step->value);
    }
    if (step->text != NULL) {
        strbuf_puts(out, " ");
        add_escaped(out, step->text);
    }
    if (step->rule != PLAN_NO_RULE) {
        strbuf_printf(out, " <- %s[%u]", set_names[step->set], step->rule);
    }
    strbuf_puts(out, "\n");
}

static void text_rules(const char *title, const struct policy_ruleset *rules,
                       const struct plan_label *labels, struct strbuf *out)
{
    strbuf_printf(out, "%s:%s\n", title, rules->count == 0 ? " none" : "");
    for (size_t i = 0; i < rules->count; i++) {
        strbuf_printf(out, "  [%zu] ", i);
        plan_rule_text(&rules->rules[i], out);
        strbuf_printf(out, ": %s", plan_level_name(labels[i].level));
        if (labels[i].note != NULL) {
            strbuf_puts(out, "; ");
            add_escaped(out, labels[i].note);
        }
        strbuf_puts(out, "\n");
    }
}

static void print_text(const struct plan *plan, const struct policy *policy, struct strbuf *out)
{
    strbuf_printf(out, "plan: %s, profile ", plan_os_name(plan->os));
    add_escaped(out, policy->profile);
    strbuf_puts(out, "\nsteps:\n");
    for (size_t i = 0; i < plan->step_count; i++) {
        text_step(plan, &plan->steps[i], out);
    }
    text_rules("managed rules", &policy->managed, plan->managed, out);
    text_rules(policy->full_access ? "profile's rules (not in force: full access)"
                                   : "profile's rules",
               &policy->own, plan->own, out);
    for (size_t i = 0; i < plan->notice_count; i++) {
        strbuf_puts(out, "notice: ");
        add_escaped(out, plan->notices[i]);
        strbuf_puts(out, "\n");
    }
}

/* ---- JSON ---- */

static void json_step(const struct plan *plan, const struct plan_step *step, struct jsonw *json)
{
    jsonw_object(json, NULL);
    jsonw_string(json, "op", plan_op_name(plan->os, step->op));
    jsonw_string(json, "path", step->path);
    jsonw_array(json, "flags");
    for (size_t i = 0; i < FLAG_COUNT; i++) {
        if ((step->flags & flag_names[i].flag) != 0) {
            jsonw_string(json, NULL, flag_names[i].name);
        }
    }
    jsonw_array_end(json);
    jsonw_uint(json, "value", step->value);
    jsonw_string(json, "text", step->text);
    if (step->rule != PLAN_NO_RULE) {
        jsonw_string(json, "set", set_names[step->set]);
        jsonw_uint(json, "rule", step->rule);
    }
    jsonw_object_end(json);
}

static void json_rules(struct jsonw *json, const char *key, const struct policy_ruleset *rules,
                       const struct plan_label *labels)
{
    jsonw_array(json, key);
    for (size_t i = 0; i < rules->count; i++) {
        const struct policy_rule *rule = &rules->rules[i];

        jsonw_object(json, NULL);
        jsonw_string(json, "access", plan_access_name(rule->access));
        jsonw_string_len(json, "pattern", rule->pattern, rule->pattern_len);
        jsonw_bool(json, "glob", rule->glob);
        jsonw_string(json, "spelled", rule->spelled);
        jsonw_object(json, "origin");
        jsonw_string(json, "layer", layer_names[rule->origin.layer]);
        jsonw_string(json, "file", rule->origin.file);
        jsonw_uint(json, "line", rule->origin.line);
        jsonw_uint(json, "column", rule->origin.column);
        jsonw_string(json, "key", rule->origin.key);
        jsonw_object_end(json);
        jsonw_string(json, "level", plan_level_name(labels[i].level));
        jsonw_string(json, "note", labels[i].note);
        jsonw_object_end(json);
    }
    jsonw_array_end(json);
}

static void print_json(const struct plan *plan, const struct policy *policy, struct strbuf *out)
{
    struct jsonw json = JSONW_INIT(out);

    jsonw_object(&json, NULL);
    jsonw_string(&json, "os", plan_os_name(plan->os));
    jsonw_string(&json, "profile", policy->profile);
    jsonw_bool(&json, "full_access", policy->full_access);
    jsonw_array(&json, "steps");
    for (size_t i = 0; i < plan->step_count; i++) {
        json_step(plan, &plan->steps[i], &json);
    }
    jsonw_array_end(&json);
    json_rules(&json, "managed", &policy->managed, plan->managed);
    json_rules(&json, "own", &policy->own, plan->own);
    jsonw_array(&json, "notices");
    for (size_t i = 0; i < plan->notice_count; i++) {
        jsonw_string(&json, NULL, plan->notices[i]);
    }
    jsonw_array_end(&json);
    jsonw_object_end(&json);
    jsonw_newline(&json);
}

void plan_print(const struct plan *plan, const struct policy *policy, bool json, struct strbuf *out)
{
    if (json) {
        print_json(plan, policy, out);
    } else {
        print_text(plan, policy, out);
    }
}
