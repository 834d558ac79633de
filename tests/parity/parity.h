/* SPDX-License-Identifier: Apache-2.0 */
/* One policy on one Windows host: loaded, planned, done, and asked both ways. */
#ifndef CORDON_TESTS_PARITY_H
#define CORDON_TESTS_PARITY_H

#include "policy/policy.h"
#include "tests/support/win_world.h"

struct parity {
    struct win_world *world;
    struct arena arena; /* of one policy */
    struct policy *policy;
    struct dfa *managed;
    struct dfa *own;
    struct plan *plan; /* NULL: refused; the fault says why */
    struct cordon_fault fault;
};

struct parity_text {
    const char *config;
    const char *require;
    struct policy_choice choice;
};

/* Frees the last policy, loads this one and does its plan. false: it does not load, or its plan
 * cannot be done; a refused plan is true. */
bool parity_set(struct parity *parity, const struct parity_text *text, const char *principal);
void parity_deinit(struct parity *parity);

/* What the oracle says, as far as the caller could do it without a job. @path native. */
bool parity_wanted(const struct parity *parity, const char *path, enum policy_question question);

/* What the planned access lists say. */
bool parity_got(const struct parity *parity, const char *path, enum policy_question question);

#endif
