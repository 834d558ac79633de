/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The matcher's twin: POLICY.md section 1 and the notes in policy/glob.h, read
 * once more and written down the slow way, sharing no code with the compiler.
 * For patterns that glob_check() accepts.
 */
#ifndef CORDON_TESTS_NAIVE_MATCH_H
#define CORDON_TESTS_NAIVE_MATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/dfa.h"

/* Does @pattern match @path itself (not what lies below a match)? */
bool naive_match(const char *pattern, size_t pattern_len, bool glob, bool fold_case,
                 const char *path, size_t path_len);

/* The rule that decides about @path, as dfa_match(). */
uint32_t naive_decide(const struct dfa_rule *rules, size_t count, bool fold_case, const char *path,
                      size_t path_len);

#endif
