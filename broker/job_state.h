/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor knows of a job; for job.c, job_ask.c and job_record.c alone. */
#ifndef CORDON_BROKER_JOB_STATE_H
#define CORDON_BROKER_JOB_STATE_H

#include "broker/denial.h"
#include "broker/job.h"
#include "broker/undo.h"

struct job {
    struct job *next;
    struct caller *caller;
    uint64_t id;
    uint32_t session, request;
    bool doomed; /* its session is gone */
    bool waits;  /* for its set-up; see tend.h */
    bool running;
    bool ended; /* @last was told; what was made for it may not be gone */
    struct ipc_report last;
    struct platform_job *handle;
    struct loop_source *source, *timer, *wall;
    struct quota_charge charge;
    struct undo undo;
    uint64_t start_ms, start_unix_ms, generation;
    int32_t pid;
    struct ipc_spawn what; /* strings terminated */
    struct policy_limits limits;
    bool expired; /* killed by its limit wall_s */
    struct job_denials denials;
};

/* The caller's, the command's and the policy's names; lead into @job. */
struct audit_event job_describe(const struct job *job, enum audit_event_kind kind);
/* To the audit log, unless the managed policy wants none. @report, @fault: NULL, there is none. */
void job_record(const struct job *job, enum audit_event_kind kind, const struct ipc_report *report,
                const struct cordon_fault *fault);
/*
 * For every record, and for ps: by the rules of the generation that the job was judged with, also
 * where it was refused before those were made. Where there are none nobody knows what is to be left
 * out, and all is.
 */
void job_redact(struct job *job);

#endif
