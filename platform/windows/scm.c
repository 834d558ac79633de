/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/scm.h"

#include <stdlib.h>
#include <string.h>

#include "platform/windows/win32.h"

#define POLL_MS 50U
#define START_HINT_MS 30000U
#define NEVER_RAN 1U
#define PRIVILEGES_MAX 512U /* units of all their names */

/* ---- being one ---- */

/* The manager's callbacks have no context of ours until the handler is registered. */
static const struct scm_service *serving;
static SERVICE_STATUS_HANDLE manager;

static void tell(DWORD state, uint32_t code)
{
    SERVICE_STATUS status = {
        .dwServiceType = SERVICE_WIN32_OWN_PROCESS,
        .dwCurrentState = state,
        .dwControlsAccepted =
            state == SERVICE_RUNNING ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_SHUTDOWN : 0,
        .dwWin32ExitCode = code,
        .dwWaitHint =
            state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING ? START_HINT_MS : 0};

    (void)SetServiceStatus(manager, &status);
}

static DWORD WINAPI control(DWORD what, DWORD event, void *data, void *context)
{
    const struct scm_service *service = context;

    (void)event;
    (void)data;
    switch (what) {
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_SHUTDOWN:
        tell(SERVICE_STOP_PENDING, API_OK);
        service->stop(service->context);
        return NO_ERROR;
    case SERVICE_CONTROL_INTERROGATE:
        return NO_ERROR;
    default:
        return ERROR_CALL_NOT_IMPLEMENTED;
    }
}

void scm_running(void)
{
    if (manager != NULL) {
        tell(SERVICE_RUNNING, API_OK);
    }
}

bool scm_started_us(void)
{
    return manager != NULL;
}

static void WINAPI serve(DWORD argc, WCHAR **argv)
{
    WCHAR *name = NULL;
    uint32_t code;

    (void)argc;
    (void)argv;
    if (win32_wide("", serving->name, &name) == API_OK) {
        manager = RegisterServiceCtrlHandlerExW(name, control, (void *)(uintptr_t)serving);
    }
    free(name);
    if (manager == NULL) {
        return;
    }
    tell(SERVICE_START_PENDING, API_OK);
    code = serving->start == NULL ? API_OK : serving->start(serving->context);
    if (code == API_OK) {
        if (serving->start != NULL) {
            scm_running();
        }
        code = serving->run(serving->context);
    }
    tell(SERVICE_STOPPED, code);
}

uint32_t scm_serve(const struct scm_service *service)
{
    WCHAR *name = NULL;
    uint32_t code = win32_wide("", service->name, &name);

    if (code == API_OK) {
        const SERVICE_TABLE_ENTRYW table[] = {{name, serve}, {NULL, NULL}};

        serving = service;
        code = StartServiceCtrlDispatcherW(table) ? API_OK : GetLastError();
    }
    free(name);
    return code;
}

/* ---- being installed ---- */

struct opened {
    SC_HANDLE manager, service;
};

static void close_both(struct opened *opened)
{
    if (opened->service != NULL) {
        (void)CloseServiceHandle(opened->service);
    }
    if (opened->manager != NULL) {
        (void)CloseServiceHandle(opened->manager);
    }
}

static uint32_t open_service(const char *name, DWORD access, struct opened *opened)
{
    WCHAR *wide;
    uint32_t code = win32_wide("", name, &wide);

    *opened = (struct opened){NULL, NULL};
    if (code != API_OK) {
        return code;
    }
    opened->manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    if (opened->manager != NULL) {
        opened->service = OpenServiceW(opened->manager, wide, access);
    }
    code = opened->service == NULL ? GetLastError() : API_OK;
    free(wide);
    if (code != API_OK) {
        close_both(opened);
    }
    return code;
}

static SC_HANDLE make(const struct opened *opened, WCHAR *const wide[3])
{
    return CreateServiceW(opened->manager, wide[0], wide[1], SERVICE_CHANGE_CONFIG,
                          SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START, SERVICE_ERROR_NORMAL,
                          wide[2], NULL, NULL, NULL, NULL, NULL);
}

