/* SPDX-License-Identifier: Apache-2.0 */
/* What is recorded of a job. */
#include <string.h>

#include "broker/job_state.h"
#include "platform/host.h"

struct audit_event job_describe(const struct job *job, enum audit_event_kind kind)
{
    return (struct audit_event){
        .kind = kind,
        .job = job->id,
        .uid = job->caller->key.uid,
        .pid = job->pid,
        .command = job->what.command,
        .policy_hash = job->what.policy_hash,
        .generation = job->generation,
        .denied = job->denials.count,
        .duration_ms = host_now_ms() - job->start_ms,
    };
}

void job_record(const struct job *job, enum audit_event_kind kind, const struct ipc_report *report,
                const struct cordon_fault *fault)
{
    static const char *const outcomes[] = {
        [IPC_REPORT_RUNNING] = "running",
        [IPC_REPORT_EXITED] = "exited",
        [IPC_REPORT_SIGNALLED] = "signalled",
        [IPC_REPORT_NOT_FOUND] = "not-found",
        [IPC_REPORT_NOT_EXECUTABLE] = "not-executable",
        [IPC_REPORT_SETUP] = "setup-failed",
    };
    const struct policy *managed = job->caller->rules.policy;
    struct audit_event event = job_describe(job, kind);

    if (managed != NULL && managed->audit.level != NULL &&
        strcmp(managed->audit.level, "off") == 0) {
        return;
    }
    event.outcome =
        report == NULL || report->kind > IPC_REPORT_SETUP ? NULL : outcomes[report->kind];
    event.code = report == NULL ? 0 : report->code;
    event.masked = report == NULL ? 0 : report->masked;
    event.usage = report == NULL ? NULL : &report->usage;
    if (report != NULL && report->limit < POLICY_LIMIT_COUNT) {
        const enum policy_limit limit = (enum policy_limit)report->limit;

        event.limit = policy_limit_name(limit);
        event.limit_managed =
            policy_limit_in_force(&job->limits, limit) == &job->limits.managed[limit];
    }
    event.fault = fault;
    audit_record(&job->caller->supervisor->audit, &event);
}

void job_redact(struct job *job)
{
    struct caller *caller = job->caller;
    struct cordon_fault ignored;

    if (managed_rules_update(&caller->supervisor->managed, &caller->user, &caller->rules,
                             &ignored) != CORDON_OK) {
        job->what.command[0] = '\0';
    }
    redact_text(caller->rules.redact, job->what.command, sizeof(job->what.command));
}
