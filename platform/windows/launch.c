/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/launch.h"

#define ENDED_STATUS 192U /* 128 + 64, as a job that the broker ended says elsewhere */

static enum cordon_err limit(const struct launch_api *api, api_handle job,
                             const struct launch_order *order, struct cordon_fault *fault)
{
    const struct launch_limits wanted = {
        .flags = LAUNCH_KILL_ON_CLOSE | (order->processes != 0 ? LAUNCH_LIMIT_PROCESSES : 0) |
                 (order->memory != 0 ? LAUNCH_LIMIT_MEMORY : 0),
        .processes = order->processes,
        .memory = order->memory};
    struct launch_limits found;
    uint32_t code = api->job_limit(api->self, job, &wanted);

    if (code != API_OK) {
        return api_fault(fault, code, NULL, "limiting the job object");
    }
    code = api->job_limits(api->self, job, &found);
    if (code != API_OK) {
        return api_fault(fault, code, NULL, "reading the job object's limits back");
    }
    /* Exactly these: a breakaway flag would be a way out, whoever set it. */
    if (order->open && (found.flags & ~wanted.flags) == 0) {
        return CORDON_OK;
    }
    if (found.flags != wanted.flags ||
        (order->processes != 0 && found.processes != wanted.processes) ||
        (order->memory != 0 && found.memory != wanted.memory)) {
        return fault_set(fault, CORDON_E_STATE, NULL,
                         "the job object's limits did not stick: 0x%x instead of 0x%x",
                         (unsigned)found.flags, (unsigned)wanted.flags);
    }
    code = api->job_restrict_ui(api->self, job);
    return code == API_OK ? CORDON_OK
                          : api_fault(fault, code, NULL, "taking the user's desktop from the job");
}

static enum cordon_err start_in(const struct launch_api *api, const struct launch_order *order,
                                struct launch *launch, struct cordon_fault *fault)
{
    struct launch_process what = order->process;
    api_handle thread = 0;
    bool inside = false;
    uint32_t code;

    what.job = launch->job;
    code = api->process_make(api->self, &what, &launch->process, &thread);
    if (code != API_OK) {
        return api_fault(fault, code, NULL, "starting %s", what.command_line);
    }
    code = api->is_in_job(api->self, launch->process, launch->job, &inside);
    if (code == API_OK && inside) {
        code = api->resume(api->self, thread);
    }
    (void)api->close(api->self, thread);
    if (code != API_OK) {
        return api_fault(fault, code, NULL, "letting %s run", what.command_line);
    }
    return inside ? CORDON_OK
                  : fault_set(fault, CORDON_E_STATE, NULL, "%s was not started in its job object",
                              what.command_line);
}

enum cordon_err launch_start(const struct launch_api *api, const struct launch_order *order,
                             struct launch *ret_launch, struct cordon_fault *fault)
{
    struct launch launch = {0};
    enum cordon_err err;
    uint32_t code;

    if (order->process.handle_count > LAUNCH_HANDLES_MAX) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "more than %u handles for one process",
                         LAUNCH_HANDLES_MAX);
    }
    if (order->process.console != 0 && order->process.handle_count != 0) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "handles for a process with a terminal");
    }
    code = api->job_make(api->self, &launch.job);
    if (code != API_OK) {
        return api_fault(fault, code, NULL, "making a job object");
    }
    err = limit(api, launch.job, order, fault);
    if (err == CORDON_OK) {
        err = start_in(api, order, &launch, fault);
    }
    if (err != CORDON_OK) {
        /* What does not end here ends with us: it has not run, and its job object is still open. */
        (void)launch_end(api, &launch);
        return err;
    }
    *ret_launch = launch;
    return CORDON_OK;
}

bool launch_end(const struct launch_api *api, struct launch *launch)
{
    if (launch->job != 0) {
        (void)api->job_end(api->self, launch->job, ENDED_STATUS);
        /* What is taken from around a job must not be taken from a process that still runs. */
        if (api->job_wait(api->self, launch->job, LAUNCH_END_MS) != API_OK) {
            return false;
        }
        (void)api->close(api->self, launch->job);
    }
    if (launch->process != 0) {
        (void)api->close(api->self, launch->process);
    }
    *launch = (struct launch){0};
    return true;
}
