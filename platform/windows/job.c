/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/job.h"

static enum cordon_err surround(const struct job_host *host, const struct job_order *order,
                                struct job *job, struct cordon_fault *fault)
{
    struct around_order around = order->around;

    around.logon = job->token.logon;
    around.principal = order->token.principal;
    around.token = order->token.account == NULL ? 0 : job->token.handle;
    return around_make(host->around, &around, &job->around, fault);
}

static enum cordon_err put_entries_on(const struct job_host *host, const struct job_order *order,
                                      struct job *job, struct cordon_fault *fault)
{
    const struct state_request request = {.principal = order->token.principal,
                                          .token = job->token.handle,
                                          .caller = order->caller,
                                          .owner = order->owner,
                                          .holder = order->holder,
                                          .targets = order->targets,
                                          .target_count = order->target_count};
    enum cordon_err err;

    if (order->target_count == 0) {
        return CORDON_OK;
    }
    if (host->state == NULL || order->holder == NULL) {
        return fault_set(fault, CORDON_E_INVALID, NULL,
                         "a job with entries needs somebody who keeps them");
    }
    err = state_apply(host->state, &request, fault);
    job->holder = err == CORDON_OK ? order->holder : NULL;
    return err;
}

static enum cordon_err run(const struct job_host *host, const struct job_order *order,
                           struct job *job, struct cordon_fault *fault)
{
    struct launch_order launch = order->launch;

    launch.process.token = job->token.handle;
    if (job->around.name[0] != '\0') {
        launch.process.desktop = job->around.name;
    }
    launch.process.console = job->around.console;
    return launch_start(host->launch, &launch, &job->launch, fault);
}

enum cordon_err job_start(const struct job_host *host, const struct job_order *order,
                          struct job *ret_job, struct cordon_fault *fault)
{
    /* No process before all that keeps it in is there. */
    static enum cordon_err (*const steps[])(const struct job_host *, const struct job_order *,
                                            struct job *, struct cordon_fault *) = {
        surround, put_entries_on, run};
    struct job job = {.principal = order->token.principal};
    enum cordon_err err = token_prepare(host->token, &order->token, &job.token, fault);

    for (size_t i = 0; err == CORDON_OK && i < sizeof(steps) / sizeof(steps[0]); i++) {
        err = steps[i](host, order, &job, fault);
    }
    if (err != CORDON_OK) {
        job_end(host, &job);
        return err;
    }
    *ret_job = job;
    return CORDON_OK;
}

void job_end(const struct job_host *host, struct job *job)
{
    launch_end(host->launch, &job->launch);
    if (job->holder != NULL &&
        state_drop(host->state, &job->principal, job->holder, NULL) == CORDON_OK) {
        job->holder = NULL;
    }
    around_undo(host->around, &job->around);
    token_close(host->token, &job->token);
}
