/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/dfa_items.h"

#include <stdlib.h>
#include <string.h>

#include "policy/dfa_mem.h"

#define SORT_SMALL 24U
#define SLOTS_FIRST 1024U

void items_put(struct items *items, uint32_t item)
{
    uint32_t *data = mem_reserve(items->data, &items->cap, items->count + 1, sizeof(*data));

    if (data == NULL) {
        items->failed = true;
        return;
    }
    items->data = data;
    data[items->count++] = item;
}

static int item_order(const void *left, const void *right)
{
    const uint32_t a = *(const uint32_t *)left;
    const uint32_t b = *(const uint32_t *)right;

    return (a > b) - (a < b);
}

void items_sort(struct items *items)
{
    uint32_t *data = items->data;

    if (items->count > SORT_SMALL) {
        qsort(data, items->count, sizeof(*data), item_order);
        return;
    }
    for (size_t i = 1; i < items->count; i++) {
        const uint32_t item = data[i];
        size_t at = i;

        for (; at > 0 && data[at - 1] > item; at--) {
            data[at] = data[at - 1];
        }
        data[at] = item;
    }
}

void items_deinit(struct items *items)
{
    free(items->data);
    memset(items, 0, sizeof(*items));
}

static uint32_t items_hash(const struct items *items)
{
    uint64_t hash = 0x9E3779B97F4A7C15U + items->count;

    for (size_t i = 0; i < items->count; i++) {
        hash = (hash ^ items->data[i]) * 0xD6E8FEB86659FD93U;
        hash ^= hash >> 32U;
    }
    return (uint32_t)hash;
}

const uint32_t *item_table_set(const struct item_table *table, uint32_t set, size_t *ret_count)
{
    const size_t first = set == 0 ? 0 : table->ends.data[set - 1];

    *ret_count = table->ends.data[set] - first;
    return table->pool.data + first;
}

static enum cordon_err table_append(struct item_table *table, const struct items *items,
                                    uint32_t hash)
{
    for (size_t i = 0; i < items->count; i++) {
        items_put(&table->pool, items->data[i]);
    }
    items_put(&table->hashes, hash);
    if (table->pool.failed || table->hashes.failed) {
        return CORDON_E_NOMEM;
    }
    items_put(&table->ends, (uint32_t)table->pool.count);
    return table->ends.failed ? CORDON_E_NOMEM : CORDON_OK;
}

/* The slot of a set equal to @items, or the free one where it belongs. */
static size_t table_slot(const struct item_table *table, const struct items *items, uint32_t hash)
{
    size_t at = hash & (table->slot_count - 1);

    for (; table->slots[at] != 0; at = (at + 1) & (table->slot_count - 1)) {
        const uint32_t set = table->slots[at];
        size_t count;
        const uint32_t *own = item_table_set(table, set, &count);

        if (table->hashes.data[set] == hash && count == items->count &&
            memcmp(own, items->data, count * sizeof(*own)) == 0) {
            break;
        }
    }
    return at;
}

static enum cordon_err table_grow(struct item_table *table, size_t count)
{
    uint32_t *slots = calloc(count, sizeof(*slots));

    if (slots == NULL) {
        return CORDON_E_NOMEM;
    }
    for (uint32_t set = 1; set < table->ends.count; set++) {
        size_t at = table->hashes.data[set] & (count - 1);

        while (slots[at] != 0) {
            at = (at + 1) & (count - 1);
        }
        slots[at] = set;
    }
    free(table->slots);
    table->slots = slots;
    table->slot_count = count;
    return CORDON_OK;
}

enum cordon_err item_table_init(struct item_table *table)
{
    const struct items none = {NULL, 0, 0, false};

    memset(table, 0, sizeof(*table));
    if (table_append(table, &none, 0) != CORDON_OK) {
        return CORDON_E_NOMEM;
    }
    return table_grow(table, SLOTS_FIRST);
}

enum cordon_err item_table_intern(struct item_table *table, const struct items *items,
                                  uint32_t *ret_set)
{
    const uint32_t hash = items_hash(items);
    const uint32_t next = (uint32_t)table->ends.count;
    size_t slot;

    if (items->failed) {
        return CORDON_E_NOMEM;
    }
    if (items->count == 0) {
        *ret_set = 0;
        return CORDON_OK;
    }
    slot = table_slot(table, items, hash);
    if (table->slots[slot] != 0) {
        *ret_set = table->slots[slot];
        return CORDON_OK;
    }
    if (table_append(table, items, hash) != CORDON_OK) {
        return CORDON_E_NOMEM;
    }
    *ret_set = next;
    table->slots[slot] = next;
    return table->ends.count > table->slot_count / 2 ? table_grow(table, 2 * table->slot_count)
                                                     : CORDON_OK;
}

void item_table_deinit(struct item_table *table)
{
    items_deinit(&table->pool);
    items_deinit(&table->ends);
    items_deinit(&table->hashes);
    free(table->slots);
    memset(table, 0, sizeof(*table));
}
