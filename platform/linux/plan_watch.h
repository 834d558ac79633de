/* SPDX-License-Identifier: Apache-2.0 */
/* For plan_linux.c: rules that are decided at each access, by fanotify. */
#ifndef CORDON_PLATFORM_PLAN_WATCH_H
#define CORDON_PLATFORM_PLAN_WATCH_H

#include "platform/plan_build.h"

/* A wall below the decision; beyond this many, managed denials have none (grant_check.c). */
#define PLAN_MANAGED_MASKS_MAX 64U

/* Denials are decided at access time: the service, on a host where that was seen to work. */
bool plan_at_access(const struct plan_builder *builder);

/* Labels of both sets: what cannot be seen at access time stays a snapshot. */
void plan_watch_labels(struct plan_builder *builder);

/* The WATCH steps of both sets, sorted and without duplicates in each. */
void plan_add_watches(struct plan_builder *builder);

/* Whether a mask of this rule is still to be placed. */
bool plan_is_masked(const struct plan_builder *builder, uint8_t set, uint32_t rule);

#endif
