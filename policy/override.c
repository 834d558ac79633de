/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "policy/place.h"
#include "policy/policy.h"
#include "policy/tree.h"

/* The '=' that ends the key: the first outside quotes; NULL: none. */
static const char *override_equals(const char *text)
{
    char quote = '\0';

    for (; *text != '\0'; text++) {
        if (quote != '\0') {
            quote = *text == quote ? '\0' : quote;
        } else if (*text == '"' || *text == '\'') {
            quote = *text;
        } else if (*text == '=') {
            return text;
        }
    }
    return NULL;
}

/* The value alone, so that it cannot add keys of its own. */
static enum cordon_err override_value(const struct toml_source *source, const char *text,
                                      struct arena *arena, struct toml_value *ret_value)
{
    const char *line = arena_printf(arena, "v = %s", text);
    struct cordon_fault ignored;
    struct toml_value table;
    enum cordon_err err;

    if (line == NULL) {
        return CORDON_E_NOMEM;
    }
    err = toml_parse(source, line, strlen(line), arena, &table, &ignored);
    if (err == CORDON_E_NOMEM || err == CORDON_E_LIMIT) {
        return err;
    }
    if (err == CORDON_OK && table.count == 1) {
        *ret_value = table.as.entries[0].value;
        return CORDON_OK;
    }
    *ret_value = (struct toml_value){.type = TOML_STRING, .count = strlen(text)};
    ret_value->pos = (struct toml_pos){source, 1, 1};
    ret_value->as.text = text;
    return CORDON_OK;
}

/* The innermost entry of a tree that is one chain of tables; NULL: it is not. */
static struct toml_entry *override_leaf(struct toml_value *table)
{
    while (table->count == 1) {
        struct toml_entry *entry = &table->as.entries[0];

        if (entry->value.type != TOML_TABLE) {
            return entry;
        }
        table = &entry->value;
    }
    return NULL;
}

static enum cordon_err override_key(const struct toml_source *source, const char *text, size_t len,
                                    struct arena *arena, struct toml_value *ret_table)
{
    const char *line = arena_printf(arena, "%.*s= 0", (int)len, text);
    struct cordon_fault ignored;

    if (line == NULL) {
        return CORDON_E_NOMEM;
    }
    if (memchr(text, '\n', len) != NULL) {
        return CORDON_E_INVALID;
    }
    return toml_parse(source, line, strlen(line), arena, ret_table, &ignored);
}

enum cordon_err override_parse(const char *text, struct arena *arena, struct toml_value *ret_table,
                               struct cordon_fault *fault)
{
    const char *equals = override_equals(text);
    struct toml_source *source = arena_alloc(arena, sizeof(*source));
    char quoted[PLACE_QUOTE_MAX];
    struct toml_entry *leaf = NULL;
    struct toml_value table;
    enum cordon_err err;

    if (strlen(text) > POLICY_FILE_MAX) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "-c: more than %u bytes", POLICY_FILE_MAX);
    }
    if (equals == NULL) {
        return fault_set(fault, CORDON_E_INVALID, "write -c key=value", "-c %s: no \"=\"",
                         place_quote(text, quoted));
    }
    if (source == NULL) {
        return place_no_memory(fault);
    }
    *source = (struct toml_source){LAYER_COMMAND_LINE, NULL, NULL};
    source->name = arena_printf(arena, "-c %.*s", (int)(equals - text), text);
    if (source->name == NULL) {
        return place_no_memory(fault);
    }
    err = override_key(source, text, (size_t)(equals - text), arena, &table);
    if (err == CORDON_OK) {
        leaf = override_leaf(&table);
    }
    if (leaf != NULL) {
        err = override_value(source, equals + 1, arena, &leaf->value);
    }
    if (err == CORDON_E_NOMEM) {
        return place_no_memory(fault);
    }
    if (err == CORDON_E_LIMIT) {
        return fault_set(fault, err, NULL, "%s: nested too deeply", source->name);
    }
    if (leaf == NULL) {
        return fault_set(fault, CORDON_E_INVALID,
                         "quote segments that are paths: -c 'a.b.\"~/x\"=...'",
                         "-c %s: not a dotted key", place_quote(text, quoted));
    }
    *ret_table = table;
    return CORDON_OK;
}
