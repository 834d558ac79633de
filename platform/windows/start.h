/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A job, from what a worker sends to its running init: the order is read, held against the managed
 * policy, what its rules need is looked at and planned by ourselves, and job.h does the rest. All
 * of the system is behind tables.
 */
#ifndef CORDON_PLATFORM_WINDOWS_START_H
#define CORDON_PLATFORM_WINDOWS_START_H

#include "platform/windows/job.h"
#include "policy/types.h"

/* Everything is borrowed; @holder until job_end(). */
struct win_start {
    const struct api *api;
    const struct job_host *host;
    struct sid domain; /* of principals */
    bool embedded;
    const struct policy *managed;
    const struct policy_limits *limits;
    /* His primary token, as token_order.caller, and who he is. */
    api_handle caller;
    struct sid owner;
    const char *account; /* that the service logs on */
    const char *holder;
    const char *init;      /* the program, as is */
    api_handle handles[2]; /* its standard input and output: the worker's channel, what it says */
};

/*
 * On CORDON_OK the caller owns *ret_job; job_end(). Errors: those of order.h, look.h,
 * plan_windows.h and job.h, and CORDON_E_UNSUPPORTED: a limit that nobody keeps here.
 */
CORDON_MUST_USE enum cordon_err win_start(const struct win_start *start, const void *block,
                                          size_t len, struct job *ret_job,
                                          struct cordon_fault *fault);

#endif
