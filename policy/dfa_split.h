/* SPDX-License-Identifier: Apache-2.0 */
/* Which automaton a glob goes to. Private to dfa*.c. */
#ifndef CORDON_POLICY_DFA_SPLIT_H
#define CORDON_POLICY_DFA_SPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"
#include "policy/glob.h"

/* One spelling of a glob. */
struct split_glob {
    const struct glob_token *tokens;
    uint32_t count;
    uint32_t part; /* the answer */
};

/* Sets @part of every glob, below @parts (at most SPLIT_PARTS_MAX). CORDON_E_NOMEM. */
#define SPLIT_PARTS_MAX 4U
CORDON_MUST_USE enum cordon_err split_globs(struct split_glob *globs, size_t count, uint32_t parts);

#endif
