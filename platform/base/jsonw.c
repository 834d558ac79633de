/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/base/jsonw.h"

#include <inttypes.h>
#include <string.h>

static void quoted(struct strbuf *out, const char *text, size_t len)
{
    strbuf_puts(out, "\"");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c == '"' || c == '\\') {
            strbuf_printf(out, "\\%c", c);
        } else if (c == '\n') {
            strbuf_puts(out, "\\n");
        } else if (c < 0x20 || c >= 0x7f) {
            strbuf_printf(out, "\\u%04x", c);
        } else {
            strbuf_add(out, &text[i], 1);
        }
    }
    strbuf_puts(out, "\"");
}

static void begin(struct jsonw *json, const char *key)
{
    if (json->comma) {
        strbuf_puts(json->out, ",");
    }
    if (key != NULL) {
        quoted(json->out, key, strlen(key));
        strbuf_puts(json->out, ":");
    }
    json->comma = true;
}

static void open_level(struct jsonw *json, const char *key, const char *bracket)
{
    begin(json, key);
    strbuf_puts(json->out, bracket);
    json->comma = false;
}

static void close_level(struct jsonw *json, const char *bracket)
{
    strbuf_puts(json->out, bracket);
    json->comma = true;
}

void jsonw_object(struct jsonw *json, const char *key)
{
    open_level(json, key, "{");
}

void jsonw_object_end(struct jsonw *json)
{
    close_level(json, "}");
}

void jsonw_array(struct jsonw *json, const char *key)
{
    open_level(json, key, "[");
}

void jsonw_array_end(struct jsonw *json)
{
    close_level(json, "]");
}

void jsonw_string_len(struct jsonw *json, const char *key, const char *text, size_t len)
{
    begin(json, key);
    if (text == NULL) {
        strbuf_puts(json->out, "null");
    } else {
        quoted(json->out, text, len);
    }
}

void jsonw_string(struct jsonw *json, const char *key, const char *text)
{
    jsonw_string_len(json, key, text, text == NULL ? 0 : strlen(text));
}

void jsonw_uint(struct jsonw *json, const char *key, uint64_t value)
{
    begin(json, key);
    strbuf_printf(json->out, "%" PRIu64, value);
}

void jsonw_int(struct jsonw *json, const char *key, int64_t value)
{
    begin(json, key);
    strbuf_printf(json->out, "%" PRId64, value);
}

void jsonw_bool(struct jsonw *json, const char *key, bool value)
{
    begin(json, key);
    strbuf_puts(json->out, value ? "true" : "false");
}

void jsonw_newline(struct jsonw *json)
{
    strbuf_puts(json->out, "\n");
    json->comma = false;
}
