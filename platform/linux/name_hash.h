/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash of file names that are alike where case is ignored. Which spellings are one is the file
 * system's to say, but for two of ASCII: it differs in nothing but A to Z.
 */
#ifndef CORDON_LINUX_NAME_HASH_H
#define CORDON_LINUX_NAME_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* FNV-1a, byte by byte. */
#define NAME_HASH_BEGIN 2166136261U
#define NAME_HASH_STEP(hash, byte) (((hash) ^ (unsigned char)(byte)) * 16777619U)

/* False: not all of @name is ASCII, so it may be a spelling of any other. */
static inline bool name_hash(const char *name, size_t len, uint32_t *ret_hash)
{
    uint32_t hash = NAME_HASH_BEGIN;

    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)name[i];

        if (c >= 0x80) {
            return false;
        }
        c = c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : c;
        hash = NAME_HASH_STEP(hash, c);
    }
    *ret_hash = hash;
    return true;
}

#endif
