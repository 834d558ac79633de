/* SPDX-License-Identifier: Apache-2.0 */
/* Hashed chains of what has a struct node as its first member. */
#ifndef CORDON_LINUX_INDEX_TABLE_H
#define CORDON_LINUX_INDEX_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct node {
    struct node *next;
    uint64_t hash;
};
struct table {
    struct node **slots;
    size_t room, count;
};

/* False: out of memory. */
bool table_add(struct table *table, struct node *node, uint64_t hash);
void table_remove(struct table *table, struct node *node);
/* The first that may have @hash; then go on by `next`. */
struct node *table_first(const struct table *table, uint64_t hash);
/* Gives every node to @release, and leaves the table empty. */
void table_clear(struct table *table, void (*release)(struct node *));

#endif
