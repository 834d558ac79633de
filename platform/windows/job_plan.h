/* SPDX-License-Identifier: Apache-2.0 */
/* From a plan to what job_start() takes. Pure. */
#ifndef CORDON_PLATFORM_WINDOWS_JOB_PLAN_H
#define CORDON_PLATFORM_WINDOWS_JOB_PLAN_H

#include "platform/plan.h"
#include "platform/windows/job.h"

/*
 * Fills in of @order what a Windows plan decides: the token, what is around the job, the entries
 * and the working directory; strings are the plan's, arrays in @arena. What the caller said before
 * stays: token.account (to be logged on where the plan is for the service), token.caller, holder,
 * owner, command line.
 *
 * CORDON_E_NOMEM: the arena is exhausted. CORDON_E_INVALID: a plan that was not made to be carried
 * out (no SID for its principal, no account where one is needed), or a step that is not understood:
 * it is refused rather than left out.
 */
CORDON_MUST_USE enum cordon_err job_of_plan(const struct plan *plan, struct arena *arena,
                                            struct job_order *order, struct cordon_fault *fault);

#endif
