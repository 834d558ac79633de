/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/glob_set.h"

#include <string.h>

#include "policy/dfa_mem.h"

/* Equal sets share one index if the first of them is among so many. */
#define SETS_COMPARED 256U
#define CODE_MAX 0x10FFFFU
#define SURROGATE_FIRST 0xD800U
#define SURROGATE_LAST 0xDFFFU

/* The Unicode Standard, table 3-7: leads, the range of the second byte, the length. */
static const struct utf8_row {
    uint8_t lead_lo;
    uint8_t lead_hi;
    uint8_t second_lo;
    uint8_t second_hi;
    uint8_t len;
    uint8_t guard;
    uint8_t then; /* the guard after a fitting second byte */
} utf8_rows[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2, GUARD_1, GUARD_COUNT},
    {0xE0, 0xE0, 0xA0, 0xBF, 3, GUARD_E0, GUARD_1},
    {0xE1, 0xEC, 0x80, 0xBF, 3, GUARD_2, GUARD_1},
    {0xED, 0xED, 0x80, 0x9F, 3, GUARD_ED, GUARD_1},
    {0xEE, 0xEF, 0x80, 0xBF, 3, GUARD_2, GUARD_1},
    {0xF0, 0xF0, 0x90, 0xBF, 4, GUARD_F0, GUARD_2},
    {0xF1, 0xF3, 0x80, 0xBF, 4, GUARD_3, GUARD_2},
    {0xF4, 0xF4, 0x80, 0x8F, 4, GUARD_F4, GUARD_2},
};
#define UTF8_ROWS (sizeof(utf8_rows) / sizeof(utf8_rows[0]))

static const struct utf8_row *utf8_row_of(uint8_t lead)
{
    for (size_t i = 0; i < UTF8_ROWS; i++) {
        if (lead >= utf8_rows[i].lead_lo && lead <= utf8_rows[i].lead_hi) {
            return &utf8_rows[i];
        }
    }
    return NULL;
}

enum glob_guard glob_guard_of(uint8_t byte)
{
    const struct utf8_row *row = utf8_row_of(byte);

    return row == NULL ? GUARD_NONE : (enum glob_guard)row->guard;
}

enum glob_guard glob_guard_step(enum glob_guard guard, uint8_t byte)
{
    for (size_t i = 0; i < UTF8_ROWS; i++) {
        if (utf8_rows[i].guard == (uint8_t)guard) {
            return byte >= utf8_rows[i].second_lo && byte <= utf8_rows[i].second_hi
                       ? (enum glob_guard)utf8_rows[i].then
                       : GUARD_NONE;
        }
    }
    return GUARD_NONE;
}

uint32_t glob_value(const unsigned char *text, size_t len, size_t *ret_len)
{
    const struct utf8_row *row = utf8_row_of(text[0]);
    uint32_t code;

    *ret_len = 1;
    if (text[0] < 0x80) {
        return text[0];
    }
    if (row == NULL || len < row->len || text[1] < row->second_lo || text[1] > row->second_hi) {
        return GLOB_RAW + text[0];
    }
    code = text[0] & (0xFFU >> (row->len + 1U));
    for (size_t i = 1; i < row->len; i++) {
        if ((text[i] & 0xC0U) != 0x80U) {
            return GLOB_RAW + text[0];
        }
        code = code << 6U | (text[i] & 0x3FU);
    }
    *ret_len = row->len;
    return code;
}

enum cordon_err glob_ranges_add(struct glob_ranges *ranges, uint32_t lo, uint32_t hi)
{
    struct glob_range *items =
        mem_reserve(ranges->items, &ranges->cap, ranges->count + 1, sizeof(*items));

    if (items == NULL) {
        return CORDON_E_NOMEM;
    }
    ranges->items = items;
    items[ranges->count].lo = lo;
    items[ranges->count].hi = hi;
    ranges->count++;
    return CORDON_OK;
}

