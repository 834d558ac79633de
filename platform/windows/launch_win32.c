/* SPDX-License-Identifier: Apache-2.0 */
/* The table of launch.h with the system behind it. Nothing is decided here. */
#include "platform/windows/launch.h"

#include <stdlib.h>
#include <string.h>

#include "platform/windows/win32.h"

/* Not in every edition of the headers. */
#ifndef PROC_THREAD_ATTRIBUTE_JOB_LIST
#define PROC_THREAD_ATTRIBUTE_JOB_LIST 0x0002000D
#endif
#ifndef PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE
#define PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE 0x00020016
#endif
#define UI_ALL                                                                                     \
    (JOB_OBJECT_UILIMIT_HANDLES | JOB_OBJECT_UILIMIT_READCLIPBOARD |                               \
     JOB_OBJECT_UILIMIT_WRITECLIPBOARD | JOB_OBJECT_UILIMIT_SYSTEMPARAMETERS |                     \
     JOB_OBJECT_UILIMIT_DISPLAYSETTINGS | JOB_OBJECT_UILIMIT_GLOBALATOMS |                         \
     JOB_OBJECT_UILIMIT_DESKTOP | JOB_OBJECT_UILIMIT_EXITWINDOWS)

static uint32_t l_job_make(void *self, api_handle *ret_job)
{
    const HANDLE job = CreateJobObjectW(NULL, NULL);

    (void)self;
    if (job == NULL) {
        return GetLastError();
    }
    *ret_job = (api_handle)job;
    return API_OK;
}

static uint32_t l_job_limit(void *self, api_handle job, const struct launch_limits *limits)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION info = {
        .BasicLimitInformation = {.LimitFlags = limits->flags,
                                  .ActiveProcessLimit = limits->processes},
        .JobMemoryLimit = limits->memory};

    (void)self;
    return SetInformationJobObject((HANDLE)job, JobObjectExtendedLimitInformation, &info,
                                   sizeof(info))
               ? API_OK
               : GetLastError();
}

static uint32_t l_job_limits(void *self, api_handle job, struct launch_limits *ret_limits)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION info;

    (void)self;
    if (!QueryInformationJobObject((HANDLE)job, JobObjectExtendedLimitInformation, &info,
                                   sizeof(info), NULL)) {
        return GetLastError();
    }
    *ret_limits = (struct launch_limits){.flags = info.BasicLimitInformation.LimitFlags,
                                         .processes = info.BasicLimitInformation.ActiveProcessLimit,
                                         .memory = info.JobMemoryLimit};
    return API_OK;
}

static uint32_t l_job_restrict_ui(void *self, api_handle job)
{
    JOBOBJECT_BASIC_UI_RESTRICTIONS info = {UI_ALL};

    (void)self;
    return SetInformationJobObject((HANDLE)job, JobObjectBasicUIRestrictions, &info, sizeof(info))
               ? API_OK
               : GetLastError();
}

/* ---- the process ---- */

/* What CreateProcessAsUserW takes as UTF-16; all NULL or owned. */
struct strings {
    WCHAR *command_line, *folder, *environment, *desktop;
};

static uint32_t widen(const char *text, WCHAR **ret_wide)
{
    return text == NULL ? API_OK : win32_wide("", text, ret_wide);
}

/* "A=1\0B=2\0\0": as many texts as there are, and the empty one. */
static uint32_t widen_block(const char *block, WCHAR **ret_wide)
{
    size_t len = 1;
    WCHAR *wide;

    if (block == NULL) {
        return API_OK;
    }
    for (const char *at = block; *at != '\0'; at += strlen(at) + 1) {
        len += strlen(at) + 1;
    }
    wide = calloc(len + 1, sizeof(*wide));
    if (wide == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    if (MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, block, (int)len, wide, (int)len) == 0) {
        const DWORD code = GetLastError();

        free(wide);
        return code;
    }
    *ret_wide = wide;
    return API_OK;
}

static void free_strings(struct strings *strings)
{
    free(strings->command_line);
    free(strings->folder);
    free(strings->environment);
    free(strings->desktop);
}

