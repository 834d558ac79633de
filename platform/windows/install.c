/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/install.h"

#include <stdio.h>
#include <string.h>

#include "platform/windows/eventlog.h"

#define WAIT_MS 60000U
#define PATH_MAX_LEN 600U
#define COMMAND_MAX 700U
#define AGAIN "run it again once that is seen to: what is done stays done"

/* Read by everybody, as /etc is; and what only the service reads. */
#define LIST_OF_ALL "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;BU)"
#define LIST_OF_SERVICE "O:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)"

/*
 * What LocalSystem's processes have, less all that the service has no use for: debugging others,
 * loading drivers, taking over and restoring files. To log the account on with groups of our own,
 * to start processes with tokens of others and to act as callers.
 */
static const char *const privileges[] = {"SeTcbPrivilege",
                                         "SeAssignPrimaryTokenPrivilege",
                                         "SeIncreaseQuotaPrivilege",
                                         "SeImpersonatePrivilege",
                                         "SeChangeNotifyPrivilege",
                                         "SeCreateGlobalPrivilege",
                                         NULL};

struct run {
    const struct install *what;
    const struct install_api *api;
    struct strbuf *notices; /* NULL where nothing is noticed */
    struct cordon_fault *fault;
};

typedef enum cordon_err step_fn(const struct run *run);

/* Ends a step whose last call returned @code. */
static enum cordon_err end(const struct run *run, uint32_t code, const char *doing,
                           const char *object)
{
    return code == API_OK ? CORDON_OK : api_fault(run->fault, code, AGAIN, "%s %s", doing, object);
}

static enum cordon_err administrator(const struct run *run)
{
    return run->api->is_administrator(run->api->self)
               ? CORDON_OK
               : fault_set(run->fault, CORDON_E_DENIED, "run it as an administrator",
                           "only administrators may install and remove the service");
}

/* ---- programs and folders ---- */

/* LocalSystem will run them: who may exchange one, or put a library beside it, is LocalSystem. */
static enum cordon_err programs(const struct run *run)
{
    enum cordon_err err = CORDON_OK;

    if (run->what->state->unchecked) {
        return CORDON_OK;
    }
    for (size_t i = 0; err == CORDON_OK && run->what->programs[i] != NULL; i++) {
        err = state_check_place(run->what->state->api, run->what->programs[i], TRUST_SOURCE,
                                run->fault);
    }
    return err;
}

static enum cordon_err make_folder(const struct run *run, const char *path, const char *list)
{
    const uint32_t code = run->api->make_folder(run->api->self, path, list);

    /* Whose it is if it was there the next step looks at. */
    return end(run, code == API_ALREADY_EXISTS ? (uint32_t)API_OK : code, "making", path);
}

static enum cordon_err make_folders(const struct run *run)
{
    const enum cordon_err err = make_folder(run, run->what->folder, LIST_OF_ALL);

    return err == CORDON_OK ? make_folder(run, run->what->state->folder, LIST_OF_SERVICE) : err;
}

/* What is not empty is somebody's: an administrator's policy, or what he wants to look at. */
static enum cordon_err remove_folder(const struct run *run, const char *path)
{
    uint32_t code = run->api->remove_folder(run->api->self, path);

    if (code == API_DIR_NOT_EMPTY) {
        strbuf_printf(run->notices, "%s is not empty and stays\n", path);
        code = API_OK;
    }
    return end(run, api_is_absent(code) ? (uint32_t)API_OK : code, "removing", path);
}

static enum cordon_err remove_folders(const struct run *run)
{
    const char *folder = run->what->state->folder;
    enum cordon_err err = CORDON_OK;

    for (const char *const *name = state_file_names; err == CORDON_OK && *name != NULL; name++) {
        char path[PATH_MAX_LEN];
        uint32_t code;

        (void)snprintf(path, sizeof(path), "%s\\%s", folder, *name);
        code = run->api->remove_file(run->api->self, path);
        err = end(run, api_is_absent(code) ? (uint32_t)API_OK : code, "removing", path);
    }
    err = err == CORDON_OK ? remove_folder(run, folder) : err;
    return err == CORDON_OK ? remove_folder(run, run->what->folder) : err;
}

/* ---- what jobs left ---- */

/* The service could not start if this failed. */
static enum cordon_err open_state(const struct run *run)
{
    struct state *state;
    const enum cordon_err err = state_open(run->what->state, &state, run->fault);

    if (err == CORDON_OK) {
        state_close(state);
    }
    return err;
}

static bool nobody_lives(void *context, const char *holder)
{
    (void)context;
    (void)holder;
    return false;
}