static int range_order(const void *left, const void *right)
{
    const struct glob_range *a = left;
    const struct glob_range *b = right;

    return a->lo != b->lo ? (a->lo < b->lo ? -1 : 1) : (a->hi > b->hi) - (a->hi < b->hi);
}

static void ranges_merge(struct glob_ranges *ranges)
{
    struct glob_range *items = ranges->items;
    size_t kept = 0;

    if (ranges->count == 0) {
        return;
    }
    qsort(items, ranges->count, sizeof(*items), range_order);
    for (size_t i = 1; i < ranges->count; i++) {
        if (items[i].lo <= items[kept].hi + 1) {
            items[kept].hi = items[i].hi > items[kept].hi ? items[i].hi : items[kept].hi;
        } else {
            items[++kept] = items[i];
        }
    }
    ranges->count = kept + 1;
}

/* Adds the part of every range that lies in @first..@first + 25, moved by @shift. */
static enum cordon_err ranges_shift(struct glob_ranges *ranges, uint32_t first, int shift)
{
    const size_t count = ranges->count;

    for (size_t i = 0; i < count; i++) {
        uint32_t lo = ranges->items[i].lo > first ? ranges->items[i].lo : first;
        uint32_t hi = ranges->items[i].hi < first + 25 ? ranges->items[i].hi : first + 25;

        if (lo <= hi && glob_ranges_add(ranges, (uint32_t)((int)lo + shift),
                                        (uint32_t)((int)hi + shift)) != CORDON_OK) {
            return CORDON_E_NOMEM;
        }
    }
    return CORDON_OK;
}

/* Replaces merged ranges by what they leave out of 0..GLOB_VALUE_MAX. */
static enum cordon_err ranges_negate(struct glob_ranges *ranges)
{
    struct glob_ranges left = {NULL, 0, 0};
    uint32_t next = 0;
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; i < ranges->count && err == CORDON_OK; i++) {
        if (ranges->items[i].lo > next) {
            err = glob_ranges_add(&left, next, ranges->items[i].lo - 1);
        }
        next = ranges->items[i].hi + 1;
    }
    if (err == CORDON_OK && next <= GLOB_VALUE_MAX) {
        err = glob_ranges_add(&left, next, GLOB_VALUE_MAX);
    }
    if (err != CORDON_OK) {
        free(left.items);
        return err;
    }
    free(ranges->items);
    *ranges = left;
    return CORDON_OK;
}

static enum cordon_err ranges_drop_slash(struct glob_ranges *ranges)
{
    for (size_t i = 0; i < ranges->count; i++) {
        struct glob_range *range = &ranges->items[i];
        const uint32_t hi = range->hi;

        if (range->lo > '/' || hi < '/') {
            continue;
        }
        if (range->lo == '/' && hi == '/') {
            memmove(range, range + 1, (ranges->count - i - 1) * sizeof(*range));
            ranges->count--;
            return CORDON_OK;
        }
        if (range->lo == '/') {
            range->lo++;
            return CORDON_OK;
        }
        range->hi = '/' - 1;
        if (hi == '/') {
            return CORDON_OK;
        }
        if (glob_ranges_add(ranges, '/' + 1, hi) != CORDON_OK) {
            return CORDON_E_NOMEM;
        }
        ranges_merge(ranges);
        return CORDON_OK;
    }
    return CORDON_OK;
}

enum cordon_err glob_ranges_close(struct glob_ranges *ranges, bool fold_case, bool negate)
{
    enum cordon_err err = CORDON_OK;

    if (fold_case) {
        err = ranges_shift(ranges, 'A', 'a' - 'A');
        if (err == CORDON_OK) {
            err = ranges_shift(ranges, 'a', 'A' - 'a');
        }
    }
    ranges_merge(ranges);
    if (err == CORDON_OK && negate) {
        err = ranges_negate(ranges);
    }
    return err == CORDON_OK ? ranges_drop_slash(ranges) : err;
}

