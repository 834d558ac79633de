/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of 32-bit items, and a table that numbers equal sets alike. Private to dfa*.c. */
#ifndef CORDON_POLICY_DFA_ITEMS_H
#define CORDON_POLICY_DFA_ITEMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"

struct items {
    uint32_t *data;
    size_t count;
    size_t cap;
    bool failed; /* an item is missing: out of memory */
};

void items_put(struct items *items, uint32_t item);
void items_sort(struct items *items);
void items_deinit(struct items *items);

/* Set 0 is the empty one; others are numbered as they come. */
struct item_table {
    struct items pool;   /* the items of all sets, one set after the other */
    struct items ends;   /* per set: where its items end in the pool */
    struct items hashes; /* per set */
    uint32_t *slots;     /* by hash: a set, or 0 for a free slot */
    size_t slot_count;
};

/* CORDON_E_NOMEM; a table that is zeroed or failed is released likewise. */
CORDON_MUST_USE enum cordon_err item_table_init(struct item_table *table);
void item_table_deinit(struct item_table *table);

/* The number of the set @items (sorted). CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err item_table_intern(struct item_table *table,
                                                  const struct items *items, uint32_t *ret_set);

/* Valid until the next intern. */
const uint32_t *item_table_set(const struct item_table *table, uint32_t set, size_t *ret_count);

#endif
