/* SPDX-License-Identifier: Apache-2.0 */
/* What the administrator wants to be kept out of records: POSIX extended regular expressions. */
#ifndef CORDON_REDACT_H
#define CORDON_REDACT_H

#include <stddef.h>

#include "platform/base/err.h"

#define REDACT_PATTERNS_MAX 64U

struct redact;

/* CORDON_E_INVALID names the expression that is none, CORDON_E_LIMIT, CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err redact_new(const char *const *patterns, size_t count,
                                           struct redact **ret_redact, struct cordon_fault *fault);
void redact_free(struct redact *redact); /* NULL is allowed */

/*
 * Puts "[redacted]" in the place of whatever matches in the NUL-terminated @text, in its @size
 * bytes; what no longer fits is cut off. NULL redacts nothing. Without memory nothing is left
 * of the text but "[redacted]".
 */
void redact_text(const struct redact *redact, char *text, size_t size);

#endif
