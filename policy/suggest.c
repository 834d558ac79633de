/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/suggest.h"

#include <string.h>

#define WORD_MAX 64U

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* One row of the distance matrix; @rows: two before, one before, this one. */
static void fill_row(unsigned rows[3][WORD_MAX + 1], const char *a, const char *b, size_t i)
{
    size_t columns = strlen(b);

    rows[2][0] = (unsigned)i;
    for (size_t j = 1; j <= columns; j++) {
        unsigned cost = a[i - 1] == b[j - 1] ? 0 : 1;

        rows[2][j] = least(least(rows[1][j] + 1, rows[2][j - 1] + 1), rows[1][j - 1] + cost);
        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
            rows[2][j] = least(rows[2][j], rows[0][j - 2] + 1);
        }
    }
}

unsigned suggest_distance(const char *a, const char *b, unsigned limit)
{
    unsigned rows[3][WORD_MAX + 1];
    size_t rows_len = strlen(a);
    size_t columns = strlen(b);

    /* Each character that only one of them has is a step. */
    if (rows_len > WORD_MAX || columns > WORD_MAX || rows_len > columns + limit ||
        columns > rows_len + limit) {
        return limit + 1;
    }
    for (size_t j = 0; j <= columns; j++) {
        rows[2][j] = (unsigned)j;
    }
    for (size_t i = 1; i <= rows_len; i++) {
        memmove(rows[0], rows[1], 2 * sizeof(rows[0]));
        fill_row(rows, a, b, i);
    }
    return least(rows[2][columns], limit + 1);
}

unsigned suggest_reach(const char *word)
{
    return strlen(word) < 4 ? 1 : 2;
}

const char *suggest(const char *word, const char *const *words, size_t count)
{
    unsigned best = suggest_reach(word) + 1;
    const char *found = NULL;

    for (size_t i = 0; i < count; i++) {
        unsigned distance = suggest_distance(word, words[i], best);

        if (distance < best) {
            best = distance;
            found = words[i];
        }
    }
    return found;
}
