/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a pattern to the token sequences it stands for. Private to the matcher.
 *
 * The language (POLICY.md section 1, "Globs"), where that text leaves a choice:
 * - Braces are expanded first, as text: every other rule applies to each of the
 *   spellings that result. A group may span '/', be empty or have one member;
 *   a '}' or ',' outside of a group stands for itself.
 * - Empty components vanish ("/a//b/" is "/a/b"); "." and ".." are errors,
 *   because no normalised path contains them.
 * - "**" is any depth only as a whole component; elsewhere it is "*". As the last
 *   component it asks for at least one: "/a/" followed by it covers what is below
 *   /a and not /a itself, as in Codex.
 * - "*" alone in a component does not match the empty one: "/" is no child of "/".
 * - '\' escapes inside of a class too.
 * - A class is a set of characters; bytes that are no part of a well-formed
 *   UTF-8 character are members of their own. '/' is never matched.
 * - "*" may end within a character; "?" and classes look at the bytes ahead: a
 *   well-formed character there is taken whole, anything else as one byte.
 */
#ifndef CORDON_POLICY_GLOB_H
#define CORDON_POLICY_GLOB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"
#include "policy/glob_set.h"

#define GLOB_PATTERN_MAX 4096U
#define GLOB_NESTING_MAX 8U
#define GLOB_SPELLINGS_MAX 4096U

enum glob_op {
    GLOB_BYTE,     /* this byte; '/' included */
    GLOB_NONSLASH, /* any byte but '/' */
    GLOB_CHAR,     /* one character of a set */
    GLOB_STAR,     /* any bytes but '/', or none */
    GLOB_DEEP      /* at the start of a component: whole components, or none */
};

struct glob_token {
    uint32_t set; /* GLOB_CHAR: index into the sets */
    uint8_t op;   /* enum glob_op */
    uint8_t byte; /* GLOB_BYTE */
};

/* One spelling: no tokens at all for the root; else "/" first, never "/" last. */
struct glob_spelling {
    const struct glob_token *tokens; /* valid during the visit */
    size_t count;
    uint32_t components; /* GLOB_DEEP not counted */
    bool literal;        /* nothing but GLOB_BYTE */
};

/* What is done with each spelling of a pattern; an error ends the reading. */
typedef enum cordon_err glob_visit(void *context, const struct glob_spelling *spelling);

struct glob_reader {
    struct glob_sets *sets; /* receives the character sets */
    bool fold_case;         /* letters are lowered, sets closed under ASCII case */
    bool literal;           /* no byte of the pattern is special */
    glob_visit *visit;
    void *context;
};

/*
 * Reads @pattern and visits its spellings, at most GLOB_SPELLINGS_MAX.
 *
 * CORDON_E_INVALID  not a pattern; @fault has the reason
 * CORDON_E_NOMEM, and what the visit returned
 */
CORDON_MUST_USE enum cordon_err glob_read(const struct glob_reader *reader, const char *pattern,
                                          size_t len, struct cordon_fault *fault);

#endif