static enum cordon_err take_entries_off(const struct run *run)
{
    struct state *state = NULL;
    enum cordon_err err = state_open(run->what->state, &state, run->fault);

    if (err == CORDON_E_NOT_FOUND) {
        return CORDON_OK; /* without its folder there never was a job, or this was done before */
    }
    if (err == CORDON_OK) {
        err = state_retain(state, nobody_lives, NULL, run->fault);
        strbuf_puts(run->notices, state_notices(state));
    }
    if (err == CORDON_OK && state_size(state) != 0) {
        err = fault_set(run->fault, CORDON_E_STATE, AGAIN,
                        "%zu access-list entries or files of jobs could not be taken away",
                        state_size(state));
    }
    state_close(state);
    return err;
}

/* ---- account and event log ---- */

static enum cordon_err make_account(const struct run *run)
{
    struct sid sid;

    return account_ensure(run->what->account, ACCOUNT_NAME, &sid, run->fault);
}

static enum cordon_err remove_account(const struct run *run)
{
    return account_remove(run->what->account, ACCOUNT_NAME, run->fault);
}

static enum cordon_err set_source(const struct run *run)
{
    return end(run, run->api->set_source(run->api->self, EVENTS_SOURCE, run->what->programs[0]),
               "setting the event log's source", EVENTS_SOURCE);
}

static enum cordon_err remove_source(const struct run *run)
{
    const uint32_t code = run->api->remove_source(run->api->self, EVENTS_SOURCE);

    return end(run, api_is_absent(code) ? (uint32_t)API_OK : code,
               "removing the event log's source", EVENTS_SOURCE);
}

/* ---- the control manager ---- */

static enum cordon_err stop(const struct run *run)
{
    const uint32_t code = run->api->stop_service(run->api->self, SCM_CORDON, WAIT_MS);

    return end(run, code == SCM_NOT_THERE ? (uint32_t)API_OK : code, "stopping the service",
               SCM_CORDON);
}

static enum cordon_err make_service(const struct run *run)
{
    char line[COMMAND_MAX];
    const struct scm_entry entry = {.name = SCM_CORDON,
                                    .title = "cordon sandbox broker",
                                    .description = "Runs commands in sandboxes that their users "
                                                   "cannot loosen.",
                                    .command_line = line,
                                    .privileges = privileges};
    uint32_t code;
    bool made;

    (void)snprintf(line, sizeof(line), "\"%s\" " SCM_OPTION, run->what->programs[0]);
    code = run->api->make_service(run->api->self, &entry);
    made = code == API_OK;
    if (code == SCM_IS_THERE) {
        code = run->api->change_service(run->api->self, &entry);
    }
    for (unsigned i = 0; code == API_OK && i < SCM_SETTINGS; i++) {
        code = run->api->set_service(run->api->self, &entry, (enum scm_setting)i);
    }
    /* It would be started with the system, with all that LocalSystem may do. */
    if (code != API_OK && made) {
        (void)run->api->remove_service(run->api->self, SCM_CORDON);
    }
    return end(run, code, "entering the service", SCM_CORDON);
}

static enum cordon_err remove_service(const struct run *run)
{
    const uint32_t code = run->api->remove_service(run->api->self, SCM_CORDON);

    return end(run, code == SCM_NOT_THERE || code == SCM_IS_GOING ? (uint32_t)API_OK : code,
               "removing the service", SCM_CORDON);
}

static enum cordon_err start(const struct run *run)
{
    return end(run, run->api->start_service(run->api->self, SCM_CORDON, WAIT_MS),
               "starting the service", SCM_CORDON);
}

/* ---- the steps ---- */

/* What is there when the service starts is complete; one that runs holds the state's lock. */
static step_fn *const forth[] = {administrator, programs,   stop,         make_folders, open_state,
                                 make_account,  set_source, make_service, start,        NULL};
/* The record of what jobs left outlives everything that may still fail. */
static step_fn *const back[] = {administrator,  stop,          take_entries_off, remove_account,
                                remove_service, remove_source, remove_folders,   NULL};

static enum cordon_err take(step_fn *const *steps, const struct run *run)
{
    enum cordon_err err = CORDON_OK;

    for (; err == CORDON_OK && *steps != NULL; steps++) {
        err = (*steps)(run);
    }
    return err;
}

enum cordon_err install_run(const struct install *what, struct cordon_fault *fault)
{
    const struct run run = {what, what->api, NULL, fault};

    return take(forth, &run);
}

enum cordon_err install_undo(const struct install *what, struct strbuf *notices,
                             struct cordon_fault *fault)
{
    const struct run run = {what, what->api, notices, fault};

    return take(back, &run);
}
