/* SPDX-License-Identifier: Apache-2.0 */
/*
 * host.h on Windows: processes of our own. Its channel is the child's standard input, since numbers
 * cannot be chosen here. All are in one job object that ends with this process.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/args.h"
#include "platform/windows/io.h"

#define ENDED 137U /* as a shell tells of KILL */

int host_channel(void)
{
    return IO_CHANNEL;
}

/* Made once; NULL: cannot be. */
static HANDLE family(void)
{
    static HANDLE job;
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
        .BasicLimitInformation = {.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE}};

    if (job == NULL) {
        job = CreateJobObjectW(NULL, NULL);
        if (job != NULL && !SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits,
                                                    sizeof(limits))) {
            (void)CloseHandle(job);
            job = NULL;
        }
    }
    return job;
}

/* The child's standard streams, each a handle that may be inherited. */
static bool make_streams(const struct host_start *start, HANDLE streams[3])
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};
    const int fds[3] = {start->channel, start->output, start->keep_stderr ? 2 : -1};

    for (size_t i = 0; i < 3; i++) {
        const HANDLE from = fds[i] < 0 ? NULL : io_handle(fds[i]);

        streams[i] = NULL;
        if (from != NULL && from != INVALID_HANDLE_VALUE) {
            (void)DuplicateHandle(GetCurrentProcess(), from, GetCurrentProcess(), &streams[i], 0,
                                  TRUE, DUPLICATE_SAME_ACCESS);
        } else {
            const HANDLE nothing =
                CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE,
                            FILE_SHARE_READ | FILE_SHARE_WRITE, &inherited, OPEN_EXISTING, 0, NULL);

            streams[i] = nothing == INVALID_HANDLE_VALUE ? NULL : nothing;
        }
        if (streams[i] == NULL) {
            return false;
        }
    }
    return true;
}

static void close_streams(HANDLE streams[3])
{
    for (size_t i = 0; i < 3; i++) {
        if (streams[i] != NULL) {
            (void)CloseHandle(streams[i]);
        }
    }
}

/* What is inherited, and the job it is born in. */
static LPPROC_THREAD_ATTRIBUTE_LIST make_list(HANDLE streams[3], HANDLE *job)
{
    SIZE_T size = 0;
    LPPROC_THREAD_ATTRIBUTE_LIST list;

    (void)InitializeProcThreadAttributeList(NULL, 2, 0, &size);
    list = malloc(size);
    if (list == NULL || !InitializeProcThreadAttributeList(list, 2, 0, &size)) {
        free(list);
        return NULL;
    }
    if (!UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, streams,
                                   3 * sizeof(streams[0]), NULL, NULL) ||
        !UpdateProcThreadAttribute(list, 0, PROC_THREAD_ATTRIBUTE_JOB_LIST, job, sizeof(*job), NULL,
                                   NULL)) {
        DeleteProcThreadAttributeList(list);
        free(list);
        return NULL;
    }
    return list;
}

/* Where Windows is, by which it finds itself ("SystemRoot", "SystemDrive"), and its programs. */
static WCHAR *make_environment(void)
{
    WCHAR root[MAX_PATH];
    const UINT len = GetSystemWindowsDirectoryW(root, MAX_PATH);
    WCHAR *block = calloc(4U * MAX_PATH, sizeof(*block));
    WCHAR *at = block;

    if (block == NULL || len == 0 || len >= MAX_PATH) {
        free(block);
        return NULL;
    }
    at += swprintf(at, MAX_PATH, L"PATH=%ls\\System32", root) + 1;
    at += swprintf(at, MAX_PATH, L"SystemDrive=%.2ls", root) + 1;
    (void)swprintf(at, 2U * MAX_PATH, L"SystemRoot=%ls", root);
    return block;
}

static DWORD join(char *const *argv, WCHAR **ret_line)
{
    struct strbuf line = STRBUF_INIT;
    DWORD code = ERROR_NOT_ENOUGH_MEMORY;

    for (size_t i = 0; argv[i] != NULL; i++) {
        strbuf_puts(&line, i == 0 ? "" : " ");
        args_quote(&line, argv[i]);
    }
    if (!line.failed) {
        code = win32_wide("", strbuf_text(&line), ret_line);
    }
    strbuf_deinit(&line);
    return code;
}

struct making {
    WCHAR *program, *line, *environment;
    HANDLE streams[3];
    HANDLE token; /* NULL: this process's own */
    LPPROC_THREAD_ATTRIBUTE_LIST list;
};

