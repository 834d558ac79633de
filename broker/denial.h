/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a job's denials: each is named, counted, recorded and told. */
#ifndef CORDON_BROKER_DENIAL_H
#define CORDON_BROKER_DENIAL_H

#include "broker/audit.h"
#include "broker/caller.h"
#include "broker/rule_texts.h"

/* Of one job. Zeroed, then denials_begin(). */
struct job_denials {
    uint64_t count;             /* all of them */
    bool audited;               /* the administrator wants records of denials */
    struct rule_block *managed; /* of the generation it was started with; NULL: not known */
    int own_fd;                 /* the profile's texts; hostile; -1: none */
    const void *own;            /* mapped when first needed */
    size_t own_len;
};

/* @texts_fd, or -1, is taken over. */
void denials_begin(struct job_denials *denials, struct caller *caller, int texts_fd);
void denials_end(struct job_denials *denials);

/*
 * Takes in what the back end has, at most @most of them, and wakes who waits for them. @about is
 * the job for the audit record.
 */
void denials_take(struct job_denials *denials, struct caller *caller, struct platform_job *handle,
                  const struct audit_event *about, size_t most);

#endif