static uint32_t make_strings(const struct launch_process *what, struct strings *strings)
{
    uint32_t code = widen(what->command_line, &strings->command_line);

    code = code == API_OK ? widen(what->folder, &strings->folder) : code;
    code = code == API_OK ? widen_block(what->environment, &strings->environment) : code;
    return code == API_OK ? widen(what->desktop, &strings->desktop) : code;
}

/* The list of attributes: what is inherited, which job it is born in, whose terminal it has. All
 * arrays outlive it. */
static LPPROC_THREAD_ATTRIBUTE_LIST make_attributes(HANDLE *handles, size_t count, HANDLE *job,
                                                    api_handle console)
{
    SIZE_T size = 0;
    LPPROC_THREAD_ATTRIBUTE_LIST list;

    (void)InitializeProcThreadAttributeList(NULL, 3, 0, &size);
    list = malloc(size);
    if (list == NULL || !InitializeProcThreadAttributeList(list, 3, 0, &size)) {
        free(list);
        return NULL;
    }
    if (!UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_JOB_LIST, job, sizeof(*job), NULL,
                                   NULL) ||
        (console != 0 &&
         !UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE, (void *)console,
                                    sizeof(console), NULL, NULL)) ||
        (count > 0 && !UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST,
                                                 handles, count * sizeof(*handles), NULL, NULL))) {
        DeleteProcThreadAttributeList(list);
        free(list);
        return NULL;
    }
    return list;
}

/* Only what can be inherited may be listed. @lent: which could not be before. */
static uint32_t lend(HANDLE *handles, size_t count, bool *lent)
{
    for (size_t i = 0; i < count; i++) {
        DWORD flags = 0;

        if (!GetHandleInformation(handles[i], &flags) ||
            !SetHandleInformation(handles[i], HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT)) {
            return GetLastError();
        }
        lent[i] = (flags & HANDLE_FLAG_INHERIT) == 0;
    }
    return API_OK;
}

/* The next process that somebody starts here is none of theirs. */
static void take_back(HANDLE *handles, size_t count, const bool *lent)
{
    for (size_t i = 0; i < count; i++) {
        if (lent[i]) {
            (void)SetHandleInformation(handles[i], HANDLE_FLAG_INHERIT, 0);
        }
    }
}

/* Of a job with a terminal none that is good for anything: so it takes the terminal's. */
static HANDLE std_handle(const struct launch_process *what, size_t which)
{
    if (what->console != 0) {
        return INVALID_HANDLE_VALUE;
    }
    return what->handle_count > which ? (HANDLE)what->handles[which] : NULL;
}

/* Who may open the process; free(). The system wants a descriptor that is aligned. */
static uint32_t copy_list(const struct launch_process *what, SECURITY_ATTRIBUTES *ret_security)
{
    void *copy;

    if (what->list == NULL) {
        return API_OK;
    }
    copy = malloc(what->list_len);
    if (copy == NULL) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    memcpy(copy, what->list, what->list_len);
    *ret_security = (SECURITY_ATTRIBUTES){sizeof(*ret_security), copy, FALSE};
    return API_OK;
}

static BOOL make_process(const struct launch_process *what, const struct strings *strings,
                         SECURITY_ATTRIBUTES *security, STARTUPINFOEXW *start,
                         PROCESS_INFORMATION *ret_made)
{
    SECURITY_ATTRIBUTES *given = security->lpSecurityDescriptor == NULL ? NULL : security;

    return CreateProcessAsUserW(
        (HANDLE)what->token, NULL, strings->command_line, given, given, what->handle_count > 0,
        CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT |
            (what->console == 0 ? CREATE_NO_WINDOW : 0) | EXTENDED_STARTUPINFO_PRESENT,
        strings->environment, strings->folder, &start->StartupInfo, ret_made);
}

