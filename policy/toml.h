/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TOML as a plain tree in an arena. The library behind it is C++; nothing of
 * it, no exception included, passes this header.
 */
#ifndef CORDON_POLICY_TOML_H
#define CORDON_POLICY_TOML_H

#include "platform/base/arena.h"
#include "platform/base/strbuf.h"
#include "policy/types.h"

/* Deepest nesting of tables and arrays, and most segments of one dotted key. */
#define TOML_DEPTH_MAX 32U

/* One text: a file, or a -c of the command line. Outlives the tree. */
struct toml_source {
    enum policy_layer layer;
    const char *file; /* NULL for the command line */
    const char *name; /* in messages: the file, or "-c KEY" */
};

struct toml_pos {
    const struct toml_source *source; /* NULL: built in */
    uint32_t line;                    /* from 1 */
    uint32_t column;                  /* from 1 */
};

enum toml_type {
    TOML_BOOL,
    TOML_INT,
    TOML_FLOAT, /* marked only: its value is of no use here */
    TOML_TIME,  /* marked only */
    TOML_STRING,
    TOML_ARRAY,
    TOML_TABLE
};

struct toml_entry;

struct toml_value {
    enum toml_type type;
    struct toml_pos pos;
    size_t count; /* string: bytes; array: items; table: entries */
    union {
        bool boolean;
        int64_t integer;
        const char *text; /* NUL-terminated, no NUL inside, valid UTF-8 */
        struct toml_value *items;
        struct toml_entry *entries; /* in the order of the source */
    } as;
};

struct toml_entry {
    const char *key; /* as toml_value.as.text */
    struct toml_pos pos;
    struct toml_value value;
};

/*
 * Parses @text (any bytes; a leading byte order mark and CRLF are allowed) to
 * a table in @arena. Faults read "NAME:LINE:COLUMN: what".
 *
 * CORDON_E_LIMIT   more than POLICY_FILE_MAX bytes, or nested too deeply
 * CORDON_E_SYNTAX  not TOML 1.0: duplicate keys and bad UTF-8 included
 * CORDON_E_INVALID a NUL inside a key or string
 * CORDON_E_NOMEM
 */
CORDON_MUST_USE enum cordon_err toml_parse(const struct toml_source *source, const char *text,
                                           size_t len, struct arena *arena,
                                           struct toml_value *ret_table,
                                           struct cordon_fault *fault);

/*
 * The guard before the library, whose destructors recurse once per segment of a
 * dotted key with no limit of their own, and which asserts on some control
 * characters. Position in ret_*.
 *
 * CORDON_E_LIMIT   a dotted key has too many segments
 * CORDON_E_SYNTAX  a control character, which TOML allows nowhere
 */
CORDON_MUST_USE enum cordon_err toml_scan(const char *text, size_t len, uint32_t *ret_line,
                                          uint32_t *ret_column);

#endif