/* The account is named: an entry that somebody changed is LocalSystem's again. */
static SC_HANDLE change(const struct opened *opened, WCHAR *const wide[3])
{
    SC_HANDLE service = OpenServiceW(opened->manager, wide[0], SERVICE_CHANGE_CONFIG);

    if (service != NULL && !ChangeServiceConfigW(service, SERVICE_WIN32_OWN_PROCESS,
                                                 SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, wide[2],
                                                 NULL, NULL, NULL, L"LocalSystem", L"", wide[1])) {
        const DWORD code = GetLastError();

        (void)CloseServiceHandle(service);
        SetLastError(code);
        return NULL;
    }
    return service;
}

static uint32_t with_entry(const struct scm_entry *entry,
                           SC_HANDLE (*act)(const struct opened *, WCHAR *const[3]))
{
    const char *const texts[3] = {entry->name, entry->title, entry->command_line};
    WCHAR *wide[3] = {NULL, NULL, NULL};
    struct opened opened = {NULL, NULL};
    uint32_t code = API_OK;

    for (size_t i = 0; i < 3 && code == API_OK; i++) {
        code = win32_wide("", texts[i], &wide[i]);
    }
    if (code == API_OK) {
        opened.manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE);
        opened.service = opened.manager == NULL ? NULL : act(&opened, wide);
        code = opened.service == NULL ? GetLastError() : API_OK;
    }
    close_both(&opened);
    for (size_t i = 0; i < 3; i++) {
        free(wide[i]);
    }
    return code;
}

uint32_t scm_make(const struct scm_entry *entry)
{
    return with_entry(entry, make);
}

uint32_t scm_change(const struct scm_entry *entry)
{
    return with_entry(entry, change);
}

static uint32_t set_level(SC_HANDLE service, DWORD level, void *info)
{
    return ChangeServiceConfig2W(service, level, info) ? API_OK : GetLastError();
}

/* ---- what is set apart from the entry, a function each ---- */

static uint32_t set_description(SC_HANDLE service, const struct scm_entry *entry)
{
    SERVICE_DESCRIPTIONW description = {NULL};
    uint32_t code = win32_wide("", entry->description, &description.lpDescription);

    if (code == API_OK) {
        code = set_level(service, SERVICE_CONFIG_DESCRIPTION, &description);
    }
    free(description.lpDescription);
    return code;
}

static uint32_t set_failures(SC_HANDLE service, const struct scm_entry *entry)
{
    SC_ACTION actions[] = {{SC_ACTION_RESTART, 1000}, {SC_ACTION_RESTART, 10000}};
    SERVICE_FAILURE_ACTIONSW failures = {
        .dwResetPeriod = 3600, .cActions = 2, .lpsaActions = actions};

    (void)entry;
    return set_level(service, SERVICE_CONFIG_FAILURE_ACTIONS, &failures);
}

static uint32_t set_sid(SC_HANDLE service, const struct scm_entry *entry)
{
    SERVICE_SID_INFO info = {SERVICE_SID_TYPE_UNRESTRICTED};

    (void)entry;
    return set_level(service, SERVICE_CONFIG_SERVICE_SID_INFO, &info);
}

/* Names one behind the other, each with its NUL, and one more at the end. */
static uint32_t set_privileges(SC_HANDLE service, const struct scm_entry *entry)
{
    WCHAR names[PRIVILEGES_MAX] = {0};
    SERVICE_REQUIRED_PRIVILEGES_INFOW info = {names};
    size_t used = 0;

    for (const char *const *name = entry->privileges; *name != NULL; name++) {
        WCHAR *wide;
        const uint32_t code = win32_wide("", *name, &wide);
        const size_t len = code == API_OK ? wcslen(wide) + 1 : 0;

        if (code != API_OK || used + len >= PRIVILEGES_MAX) {
            free(code == API_OK ? wide : NULL);
            return code == API_OK ? (uint32_t)ERROR_INSUFFICIENT_BUFFER : code;
        }
        memcpy(names + used, wide, len * sizeof(*wide));
        used += len;
        free(wide);
    }
    return set_level(service, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, &info);
}

