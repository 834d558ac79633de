/* SPDX-License-Identifier: Apache-2.0 */
/* From a caller's choice to a policy, a plan and an order; with his own rights. */
#ifndef CORDON_BROKER_PIPELINE_H
#define CORDON_BROKER_PIPELINE_H

#include "broker/worker.h"
#include "proto/message.h"

/* One run of it. Zeroed, then arena_init(); release with pipeline_deinit(). */
struct pipeline {
    struct arena arena;
    const char *cwd;
    struct platform_start start;
    struct memo_policy *made; /* the memo's */
    const struct policy *policy;
    struct planned *planned; /* the memo's, if it is to be used again */
    const struct plan *plan;
    const char *hash; /* "" until there is a policy */
};

struct pipeline_input {
    struct worker *worker;
    const struct msg_choice *choice;
    int cwd_fd;
    const char *program; /* NULL: a plan only */
    const char *search;  /* PATH of the job; NULL */
};

void pipeline_init(struct pipeline *pipeline);
void pipeline_deinit(struct pipeline *pipeline);

/* Policy and plan. The faults name file and line, or the rule. */
CORDON_MUST_USE enum cordon_err pipeline_plan(struct pipeline *pipeline,
                                              const struct pipeline_input *input,
                                              struct cordon_fault *fault);
/*
 * The order of a plan made for a program; @channel stays the caller's. Where what the plan was made
 * from is not so any more, it is made anew: @pipeline has that one then.
 */
CORDON_MUST_USE enum cordon_err pipeline_order(struct pipeline *pipeline,
                                               const struct pipeline_input *input, int channel,
                                               struct platform_order *ret_order,
                                               struct cordon_fault *fault);

#endif
