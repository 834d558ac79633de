/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs that are made ahead of time: set up to the last step, each for one
 * command that has not been asked for yet. What the next job of the same recipe
 * gets is a view that nobody has used; nothing is ever used twice.
 *
 * A spare is a job whose command is slow to begin: what its guard, or the
 * kernel's program, sees of the host meanwhile counts as it would for any job.
 * What a set-up looks at only once could be out of date: mounts are asked for
 * here (when the table of mounts changes, all spares are given up), the rest by
 * cordon-init itself when it is let go (init/park.c).
 */
#ifndef CORDON_LINUX_SPARE_H
#define CORDON_LINUX_SPARE_H

#include "platform/linux/recipe.h"

/*
 * The recipe that jobs are made ahead from for whoever asks for this, or NULL; borrowed until
 * spare_want().
 */
struct recipe *spare_recipe(const struct asked *asked);
/* One made from the same recipe, or NULL. The job is the caller's. */
struct platform_job *spare_take(const struct recipe *recipe);
/* Takes the recipe over, or a borrowed one back. @worked: a job was made from it, so that more may
 * be wanted. */
void spare_want(struct recipe *recipe, bool worked);
/* What became of a job of which platform_job.spare is @serial: used as it was, or made again. */
void spare_seen(uint64_t serial, bool fresh);

#endif
