/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client/policy/tool.h"
#include "platform/base/jsonw.h"
#include "platform/caller.h"

const char *tool_absolute(struct tool *tool, const char *path)
{
    return caller_absolute(&tool->context, path, &tool->arena);
}

/* Of one path as the system has it. */
static enum cordon_err decide(struct tool *tool, const char *path, enum policy_question question,
                              struct policy_verdict *ret_verdict, struct cordon_fault *fault)
{
    const char *subject;
    const enum cordon_err err = policy_subject(path, tool->policy->os, &tool->arena, &subject);

    if (err != CORDON_OK) {
        return fault_set(fault, err, NULL, "%s: %s", path,
                         err == CORDON_E_NOMEM ? "out of memory" : "no path of this system's");
    }
    *ret_verdict = policy_eval(tool->policy, tool->managed_table, tool->own_table, subject,
                               strlen(subject), question);
    return CORDON_OK;
}

enum cordon_err tool_ask(struct tool *tool, const char *path, enum policy_question question,
                         struct tool_answer *ret_answer, struct cordon_fault *fault)
{
    struct tool_answer answer = {.path = tool_absolute(tool, path)};
    struct policy_verdict verdict = {.allow = false};
    enum cordon_err err;

    if (answer.path == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "%s: out of memory, or no path", path);
    }
    answer.resolved = caller_leads(answer.path, &tool->arena);
    err = decide(tool, answer.path, question, &verdict, fault);
    if (err == CORDON_OK && verdict.allow && answer.resolved != NULL) {
        err = decide(tool, answer.resolved, question, &verdict, fault);
    }
    if (err != CORDON_OK) {
        return err;
    }
    answer.allow = verdict.allow;
    answer.rule = (struct tool_rule){verdict.rule, verdict.managed};
    *ret_answer = answer;
    return CORDON_OK;
}

const char *tool_enforced(const struct tool *tool, const struct tool_rule *rule,
                          const char **ret_note)
{
    const struct policy *policy = tool->policy;
    const struct plan_label *label;

    *ret_note = NULL;
    if (tool->plan == NULL) {
        *ret_note = tool->plan_fault.text;
        return "refused";
    }
    if (rule->rule == NULL) {
        return plan_level_name(PLAN_KERNEL);
    }
    label = rule->managed ? &tool->plan->managed[rule->rule - policy->managed.rules]
                          : &tool->plan->own[rule->rule - policy->own.rules];
    *ret_note = label->note;
    return plan_level_name(label->level);
}

void tool_rule_text(const struct policy_rule *rule, struct strbuf *out)
{
    strbuf_printf(out, "%s \"", plan_access_name(rule->access));
    strbuf_escape(out, rule->spelled, strlen(rule->spelled));
    strbuf_puts(out, "\"");
}

void tool_rule_json(const struct tool *tool, const struct tool_rule *rule, struct jsonw *json)
{
    const char *note;
    const char *enforced = tool_enforced(tool, rule, &note);

    jsonw_string(json, "enforced", enforced);
    jsonw_string(json, "note", note);
    if (rule->rule == NULL) {
        jsonw_string(json, "rule", NULL);
        return;
    }
    jsonw_string(json, "rule", rule->rule->origin.key);
    jsonw_string(json, "access", plan_access_name(rule->rule->access));
    jsonw_string(json, "spelled", rule->rule->spelled);
    jsonw_string(json, "pattern", rule->rule->pattern);
    jsonw_bool(json, "glob", rule->rule->glob);
    jsonw_bool(json, "managed", rule->managed);
    jsonw_string(json, "file", rule->rule->origin.file);
    jsonw_uint(json, "line", rule->rule->origin.line);
    jsonw_uint(json, "column", rule->rule->origin.column);
}
