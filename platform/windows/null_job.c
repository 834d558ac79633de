/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The null back end's jobs on Windows: a job object with an init in it (init/main.c), which takes
 * the command from its worker and runs it. Nothing is denied; the job ends with its object.
 */
#include "platform/null/null_job.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/siblings.h"
#include "platform/windows/args.h"
#include "platform/windows/backend.h"
#include "platform/windows/init_job.h"
#include "platform/windows/io.h"

struct platform_job {
    struct launch launch;
    struct init_job init;
};

enum policy_os null_os(void)
{
    return POLICY_OS_WINDOWS;
}

enum cordon_err null_order(const struct platform_parts *parts, struct platform_order *ret_order,
                           struct cordon_fault *fault)
{
    return windows_pack("order", 6, parts, parts->cwd_fd, ret_order, fault);
}

/* Starts the init, suspended as the table has it, and lets it run once it is in its object. */
static uint32_t start_init(struct platform_job *job, struct launch_process *what)
{
    const struct launch_api *api = launch_win32();
    const struct launch_limits limits = {.flags = LAUNCH_KILL_ON_CLOSE};
    api_handle thread = 0;
    uint32_t code = api->job_make(api->self, &job->launch.job);

    code = code == API_OK ? api->job_limit(api->self, job->launch.job, &limits) : code;
    what->job = job->launch.job;
    code =
        code == API_OK ? api->process_make(api->self, what, &job->launch.process, &thread) : code;
    if (code == API_OK) {
        code = api->resume(api->self, thread);
        (void)api->close(api->self, thread);
    }
    return code;
}

static enum cordon_err launch(const struct platform_spawn *spawn, struct platform_job *job,
                              int status, struct cordon_fault *fault)
{
    char program[1024];
    struct strbuf line = STRBUF_INIT;
    const HANDLE token = windows_token(spawn->peer);
    struct launch_process what = {.token = (api_handle)token};
    enum cordon_err err = sibling_path("cordon-init", program, sizeof(program), fault);
    uint32_t code = token == NULL ? GetLastError() : API_OK;

    if (err == CORDON_OK) {
        args_quote(&line, program);
        what.command_line = strbuf_text(&line);
        what.handles[0] = (api_handle)io_handle(spawn->fds[IPC_SPAWN_CHANNEL]);
        what.handles[1] = (api_handle)io_handle(status);
        what.handles[2] = (api_handle)io_handle(spawn->fds[IPC_SPAWN_CWD]);
        what.handle_count = 3;
        code = code == API_OK ? start_init(job, &what) : code;
    }
    strbuf_deinit(&line);
    if (token != NULL) {
        (void)CloseHandle(token);
    }
    if (err != CORDON_OK) {
        return err;
    }
    return code == API_OK ? CORDON_OK : api_fault(fault, code, NULL, "null: starting %s", program);
}

enum cordon_err null_spawn(const struct platform_spawn *spawn, struct platform_job **ret_job,
                           struct cordon_fault *fault)
{
    struct platform_job *job;
    int status[2];
    enum cordon_err err;

    if (!null_may_run()) {
        return fault_set(fault, CORDON_E_UNSUPPORTED, "run it on a system that cordon supports",
                         "no sandbox can be made on this system");
    }
    if (spawn->fd_count < IPC_SPAWN_GRANTS) {
        return fault_set(fault, CORDON_E_PROTO, NULL, "null: an order without its descriptors");
    }
    job = calloc(1, sizeof(*job));
    if (job == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "null: out of memory");
    }
    err = host_pipe(status, fault);
    if (err != CORDON_OK) {
        free(job);
        return err;
    }
    job->init = (struct init_job){.launch = &job->launch, .status = status[0]};
    err = launch(spawn, job, status[1], fault);
    host_close(status[1]);
    if (err != CORDON_OK) {
        null_release(job);
        return err;
    }
    *ret_job = job;
    return CORDON_OK;
}

int null_watch_fd(const struct platform_job *job)
{
    return job->init.status;
}

enum cordon_err null_poll(struct platform_job *job, struct ipc_report *ret_report)
{
    return init_job_poll(&job->init, ret_report);
}

void null_about(const struct platform_job *job, struct platform_about *ret_about)
{
    init_job_about(&job->init, ret_about);
}

enum cordon_err null_signal(struct platform_job *job, int signo)
{
    return init_job_signal(&job->init, signo);
}

void null_release(struct platform_job *job)
{
    if (job != NULL) {
        (void)launch_end(launch_win32(), &job->launch);
        host_close(job->init.status);
        free(job);
    }
}
