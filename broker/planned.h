/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan, and what it was made from. Planning is a pure function of the policy and of facts: where
 * the platform can tell that the facts are the same still, the plan is.
 */
#ifndef CORDON_BROKER_PLANNED_H
#define CORDON_BROKER_PLANNED_H

#include "platform/platform.h"

#define PLANNED_CHECKED 16U

struct planned {
    const struct platform *platform;
    struct arena arena; /* facts and plan */
    bool embedded;
    uint32_t host; /* as platform_start has them */
    struct platform_resolved resolved;
    struct plan *plan;
    /* What commands needed so far and the plan does not deny. */
    const char *checked[PLANNED_CHECKED];
    size_t checked_count;
};

/*
 * @policy of this host's system or another, whose facts are looked up here; it stays the caller's
 * and has to live as long. The faults name file and line, or the rule.
 */
CORDON_MUST_USE enum cordon_err planned_new(const struct platform *platform,
                                            const struct policy *policy,
                                            const struct platform_start *start,
                                            struct planned **ret_planned,
                                            struct cordon_fault *fault);
/* NULL is allowed. */
void planned_free(struct planned *planned);

/* It may be used for more than one order. */
bool planned_is_kept(const struct planned *planned);
/* It would be made for @start, its cwd the same as before, now. */
bool planned_holds(const struct planned *planned, const struct platform_start *start);
/* ... but for what the command needs: looked up now. As planned_new(); the plan stays good. */
CORDON_MUST_USE enum cordon_err planned_check(struct planned *planned, const struct policy *policy,
                                              const struct platform_start *start,
                                              struct cordon_fault *fault);

#endif
