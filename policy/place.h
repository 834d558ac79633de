/* SPDX-License-Identifier: Apache-2.0 */
/* Where a key stands, and how a fault or an origin says so. */
#ifndef CORDON_POLICY_PLACE_H
#define CORDON_POLICY_PLACE_H

#include "policy/toml.h"

/* One step of the way from the root of a text to a value; lives on the stack. */
struct place {
    const struct place *up; /* NULL at the first key */
    const char *key;        /* NULL: an array's item */
    size_t index;
    struct toml_pos pos;
};

/* "NAME:LINE:COLUMN: what" ("NAME: what" for the command line); returns @err. */
enum cordon_err place_fail(struct cordon_fault *fault, enum cordon_err err,
                           const struct toml_pos *pos, const char *remedy, const char *fmt, ...)
    CORDON_PRINTF(5, 6);

enum cordon_err place_no_memory(struct cordon_fault *fault);

/*
 * "permissions.dev.filesystem.\"~/.ssh\"", in @arena; NULL when exhausted. A
 * last "." (the base of a scoped table) is left out.
 */
const char *place_key(const struct place *place, struct arena *arena);

/* The origin of what stands at @place; CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err place_origin(const struct place *place, struct arena *arena,
                                             struct policy_origin *ret_origin);

/* @text in double quotes, escaped, cut to a line's worth, in a static-size buffer. */
#define PLACE_QUOTE_MAX 128
const char *place_quote(const char *text, char ret_quoted[PLACE_QUOTE_MAX]);

#endif
