/* SPDX-License-Identifier: Apache-2.0 */
/* Reads JSON; the only user of cJSON. Every function takes NULL for "not there". */
#ifndef CORDON_FETCH_JSON_H
#define CORDON_FETCH_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"

struct json; /* a value */

/* One whole value, nothing behind it but white space; NULL: it is none. Free with json_free(). */
struct json *json_parse(const char *text, size_t len) CORDON_MUST_USE;
void json_free(struct json *root);

const struct json *json_member(const struct json *object, const char *name);
const struct json *json_first(const struct json *array);
const struct json *json_last(const struct json *array);
bool json_is_true(const struct json *value);
const char *json_text(const struct json *value); /* of a string; else NULL */
/* A string of decimal digits, as gateways write 64 bits; false: it is none. */
bool json_uint64(const struct json *value, uint64_t *ret_number);

#endif
