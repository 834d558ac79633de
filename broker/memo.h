/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last policies of this worker's caller. Loading one is a pure function of
 * what goes in, so what came out for the same input, to the byte, is used again.
 */
#ifndef CORDON_BROKER_MEMO_H
#define CORDON_BROKER_MEMO_H

#include "broker/planned.h"
#include "policy/policy.h"

#define MEMO_POLICIES 4U

struct memo_policy {
    struct arena arena;        /* the policy, and ... */
    struct policy_input input; /* a copy of what it was made from */
    struct policy *policy;
    /* Where policy->os is the host's; memo_tables() first. */
    struct dfa *own, *managed; /* NULL: not compiled yet */
    int own_fd;                /* sealed memfd: `own` */
    int texts_fd;              /* sealed memfd: rule_texts_make(); -1: no memory for it */
    char hash[POLICY_HASH_HEX];
    struct planned *planned;       /* the last one for it, if it may be used again; else NULL */
    struct host_beside *compiling; /* NULL: nobody is */
    enum cordon_err compiled;      /* what became of it; @fault says why */
    struct cordon_fault fault;
    uint64_t used;
};

struct memo {
    struct memo_policy *policies[MEMO_POLICIES];
    uint64_t clock;
    uint64_t lull; /* the clock when memory was given back last */
};

/*
 * What policy_load() and policy_hash() make of @input. It stays the memo's and is good until the
 * next call; failures are not kept. @compiled: the tables are begun, beside what comes next.
 */
CORDON_MUST_USE enum cordon_err memo_policy(struct memo *memo, const struct policy_input *input,
                                            bool compiled, struct memo_policy **ret_policy,
                                            struct cordon_fault *fault);
/* Waits for the tables, which were begun; as policy_compile(), and CORDON_E_OS. */
CORDON_MUST_USE enum cordon_err memo_tables(struct memo_policy *policy, struct cordon_fault *fault);
/*
 * Makes a policy of its own and forgets it: the first of a caller's then finds in memory what the
 * code needs. For who has nothing better to do; a failure is nobody's.
 */
enum cordon_err memo_rehearse(void);
/* Those that were not used since this was called last are given back. */
void memo_keep_used(struct memo *memo);
void memo_deinit(struct memo *memo);

#endif
