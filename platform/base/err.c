/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const err_names[CORDON_ERR_COUNT] = {
    [CORDON_OK] = "ok",
    [CORDON_E_NOMEM] = "out-of-memory",
    [CORDON_E_LIMIT] = "limit",
    [CORDON_E_SYNTAX] = "syntax",
    [CORDON_E_INVALID] = "invalid",
    [CORDON_E_DENIED] = "denied",
    [CORDON_E_UNSUPPORTED] = "unsupported",
    [CORDON_E_NOT_FOUND] = "not-found",
    [CORDON_E_PROTO] = "protocol",
    [CORDON_E_STATE] = "state",
    [CORDON_E_QUOTA] = "quota",
    [CORDON_E_CLOSED] = "closed",
    [CORDON_E_AGAIN] = "again",
    [CORDON_E_TIMEOUT] = "timeout",
    [CORDON_E_OS] = "os",
};

const char *cordon_err_name(enum cordon_err err)
{
    if ((int)err < 0 || err >= CORDON_ERR_COUNT || err_names[err] == NULL) {
        return "unknown";
    }
    return err_names[err];
}

static void fault_fill(struct cordon_fault *fault, enum cordon_err err, int os_code,
                       const char *remedy, const char *fmt, va_list args)
{
    char text[CORDON_FAULT_TEXT_MAX];
    char hint[CORDON_FAULT_REMEDY_MAX];

    /* Formatted aside first: an argument may point into the fault itself. */
    (void)vsnprintf(text, sizeof(text), fmt, args);
    (void)snprintf(hint, sizeof(hint), "%s", remedy == NULL ? "" : remedy);
    fault->err = err;
    fault->os_code = os_code;
    memcpy(fault->text, text, sizeof(text));
    memcpy(fault->remedy, hint, sizeof(hint));
}

enum cordon_err fault_set(struct cordon_fault *fault, enum cordon_err err, const char *remedy,
                          const char *fmt, ...)
{
    va_list args;

    if (fault == NULL) {
        return err;
    }
    va_start(args, fmt);
    fault_fill(fault, err, 0, remedy, fmt, args);
    va_end(args);
    return err;
}

enum cordon_err fault_os(struct cordon_fault *fault, int os_code, const char *remedy,
                         const char *fmt, ...)
{
    va_list args;
    size_t used;

    if (fault == NULL) {
        return CORDON_E_OS;
    }
    va_start(args, fmt);
    fault_fill(fault, CORDON_E_OS, os_code, remedy, fmt, args);
    va_end(args);
    used = strlen(fault->text);
    (void)snprintf(fault->text + used, sizeof(fault->text) - used, ": %s", strerror(os_code));
    return CORDON_E_OS;
}

void fault_prefix(struct cordon_fault *fault, const char *fmt, ...)
{
    char prefix[CORDON_FAULT_TEXT_MAX];
    char text[CORDON_FAULT_TEXT_MAX];
    va_list args;
    int used;

    if (fault == NULL) {
        return;
    }
    va_start(args, fmt);
    (void)vsnprintf(prefix, sizeof(prefix), fmt, args);
    va_end(args);
    used = snprintf(text, sizeof(text), "%.400s: ", prefix);
    if (used > 0 && (size_t)used < sizeof(text)) {
        (void)snprintf(text + used, sizeof(text) - (size_t)used, "%.*s",
                       (int)(sizeof(text) - (size_t)used - 1), fault->text);
    }
    memcpy(fault->text, text, sizeof(text));
}
