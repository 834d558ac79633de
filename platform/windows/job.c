/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/job.h"

#include <stdlib.h>

#include "platform/windows/sd.h"

/* Rights (winnt.h): PROCESS_DUP_HANDLE, and to ask what it is and wait for it. */
#define MEET_RIGHTS 0x00101040U
/* PROCESS_QUERY_INFORMATION and the limited one, READ_CONTROL, SYNCHRONIZE. */
#define ASK_RIGHTS 0x00121400U
#define LIST_MAX 512U

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
    if (host->state == NULL && host->stateless != NULL) {
        return fault_set(fault, host->stateless->err, host->stateless->remedy,
                         "what is denied cannot be kept track of: %s", host->stateless->text);
    }
    if (host->state == NULL || order->holder == NULL) {
        return fault_set(fault, CORDON_E_INVALID, NULL,
                         "a job with entries needs somebody who keeps them");
    }
    err = state_apply(host->state, &request, fault);
    job->holder = err == CORDON_OK ? order->holder : NULL;
    return err;
}

/*
 * Who may open the first process of a job that runs as the service's account: the caller, to hand
 * it the command's handles, which are his. The job itself may ask about it and no more: by its
 * handles the command could say what became of it.
 */
static enum cordon_err list_process(const struct job_order *order, const struct job *job,
                                    uint8_t bytes[LIST_MAX], size_t *ret_len)
{
    const struct sd_ace entries[] = {{SD_ALLOWED, 0, SD_GENERIC_ALL, sid_system()},
                                     {SD_ALLOWED, 0, MEET_RIGHTS, order->owner},
                                     {SD_ALLOWED, 0, ASK_RIGHTS, job->token.logon}};
    struct sd *sd = malloc(sizeof(*sd));
    enum cordon_err err = sd == NULL ? CORDON_E_NOMEM : CORDON_OK;

    if (sd != NULL) {
        sd_init(sd, SD_DACL_LIST);
        sd->control |= SD_DACL_PROTECTED;
    }
    for (size_t i = 0; err == CORDON_OK && i < sizeof(entries) / sizeof(entries[0]); i++) {
        if (entries[i].sid.len != 0) {
            err = sd_append(sd, &entries[i]);
        }
    }
    err = err == CORDON_OK ? sd_write(sd, bytes, LIST_MAX, ret_len) : err;
    free(sd);
    return err;
}

static enum cordon_err run(const struct job_host *host, const struct job_order *order,
                           struct job *job, struct cordon_fault *fault)
{
    struct launch_order launch = order->launch;
    uint8_t list[LIST_MAX];
    enum cordon_err err = CORDON_OK;

    if (order->token.account != NULL) {
        err = list_process(order, job, list, &launch.process.list_len);
        launch.process.list = list;
    }
    if (err != CORDON_OK) {
        return fault_set(fault, err, NULL, "no room for the list of the job's process");
    }
    launch.open = order->token.kind == TOKEN_OWN;
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
        (void)job_end(host, &job); /* there is no process */
        return err;
    }
    *ret_job = job;
    return CORDON_OK;
}

bool job_end(const struct job_host *host, struct job *job)
{
    if (!launch_end(host->launch, &job->launch)) {
        return false;
    }
    if (job->holder != NULL &&
        state_drop(host->state, &job->principal, job->holder, NULL) == CORDON_OK) {
        job->holder = NULL;
    }
    around_undo(host->around, &job->around);
    token_close(host->token, &job->token);
    return true;
}
