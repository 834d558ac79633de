/* SPDX-License-Identifier: Apache-2.0 */
/* Growing arrays of the matcher's compiler. */
#ifndef CORDON_POLICY_DFA_MEM_H
#define CORDON_POLICY_DFA_MEM_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/*
 * Room for @need elements of @size bytes in @data, which holds *@cap of them.
 * The array (perhaps moved), or NULL when it cannot grow: @data is then as it was.
 */
static inline void *mem_reserve(void *data, size_t *cap, size_t need, size_t size)
{
    size_t want = *cap < 16 ? 16 : *cap;
    void *grown;

    if (need <= *cap) {
        return data;
    }
    while (want < need) {
        if (want > SIZE_MAX / 2) {
            return NULL;
        }
        want += want / 2;
    }
    if (want > SIZE_MAX / size) {
        return NULL;
    }
    grown = realloc(data, want * size);
    if (grown != NULL) {
        *cap = want;
    }
    return grown;
}

#endif
