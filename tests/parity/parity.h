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

/* The rights in question that the job should have by the oracle, as far as the caller had them
 * without a job; and those that it has by the planned access lists. @path native. */
uint32_t parity_wanted(const struct parity *parity, const char *path,
                       enum policy_question question);
uint32_t parity_got(const struct parity *parity, const char *path, enum policy_question question);

#endif
