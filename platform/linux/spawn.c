/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/backend.h"
#include "platform/linux/recipe.h"
#include "platform/linux/spare.h"

/* One that was made ahead, else a new one. */
static enum cordon_err start(const struct recipe *recipe, int channel,
                             struct platform_job **ret_job, struct cordon_fault *fault)
{
    struct platform_job *job = spare_take(recipe);
    enum cordon_err err;

    if (job == NULL) {
        return recipe_start(recipe, channel, ret_job, fault);
    }
    err = job_go(job, channel, true, fault);
    if (err != CORDON_OK) {
        linux_release(job);
        return err;
    }
    *ret_job = job;
    return CORDON_OK;
}

enum cordon_err linux_spawn(const struct platform_spawn *spawn, struct platform_job **ret_job,
                            struct cordon_fault *fault)
{
    struct recipe recipe;
    enum cordon_err err = recipe_make(spawn, &recipe, fault);

    if (err != CORDON_OK) {
        return err;
    }
    err = start(&recipe, spawn->fds[IPC_SPAWN_CHANNEL], ret_job, fault);
    spare_want(&recipe, err == CORDON_OK);
    return err;
}
