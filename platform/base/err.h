/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors: one enumeration for every module, and a "fault" that carries what
 * went wrong, on what, and what to do about it. No allocation, no errno.
 */
#ifndef CORDON_BASE_ERR_H
#define CORDON_BASE_ERR_H

#include <stddef.h>

#define CORDON_MUST_USE __attribute__((warn_unused_result))
/* Formats are C17's on every system; with mingw, "printf" would mean those of its C library. */
#ifdef __MINGW32__
#define CORDON_PRINTF(fmt, args) __attribute__((format(gnu_printf, fmt, args)))
#else
#define CORDON_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#endif

enum cordon_err {
    CORDON_OK = 0,
    CORDON_E_NOMEM,       /* an allocation failed */
    CORDON_E_LIMIT,       /* a cap on size, count, depth or time was reached */
    CORDON_E_SYNTAX,      /* text that does not parse */
    CORDON_E_INVALID,     /* parses, but the value is not allowed there */
    CORDON_E_DENIED,      /* policy, ownership or identity forbids it */
    CORDON_E_UNSUPPORTED, /* this host or back end cannot enforce it */
    CORDON_E_NOT_FOUND,   /* the named thing does not exist */
    CORDON_E_PROTO,       /* the peer broke the wire protocol */
    CORDON_E_STATE,       /* not allowed in the present state */
    CORDON_E_QUOTA,       /* the caller holds too much already */
    CORDON_E_CLOSED,      /* the peer went away */
    CORDON_E_AGAIN,       /* not yet; more input is needed */
    CORDON_E_TIMEOUT,     /* the time allowed ran out */
    CORDON_E_OS,          /* a system call failed; fault.os_code says why */
    CORDON_ERR_COUNT
};

#define CORDON_FAULT_TEXT_MAX 768
#define CORDON_FAULT_REMEDY_MAX 256

/*
 * One failure, ready for one line to a person: "WHAT; REMEDY".
 * @os_code is the platform's own error number, 0 where there is none.
 */
struct cordon_fault {
    enum cordon_err err;
    int os_code;
    char text[CORDON_FAULT_TEXT_MAX];
    char remedy[CORDON_FAULT_REMEDY_MAX];
};

/* Stable lower-case word of an error ("quota"); never NULL. */
const char *cordon_err_name(enum cordon_err err);

/*
 * Fills @fault (may be NULL) and returns @err, so that a failing function
 * ends with "return fault_set(...)". @remedy may be NULL. Text that does not
 * fit is cut. A fault that is already set is overwritten.
 */
enum cordon_err fault_set(struct cordon_fault *fault, enum cordon_err err, const char *remedy,
                          const char *fmt, ...) CORDON_PRINTF(4, 5);

/* As fault_set() for a failed system call: appends the text of @os_code. */
enum cordon_err fault_os(struct cordon_fault *fault, int os_code, const char *remedy,
                         const char *fmt, ...) CORDON_PRINTF(4, 5);

/* Puts "PREFIX: " in front of the text, to say where it happened. */
void fault_prefix(struct cordon_fault *fault, const char *fmt, ...) CORDON_PRINTF(2, 3);

#endif
