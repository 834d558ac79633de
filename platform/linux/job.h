/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_LINUX_JOB_H
#define CORDON_LINUX_JOB_H

#include "platform/linux/bpf_jobs.h"
#include "platform/linux/cgroup.h"
#include "platform/linux/denials.h"
#include "platform/platform.h"

/* A job as the supervisor holds it: descriptors, no names but the cgroup's. */
struct platform_job {
    int pidfd;  /* of cordon-init */
    int pid;    /* its number, to be shown */
    int report; /* read end; -1 once the last report came */
    int timer;  /* runs out if the set-up hangs; -1 once the command runs */
    int watch;  /* epoll over the three, and over the denials */
    bool running, ended, reaped;
    struct ipc_report last;
    struct ipc_usage usage; /* once it is reaped */
    struct cgroup cgroup;
    struct denials denials;
    struct bpf_job bpf; /* instead, where the kernel's program decides */
};

/* What a new job is made of; taken over by job_new(), but not when it fails. */
struct job_parts {
    int pidfd, pid, report;
    struct cgroup cgroup;
    struct denials denials;
    struct bpf_job bpf; /* instead, where the kernel's program decides */
};
CORDON_MUST_USE enum cordon_err job_new(const struct job_parts *parts,
                                        struct platform_job **ret_job, struct cordon_fault *fault);

/* Kills the init behind `pidfd`, and with it all of its job, and reaps it if it ends within
 * `wait_ms`; it does within milliseconds unless a system call of it hangs. */
void job_kill(int pidfd, int wait_ms);

#endif
