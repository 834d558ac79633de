/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client/policy/tool.h"
#include "platform/base/jsonw.h"

static void why_text(struct tool *tool, const struct tool_answer *answer, const char *question)
{
    struct strbuf *out = &tool->out;
    const char *note;
    const char *enforced = tool_enforced(tool, &answer->rule, &note);

    strbuf_printf(out, "%s: %s ", answer->allow ? "allowed" : "denied", question);
    strbuf_escape(out, answer->path, strlen(answer->path));
    if (answer->resolved != NULL) {
        strbuf_puts(out, "\n  leads to:  ");
        strbuf_escape(out, answer->resolved, strlen(answer->resolved));
    }
    strbuf_puts(out, "\n  rule:      ");
    if (answer->rule.rule != NULL) {
        tool_rule_text(answer->rule.rule, out);
        strbuf_puts(out, "\n  from:      ");
        policy_origin_text(&answer->rule.rule->origin, out);
    } else if (tool->policy->full_access) {
        strbuf_puts(out, "none; the mode allows everything that managed policy does not deny");
    } else {
        strbuf_puts(out, "none; what no entry covers is denied");
    }
    strbuf_printf(out, "\n  profile:   %s", tool->policy->profile);
    strbuf_printf(out, "\n  enforced:  %s%s%s\n", enforced, note != NULL ? "; " : "",
                  note != NULL ? note : "");
}

static void why_json(struct tool *tool, const struct tool_answer *answer, const char *question)
{
    struct jsonw json = JSONW_INIT(&tool->out);

    jsonw_object(&json, NULL);
    jsonw_string(&json, "path", answer->path);
    jsonw_string(&json, "resolved", answer->resolved);
    jsonw_string(&json, "question", question);
    jsonw_string(&json, "verdict", answer->allow ? "allow" : "deny");
    jsonw_string(&json, "profile", tool->policy->profile);
    tool_rule_json(tool, &answer->rule, &json);
    jsonw_object_end(&json);
    jsonw_newline(&json);
}

static int answer_one(struct tool *tool, enum policy_question question, const char *word)
{
    struct cordon_fault fault = {0};
    struct tool_answer answer;

    if (tool_ask(tool, tool->cli->operand[0], question, &answer, &fault) != CORDON_OK) {
        return tool_fail(tool, &fault);
    }
    if (tool->json) {
        why_json(tool, &answer, word);
    } else {
        why_text(tool, &answer, word);
    }
    return 0;
}

int verb_why(struct tool *tool)
{
    struct cordon_fault fault = {0};
    bool write = (tool->cli->seen & CLI_BIT(CLI_OPT_WRITE)) != 0;
    bool read = (tool->cli->seen & CLI_BIT(CLI_OPT_READ)) != 0 || !write;
    int status = 0;

    if (tool_context(tool, &fault) != CORDON_OK || tool_documents(tool, &fault) != CORDON_OK ||
        tool_policy(tool, &fault) != CORDON_OK) {
        return tool_fail(tool, &fault);
    }
    tool_plan(tool);
    if (read) {
        status = answer_one(tool, ASK_READ, "read");
    }
    if (write && status == 0) {
        status = answer_one(tool, ASK_WRITE, "write");
    }
    return status;
}
