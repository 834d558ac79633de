/* SPDX-License-Identifier: Apache-2.0 */
/* Letters of ASCII in either case, whatever the locale; every other byte is only itself. */
#ifndef CORDON_BASE_ASCII_H
#define CORDON_BASE_ASCII_H

#include <stdbool.h>
#include <stddef.h>

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static inline char ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

/* Whether the first @len bytes are the same but for case. */
static inline bool ascii_equal(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (ascii_lower(a[i]) != ascii_lower(b[i])) {
            return false;
        }
    }
    return true;
}

#endif
