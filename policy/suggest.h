/* SPDX-License-Identifier: Apache-2.0 */
/* "did you mean": the nearest of a list of words. */
#ifndef CORDON_POLICY_SUGGEST_H
#define CORDON_POLICY_SUGGEST_H

#include <stddef.h>

/*
 * Edits (insert, delete, replace, swap of neighbours) from @a to @b, or @limit + 1
 * when there are more than @limit. Words over 64 bytes are never near.
 */
unsigned suggest_distance(const char *a, const char *b, unsigned limit);

/* Edits that still count as a slip for a word of this length: 1 to 2. */
unsigned suggest_reach(const char *word);

/* The word of @words within reach of @word, the nearest first; NULL: none. */
const char *suggest(const char *word, const char *const *words, size_t count);

#endif
