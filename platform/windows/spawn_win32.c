/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's half of the back end: start.h with the system's own tables, and its end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/service.h"
#include "platform/siblings.h"
#include "platform/windows/account.h"
#include "platform/windows/backend.h"
#include "platform/windows/init_job.h"
#include "platform/windows/io.h"
#include "platform/windows/order.h"
#include "platform/windows/start.h"

#define PROGRAM_MAX 1024U
#define HOLDER_MAX 40U

struct platform_job {
    struct job job;
    struct init_job init;
    char holder[HOLDER_MAX];
};

/* Who keeps the entries of the service's jobs; NULL: nobody yet, and @stateless says why. A private
 * broker has none: its caller could change what is kept, and two at once would keep one record. */
static struct state *state;
static struct cordon_fault stateless;

static bool nobody(void *context, const char *holder)
{
    (void)context;
    (void)holder;
    return false;
}

/* What could not be taken off: nobody's error, but somebody has to know. */
static void tell_notices(void)
{
    const char *at = state == NULL ? "" : state_notices(state);

    while (*at != '\0') {
        const int len = (int)strcspn(at, "\n");
        char line[2 * CORDON_FAULT_TEXT_MAX];

        (void)snprintf(line, sizeof(line), "%.*s", len, at);
        if (service_log(SERVICE_WARNING, line, NULL, 0) != CORDON_OK) {
            (void)fprintf(stderr, "cordond: %s\n", line);
        }
        at += len + (at[len] == '\n' ? 1 : 0);
    }
}

/* No job of an earlier service is alive: they ended with its handles. */
static void open_state(void)
{
    struct state_config config;

    if (state != NULL) {
        return;
    }
    if (!windows_state(&config)) {
        (void)fault_set(&stateless, CORDON_E_OS, "install the service again",
                        "it cannot be told where the service's own folder is");
        return;
    }
    if (state_open(&config, &state, &stateless) != CORDON_OK) {
        return;
    }
    if (state_retain(state, nobody, NULL, &stateless) != CORDON_OK) {
        state_close(state);
        state = NULL;
    }
}

void windows_cleanup(bool embedded)
{
    if (!embedded) {
        open_state();
        tell_notices();
    }
}

static struct job_host host_of(void)
{
    struct job_host host = windows_tables();

    host.state = state;
    host.stateless = &stateless;
    return host;
}

static bool user_of(HANDLE token, struct sid *ret_sid)
{
    _Alignas(16) BYTE info[sizeof(TOKEN_USER) + SID_BYTES_MAX];
    DWORD len;

    return GetTokenInformation(token, TokenUser, info, sizeof(info), &len) &&
           sid_parse(((const TOKEN_USER *)(const void *)info)->User.Sid, SID_BYTES_MAX, ret_sid) ==
               CORDON_OK;
}

/* With what is known of the caller: the order, from the worker's memory file. */
static enum cordon_err start(const struct platform_spawn *spawn, struct win_start *how,
                             struct platform_job *job, struct cordon_fault *fault)
{
    struct state_config config;
    const void *block;
    size_t len;
    enum cordon_err err;

    if (!windows_state(&config)) {
        return fault_set(fault, CORDON_E_OS, NULL, "it cannot be told where cordon's folder is");
    }
    how->domain = config.domain;
    err = ipc_map(spawn->fds[IPC_SPAWN_ORDER], WIN_ORDER_BYTES_MAX, &block, &len, fault);
    if (err == CORDON_OK) {
        err = win_start(how, block, len, &job->job, fault);
        ipc_unmap(block, len);
    }
    return err;
}

static enum cordon_err start_as(const struct platform_spawn *spawn, int status,
                                struct platform_job *job, struct cordon_fault *fault)
{
    const HANDLE token = windows_token(spawn->peer);
    const struct job_host host = host_of();
    char program[PROGRAM_MAX];
    struct win_start how = {
        .api = api_win32(),
        .host = &host,
        .embedded = spawn->embedded,
        .managed = spawn->managed,
        .limits = spawn->limits,
        .caller = (api_handle)token,
        .account = ACCOUNT_NAME,
        .holder = job->holder,
        .init = program,
        .handles = {(api_handle)io_handle(spawn->fds[IPC_SPAWN_CHANNEL]),
                    (api_handle)io_handle(status)},
    };
    enum cordon_err err = CORDON_OK;

    if (token == NULL || !user_of(token, &how.owner)) {
        err = api_fault(fault, GetLastError(), NULL, "taking the caller's token");
    }
    err = err == CORDON_OK ? sibling_path("cordon-init", program, sizeof(program), fault) : err;
    err = err == CORDON_OK ? start(spawn, &how, job, fault) : err;
    if (token != NULL) {
        (void)CloseHandle(token);
    }
    return err;
}

enum cordon_err windows_spawn(const struct platform_spawn *spawn, struct platform_job **ret_job,
                              struct cordon_fault *fault)
{
    struct platform_job *job;
    int status[2];
    enum cordon_err err;

    if (spawn->fd_count < IPC_SPAWN_GRANTS) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "spawn order: descriptors are missing");
    }
    if (!spawn->embedded) {
        open_state(); /* where that failed before */
    }
    job = calloc(1, sizeof(*job));
    if (job == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "starting a job: out of memory");
    }
    (void)snprintf(job->holder, sizeof(job->holder), "job-%llu", (unsigned long long)spawn->job);
    err = host_pipe(status, fault);
    if (err != CORDON_OK) {
        free(job);
        return err;
    }
    job->init = (struct init_job){.launch = &job->job.launch, .status = status[0]};
    err = start_as(spawn, status[1], job, fault);
    host_close(status[1]);
    if (err != CORDON_OK) {
        host_close(status[0]);
        free(job);
        return err;
    }
    *ret_job = job;
    return CORDON_OK;
}

int windows_watch_fd(const struct platform_job *job)
{
    return job->init.status;
}

enum cordon_err windows_poll(struct platform_job *job, struct ipc_report *ret_report)
{
    return init_job_poll(&job->init, ret_report);
}

void windows_about(const struct platform_job *job, struct platform_about *ret_about)
{
    init_job_about(&job->init, ret_about);
}

enum cordon_err windows_signal(struct platform_job *job, int signo)
{
    return init_job_signal(&job->init, signo);
}

void windows_release(struct platform_job *job)
{
    const struct job_host host = host_of();

    if (job == NULL) {
        return;
    }
    host_close(job->init.status);
    /* A process that does not end keeps what keeps it in, until the service does: what is on the
     * disk is taken off by the next one. */
    if (job_end(&host, &job->job)) {
        tell_notices();
        free(job);
    }
}
