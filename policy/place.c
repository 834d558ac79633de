/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/place.h"

#include <stdio.h>
#include <string.h>

enum cordon_err place_fail(struct cordon_fault *fault, enum cordon_err err,
                           const struct toml_pos *pos, const char *remedy, const char *fmt, ...)
{
    char what[CORDON_FAULT_TEXT_MAX];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    if (pos->source == NULL) {
        return fault_set(fault, err, remedy, "%s", what);
    }
    if (pos->source->file == NULL) {
        return fault_set(fault, err, remedy, "%s: %s", pos->source->name, what);
    }
    return fault_set(fault, err, remedy, "%s:%u:%u: %s", pos->source->name, pos->line, pos->column,
                     what);
}

enum cordon_err place_no_memory(struct cordon_fault *fault)
{
    return fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory while reading the policy");
}

static bool key_is_bare(const char *key)
{
    size_t len = strspn(key, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");

    return len > 0 && key[len] == '\0';
}

static const char *key_quoted(const char *key, struct arena *arena)
{
    struct strbuf text = STRBUF_INIT;
    const char *copy = NULL;

    strbuf_puts(&text, "\"");
    for (; *key != '\0'; key++) {
        if (*key == '"') {
            strbuf_puts(&text, "\\\"");
        } else {
            strbuf_escape(&text, key, 1);
        }
    }
    strbuf_puts(&text, "\"");
    if (!text.failed) {
        copy = arena_strndup(arena, strbuf_text(&text), text.len);
    }
    strbuf_deinit(&text);
    return copy;
}

const char *place_key(const struct place *place, struct arena *arena)
{
    const char *up;
    const char *key;

    if (place->up != NULL && place->key != NULL && strcmp(place->key, ".") == 0) {
        return place_key(place->up, arena);
    }
    up = place->up == NULL ? "" : place_key(place->up, arena);
    if (up == NULL) {
        return NULL;
    }
    if (place->key == NULL) {
        return arena_printf(arena, "%s[%zu]", up, place->index);
    }
    key = key_is_bare(place->key) ? place->key : key_quoted(place->key, arena);
    if (key == NULL) {
        return NULL;
    }
    return arena_printf(arena, "%s%s%s", up, *up == '\0' ? "" : ".", key);
}

enum cordon_err place_origin(const struct place *place, struct arena *arena,
                             struct policy_origin *ret_origin)
{
    const struct toml_source *source = place->pos.source;
    struct policy_origin origin = {.layer = source->layer, .key = place_key(place, arena)};

    if (origin.key == NULL) {
        return CORDON_E_NOMEM;
    }
    if (source->file != NULL) {
        origin.file = source->file;
        origin.line = place->pos.line;
        origin.column = place->pos.column;
    }
    *ret_origin = origin;
    return CORDON_OK;
}

const char *place_quote(const char *text, char ret_quoted[PLACE_QUOTE_MAX])
{
    size_t used = 0;

    ret_quoted[used++] = '"';
    for (; *text != '\0' && used < PLACE_QUOTE_MAX - 10; text++) {
        unsigned char c = (unsigned char)*text;

        if (c < 0x20 || c >= 0x7f) {
            used += (size_t)snprintf(ret_quoted + used, 5, "\\x%02x", c);
        } else {
            ret_quoted[used++] = (char)c;
        }
    }
    (void)snprintf(ret_quoted + used, PLACE_QUOTE_MAX - used, "%s\"", *text == '\0' ? "" : "...");
    return ret_quoted;
}
