/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs that were killed and are not gone: a system call of one hangs in the kernel, or somebody who
 * traces a process of it does not let that go. Nobody waits for them; what they hold is given back
 * when they are gone.
 */
#ifndef CORDON_LINUX_REMAINS_H
#define CORDON_LINUX_REMAINS_H

#include "platform/base/err.h"
#include "platform/linux/bpf_jobs.h"
#include "platform/linux/cgroup.h"

#define REMAINS_EACH 16U /* of one user: then there is no further job for him */

struct job_remains {
    struct job_remains *next;
    uint32_t uid;         /* whose job it was */
    int pidfd;            /* of its cordon-init; -1: that was reaped */
    struct cgroup cgroup; /* removed last */
    struct bpf_job bpf;   /* what still runs is still decided about */
};

/* Takes @remains over, which was malloc'ed; it is freed here if nothing is left of the job. */
void remains_keep(struct job_remains *remains);
/* CORDON_E_QUOTA: REMAINS_EACH of the user's jobs are not gone. */
CORDON_MUST_USE enum cordon_err remains_check(uint32_t uid, struct cordon_fault *fault);
/* Looks once at each. In how many milliseconds to come again; 0: there are none. */
uint32_t remains_tend(void);
/* Readable from when one is kept until remains_tend(). Borrowed; -1: it cannot be had. */
int remains_fd(void);

#endif
