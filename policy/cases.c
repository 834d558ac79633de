/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/cases.h"

#include <string.h>

#include "policy/schema.h"
#include "policy/spelling.h"
#include "policy/tree.h"

static const char *const access_words[] = {"read", "write", NULL};
static const char *const expect_words[] = {"allow", "deny", NULL};
static const struct schema_key case_keys[] = {
    {"path", SCHEMA_STRING, NULL, NULL, 0, 0},
    {"access", SCHEMA_STRING, NULL, access_words, 0, 0},
    {"expect", SCHEMA_STRING, NULL, expect_words, 0, 0},
    {"rule", SCHEMA_STRING, NULL, NULL, 0, 0},
};
static const struct schema schema_case = {"[[case]]", case_keys, 4, UNKNOWN_IS_ERROR, NULL};
static const struct schema_key top_keys[] = {{"case", SCHEMA_TABLES, &schema_case, NULL, 0, 0}};
static const struct schema schema_cases = {"a file of cases", top_keys, 1, UNKNOWN_IS_ERROR, NULL};

static enum cordon_err case_path(const struct policy_context *context, struct arena *arena,
                                 const struct toml_value *path, struct policy_case *ret_case,
                                 struct cordon_fault *fault)
{
    bool home = path->as.text[0] == '~' && (path->as.text[1] == '/' || path->as.text[1] == '\0');
    const char *text = path->as.text;
    char quoted[PLACE_QUOTE_MAX];
    enum cordon_err err;

    if (home && context->home != NULL) {
        text = arena_printf(arena, "%s%s", context->home, path->as.text + 1);
    }
    err =
        text == NULL ? CORDON_E_NOMEM : spelling_normal(text, context->os, arena, &ret_case->path);
    if (err == CORDON_E_INVALID) {
        return place_fail(fault, err, &path->pos, NULL, "%s: not an absolute path",
                          place_quote(path->as.text, quoted));
    }
    return err == CORDON_OK ? err : place_no_memory(fault);
}

static enum cordon_err read_case(const struct policy_context *context, struct arena *arena,
                                 const struct toml_value *table, struct policy_case *ret_case,
                                 struct cordon_fault *fault)
{
    static const char *const needed[] = {"path", "expect"};

    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (tree_get(table, needed[i]) == NULL) {
            return place_fail(fault, CORDON_E_INVALID, &table->pos, NULL, "[[case]] has no \"%s\"",
                              needed[i]);
        }
    }
    ret_case->line = table->pos.line;
    ret_case->rule = tree_text(table, "rule", NULL);
    ret_case->allow = strcmp(tree_text(table, "expect", ""), "allow") == 0;
    ret_case->question =
        strcmp(tree_text(table, "access", "read"), "write") == 0 ? ASK_WRITE : ASK_READ;
    return case_path(context, arena, tree_get(table, "path"), ret_case, fault);
}

static enum cordon_err parse_cases(const struct policy_document *document, struct arena *arena,
                                   struct toml_value *ret_table, struct cordon_fault *fault)
{
    static const struct schema *const all[] = {&schema_case};
    const struct schema_check check = {all, 1, NULL, NULL, fault};
    struct toml_source *source = arena_alloc(arena, sizeof(*source));
    enum cordon_err err;

    if (source == NULL) {
        return place_no_memory(fault);
    }
    *source = (struct toml_source){document->layer, document->path, document->path};
    err = toml_parse(source, document->text, document->len, arena, ret_table, fault);
    return err != CORDON_OK ? err : schema_check(&check, &schema_cases, ret_table);
}

enum cordon_err policy_cases(const struct policy_document *document,
                             const struct policy_context *context, struct arena *arena,
                             struct policy_case **ret_cases, size_t *ret_count,
                             struct cordon_fault *fault)
{
    struct toml_value table;
    enum cordon_err err = parse_cases(document, arena, &table, fault);
    const struct toml_value *list;
    struct policy_case *cases;
    size_t count;

    if (err != CORDON_OK) {
        return err;
    }
    list = tree_get(&table, "case");
    count = list == NULL ? 0 : list->count;
    cases = arena_array(arena, count, sizeof(*cases));
    if (cases == NULL) {
        return place_no_memory(fault);
    }
    for (size_t i = 0; err == CORDON_OK && i < count; i++) {
        err = read_case(context, arena, &list->as.items[i], &cases[i], fault);
    }
    if (err == CORDON_OK) {
        *ret_cases = cases;
        *ret_count = count;
    }
    return err;
}
