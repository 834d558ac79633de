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
#include "platform/windows/io.h"
#include "platform/windows/job_words.h"
#include "platform/windows/launch.h"

#define ENDED 192U

struct platform_job {
    api_handle object, process;
    int status; /* what the init says; -1: told all */
    int pid;
    uint32_t signo; /* what ended it */
    bool ended;
};

enum policy_os null_os(void)
{
    return POLICY_OS_WINDOWS;
}

enum cordon_err null_order(const struct platform_parts *parts, struct platform_order *ret_order,
                           struct cordon_fault *fault)
{
    struct platform_order order = {.fd_count = 0};
    enum cordon_err err = ipc_memfd("cordon-null", "order", 6, &order.fds[IPC_SPAWN_ORDER], fault);

    if (err == CORDON_OK) {
        order.fds[IPC_SPAWN_TABLE] = host_dup(parts->own_fd);
        order.fds[IPC_SPAWN_CHANNEL] = host_dup(parts->channel);
        order.fds[IPC_SPAWN_CWD] = host_dup(parts->cwd_fd);
        order.fd_count = IPC_SPAWN_GRANTS;
    }
    *ret_order = order;
    return err;
}

/* The caller's own token; in embedded mode that is ours. */
static HANDLE make_token(const struct platform_peer *peer)
{
    HANDLE token = NULL;

    (void)DuplicateTokenEx(io_handle(peer->token), MAXIMUM_ALLOWED, NULL, SecurityAnonymous,
                           TokenPrimary, &token);
    return token;
}

/* Starts the init, suspended as the table has it, and lets it run once it is in its object. */
static uint32_t start_init(struct platform_job *job, struct launch_process *what)
{
    const struct launch_api *api = launch_win32();
    const struct launch_limits limits = {.flags = LAUNCH_KILL_ON_CLOSE};
    api_handle thread = 0;
    uint32_t code = api->job_make(api->self, &job->object);

    code = code == API_OK ? api->job_limit(api->self, job->object, &limits) : code;
    what->job = job->object;
    code = code == API_OK ? api->process_make(api->self, what, &job->process, &thread) : code;
    if (code == API_OK) {
        job->pid = (int)GetProcessId((HANDLE)job->process);
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
    const HANDLE token = make_token(spawn->peer);
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
    job->status = status[0];
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
    return job->status;
}

static void set_fault(struct ipc_fault *fault, uint32_t code)
{
    struct cordon_fault text;

    fault->err = (uint32_t)api_fault(&text, code, NULL, "command");
    fault->os_code = (int32_t)code;
    memcpy(fault->text, text.text, sizeof(fault->text) - 1);
}

static void report_word(const struct job_word *word, struct platform_job *job,
                        struct ipc_report *report)
{
    if (word->kind == JOB_RUNNING) {
        report->kind = IPC_REPORT_RUNNING;
        return;
    }
    if (word->kind == JOB_FAILED) {
        report->kind = api_is_absent(word->code) ? IPC_REPORT_NOT_FOUND : IPC_REPORT_NOT_EXECUTABLE;
        set_fault(&report->fault, word->code);
    } else {
        report->kind = IPC_REPORT_EXITED;
        report->code = word->code;
    }
    job->ended = true;
}

enum cordon_err null_poll(struct platform_job *job, struct ipc_report *ret_report)
{
    struct ipc_report report;
    struct job_word word;
    size_t len = 0;
    enum cordon_err err;

    memset(&report, 0, sizeof(report));
    report.limit = IPC_NO_LIMIT;
    err = job->ended ? CORDON_E_AGAIN : io_read(job->status, &word, sizeof(word), &len);
    if (err == CORDON_E_AGAIN) {
        return err;
    }
    if (err == CORDON_OK && len == sizeof(word)) {
        report_word(&word, job, &report);
    } else {
        /* Its init ended without a word: somebody ended the job. */
        job->ended = true;
        report.kind = IPC_REPORT_SIGNALLED;
        report.code = job->signo == 0 ? HOST_SIGNAL_KILL : job->signo;
    }
    *ret_report = report;
    return CORDON_OK;
}

void null_about(const struct platform_job *job, struct platform_about *ret_about)
{
    *ret_about = (struct platform_about){.pid = job->pid};
}

/* There is nothing gentler here: each ends the job, and is told as what did. */
enum cordon_err null_signal(struct platform_job *job, int signo)
{
    const struct launch_api *api = launch_win32();

    if (job->ended) {
        return CORDON_E_NOT_FOUND;
    }
    job->signo = (uint32_t)signo;
    return api->job_end(api->self, job->object, ENDED) == API_OK ? CORDON_OK : CORDON_E_OS;
}

void null_release(struct platform_job *job)
{
    struct launch launch;

    if (job != NULL) {
        launch = (struct launch){job->object, job->process};
        launch_end(launch_win32(), &launch);
        host_close(job->status);
        free(job);
    }
}
