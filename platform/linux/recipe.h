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

/*
 * What a job is asked for with: what of it is sealed by which files these are, the rest in full.
 * Under one managed policy who asks alike gets the same recipe, so that is made and compared once.
 */
struct asked {
    struct {
        uint64_t dev, ino;
    } order, tables[ORDER_SET_COUNT];
    struct linux_able able;
    struct limit_group limits;
    void *block; /* linux_init_asked(), owned */
    size_t len;
};

/* CORDON_E_INVALID and as linux_init_asked(); asked_deinit() when done with it. */
CORDON_MUST_USE enum cordon_err asked_make(const struct platform_spawn *spawn,
                                           struct asked *ret_asked, struct cordon_fault *fault);
void asked_deinit(struct asked *asked);

struct recipe {
    struct asked asked;
    int order; /* sealed memfd, owned: as long as it is open no other file has its number */
    bool embedded;
    bool program; /* the kernel's program decides for it */
    void *block;  /* cordon-init's order, owned, but for the job's slot in that program */
    size_t len;
    int tables[ORDER_SET_COUNT]; /* sealed memfds, owned */
    int usual; /* memfd of struct usual, owned; -1: no guard decides, or there was none to be had */
};

/*
 * Checks the worker's order. As linux_init_order(); recipe_deinit() when done with it. @asked is
 * taken over if it succeeds.
 */
CORDON_MUST_USE enum cordon_err recipe_make(const struct platform_spawn *spawn,
                                            const struct asked *asked, struct recipe *ret_recipe,
                                            struct cordon_fault *fault);
void recipe_deinit(struct recipe *recipe); /* of one that was made */

/* It was made for the same, as long as the managed policy is the same. */
bool recipe_answers(const struct recipe *recipe, const struct asked *asked);

/* What is made from both is alike. */
bool recipe_same(const struct recipe *a, const struct recipe *b);
/* Who it is for. */
uint32_t recipe_uid(const struct recipe *recipe);

/* Starts a job whose command comes on *@channel; NULL: as far as it goes without, until job_go().
 */
CORDON_MUST_USE enum cordon_err recipe_start(const struct recipe *recipe, int *channel,
                                             struct platform_job **ret_job,
                                             struct cordon_fault *fault);
/* What may have ended since: cordon-index is another one by now. CORDON_E_OS. */
CORDON_MUST_USE enum cordon_err recipe_renew(struct launch *launch, struct cordon_fault *fault);

#endif