static DWORD prepare(const struct host_start *start, HANDLE *job, struct making *making)
{
    DWORD code = win32_wide("", start->program, &making->program);

    code = code == API_OK ? join(start->argv, &making->line) : code;
    making->environment = make_environment();
    if (code != API_OK || making->environment == NULL || !make_streams(start, making->streams)) {
        return code != API_OK ? code : ERROR_NOT_ENOUGH_MEMORY;
    }
    if (start->as != NULL && !DuplicateTokenEx(io_handle(start->as->token), MAXIMUM_ALLOWED, NULL,
                                               SecurityAnonymous, TokenPrimary, &making->token)) {
        return GetLastError();
    }
    making->list = make_list(making->streams, job);
    return making->list == NULL ? ERROR_NOT_ENOUGH_MEMORY : ERROR_SUCCESS;
}

static DWORD make(struct making *making, PROCESS_INFORMATION *ret_made)
{
    STARTUPINFOEXW info = {.StartupInfo = {.cb = sizeof(info), .dwFlags = STARTF_USESTDHANDLES},
                           .lpAttributeList = making->list};
    /* Detached: a console of its own would be on the service's desktop, where a caller's may not
     * be. */
    const DWORD flags =
        CREATE_UNICODE_ENVIRONMENT | DETACHED_PROCESS | EXTENDED_STARTUPINFO_PRESENT;
    BOOL well;

    info.StartupInfo.hStdInput = making->streams[0];
    info.StartupInfo.hStdOutput = making->streams[1];
    info.StartupInfo.hStdError = making->streams[2];
    well =
        making->token == NULL
            ? CreateProcessW(making->program, making->line, NULL, NULL, TRUE, flags,
                             making->environment, NULL, &info.StartupInfo, ret_made)
            : CreateProcessAsUserW(making->token, making->program, making->line, NULL, NULL, TRUE,
                                   flags, making->environment, NULL, &info.StartupInfo, ret_made);
    return well ? ERROR_SUCCESS : GetLastError();
}

static void making_deinit(struct making *making)
{
    close_streams(making->streams);
    if (making->token != NULL) {
        (void)CloseHandle(making->token);
    }
    if (making->list != NULL) {
        DeleteProcThreadAttributeList(making->list);
        free(making->list);
    }
    free(making->program);
    free(making->line);
    free(making->environment);
}

/* What travels over the channel is given to, and taken from, that process. */
static bool join_channel(int channel, HANDLE process)
{
    const int ours = channel < 0 ? -1 : io_other_end(channel);
    HANDLE copy = NULL;

    return ours < 0 || (DuplicateHandle(GetCurrentProcess(), process, GetCurrentProcess(), &copy,
                                        PROCESS_DUP_HANDLE, FALSE, 0) &&
                        io_set_process(ours, copy));
}

enum cordon_err host_start(const struct host_start *start, struct host_child *ret_child,
                           struct cordon_fault *fault)
{
    HANDLE job = family();
    struct making making = {.token = NULL};
    PROCESS_INFORMATION made;
    DWORD code = job == NULL ? GetLastError() : prepare(start, &job, &making);

    code = code == ERROR_SUCCESS ? make(&making, &made) : code;
    making_deinit(&making);
    if (code != ERROR_SUCCESS) {
        return api_fault(fault, code, NULL, "starting %s", start->program);
    }
    (void)CloseHandle(made.hThread);
    *ret_child = (struct host_child){(int)made.dwProcessId, io_fd(made.hProcess)};
    if (!join_channel(start->channel, made.hProcess)) {
        host_child_deinit(ret_child);
        return fault_set(fault, CORDON_E_NOMEM, NULL, "starting %s: out of memory", start->program);
    }
    return CORDON_OK;
}

void host_child_kill(const struct host_child *child)
{
    if (child->pidfd >= 0) {
        (void)TerminateProcess(io_handle(child->pidfd), ENDED);
    }
}

enum cordon_err host_child_reap(struct host_child *child, char *ret_how, size_t size)
{
    DWORD status = 0;

    if (child->pidfd < 0 || child->pid == 0 ||
        WaitForSingleObject(io_handle(child->pidfd), 0) != WAIT_OBJECT_0) {
        return CORDON_E_AGAIN;
    }
    (void)GetExitCodeProcess(io_handle(child->pidfd), &status);
    (void)snprintf(ret_how, size, "exited with %lu", (unsigned long)status);
    child->pid = 0;
    return CORDON_OK;
}

void host_child_deinit(struct host_child *child)
{
    if (child->pidfd >= 0) {
        host_child_kill(child);
        (void)WaitForSingleObject(io_handle(child->pidfd), INFINITE);
        host_close(child->pidfd);
        child->pidfd = -1;
    }
}
