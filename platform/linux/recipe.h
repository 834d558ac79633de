/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a job is made from once its order has been checked: everything that its
 * view and its confinement depend on, and nothing that is only this job's. Two
 * jobs with the same recipe are made alike, so one may be made ahead of time.
 */
#ifndef CORDON_LINUX_RECIPE_H
#define CORDON_LINUX_RECIPE_H

#include "platform/linux/backend.h"
#include "platform/linux/job.h"

struct recipe {
    bool embedded;
    bool program; /* the kernel's program decides for it */
    void *block;  /* cordon-init's order, owned, but for the job's slot in that program */
    size_t len;
    int tables[ORDER_SET_COUNT]; /* sealed memfds, owned */
    struct limit_group limits;
};

/* Checks the worker's order. As linux_init_order(); recipe_deinit() when done with it. */
CORDON_MUST_USE enum cordon_err recipe_make(const struct platform_spawn *spawn,
                                            struct recipe *ret_recipe, struct cordon_fault *fault);
void recipe_deinit(struct recipe *recipe); /* of one that was made */

bool recipe_same(const struct recipe *a, const struct recipe *b);
/* Who it is for. */
uint32_t recipe_uid(const struct recipe *recipe);

/* Starts a job whose command comes on @channel; -1: as far as it goes without, until job_go(). */
CORDON_MUST_USE enum cordon_err recipe_start(const struct recipe *recipe, int channel,
                                             struct platform_job **ret_job,
                                             struct cordon_fault *fault);

#endif
