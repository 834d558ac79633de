/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/glob_scan.h"

#include <stdlib.h>
#include <string.h>

struct scan {
    const struct glob_reader *reader;
    const unsigned char *text;
    size_t len;
    size_t at;
    struct glob_sign *signs;
    size_t count;
    size_t open[GLOB_NESTING_MAX]; /* per open group: its last OPEN or COMMA */
    size_t open_at[GLOB_NESTING_MAX];
    size_t depth;
    struct cordon_fault *fault;
};

static enum cordon_err scan_bad(const struct scan *scan, size_t at, const char *what)
{
    return fault_set(scan->fault, CORDON_E_INVALID, "put '\\' before a character meant as itself",
                     "%s at byte %zu of the pattern", what, at + 1);
}

static void scan_put(struct scan *scan, enum glob_sign_kind kind, uint8_t byte, uint32_t arg)
{
    scan->signs[scan->count++] = (struct glob_sign){arg, (uint8_t)kind, byte};
}

static void scan_put_byte(struct scan *scan, uint8_t byte)
{
    if (scan->reader->fold_case && byte >= 'A' && byte <= 'Z') {
        byte = (uint8_t)(byte + ('a' - 'A'));
    }
    scan_put(scan, SIGN_BYTE, byte, 0);
}

static enum cordon_err scan_escape(struct scan *scan)
{
    if (scan->at + 1 == scan->len) {
        return scan_bad(scan, scan->at, "a '\\' with nothing to escape");
    }
    scan_put_byte(scan, scan->text[scan->at + 1]);
    scan->at += 2;
    return CORDON_OK;
}

/* One end of a range within a class; moves past it. */
static enum cordon_err class_value(struct scan *scan, size_t start, uint32_t *ret_value)
{
    size_t used;

    if (scan->at < scan->len && scan->text[scan->at] == '\\') {
        scan->at++;
    }
    if (scan->at >= scan->len) {
        return scan_bad(scan, start, "a '[' that is never closed");
    }
    *ret_value = glob_value(scan->text + scan->at, scan->len - scan->at, &used);
    scan->at += used;
    return CORDON_OK;
}

/* "a" or "a-z"; a '-' before the closing ']' stands for itself. */
static enum cordon_err class_range(struct scan *scan, size_t start, struct glob_ranges *ranges)
{
    const size_t first = scan->at;
    uint32_t lo = 0;
    uint32_t hi;
    enum cordon_err err = class_value(scan, start, &lo);

    if (err != CORDON_OK) {
        return err;
    }
    hi = lo;
    if (scan->at + 1 < scan->len && scan->text[scan->at] == '-' &&
        scan->text[scan->at + 1] != ']') {
        scan->at++;
        err = class_value(scan, start, &hi);
        if (err != CORDON_OK) {
            return err;
        }
        if (hi < lo || (lo < GLOB_RAW) != (hi < GLOB_RAW)) {
            return scan_bad(scan, first, "a range that ends before it begins");
        }
    }
    return glob_ranges_add(ranges, lo, hi);
}

static enum cordon_err class_ranges(struct scan *scan, struct glob_ranges *ranges)
{
    const size_t start = scan->at++;
    bool negate = false;
    bool first = true;

    if (scan->at < scan->len && (scan->text[scan->at] == '!' || scan->text[scan->at] == '^')) {
        negate = true;
        scan->at++;
    }
    while (scan->at < scan->len && (first || scan->text[scan->at] != ']')) {
        enum cordon_err err = class_range(scan, start, ranges);

        if (err != CORDON_OK) {
            return err;
        }
        first = false;
    }
    if (scan->at >= scan->len) {
        return scan_bad(scan, start, "a '[' that is never closed");
    }
    scan->at++;
    if (glob_ranges_close(ranges, scan->reader->fold_case, negate) != CORDON_OK) {
        return CORDON_E_NOMEM;
    }
    return ranges->count == 0 ? scan_bad(scan, start, "a class that matches nothing") : CORDON_OK;
}

static enum cordon_err scan_class(struct scan *scan)
{
    struct glob_ranges ranges = {NULL, 0, 0};
    uint32_t set = 0;
    enum cordon_err err = class_ranges(scan, &ranges);

    if (err == CORDON_OK) {
        err = glob_sets_add(scan->reader->sets, &ranges, &set);
    }
    free(ranges.items);
    if (err == CORDON_OK) {
        scan_put(scan, SIGN_SET, 0, set);
    }
    return err;
}

static enum cordon_err scan_open(struct scan *scan)
{
    if (scan->depth == GLOB_NESTING_MAX) {
        return scan_bad(scan, scan->at, "braces nested deeper than 8");
    }
    scan->open[scan->depth] = scan->count;
    scan->open_at[scan->depth] = scan->at++;
    scan->depth++;
    scan_put(scan, SIGN_OPEN, 0, 0);
    return CORDON_OK;
}

/* A ',' or '}' of the innermost group. */
static enum cordon_err scan_group(struct scan *scan, enum glob_sign_kind kind)
{
    size_t *last = &scan->open[scan->depth - 1];

    scan->signs[*last].arg = (uint32_t)scan->count;
    *last = scan->count;
    scan_put(scan, kind, 0, 0);
    scan->depth -= kind == SIGN_CLOSE ? 1 : 0;
    scan->at++;
    return CORDON_OK;
}

static enum cordon_err scan_one(struct scan *scan)
{
    const uint8_t byte = scan->text[scan->at];

    if (byte == '\\') {
        return scan_escape(scan);
    }
    if (byte == '[') {
        return scan_class(scan);
    }
    if (byte == '{') {
        return scan_open(scan);
    }
    if (scan->depth > 0 && (byte == ',' || byte == '}')) {
        return scan_group(scan, byte == ',' ? SIGN_COMMA : SIGN_CLOSE);
    }
    scan->at++;
    if (byte == '*') {
        scan_put(scan, SIGN_STAR, 0, 0);
    } else if (byte == '?') {
        scan_put(scan, SIGN_SET, 0, GLOB_SET_ANY);
    } else {
        scan_put_byte(scan, byte);
    }
    return CORDON_OK;
}

enum cordon_err glob_scan(const struct glob_reader *reader, const char *pattern, size_t len,
                          struct glob_sign *signs, size_t *ret_count, struct cordon_fault *fault)
{
    struct scan scan = {.reader = reader,
                        .text = (const unsigned char *)pattern,
                        .len = len,
                        .signs = signs,
                        .fault = fault};

    while (scan.at < len) {
        enum cordon_err err = CORDON_OK;

        if (reader->literal) {
            scan_put_byte(&scan, scan.text[scan.at++]);
        } else {
            err = scan_one(&scan);
        }
        if (err != CORDON_OK) {
            return err;
        }
    }
    if (scan.depth > 0) {
        return scan_bad(&scan, scan.open_at[scan.depth - 1], "a '{' that is never closed");
    }
    *ret_count = scan.count;
    return CORDON_OK;
}
