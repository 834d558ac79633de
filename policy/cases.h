/* SPDX-License-Identifier: Apache-2.0 */
/* The tables that `cordon policy test` runs: what a policy is expected to say. */
#ifndef CORDON_POLICY_CASES_H
#define CORDON_POLICY_CASES_H

#include "policy/policy.h"

struct policy_case {
    const char *path; /* absolute, normalised; ~ is the home of the context */
    enum policy_question question;
    bool allow;       /* what is expected */
    const char *rule; /* the origin key that is expected to decide; NULL: any */
    uint32_t line;    /* of the [[case]] */
};

/*
 * Reads TOML: [[case]] path, access = "read"|"write" (default "read"), expect =
 * "allow"|"deny", rule (optional). The document's layer does not matter.
 *
 * CORDON_E_SYNTAX, _INVALID, _LIMIT  as policy_load(); CORDON_E_NOMEM
 */
CORDON_MUST_USE enum cordon_err policy_cases(const struct policy_document *document,
                                             const struct policy_context *context,
                                             struct arena *arena, struct policy_case **ret_cases,
                                             size_t *ret_count, struct cordon_fault *fault);

#endif
