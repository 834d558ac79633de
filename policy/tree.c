/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/tree.h"

#include <stdlib.h>
#include <string.h>

const struct toml_entry *tree_find(const struct toml_value *table, const char *key)
{
    if (table == NULL || table->type != TOML_TABLE) {
        return NULL;
    }
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->as.entries[i].key, key) == 0) {
            return &table->as.entries[i];
        }
    }
    return NULL;
}

const struct toml_value *tree_get(const struct toml_value *table, const char *key)
{
    const struct toml_entry *entry = tree_find(table, key);

    return entry == NULL ? NULL : &entry->value;
}

static const struct toml_value *tree_typed(const struct toml_value *table, const char *key,
                                           enum toml_type type)
{
    const struct toml_value *value = tree_get(table, key);

    return value != NULL && value->type == type ? value : NULL;
}

bool tree_bool(const struct toml_value *table, const char *key, bool fallback)
{
    const struct toml_value *value = tree_typed(table, key, TOML_BOOL);

    return value == NULL ? fallback : value->as.boolean;
}

const char *tree_text(const struct toml_value *table, const char *key, const char *fallback)
{
    const struct toml_value *value = tree_typed(table, key, TOML_STRING);

    return value == NULL ? fallback : value->as.text;
}

uint32_t tree_uint(const struct toml_value *table, const char *key, uint32_t fallback)
{
    const struct toml_value *value = tree_typed(table, key, TOML_INT);

    if (value == NULL || value->as.integer < 0 || value->as.integer > UINT32_MAX) {
        return fallback;
    }
    return (uint32_t)value->as.integer;
}

/* A table's entries by key: a profile may have ten thousand of them. */
struct order {
    struct toml_entry *entry;
};

static int order_compare(const void *a, const void *b)
{
    return strcmp(((const struct order *)a)->entry->key, ((const struct order *)b)->entry->key);
}

static struct toml_entry *order_find(const struct order *order, size_t count,
                                     struct toml_entry *like)
{
    const struct order want = {like};
    const struct order *found =
        count == 0 ? NULL : bsearch(&want, order, count, sizeof(want), order_compare);

    return found == NULL ? NULL : found->entry;
}

/* Lays one entry over the @count sorted ones of *merged, or appends it. */
static enum cordon_err merge_entry(struct toml_value *merged, const struct order *order,
                                   size_t count, struct toml_entry *over, struct arena *arena)
{
    struct toml_entry *old = order_find(order, count, over);
    struct toml_value value;
    enum cordon_err err;

    if (old == NULL) {
        merged->as.entries[merged->count++] = *over;
        return CORDON_OK;
    }
    if (old->value.type != TOML_TABLE || over->value.type != TOML_TABLE) {
        *old = *over;
        return CORDON_OK;
    }
    err = tree_merge(&old->value, &over->value, arena, &value);
    if (err == CORDON_OK) {
        old->value = value;
    }
    return err;
}

enum cordon_err tree_merge(const struct toml_value *base, const struct toml_value *over,
                           struct arena *arena, struct toml_value *ret_table)
{
    struct toml_value merged = *over;
    struct order *order = arena_array(arena, base->count, sizeof(*order));

    merged.as.entries = arena_array(arena, base->count + over->count, sizeof(struct toml_entry));
    if (order == NULL || merged.as.entries == NULL) {
        return CORDON_E_NOMEM;
    }
    merged.count = base->count;
    for (size_t i = 0; i < base->count; i++) {
        merged.as.entries[i] = base->as.entries[i];
        order[i].entry = &merged.as.entries[i];
    }
    qsort(order, base->count, sizeof(*order), order_compare);
    for (size_t i = 0; i < over->count; i++) {
        enum cordon_err err = merge_entry(&merged, order, base->count, &over->as.entries[i], arena);

        if (err != CORDON_OK) {
            return err;
        }
    }
    *ret_table = merged;
    return CORDON_OK;
}