uint32_t scm_set(const struct scm_entry *entry, enum scm_setting setting)
{
    static uint32_t (*const setters[SCM_SETTINGS])(SC_HANDLE, const struct scm_entry *) = {
        [SCM_DESCRIPTION] = set_description,
        [SCM_FAILURES] = set_failures,
        [SCM_SID] = set_sid,
        [SCM_PRIVILEGES] = set_privileges};
    struct opened opened;
    /* To set what happens after a failure takes the right to start. */
    uint32_t code = open_service(entry->name, SERVICE_CHANGE_CONFIG | SERVICE_START, &opened);

    if (code == API_OK) {
        code = setters[setting](opened.service, entry);
        close_both(&opened);
    }
    return code;
}

static uint32_t wait_for(SC_HANDLE service, DWORD state, uint32_t wait_ms, DWORD *ret_pid)
{
    const uint64_t until = GetTickCount64() + wait_ms;
    SERVICE_STATUS_PROCESS status;
    DWORD len;

    do {
        if (!QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof(status),
                                  &len)) {
            return GetLastError();
        }
        if (status.dwCurrentState == state) {
            *ret_pid = status.dwProcessId;
            return API_OK;
        }
        if (state == SERVICE_RUNNING && status.dwCurrentState == SERVICE_STOPPED) {
            return status.dwWin32ExitCode != API_OK ? status.dwWin32ExitCode : NEVER_RAN;
        }
        Sleep(POLL_MS);
    } while (GetTickCount64() < until);
    return ERROR_SERVICE_REQUEST_TIMEOUT;
}

uint32_t scm_start(const char *name, uint32_t wait_ms, uint32_t *ret_pid)
{
    struct opened opened;
    DWORD pid = 0;
    uint32_t code = open_service(name, SERVICE_START | SERVICE_QUERY_STATUS, &opened);

    if (code != API_OK) {
        return code;
    }
    if (!StartServiceW(opened.service, 0, NULL) &&
        GetLastError() != ERROR_SERVICE_ALREADY_RUNNING) {
        code = GetLastError();
    } else {
        code = wait_for(opened.service, SERVICE_RUNNING, wait_ms, &pid);
    }
    close_both(&opened);
    if (code == API_OK) {
        *ret_pid = pid;
    }
    return code;
}

/* The process that a service runs in now; NULL: in none, or it cannot be waited for. */
static HANDLE process_of(SC_HANDLE service)
{
    SERVICE_STATUS_PROCESS status;
    DWORD len;

    return QueryServiceStatusEx(service, SC_STATUS_PROCESS_INFO, (BYTE *)&status, sizeof(status),
                                &len) &&
                   status.dwCurrentState != SERVICE_STOPPED && status.dwProcessId != 0
               ? OpenProcess(SYNCHRONIZE, FALSE, status.dwProcessId)
               : NULL;
}

/* A service says that it has stopped before its process ends, which has its files until then. */
static uint32_t stop_in(SC_HANDLE service, HANDLE process, uint32_t wait_ms)
{
    const uint64_t until = GetTickCount64() + wait_ms;
    SERVICE_STATUS status;
    uint64_t now;
    uint32_t code;
    DWORD pid;

    if (!ControlService(service, SERVICE_CONTROL_STOP, &status) &&
        GetLastError() != ERROR_SERVICE_NOT_ACTIVE) {
        return GetLastError();
    }
    code = wait_for(service, SERVICE_STOPPED, wait_ms, &pid);
    if (code != API_OK || process == NULL) {
        return code;
    }
    now = GetTickCount64();
    return WaitForSingleObject(process, now < until ? (DWORD)(until - now) : 0) == WAIT_OBJECT_0
               ? API_OK
               : ERROR_SERVICE_REQUEST_TIMEOUT;
}

uint32_t scm_stop(const char *name, uint32_t wait_ms)
{
    struct opened opened;
    HANDLE process;
    uint32_t code = open_service(name, SERVICE_STOP | SERVICE_QUERY_STATUS, &opened);

    if (code != API_OK) {
        return code;
    }
    process = process_of(opened.service);
    code = stop_in(opened.service, process, wait_ms);
    if (process != NULL) {
        (void)CloseHandle(process);
    }
    close_both(&opened);
    return code;
}

uint32_t scm_remove(const char *name)
{
    struct opened opened;
    uint32_t code = open_service(name, DELETE, &opened);

    if (code == API_OK) {
        code = DeleteService(opened.service) ? API_OK : GetLastError();
        close_both(&opened);
    }
    return code;
}
