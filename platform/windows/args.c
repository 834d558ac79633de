/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/args.h"

#include <string.h>

static void repeat(struct strbuf *out, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        strbuf_puts(out, "\\");
    }
}

/* Backslashes mean themselves, but in front of a quotation mark, where each is doubled. */
void args_quote(struct strbuf *out, const char *arg)
{
    if (arg[0] != '\0' && strpbrk(arg, " \t\n\v\"") == NULL) {
        strbuf_puts(out, arg);
        return;
    }
    strbuf_puts(out, "\"");
    for (const char *at = arg;; at++) {
        const size_t slashes = strspn(at, "\\");

        at += slashes;
        repeat(out, *at == '\0' || *at == '"' ? 2 * slashes : slashes);
        if (*at == '\0') {
            break;
        }
        strbuf_puts(out, *at == '"' ? "\\" : "");
        strbuf_add(out, at, 1);
    }
    strbuf_puts(out, "\"");
}
