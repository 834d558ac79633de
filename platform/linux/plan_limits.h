/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How each limit is made to hold: one table, which the planner says and the
 * supervisor does. Pure.
 */
#ifndef CORDON_PLATFORM_PLAN_LIMITS_H
#define CORDON_PLATFORM_PLAN_LIMITS_H

#include "platform/plan_build.h"

enum limit_way {
    LIMIT_BY_BROKER, /* the supervisor's clock */
    LIMIT_BY_GROUP,  /* a file of the job's control group */
    LIMIT_BY_RLIMIT, /* setrlimit(2), on the command */
    LIMIT_BY_NOTHING
};

/* What the choice depends on. */
struct limit_host {
    uint32_t controllers; /* enum plan_controller: of the supervisor's control group */
    bool user_ns;         /* the job is in a user namespace of its own */
    bool superuser;       /* the caller is root */
};

struct limit_means {
    enum limit_way way;
    const char *text; /* "memory.max of the job's control group"; of NOTHING: why not */
    const char *note; /* how it differs from what the key means; NULL: not at all */
    bool weaker;      /* ... and a job may use more than that */
};
const struct limit_means *limit_means_of(enum policy_limit limit, const struct limit_host *host);

/* Everything is borrowed. */
struct limit_ask {
    const struct policy_limits *limits;
    enum policy_enforcement minimum_managed, minimum_own;
    struct limit_host host;
};
/*
 * *ret_means: what @limit is held by; NULL: it is not asked for, or it is the caller's
 * own cpu_percent and nothing here can hold that, which is only noticed.
 * CORDON_E_UNSUPPORTED: it is asked for and cannot be held, or not at the least level
 * that is asked for.
 */
CORDON_MUST_USE enum cordon_err limit_check(const struct limit_ask *ask, enum policy_limit limit,
                                            const struct limit_means **ret_means,
                                            struct cordon_fault *fault);

/* For plan_linux(): the refusals; the steps and their notices. */
CORDON_MUST_USE enum cordon_err plan_check_limits(const struct plan_builder *builder);
void plan_add_limits(struct plan_builder *builder);

#endif