static uint32_t l_process_make(void *self, const struct launch_process *what,
                               api_handle *ret_process, api_handle *ret_thread)
{
    HANDLE handles[LAUNCH_HANDLES_MAX], job = (HANDLE)what->job;
    bool lent[LAUNCH_HANDLES_MAX] = {false};
    STARTUPINFOEXW start = {.StartupInfo = {.cb = sizeof(start), .dwFlags = STARTF_USESTDHANDLES}};
    PROCESS_INFORMATION made;
    SECURITY_ATTRIBUTES security = {0};
    struct strings strings = {0};
    uint32_t code = make_strings(what, &strings);

    (void)self;
    code = code == API_OK ? copy_list(what, &security) : code;
    for (size_t i = 0; i < what->handle_count; i++) {
        handles[i] = (HANDLE)what->handles[i];
    }
    if (code == API_OK) {
        code = lend(handles, what->handle_count, lent);
    }
    start.lpAttributeList = make_attributes(handles, what->handle_count, &job, what->console);
    if (code == API_OK && start.lpAttributeList == NULL) {
        code = GetLastError() != API_OK ? GetLastError() : (uint32_t)ERROR_NOT_ENOUGH_MEMORY;
    }
    /* Without the flag a child would be given the service's own console handles. */
    start.StartupInfo.lpDesktop = strings.desktop;
    start.StartupInfo.hStdInput = std_handle(what, 0);
    start.StartupInfo.hStdOutput = std_handle(what, 1);
    start.StartupInfo.hStdError = std_handle(what, 2);
    if (code == API_OK && !make_process(what, &strings, &security, &start, &made)) {
        code = GetLastError();
    }
    if (start.lpAttributeList != NULL) {
        DeleteProcThreadAttributeList(start.lpAttributeList);
        free(start.lpAttributeList);
    }
    take_back(handles, what->handle_count, lent);
    free(security.lpSecurityDescriptor);
    free_strings(&strings);
    if (code == API_OK) {
        *ret_process = (api_handle)made.hProcess;
        *ret_thread = (api_handle)made.hThread;
    }
    return code;
}

static uint32_t l_is_in_job(void *self, api_handle process, api_handle job, bool *ret_is)
{
    BOOL is = FALSE;

    (void)self;
    if (!IsProcessInJob((HANDLE)process, (HANDLE)job, &is)) {
        return GetLastError();
    }
    *ret_is = is;
    return API_OK;
}

static uint32_t l_resume(void *self, api_handle thread)
{
    (void)self;
    return ResumeThread((HANDLE)thread) == (DWORD)-1 ? GetLastError() : API_OK;
}

static uint32_t l_job_end(void *self, api_handle job, uint32_t status)
{
    (void)self;
    return TerminateJobObject((HANDLE)job, status) ? API_OK : GetLastError();
}

static uint32_t l_job_wait(void *self, api_handle job, uint32_t wait_ms)
{
    const ULONGLONG end = GetTickCount64() + wait_ms;

    (void)self;
    for (DWORD pause = 1;; pause = pause < 50 ? pause * 2 : pause) {
        JOBOBJECT_BASIC_ACCOUNTING_INFORMATION info;

        if (!QueryInformationJobObject((HANDLE)job, JobObjectBasicAccountingInformation, &info,
                                       sizeof(info), NULL)) {
            return GetLastError();
        }
        if (info.ActiveProcesses == 0) {
            return API_OK;
        }
        if (GetTickCount64() >= end) {
            return API_TIMEOUT;
        }
        Sleep(pause);
    }
}

static uint32_t l_close(void *self, api_handle handle)
{
    (void)self;
    return CloseHandle((HANDLE)handle) ? API_OK : GetLastError();
}

const struct launch_api *launch_win32(void)
{
    static const struct launch_api api = {.job_make = l_job_make,
                                          .job_limit = l_job_limit,
                                          .job_limits = l_job_limits,
                                          .job_restrict_ui = l_job_restrict_ui,
                                          .process_make = l_process_make,
                                          .is_in_job = l_is_in_job,
                                          .resume = l_resume,
                                          .job_end = l_job_end,
                                          .job_wait = l_job_wait,
                                          .close = l_close};

    return &api;
}
