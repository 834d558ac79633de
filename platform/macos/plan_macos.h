/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The macOS planner: a Seatbelt profile (SBPL) and its parameters. The profile
 * is the text of all SBPL steps, a line each, in order. Paths are in it as
 * parameters only, so nothing needs quoting.
 */
#ifndef CORDON_PLATFORM_PLAN_MACOS_H
#define CORDON_PLATFORM_PLAN_MACOS_H

#include "platform/plan.h"

enum plan_macos_op {
    PLAN_MACOS_PARAM, /* path: the value; text: the key ("P0"); all come first */
    PLAN_MACOS_SBPL,  /* text: one rule */
    PLAN_MACOS_EXEC,  /* path: working directory */
    PLAN_MACOS_OP_COUNT
};

extern const char *const plan_macos_op_names[PLAN_MACOS_OP_COUNT];

/*
 * See plan_fn. CORDON_E_UNSUPPORTED "cannot be planned yet: RULE" for globs and
 * for the host's network outside of full access.
 */
CORDON_MUST_USE enum cordon_err plan_macos(const struct policy *policy,
                                           const struct plan_facts *facts, struct arena *arena,
                                           struct plan **ret_plan, struct cordon_fault *fault);

#endif
