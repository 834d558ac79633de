/* SPDX-License-Identifier: Apache-2.0 */
/* A growing byte string with a sticky error: append freely, test once. */
#ifndef CORDON_BASE_STRBUF_H
#define CORDON_BASE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/base/err.h"

struct strbuf {
    char *data;  /* NUL-terminated once anything was appended; owned; NULL when empty */
    size_t len;  /* bytes before the NUL */
    size_t size; /* bytes allocated */
    bool failed; /* an append ran out of memory; the contents are incomplete */
};

#define STRBUF_INIT                                                                                \
    {                                                                                              \
        NULL, 0, 0, false                                                                          \
    }

/* Frees the text; the buffer is empty and usable again. NULL is allowed. */
void strbuf_deinit(struct strbuf *buf);

void strbuf_add(struct strbuf *buf, const char *text, size_t len);
void strbuf_puts(struct strbuf *buf, const char *text);
void strbuf_printf(struct strbuf *buf, const char *fmt, ...) CORDON_PRINTF(2, 3);

/*
 * Appends @len bytes of @text made safe for a terminal, a log line and a
 * journal field: bytes outside printable ASCII, and the backslash, become
 * \n, \t, \\ or \xHH. Valid UTF-8 letters are escaped too: what a hostile
 * file name shows must not depend on the reader's terminal.
 */
void strbuf_escape(struct strbuf *buf, const char *text, size_t len);

/*
 * Appends @text so that no byte of it acts on a terminal and none ends the line: bytes outside
 * printable ASCII become \xHH. The backslash stays: for what was escaped where it was made.
 */
void strbuf_plain(struct strbuf *buf, const char *text);

/* The text, or "" when empty; valid until the next append. */
const char *strbuf_text(const struct strbuf *buf);

/* Hands the text to the caller (free()); NULL if an append failed. */
char *strbuf_steal(struct strbuf *buf) CORDON_MUST_USE;

#endif
