/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes JSON (RFC 8259) onto a strbuf as it goes: one writer for everything
 * that cordon prints with --json. Commas and quotes are its business, balance
 * is the caller's. Bytes that are not ASCII are written as \u00XX each, so a
 * path of any bytes gives valid JSON and can be read back (Latin-1 -> bytes).
 */
#ifndef CORDON_BASE_JSONW_H
#define CORDON_BASE_JSONW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/strbuf.h"

struct jsonw {
    struct strbuf *out; /* borrowed */
    bool comma;         /* a value was written at this level */
};

#define JSONW_INIT(strbuf)                                                                         \
    {                                                                                              \
        (strbuf), false                                                                            \
    }

/* @key names the member inside an object; NULL inside an array and at the top. */
void jsonw_object(struct jsonw *json, const char *key);
void jsonw_object_end(struct jsonw *json);
void jsonw_array(struct jsonw *json, const char *key);
void jsonw_array_end(struct jsonw *json);

/* @text NULL writes null. */
void jsonw_string(struct jsonw *json, const char *key, const char *text);
void jsonw_string_len(struct jsonw *json, const char *key, const char *text, size_t len);
void jsonw_uint(struct jsonw *json, const char *key, uint64_t value);
void jsonw_int(struct jsonw *json, const char *key, int64_t value);
void jsonw_bool(struct jsonw *json, const char *key, bool value);

/* A finished line: what --json prints one object a line as. */
void jsonw_newline(struct jsonw *json);

#endif
