/* SPDX-License-Identifier: Apache-2.0 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "client/policy/tool.h"
#include "platform/base/jsonw.h"

/* Removes "//", "." and "..", the last against its name, as a policy's spellings are. */
static void normalise(char *path)
{
    char *to = path;
    const char *from = path;

    while (*from != '\0') {
        size_t len;

        while (*from == '/') {
            from++;
        }
        len = strcspn(from, "/");
        if (len == 2 && memcmp(from, "..", 2) == 0) {
            while (to > path && *--to != '/') {
            }
        } else if (len > 0 && !(len == 1 && *from == '.')) {
            *to++ = '/';
            memmove(to, from, len);
            to += len;
        }
        from += len;
    }
    if (to == path) {
        *to++ = '/';
    }
    *to = '\0';
}

const char *tool_absolute(struct tool *tool, const char *path)
{
    char *absolute;

    if (path[0] == '/') {
        absolute = arena_strdup(&tool->arena, path);
    } else if (path[0] == '~' && (path[1] == '/' || path[1] == '\0') &&
               tool->context.home != NULL) {
        absolute = arena_printf(&tool->arena, "%s%s", tool->context.home, path + 1);
    } else {
        absolute = arena_printf(&tool->arena, "%s/%s", tool->context.cwd, path);
    }
    if (absolute != NULL) {
        normalise(absolute);
    }
    return absolute;
}

/* Where @path leads, its last components that do not exist appended; NULL when that is itself. */
static const char *follow(struct tool *tool, const char *path)
{
    char real[PATH_MAX];
    size_t len = strlen(path);

    for (;;) {
        char *head = arena_strndup(&tool->arena, path, len);

        if (head == NULL) {
            return NULL;
        }
        if (realpath(len == 0 ? "/" : head, real) != NULL) {
            char *joined =
                arena_printf(&tool->arena, "%s%s",
                             strcmp(real, "/") == 0 && path[len] == '/' ? "" : real, path + len);

            return joined == NULL || strcmp(joined, path) == 0 ? NULL : joined;
        }
        if (len == 0) {
            return NULL;
        }
        while (len > 0 && path[--len] != '/') {
        }
    }
}

enum cordon_err tool_ask(struct tool *tool, const char *path, enum policy_question question,
                         struct tool_answer *ret_answer)
{
    struct tool_answer answer = {.path = tool_absolute(tool, path)};
    struct policy_verdict verdict;

    if (answer.path == NULL) {
        return CORDON_E_NOMEM;
    }
    answer.resolved = follow(tool, answer.path);
    verdict = policy_eval(tool->policy, tool->managed_table, tool->own_table, answer.path,
                          strlen(answer.path), question);
    if (verdict.allow && answer.resolved != NULL) {
        verdict = policy_eval(tool->policy, tool->managed_table, tool->own_table, answer.resolved,
                              strlen(answer.resolved), question);
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
