/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sets of characters ("?", "[a-z]") and the byte sequences they stand for.
 * A character is a Unicode code point in well-formed UTF-8, or a single byte
 * that is not part of one; the latter has the value GLOB_RAW + byte.
 */
#ifndef CORDON_POLICY_GLOB_SET_H
#define CORDON_POLICY_GLOB_SET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"

#define GLOB_RAW 0x110000U
#define GLOB_VALUE_MAX (GLOB_RAW + 0xFFU)
#define GLOB_SET_ANY 0U /* the set of "?" */

struct glob_range {
    uint32_t lo;
    uint32_t hi;
};

/*
 * What must not follow for a byte to be a character of its own: the rest of a
 * well-formed sequence that it would begin.
 */
enum glob_guard {
    GUARD_NONE,
    GUARD_1,  /* 80..BF */
    GUARD_2,  /* 80..BF twice */
    GUARD_3,  /* 80..BF three times */
    GUARD_E0, /* A0..BF, then GUARD_1 */
    GUARD_ED, /* 80..9F, then GUARD_1 */
    GUARD_F0, /* 90..BF, then GUARD_2 */
    GUARD_F4, /* 80..8F, then GUARD_2 */
    GUARD_COUNT
};

/* A step over one byte in lo..hi. */
struct glob_arc {
    uint32_t to; /* 0: the character is complete; n: on to the set's inner step n - 1 */
    uint8_t lo;
    uint8_t hi;
    uint8_t guard; /* enum glob_guard; holds from the following byte on */
};

struct glob_set {
    size_t range_first;
    size_t range_count;
    size_t arc_first; /* steps over the first byte */
    size_t arc_count;
    size_t inner_first; /* steps over later bytes; one arc each */
    size_t inner_count;
};

struct glob_sets {
    struct glob_set *sets; /* sets[GLOB_SET_ANY] is always there */
    size_t count;
    size_t cap;
    struct glob_range *ranges;
    size_t range_count;
    size_t range_cap;
    struct glob_arc *arcs;
    size_t arc_count;
    size_t arc_cap;
    struct glob_arc *inner;
    size_t inner_count;
    size_t inner_cap;
};

/* An empty list of ranges; sorted and merged by glob_ranges_close(). */
struct glob_ranges {
    struct glob_range *items;
    size_t count;
    size_t cap;
};

/* CORDON_E_NOMEM; glob_sets_deinit() is allowed in any case. */
CORDON_MUST_USE enum cordon_err glob_sets_init(struct glob_sets *sets);
void glob_sets_deinit(struct glob_sets *sets);

/* The value at @text (@len > 0) and its length in bytes. */
uint32_t glob_value(const unsigned char *text, size_t len, size_t *ret_len);

/* The guard of a byte taken alone. */
enum glob_guard glob_guard_of(uint8_t byte);

/*
 * What becomes of @guard when @byte follows: GUARD_COUNT when the sequence is
 * complete (so the byte before was no character of its own), GUARD_NONE when it
 * cannot be any more, else the guard that remains.
 */
enum glob_guard glob_guard_step(enum glob_guard guard, uint8_t byte);

CORDON_MUST_USE enum cordon_err glob_ranges_add(struct glob_ranges *ranges, uint32_t lo,
                                                uint32_t hi);

/*
 * Sorts and merges; closes under ASCII case if @fold_case; then complements if
 * @negate; takes '/' out. CORDON_E_NOMEM.
 */
CORDON_MUST_USE enum cordon_err glob_ranges_close(struct glob_ranges *ranges, bool fold_case,
                                                  bool negate);

/* The index of the set of these (closed) ranges. CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err glob_sets_add(struct glob_sets *sets,
                                              const struct glob_ranges *ranges, uint32_t *ret_set);

#endif
