/* SPDX-License-Identifier: Apache-2.0 */
/* What is asked of jobs that run: which there are, and that one be sent a signal. */
#include <stdio.h>
#include <string.h>

#include "broker/job_state.h"

static const struct job *job_find(const struct caller *caller, uint64_t id)
{
    const struct job *job = caller->jobs;

    while (job != NULL && job->id != id) {
        job = job->next;
    }
    return job;
}

bool job_is_running(const struct caller *caller, uint64_t id)
{
    return job_find(caller, id) != NULL;
}

enum cordon_err job_signal(const struct caller *caller, uint64_t id, uint32_t signo, bool sure,
                           struct cordon_fault *fault)
{
    const struct job *job = job_find(caller, id);
    enum cordon_err err;

    if (job == NULL || job->handle == NULL) {
        return fault_set(fault, CORDON_E_NOT_FOUND, NULL, "there is no such job");
    }
    if (signo < 1 || signo > 64) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "signal %u does not exist", signo);
    }
    /* It cannot be passed on: it would stop the init, which then passes nothing on any more. */
    if (signo == host_signal_stop) {
        return fault_set(fault, CORDON_E_INVALID, "send TSTP", "STOP cannot be sent to a job");
    }
    if (sure && !job->running && signo != HOST_SIGNAL_KILL) {
        return fault_set(fault, CORDON_E_STATE, "try again, or send KILL",
                         "the job's command does not run yet");
    }
    err = caller->supervisor->platform->signal(job->handle, (int)signo);
    return err == CORDON_OK ? err : fault_set(fault, err, NULL, "signal %u cannot be sent", signo);
}

uint32_t jobs_list(const struct caller *caller, struct strbuf *out)
{
    const struct supervisor *supervisor = caller->supervisor;
    uint32_t count = 0;

    for (const struct job *job = caller->jobs; job != NULL; job = job->next) {
        struct platform_about about = {0, 0};
        struct ipc_job row;

        if (job->handle == NULL) {
            continue; /* about to be refused */
        }
        supervisor->platform->about(job->handle, &about);
        memset(&row, 0, sizeof(row));
        row.job = job->id;
        row.start_ms = job->start_unix_ms;
        row.elapsed_ms = host_now_ms() - job->start_ms;
        row.generation = job->generation;
        row.denied = job->denials.count;
        row.uid = caller->key.uid;
        row.pid = about.pid;
        row.mechanism = about.mechanism;
        (void)snprintf(row.user, sizeof(row.user), "%.63s", caller->user.user);
        memcpy(row.command, job->what.command, sizeof(row.command));
        memcpy(row.policy_hash, job->what.policy_hash, sizeof(row.policy_hash));
        strbuf_add(out, (const char *)&row, sizeof(row));
        count++;
    }
    return count;
}
