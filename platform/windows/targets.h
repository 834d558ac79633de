/* SPDX-License-Identifier: Apache-2.0 */
/* From a plan's steps to what state_apply() takes. Pure. */
#ifndef CORDON_PLATFORM_WINDOWS_TARGETS_H
#define CORDON_PLATFORM_WINDOWS_TARGETS_H

#include "platform/plan.h"
#include "platform/windows/state.h"

/*
 * The targets of a Windows plan, in the plan's order, in @arena; their paths are the plan's.
 * CORDON_E_NOMEM: the arena is exhausted. CORDON_E_INVALID: a path to be made that no later step
 * puts an entry on.
 */
CORDON_MUST_USE enum cordon_err targets_of_plan(const struct plan *plan, struct arena *arena,
                                                struct state_target **ret_targets,
                                                size_t *ret_count);

#endif
