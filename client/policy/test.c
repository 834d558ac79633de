/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client/output.h"
#include "client/policy/tool.h"
#include "platform/base/jsonw.h"
#include "policy/cases.h"

static void report_json(struct tool *tool, const struct policy_case *row,
                        const struct tool_answer *answer, bool passed)
{
    struct jsonw json = JSONW_INIT(&tool->out);
    const struct policy_rule *rule = answer->rule.rule;

    jsonw_object(&json, NULL);
    jsonw_uint(&json, "line", row->line);
    jsonw_string(&json, "path", answer->path);
    jsonw_string(&json, "access", row->question == ASK_READ ? "read" : "write");
    jsonw_string(&json, "verdict", answer->allow ? "allow" : "deny");
    jsonw_string(&json, "rule", rule != NULL ? rule->origin.key : NULL);
    jsonw_bool(&json, "passed", passed);
    jsonw_object_end(&json);
    jsonw_newline(&json);
}

/* FILE:LINE first: editors and CI read it. */
static void report_text(struct tool *tool, const struct policy_case *row,
                        const struct tool_answer *answer)
{
    struct strbuf *out = &tool->out;

    strbuf_plain(out, tool->cli->operand[0]);
    strbuf_printf(out, ":%u: %s ", row->line, row->question == ASK_READ ? "read" : "write");
    strbuf_escape(out, answer->path, strlen(answer->path));
    strbuf_printf(out, ": expected %s", row->allow ? "allow" : "deny");
    if (row->rule != NULL) {
        strbuf_puts(out, " by ");
        strbuf_escape(out, row->rule, strlen(row->rule));
    }
    strbuf_printf(out, ", got %s by ", answer->allow ? "allow" : "deny");
    if (answer->rule.rule != NULL) {
        policy_origin_text(&answer->rule.rule->origin, out);
    } else {
        strbuf_puts(out, "no rule");
    }
    strbuf_puts(out, "\n");
}

static bool passes(const struct policy_case *row, const struct tool_answer *answer)
{
    const struct policy_rule *rule = answer->rule.rule;

    return answer->allow == row->allow &&
           (row->rule == NULL || (rule != NULL && strcmp(rule->origin.key, row->rule) == 0));
}

/* @failed counts. */
static enum cordon_err run_cases(struct tool *tool, const struct policy_case *cases, size_t count,
                                 size_t *failed, struct cordon_fault *fault)
{
    for (size_t i = 0; i < count; i++) {
        struct tool_answer answer;
        const enum cordon_err err =
            tool_ask(tool, cases[i].path, cases[i].question, &answer, fault);
        bool passed;

        if (err != CORDON_OK) {
            return err;
        }
        passed = passes(&cases[i], &answer);
        *failed += passed ? 0 : 1;
        if (tool->json) {
            report_json(tool, &cases[i], &answer, passed);
        } else if (!passed) {
            report_text(tool, &cases[i], &answer);
        }
    }
    return CORDON_OK;
}

static enum cordon_err read_cases(struct tool *tool, struct policy_case **ret_cases,
                                  size_t *ret_count, struct cordon_fault *fault)
{
    struct policy_document document = {.layer = LAYER_USER, .path = tool->cli->operand[0]};
    enum cordon_err err = tool_read(tool, &document, fault);

    if (err == CORDON_OK) {
        err = policy_cases(&document, &tool->context, &tool->arena, ret_cases, ret_count, fault);
    }
    /* A table that tests nothing is a mistake, not a success. */
    if (err == CORDON_OK && *ret_count == 0) {
        err = fault_set(fault, CORDON_E_INVALID, "write [[case]] with path and expect",
                        "%s: no [[case]] in it", document.path);
    }
    return err;
}

int verb_test(struct tool *tool)
{
    struct cordon_fault fault = {0};
    struct policy_case *cases = NULL;
    size_t count = 0;
    size_t failed = 0;

    if (tool_context(tool, &fault) != CORDON_OK ||
        read_cases(tool, &cases, &count, &fault) != CORDON_OK ||
        tool_documents(tool, &fault) != CORDON_OK || tool_policy(tool, &fault) != CORDON_OK ||
        run_cases(tool, cases, count, &failed, &fault) != CORDON_OK) {
        return tool_fail(tool, &fault);
    }
    if (!tool->json) {
        strbuf_printf(&tool->out, "%zu passed, %zu failed\n", count - failed, failed);
    }
    return failed == 0 ? 0 : 1;
}
