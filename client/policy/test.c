/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client/policy/tool.h"
#include "platform/base/jsonw.h"
#include "policy/place.h"
#include "policy/tree.h"

/* One [[case]], read. */
struct test_case {
    struct toml_pos pos;
    const char *path;
    enum policy_question question;
    bool allow;
    const char *rule; /* NULL: any */
};

static const char *const case_keys[] = {"path", "access", "expect", "rule"};
#define CASE_KEYS (sizeof(case_keys) / sizeof(case_keys[0]))

/* One of two words; anything else is a mistake in the table. */
static enum cordon_err read_word(const struct toml_value *row, const char *key,
                                 const char *const words[2], bool *ret_first,
                                 struct cordon_fault *fault)
{
    const char *word = tree_text(row, key, words[0]);

    *ret_first = strcmp(word, words[0]) == 0;
    if (!*ret_first && strcmp(word, words[1]) != 0) {
        char quoted[PLACE_QUOTE_MAX];

        return place_fail(fault, CORDON_E_INVALID, &tree_get(row, key)->pos, NULL,
                          "%s is %s: write %s or %s", key, place_quote(word, quoted), words[0],
                          words[1]);
    }
    return CORDON_OK;
}

static enum cordon_err read_keys(const struct toml_value *row, struct cordon_fault *fault)
{
    for (size_t i = 0; i < row->count; i++) {
        const struct toml_entry *entry = &row->as.entries[i];
        char quoted[PLACE_QUOTE_MAX];
        bool known = false;

        for (size_t k = 0; k < CASE_KEYS; k++) {
            known = known || strcmp(entry->key, case_keys[k]) == 0;
        }
        if (!known) {
            const char *near = cli_nearest(entry->key, case_keys, CASE_KEYS);

            return place_fail(fault, CORDON_E_INVALID, &entry->pos,
                              near != NULL ? near : "path, access, expect, rule",
                              "unknown key %s in [[case]]", place_quote(entry->key, quoted));
        }
        if (entry->value.type != TOML_STRING) {
            return place_fail(fault, CORDON_E_INVALID, &entry->value.pos, NULL,
                              "%s must be a string", entry->key);
        }
    }
    return CORDON_OK;
}

static enum cordon_err read_case(const struct toml_value *row, struct test_case *ret_case,
                                 struct cordon_fault *fault)
{
    static const char *const accesses[2] = {"read", "write"};
    static const char *const verdicts[2] = {"allow", "deny"};
    enum cordon_err err;
    bool read = true;

    if (row->type != TOML_TABLE) {
        return place_fail(fault, CORDON_E_INVALID, &row->pos, NULL, "case must be [[case]] tables");
    }
    err = read_keys(row, fault);
    if (err != CORDON_OK) {
        return err;
    }
    ret_case->pos = row->pos;
    ret_case->path = tree_text(row, "path", NULL);
    ret_case->rule = tree_text(row, "rule", NULL);
    if (ret_case->path == NULL || tree_get(row, "expect") == NULL) {
        return place_fail(fault, CORDON_E_INVALID, &row->pos, NULL,
                          "a [[case]] needs path and expect");
    }
    err = read_word(row, "access", accesses, &read, fault);
    ret_case->question = read ? ASK_READ : ASK_WRITE;
    return err == CORDON_OK ? read_word(row, "expect", verdicts, &ret_case->allow, fault) : err;
}

/* A rule may be named by its key, as it was spelled, or by its pattern; "none" is no rule. */
static bool is_rule(const struct policy_rule *rule, const char *name)
{
    if (rule == NULL) {
        return strcmp(name, "none") == 0;
    }
    return strcmp(rule->origin.key, name) == 0 || strcmp(rule->spelled, name) == 0 ||
           strcmp(rule->pattern, name) == 0;
}

