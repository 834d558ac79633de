/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/redact.h"

#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/strbuf.h"

static const char redacted[] = "[redacted]";

struct redact {
    size_t count;
    regex_t patterns[];
};

enum cordon_err redact_new(const char *const *patterns, size_t count, struct redact **ret_redact,
                           struct cordon_fault *fault)
{
    struct redact *redact;

    if (count > REDACT_PATTERNS_MAX) {
        return fault_set(fault, CORDON_E_LIMIT, "join some with |",
                         "redact has %zu expressions, more than %u", count, REDACT_PATTERNS_MAX);
    }
    redact = malloc(sizeof(*redact) + count * sizeof(redact->patterns[0]));
    if (redact == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "redact: out of memory");
    }
    for (redact->count = 0; redact->count < count; redact->count++) {
        regex_t *pattern = &redact->patterns[redact->count];
        const int code = regcomp(pattern, patterns[redact->count], REG_EXTENDED);
        char why[128];

        if (code != 0) {
            (void)regerror(code, pattern, why, sizeof(why));
            (void)fault_set(fault, code == REG_ESPACE ? CORDON_E_NOMEM : CORDON_E_INVALID, NULL,
                            "redact: \"%s\": %s", patterns[redact->count], why);
            redact_free(redact);
            return fault->err;
        }
    }
    *ret_redact = redact;
    return CORDON_OK;
}

void redact_free(struct redact *redact)
{
    if (redact == NULL) {
        return;
    }
    while (redact->count > 0) {
        regfree(&redact->patterns[--redact->count]);
    }
    free(redact);
}

/* False: no memory, as far as can be told. */
static bool one(const regex_t *pattern, const char *text, struct strbuf *out)
{
    regmatch_t match;
    int flags = 0;
    int code;

    while ((code = regexec(pattern, text, 1, &match, flags)) == 0) {
        strbuf_add(out, text, (size_t)match.rm_so);
        if (match.rm_eo > match.rm_so) {
            strbuf_puts(out, redacted);
        } else if (text[match.rm_eo] != '\0') {
            strbuf_add(out, text + match.rm_eo++, 1); /* nothing is no secret */
        } else {
            return !out->failed;
        }
        text += match.rm_eo;
        flags = REG_NOTBOL;
    }
    strbuf_puts(out, text);
    return code == REG_NOMATCH && !out->failed;
}

void redact_text(const struct redact *redact, char *text, size_t size)
{
    for (size_t i = 0; redact != NULL && i < redact->count; i++) {
        struct strbuf out = STRBUF_INIT;
        const bool done = one(&redact->patterns[i], text, &out);

        (void)snprintf(text, size, "%s", done ? strbuf_text(&out) : redacted);
        strbuf_deinit(&out);
    }
}