static enum cordon_err set_arc(struct glob_sets *sets, struct glob_arc arc)
{
    struct glob_arc *arcs =
        mem_reserve(sets->arcs, &sets->arc_cap, sets->arc_count + 1, sizeof(*arcs));

    if (arcs == NULL) {
        return CORDON_E_NOMEM;
    }
    sets->arcs = arcs;
    arcs[sets->arc_count++] = arc;
    return CORDON_OK;
}

/* The inner step over lo..hi to *to, shared with an equal one of the same set. */
static enum cordon_err set_inner(struct glob_sets *sets, size_t first, uint8_t lo, uint8_t hi,
                                 uint32_t *to)
{
    struct glob_arc *inner;

    for (size_t i = first; i < sets->inner_count; i++) {
        inner = &sets->inner[i];
        if (inner->lo == lo && inner->hi == hi && inner->to == *to) {
            *to = (uint32_t)(i - first + 1);
            return CORDON_OK;
        }
    }
    inner = mem_reserve(sets->inner, &sets->inner_cap, sets->inner_count + 1, sizeof(*inner));
    if (inner == NULL) {
        return CORDON_E_NOMEM;
    }
    sets->inner = inner;
    inner[sets->inner_count] = (struct glob_arc){*to, lo, hi, GUARD_NONE};
    *to = (uint32_t)(++sets->inner_count - first);
    return CORDON_OK;
}

static size_t utf8_write(uint32_t code, uint8_t bytes[4])
{
    const size_t len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint8_t lead[] = {0, 0, 0xC0, 0xE0, 0xF0};

    for (size_t i = len; i-- > 1;) {
        bytes[i] = (uint8_t)(0x80U | (code & 0x3FU));
        code >>= 6U;
    }
    bytes[0] = (uint8_t)(lead[len] | code);
    return len;
}

/*
 * Where lo..hi must be cut so that the bytes of its two ends span exactly its
 * members: the last code point of the first piece, or @hi.
 */
static uint32_t range_cut(uint32_t lo, uint32_t hi)
{
    static const uint32_t ends[] = {0x7F, 0x7FF, 0xFFFF};

    for (size_t i = 0; i < 3; i++) {
        if (lo <= ends[i] && hi > ends[i]) {
            return ends[i];
        }
    }
    for (unsigned bits = 6; bits <= 18 && hi > 0x7F; bits += 6) {
        const uint32_t mask = (1U << bits) - 1;

        if ((lo & ~mask) == (hi & ~mask)) {
            continue;
        }
        if ((lo & mask) != 0) {
            return lo | mask;
        }
        if ((hi & mask) != mask) {
            return (hi & ~mask) - 1;
        }
    }
    return hi;
}

static enum cordon_err set_codes(struct glob_sets *sets, size_t inner_first, uint32_t lo,
                                 uint32_t hi)
{
    while (lo <= hi) {
        const uint32_t first = lo;
        uint32_t end = range_cut(lo, hi);
        uint32_t to = 0;
        uint8_t from[4];
        uint8_t till[4];
        size_t len;

        /* A cut for one length of prefix may leave the piece to be cut again. */
        for (uint32_t next = range_cut(lo, end); next != end; next = range_cut(lo, end)) {
            end = next;
        }
        len = utf8_write(first, from);
        (void)utf8_write(end, till);
        for (size_t i = len; i-- > 1;) {
            if (set_inner(sets, inner_first, from[i], till[i], &to) != CORDON_OK) {
                return CORDON_E_NOMEM;
            }
        }
        if (set_arc(sets, (struct glob_arc){to, from[0], till[0], GUARD_NONE}) != CORDON_OK) {
            return CORDON_E_NOMEM;
        }
        lo = end + 1;
    }
    return CORDON_OK;
}