static void report(struct tool *tool, const struct test_case *row, const struct tool_answer *answer,
                   bool passed)
{
    struct strbuf *out = &tool->out;
    struct jsonw json = JSONW_INIT(out);
    const struct policy_rule *rule = answer->rule.rule;

    if (tool->json) {
        jsonw_object(&json, NULL);
        jsonw_uint(&json, "line", row->pos.line);
        jsonw_string(&json, "path", answer->path);
        jsonw_string(&json, "access", row->question == ASK_READ ? "read" : "write");
        jsonw_string(&json, "verdict", answer->allow ? "allow" : "deny");
        jsonw_string(&json, "rule", rule != NULL ? rule->origin.key : NULL);
        jsonw_bool(&json, "passed", passed);
        jsonw_object_end(&json);
        jsonw_newline(&json);
    } else if (!passed) {
        strbuf_printf(out, "%s:%u:%u: %s ", tool->cli->operand[0], row->pos.line, row->pos.column,
                      row->question == ASK_READ ? "read" : "write");
        strbuf_escape(out, answer->path, strlen(answer->path));
        strbuf_printf(out, ": expected %s%s%s, got %s by ", row->allow ? "allow" : "deny",
                      row->rule != NULL ? " by " : "", row->rule != NULL ? row->rule : "",
                      answer->allow ? "allow" : "deny");
        if (rule != NULL) {
            policy_origin_text(&rule->origin, out);
        } else {
            strbuf_puts(out, "no rule");
        }
        strbuf_puts(out, "\n");
    }
}

static enum cordon_err run_cases(struct tool *tool, const struct toml_value *cases,
                                 size_t *ret_failed, struct cordon_fault *fault)
{
    for (size_t i = 0; i < cases->count; i++) {
        struct test_case row;
        struct tool_answer answer;
        enum cordon_err err = read_case(&cases->as.items[i], &row, fault);
        bool passed;

        if (err == CORDON_OK && tool_ask(tool, row.path, row.question, &answer) != CORDON_OK) {
            err = place_no_memory(fault);
        }
        if (err != CORDON_OK) {
            return err;
        }
        passed =
            answer.allow == row.allow && (row.rule == NULL || is_rule(answer.rule.rule, row.rule));
        report(tool, &row, &answer, passed);
        *ret_failed += passed ? 0 : 1;
    }
    return CORDON_OK;
}

static enum cordon_err read_cases(struct tool *tool, struct toml_value *ret_cases,
                                  struct cordon_fault *fault)
{
    const char *path = tool->cli->operand[0];
    struct toml_source *source = arena_alloc(&tool->arena, sizeof(*source));
    struct toml_value root;
    const struct toml_value *cases;
    const char *text;
    size_t len;
    enum cordon_err err;

    if (source == NULL) {
        return place_no_memory(fault);
    }
    *source = (struct toml_source){LAYER_USER, path, path};
    err = host_read_file(path, POLICY_FILE_MAX, &tool->arena, &text, &len, fault);
    if (err == CORDON_E_NOT_FOUND && fault->text[0] == '\0') {
        return fault_set(fault, err, NULL, "%s: no such file", path);
    }
    if (err == CORDON_OK) {
        err = toml_parse(source, text, len, &tool->arena, &root, fault);
    }
    if (err != CORDON_OK) {
        return err;
    }
    cases = tree_get(&root, "case");
    if (cases == NULL || cases->type != TOML_ARRAY || root.count != 1) {
        return fault_set(fault, CORDON_E_INVALID, "write [[case]] with path, access, expect, rule",
                         "%s:1:1: not a table of cases", path);
    }
    *ret_cases = *cases;
    return CORDON_OK;
}

int verb_test(struct tool *tool)
{
    struct cordon_fault fault = {0};
    struct toml_value cases = {0};
    size_t failed = 0;

    if (read_cases(tool, &cases, &fault) != CORDON_OK || tool_context(tool, &fault) != CORDON_OK ||
        tool_documents(tool, &fault) != CORDON_OK || tool_policy(tool, &fault) != CORDON_OK ||
        run_cases(tool, &cases, &failed, &fault) != CORDON_OK) {
        return tool_fail(tool, &fault);
    }
    if (!tool->json) {
        strbuf_printf(&tool->out, "%zu passed, %zu failed\n", cases.count - failed, failed);
    }
    return failed == 0 ? 0 : 1;
}
