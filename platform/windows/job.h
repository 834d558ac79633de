/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole job: its token, what is around it, the entries of its policy, and only then its first
 * process; and the end of all that. What fails on the way undoes what was done before, in turn.
 */
#ifndef CORDON_PLATFORM_WINDOWS_JOB_H
#define CORDON_PLATFORM_WINDOWS_JOB_H

#include "platform/windows/around.h"
#include "platform/windows/launch.h"
#include "platform/windows/state.h"
#include "platform/windows/token.h"

/* Whom the steps ask. Borrowed. */
struct job_host {
    const struct token_api *token;
    const struct around_api *around;
    const struct launch_api *launch;
    struct state *state;                  /* NULL: no plan with entries can be carried out */
    const struct cordon_fault *stateless; /* why there is none; NULL: there should be none */
};

/* What is to be started. Everything is borrowed, until job_end() where it says so. */
struct job_order {
    struct token_order token;
    struct around_order around; /* .logon, .principal and .token are not looked at */
    const struct state_target *targets;
    size_t target_count;
    /* On whose behalf the entries are: the job's alone, so that its end takes off what is no other
     * job's. Until job_end(). */
    const char *holder;
    api_handle caller; /* whom his rules' objects are opened as; 0: as ourselves */
    struct sid owner;  /* see struct acl; may hand handles to a process of another account */
    /* .process.token, .console, .list and .open are not looked at, .desktop where it gets one of
     * its own. */
    struct launch_order launch;
};

struct job {
    struct token token;
    struct around around;
    struct launch launch;
    struct sid principal;
    const char *holder; /* NULL: no entries are held */
};

/*
 * Starts it. On an error there is no process, and nothing of the job is left; what of its entries
 * could not be taken off, state_notices() says. Errors: those of token.h, around.h, state.h,
 * launch.h, and CORDON_E_INVALID: entries without a state or a holder.
 */
CORDON_MUST_USE enum cordon_err job_start(const struct job_host *host,
                                          const struct job_order *order, struct job *ret_job,
                                          struct cordon_fault *fault);

/*
 * Ends every process of it and undoes the rest. Twice is allowed, and tries again to give back the
 * entries where there was no memory for that (job->holder is still there then). False: a process
 * has not ended yet, and all that keeps it in stays; to be tried again.
 */
bool job_end(const struct job_host *host, struct job *job);

#endif
