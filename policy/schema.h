/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a text may say, as tables of keys. A tree that passed schema_check()
 * has only known keys of the right types in the tables that cordon owns, so
 * that what reads it afterwards need not look twice.
 */
#ifndef CORDON_POLICY_SCHEMA_H
#define CORDON_POLICY_SCHEMA_H

#include "policy/place.h"

enum schema_kind {
    SCHEMA_BOOL,
    SCHEMA_UINT,      /* min .. max */
    SCHEMA_STRING,    /* one of @words, if there are any */
    SCHEMA_STRINGS,   /* an array of such */
    SCHEMA_DENIES,    /* an array of path spellings that are denied */
    SCHEMA_TABLE,     /* @inner */
    SCHEMA_TABLES,    /* an array of @inner */
    SCHEMA_ACCESS,    /* an entry of a filesystem table */
    SCHEMA_FOREIGN,   /* another program's: accepted, ignored */
    SCHEMA_UNENFORCED /* known, not enforced: accepted with a warning */
};

struct schema;

struct schema_key {
    const char *name;
    enum schema_kind kind;
    const struct schema *inner;
    const char *const *words; /* NULL-terminated; NULL: any */
    uint32_t min;
    uint32_t max;
};

/* What happens to a key that has no row. */
enum schema_unknown {
    UNKNOWN_IS_ERROR,
    UNKNOWN_IS_FOREIGN, /* accepted unless it is nearly a key we own */
    UNKNOWN_IS_NAME     /* a name of the user's choice: the row @each */
};

struct schema {
    const char *title; /* "[permissions.NAME]", for messages */
    const struct schema_key *keys;
    size_t count;
    enum schema_unknown unknown;
    const struct schema_key *each;
};

/* Receives what is accepted and not enforced. CORDON_E_NOMEM. */
typedef enum cordon_err schema_warn_fn(void *context, const struct place *place, const char *text);

struct schema_check {
    const struct schema *const *all; /* where a misplaced key may belong */
    size_t all_count;
    schema_warn_fn *warn;
    void *warn_context;
    struct cordon_fault *fault;
};

/*
 * CORDON_E_INVALID with "NAME:LINE:COLUMN: what" and a suggestion;
 * CORDON_E_NOMEM.
 */
CORDON_MUST_USE enum cordon_err schema_check(const struct schema_check *check,
                                             const struct schema *schema,
                                             const struct toml_value *table);

/* keys.c: the two formats. */
extern const struct schema schema_config;
extern const struct schema schema_requirements;
extern const struct schema *const schema_all[];
extern const size_t schema_all_count;

/* The access a word of a filesystem entry means; false: not such a word. */
bool schema_access(const char *word, enum policy_access *ret_access);

#endif
