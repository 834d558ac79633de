/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For the Linux planner: the directories above what is denied. A job that could
 * rename one would lead the next job around the rule, which is about names.
 */
#ifndef CORDON_LINUX_PLAN_PIN_H
#define CORDON_LINUX_PLAN_PIN_H

#include "platform/plan_build.h"

struct pin_list;

/* Once the tree is made. NULL: failed. */
struct pin_list *plan_find_pins(struct plan_builder *builder);
/* Adds those above @depth components that are still to be added; call it with rising depths. */
void plan_add_pins(struct plan_builder *builder, struct pin_list *list, uint32_t depth);

#endif
