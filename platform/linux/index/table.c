/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/index/table.h"

#include <stdlib.h>

static struct node **slot_of(const struct table *table, uint64_t hash)
{
    return &table->slots[hash & (table->room - 1)];
}

static bool grow(struct table *table)
{
    struct table bigger = {.room = table->room == 0 ? 64 : table->room * 2, .count = table->count};

    bigger.slots = calloc(bigger.room, sizeof(*bigger.slots));
    if (bigger.slots == NULL) {
        return false;
    }
    for (size_t i = 0; i < table->room; i++) {
        while (table->slots[i] != NULL) {
            struct node *node = table->slots[i];
            struct node **slot = slot_of(&bigger, node->hash);

            table->slots[i] = node->next;
            node->next = *slot;
            *slot = node;
        }
    }
    free(table->slots);
    *table = bigger;
    return true;
}

bool table_add(struct table *table, struct node *node, uint64_t hash)
{
    struct node **slot;

    if (table->count >= table->room && !grow(table)) {
        return false;
    }
    slot = slot_of(table, hash);
    node->hash = hash;
    node->next = *slot;
    *slot = node;
    table->count++;
    return true;
}

void table_remove(struct table *table, struct node *node)
{
    struct node **link = slot_of(table, node->hash);

    while (*link != node) {
        link = &(*link)->next;
    }
    *link = node->next;
    table->count--;
}

struct node *table_first(const struct table *table, uint64_t hash)
{
    return table->room == 0 ? NULL : *slot_of(table, hash);
}

void table_clear(struct table *table, void (*release)(struct node *))
{
    for (size_t i = 0; i < table->room; i++) {
        while (table->slots[i] != NULL) {
            struct node *node = table->slots[i];

            table->slots[i] = node->next;
            release(node);
        }
    }
    free(table->slots);
    *table = (struct table){NULL, 0, 0};
}
