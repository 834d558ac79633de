/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/backend.h"
#include "platform/linux/recipe.h"
#include "platform/linux/remains.h"
#include "platform/linux/spare.h"

/* One that was made ahead, else a new one. */
static enum cordon_err start(const struct recipe *recipe, int *channel,
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

/* The recipe that is kept for whoever asks for this, else a new one in *@made. */
static enum cordon_err recipe_find(const struct platform_spawn *spawn, struct recipe *made,
                                   struct recipe **ret_recipe, struct cordon_fault *fault)
{
    struct asked asked;
    enum cordon_err err = asked_make(spawn, &asked, fault);

    if (err != CORDON_OK) {
        return err;
    }
    *ret_recipe = spawn->embedded ? NULL : spare_recipe(&asked);
    if (*ret_recipe == NULL) {
        *ret_recipe = made;
        err = recipe_make(spawn, &asked, made, fault);
    }
    if (*ret_recipe != made || err != CORDON_OK) {
        asked_deinit(&asked);
    }
    return err;
}

enum cordon_err linux_spawn(const struct platform_spawn *spawn, struct platform_job **ret_job,
                            struct cordon_fault *fault)
{
    struct recipe made;
    struct recipe *recipe;
    enum cordon_err err = remains_check(spawn->peer->uid, fault);

    if (err == CORDON_OK) {
        err = recipe_find(spawn, &made, &recipe, fault);
    }
    if (err != CORDON_OK) {
        return err;
    }
    err = start(recipe, &spawn->fds[IPC_SPAWN_CHANNEL], ret_job, fault);
    spare_want(recipe, err == CORDON_OK);
    return err;
}