/* Bytes lo..hi taken alone, one arc for each run with one guard. */
static enum cordon_err set_raw(struct glob_sets *sets, uint32_t lo, uint32_t hi)
{
    while (lo <= hi) {
        const enum glob_guard guard = glob_guard_of((uint8_t)lo);
        uint32_t end = lo;

        while (end < hi && glob_guard_of((uint8_t)(end + 1)) == guard) {
            end++;
        }
        if (set_arc(sets, (struct glob_arc){0, (uint8_t)lo, (uint8_t)end, (uint8_t)guard}) !=
            CORDON_OK) {
            return CORDON_E_NOMEM;
        }
        lo = end + 1;
    }
    return CORDON_OK;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static uint32_t most(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

static enum cordon_err set_range(struct glob_sets *sets, size_t inner_first,
                                 struct glob_range range)
{
    enum cordon_err err;

    err = set_codes(sets, inner_first, range.lo, least(range.hi, SURROGATE_FIRST - 1));
    if (err == CORDON_OK) {
        err = set_codes(sets, inner_first, most(range.lo, SURROGATE_LAST + 1),
                        least(range.hi, CODE_MAX));
    }
    if (err == CORDON_OK && range.hi >= GLOB_RAW + 0x80U) {
        err = set_raw(sets, most(range.lo, GLOB_RAW + 0x80U) - GLOB_RAW, range.hi - GLOB_RAW);
    }
    return err;
}

static bool set_equal(const struct glob_sets *sets, size_t index, const struct glob_ranges *ranges)
{
    const struct glob_set *set = &sets->sets[index];

    return set->range_count == ranges->count &&
           memcmp(sets->ranges + set->range_first, ranges->items,
                  ranges->count * sizeof(*ranges->items)) == 0;
}

static enum cordon_err set_build(struct glob_sets *sets, const struct glob_ranges *ranges,
                                 struct glob_set *ret_set)
{
    struct glob_range *pool = mem_reserve(sets->ranges, &sets->range_cap,
                                          sets->range_count + ranges->count, sizeof(*pool));
    struct glob_set set = {
        sets->range_count, ranges->count, sets->arc_count, 0, sets->inner_count, 0};

    if (pool == NULL) {
        return CORDON_E_NOMEM;
    }
    sets->ranges = pool;
    memcpy(pool + sets->range_count, ranges->items, ranges->count * sizeof(*pool));
    sets->range_count += ranges->count;
    for (size_t i = 0; i < ranges->count; i++) {
        if (set_range(sets, set.inner_first, ranges->items[i]) != CORDON_OK) {
            return CORDON_E_NOMEM;
        }
    }
    set.arc_count = sets->arc_count - set.arc_first;
    set.inner_count = sets->inner_count - set.inner_first;
    *ret_set = set;
    return CORDON_OK;
}

enum cordon_err glob_sets_add(struct glob_sets *sets, const struct glob_ranges *ranges,
                              uint32_t *ret_set)
{
    struct glob_set *all;

    for (size_t i = 0; i < sets->count && i < SETS_COMPARED; i++) {
        if (set_equal(sets, i, ranges)) {
            *ret_set = (uint32_t)i;
            return CORDON_OK;
        }
    }
    all = mem_reserve(sets->sets, &sets->cap, sets->count + 1, sizeof(*all));
    if (all == NULL) {
        return CORDON_E_NOMEM;
    }
    sets->sets = all;
    if (set_build(sets, ranges, &all[sets->count]) != CORDON_OK) {
        return CORDON_E_NOMEM;
    }
    *ret_set = (uint32_t)sets->count++;
    return CORDON_OK;
}

enum cordon_err glob_sets_init(struct glob_sets *sets)
{
    struct glob_range any[] = {{0, '/' - 1}, {'/' + 1, GLOB_VALUE_MAX}};
    const struct glob_ranges ranges = {any, 2, 2};
    uint32_t index;

    memset(sets, 0, sizeof(*sets));
    return glob_sets_add(sets, &ranges, &index);
}

void glob_sets_deinit(struct glob_sets *sets)
{
    free(sets->sets);
    free(sets->ranges);
    free(sets->arcs);
    free(sets->inner);
    memset(sets, 0, sizeof(*sets));
}
