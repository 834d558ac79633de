/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_LINUX_JOB_H
#define CORDON_LINUX_JOB_H

#include "platform/linux/barren_keep.h"
#include "platform/linux/bpf_jobs.h"
#include "platform/linux/cgroup.h"
#include "platform/linux/denials.h"
#include "platform/linux/launch.h"
#include "platform/linux/remains.h"
#include "platform/platform.h"

/* What a new job is made of. */
struct job_parts {
    uint32_t uid; /* whose job it is */
    struct launch launch;
    int control;                 /* to tell cordon-init of its job on, and that a command is due */
    int report;                  /* read end */
    int pidfd, pid;              /* of the cordon-init, if one waits for its job already; -1 */
    struct job_remains *remains; /* for linux_release(), which so needs no memory; owned; NULL */
    struct cgroup cgroup;
    struct denials denials;
    struct bpf_job bpf; /* instead, where the kernel's program decides */
    struct barren_keep barren;
};

/* A job as the supervisor holds it: descriptors, no names but the cgroup's. */
struct platform_job {
    struct job_parts parts; /* launch, control: until the command runs; report: until the last */
    int pidfd;              /* of cordon-init */
    int pid;                /* its number, to be shown */
    int channel;            /* to its worker, for cordon-init; until the command runs */
    int timer;              /* runs out if the set-up hangs; -1 once the command runs */
    int watch;              /* epoll over these, and over the denials */
    bool running, ended, reaped;
    uint64_t killed_ms; /* when it was killed first; 0: it was not */
    bool failed;        /* its set-up, or its cordon-init, ahead of time; @last says why */
    bool blank;         /* its cordon-init was started before it: blank.h */
    uint64_t spare;     /* of which spares it was (spare.h); 0: made when it was wanted */
    unsigned index;     /* which cordon-index holds it, if one does: index_number() */
    bool begins;        /* that was told that the command comes, and it has not run yet */
    bool stale;         /* made ahead, and no longer as it would be made now: to be made again */
    struct ipc_report last;
    struct ipc_usage usage; /* once it is reaped */
};

/* Of nothing yet. */
void job_parts_init(struct job_parts *parts);

/*
 * Starts cordon-init, unless one waits already. @channel as for job_go(); NULL: it waits for that.
 * Takes @parts over, also when it fails.
 */
CORDON_MUST_USE enum cordon_err job_new(struct job_parts *parts, int *channel,
                                        struct platform_job **ret_job, struct cordon_fault *fault);
/*
 * The worker's command will come on *@channel, which is taken over and -1 then. @check: the job was
 * made ahead, so cordon-init first looks whether it would be made the same now; if not, it is made
 * again, and nobody else notices. CORDON_E_OS, also when it is dead.
 */
CORDON_MUST_USE enum cordon_err job_go(struct platform_job *job, int *channel, bool check,
                                       struct cordon_fault *fault);
/* It waits, or is about to, as far as can be seen, and may have its command, which comes next. */
bool job_begins(struct platform_job *job);

/* Of what no job was made from. */
void job_parts_close(struct job_parts *parts);
/* The cordon-init behind @pidfd has neither ended nor said anything to @report. */
bool job_init_is_quiet(int pidfd, int report);
/*
 * Takes back what cordon-init was sent and has not read. False: it has read that its command is
 * due, and perhaps the command as well, which is then gone with it. *ret_told: it has read what its
 * job is, which comes before that.
 */
bool job_parts_take_back(const struct job_parts *parts, bool *ret_told);

#endif
