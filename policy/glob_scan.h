/* SPDX-License-Identifier: Apache-2.0 */
/* The signs of one pattern, before its braces are expanded. Private to glob*.c. */
#ifndef CORDON_POLICY_GLOB_SCAN_H
#define CORDON_POLICY_GLOB_SCAN_H

#include "policy/glob.h"

enum glob_sign_kind {
    SIGN_BYTE,
    SIGN_SET,   /* "?" or a class */
    SIGN_STAR,  /* one '*' */
    SIGN_OPEN,  /* '{' */
    SIGN_COMMA, /* ',' of a group */
    SIGN_CLOSE  /* '}' of a group */
};

struct glob_sign {
    uint32_t arg; /* SIGN_SET: the set; SIGN_OPEN, SIGN_COMMA: the group's next comma or close */
    uint8_t kind; /* enum glob_sign_kind */
    uint8_t byte; /* SIGN_BYTE */
};

/*
 * Splits @pattern into at most @len signs. @signs has room for them.
 * CORDON_E_INVALID, CORDON_E_NOMEM
 */
CORDON_MUST_USE enum cordon_err glob_scan(const struct glob_reader *reader, const char *pattern,
                                          size_t len, struct glob_sign *signs, size_t *ret_count,
                                          struct cordon_fault *fault);

#endif
