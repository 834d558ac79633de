/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/base/strbuf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void strbuf_deinit(struct strbuf *buf)
{
    if (buf != NULL) {
        free(buf->data);
        *buf = (struct strbuf)STRBUF_INIT;
    }
}

static bool strbuf_reserve(struct strbuf *buf, size_t more)
{
    size_t need;
    size_t size = buf->size == 0 ? 64 : buf->size;
    char *data;

    if (buf->failed || more >= SIZE_MAX / 4 || buf->len >= SIZE_MAX / 4) {
        buf->failed = true;
        return false;
    }
    need = buf->len + more + 1;
    if (need <= buf->size) {
        return true;
    }
    while (size < need) {
        size *= 2;
    }
    data = realloc(buf->data, size);
    if (data == NULL) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->size = size;
    return true;
}

void strbuf_add(struct strbuf *buf, const char *text, size_t len)
{
    if (!strbuf_reserve(buf, len)) {
        return;
    }
    if (len > 0) {
        memcpy(buf->data + buf->len, text, len);
    }
    buf->len += len;
    buf->data[buf->len] = '\0';
}

void strbuf_puts(struct strbuf *buf, const char *text)
{
    strbuf_add(buf, text, strlen(text));
}

void strbuf_printf(struct strbuf *buf, const char *fmt, ...)
{
    va_list args;
    int len;

    va_start(args, fmt);
    len = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (len < 0) {
        buf->failed = true;
        return;
    }
    if (!strbuf_reserve(buf, (size_t)len)) {
        return;
    }
    va_start(args, fmt);
    (void)vsnprintf(buf->data + buf->len, (size_t)len + 1, fmt, args);
    va_end(args);
    buf->len += (size_t)len;
}

void strbuf_escape(struct strbuf *buf, const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '\n') {
            strbuf_puts(buf, "\\n");
        } else if (c == '\t') {
            strbuf_puts(buf, "\\t");
        } else if (c == '\\') {
            strbuf_puts(buf, "\\\\");
        } else if (c < 0x20 || c >= 0x7f) {
            strbuf_printf(buf, "\\x%02x", c);
        } else {
            strbuf_add(buf, text + i, 1);
        }
    }
}

void strbuf_plain(struct strbuf *buf, const char *text)
{
    for (; *text != '\0'; text++) {
        const unsigned char byte = (unsigned char)*text;

        if (byte >= 0x20 && byte < 0x7f) {
            strbuf_add(buf, text, 1);
        } else {
            strbuf_printf(buf, "\\x%02x", byte);
        }
    }
}

const char *strbuf_text(const struct strbuf *buf)
{
    return buf->data == NULL ? "" : buf->data;
}

char *strbuf_steal(struct strbuf *buf)
{
    char *data;

    if (!buf->failed && buf->data == NULL) {
        strbuf_add(buf, "", 0);
    }
    if (buf->failed) {
        strbuf_deinit(buf);
        return NULL;
    }
    data = buf->data;
    *buf = (struct strbuf)STRBUF_INIT;
    return data;
}
