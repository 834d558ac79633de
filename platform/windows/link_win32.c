/* SPDX-License-Identifier: Apache-2.0 */
/*
 * link.h on Windows: the service's pipe, believed only if SYSTEM owns it, which nobody else can
 * give a pipe of his; a private broker has the other end of a pipe as its standard input.
 */
#include "platform/link.h"

#include <stdlib.h>
#include <string.h>

#include "platform/siblings.h"
#include "platform/windows/args.h"
#include "platform/windows/io.h"
#include "platform/windows/pipe.h"
#include "platform/windows/scm.h"

#include <aclapi.h>
#include <shellapi.h>

#define BUSY_MS 5000U
#define REAP_MS 2000U
#define BROKER_FD "3" /* its channel, as io_handle() has it */
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

const char *const link_service_place = PIPE_NAME;
const char *const link_service_start = "start it: sc start cordond";
const char *const link_service_answers = "the pipe is SYSTEM's and answers";

static const char *pipe_name(void)
{
#ifdef CORDON_TEST_PATHS
    const char *name = getenv("CORDON_TEST_SOCKET");

    if (name != NULL) {
        return name;
    }
#endif
    return PIPE_NAME;
}

bool link_service_installed(void)
{
    const SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    const SC_HANDLE service =
        manager == NULL ? NULL : OpenServiceW(manager, L"" SCM_CORDON, SERVICE_QUERY_STATUS);
    /* What may not be looked at is there. */
    const bool is = service != NULL || GetLastError() != ERROR_SERVICE_DOES_NOT_EXIST;

    if (service != NULL) {
        (void)CloseServiceHandle(service);
    }
    if (manager != NULL) {
        (void)CloseServiceHandle(manager);
    }
    return is;
}

/* A Win32 code; ERROR_FILE_NOT_FOUND: there is none. */
static DWORD open_pipe(const char *name, HANDLE *ret_pipe)
{
    WCHAR *wide = NULL;
    DWORD code = win32_wide("", name, &wide);

    if (code != API_OK) {
        return code;
    }
    do {
        /* The service may learn who calls, and no more. */
        *ret_pipe = CreateFileW(
            wide, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
            FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
        code = *ret_pipe == INVALID_HANDLE_VALUE ? GetLastError() : ERROR_SUCCESS;
    } while (code == ERROR_PIPE_BUSY && WaitNamedPipeW(wide, BUSY_MS));
    free(wide);
    return code;
}

static bool is_systems(HANDLE pipe)
{
    const struct sid system = sid_system();
    PSECURITY_DESCRIPTOR descriptor = NULL;
    PSID owner = NULL;
    struct sid found;
    bool is = false;

    if (GetSecurityInfo(pipe, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, &owner, NULL, NULL,
                        NULL, &descriptor) == ERROR_SUCCESS) {
        is = owner != NULL && sid_parse(owner, SID_BYTES_MAX, &found) == CORDON_OK &&
             sid_equal(&found, &system);
        (void)LocalFree(descriptor);
    }
    return is;
}

enum cordon_err link_service(int *ret_fd, struct cordon_fault *fault)
{
    const char *name = pipe_name();
    HANDLE pipe = INVALID_HANDLE_VALUE;
    const DWORD code = open_pipe(name, &pipe);

    if (code == ERROR_FILE_NOT_FOUND) {
        return CORDON_E_NOT_FOUND;
    }
    if (code != ERROR_SUCCESS) {
        return api_fault(fault, code, "see sc query cordond", "connecting to %s", name);
    }
    if (strcmp(name, PIPE_NAME) == 0 && !is_systems(pipe)) {
        (void)CloseHandle(pipe);
        return fault_set(fault, CORDON_E_DENIED, "see who has it, and end him",
                         "%s is not SYSTEM's: somebody else would answer", name);
    }
    *ret_fd = io_fd(pipe);
    return CORDON_OK;
}

enum cordon_err link_private(int *ret_fd, int *ret_broker, struct cordon_fault *fault)
{
    static char name[] = "cordond", flag[] = "--embedded", number[] = BROKER_FD;
    char *const argv[] = {name, flag, number, NULL};
    char path[1024];
    int pair[2];
    struct host_start start = {
        .program = path, .argv = argv, .channel = -1, .output = -1, .keep_stderr = true};
    struct host_child child;
    enum cordon_err err = sibling_path("cordond", path, sizeof(path), fault);

    if (err == CORDON_OK) {
        err = io_pair(true, pair, fault);
    }
    if (err != CORDON_OK) {
        return err;
    }
    /* The end that asks who its client is goes to the broker. */
    start.channel = pair[0];
    err = host_start(&start, &child, fault);
    host_close(pair[0]);
    if (err != CORDON_OK) {
        host_close(pair[1]);
        return err;
    }
    *ret_fd = pair[1];
    *ret_broker = child.pidfd;
    return CORDON_OK;
}

void link_reap(int broker)
{
    if (WaitForSingleObject(io_handle(broker), REAP_MS) != WAIT_OBJECT_0) {
        (void)TerminateProcess(io_handle(broker), 1);
        (void)WaitForSingleObject(io_handle(broker), REAP_MS);
    }
    host_close(broker);
}

/* ---- the connection ---- */

void link_close(int fd)
{
    host_close(fd);
}

/* A pipe has no half that could be closed alone: what is on its way is given up, and the broker
 * sees the end with link_close(). */
void link_shut(int fd)
{
    (void)CancelIoEx(io_handle(fd), NULL);
}

enum cordon_err link_send(int fd, const struct link_part *part, size_t *ret_sent,
                          struct cordon_fault *fault)
{
    const size_t some = part->len < PIPE_CHUNK_MAX ? part->len : PIPE_CHUNK_MAX;
    const struct io_sent sent = {part->data, some, part->fds, part->fd_count};
    const enum cordon_err err = io_send(fd, &sent);

    if (err == CORDON_E_AGAIN) {
        (void)WaitForSingleObject(io_writable(fd), INFINITE);
        return err;
    }
    if (err != CORDON_OK && err != CORDON_E_CLOSED) {
        return fault_set(fault, err, NULL, "send to the broker");
    }
    *ret_sent = err == CORDON_OK ? some : 0;
    return err;
}

enum cordon_err link_recv(int fd, void *buf, size_t size, struct link_chunk *ret_chunk,
                          struct cordon_fault *fault)
{
    struct link_chunk chunk = {.len = 0};
    enum cordon_err err;

    do {
        err = io_read(fd, buf, size, &chunk.len);
    } while (err == CORDON_E_AGAIN && link_wait(fd, -1));
    if (err != CORDON_OK && err != CORDON_E_CLOSED) {
        return fault_set(fault, err, NULL, "receive from the broker");
    }
    *ret_chunk = chunk;
    return err;
}

bool link_wait(int fd, int timeout_ms)
{
    const HANDLE ready = io_readable(fd);

    return ready != NULL &&
           WaitForSingleObject(ready, timeout_ms < 0 ? INFINITE : (DWORD)timeout_ms) ==
               WAIT_OBJECT_0;
}

/* ---- what is handed over ---- */

enum cordon_err link_open_null(int *ret_fd, struct cordon_fault *fault)
{
    const HANDLE nothing =
        CreateFileW(L"NUL", GENERIC_READ | GENERIC_WRITE, SHARE_ALL, NULL, OPEN_EXISTING, 0, NULL);

    if (nothing == INVALID_HANDLE_VALUE) {
        return api_fault(fault, GetLastError(), NULL, "opening NUL");
    }
    *ret_fd = io_fd(nothing);
    return CORDON_OK;
}

enum cordon_err link_open_folder(const char *dir, int *ret_fd, struct cordon_fault *fault)
{
    WCHAR *wide = NULL;
    DWORD code = win32_wide("", dir != NULL ? dir : ".", &wide);
    HANDLE folder = INVALID_HANDLE_VALUE;

    if (code == API_OK) {
        folder = CreateFileW(wide, FILE_READ_ATTRIBUTES | FILE_TRAVERSE | SYNCHRONIZE, SHARE_ALL,
                             NULL, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
        code = folder == INVALID_HANDLE_VALUE ? GetLastError() : API_OK;
        free(wide);
    }
    if (code != API_OK) {
        return api_fault(fault, code, NULL, "working directory %s", dir != NULL ? dir : ".");
    }
    *ret_fd = io_fd(folder);
    return CORDON_OK;
}

/* A console is its processes' own: one that was not started in it cannot use it. */
enum cordon_err link_check_stream(int fd, struct cordon_fault *fault)
{
    DWORD mode;

    if (io_handle(fd) == NULL || io_handle(fd) == INVALID_HANDLE_VALUE) {
        return fault_set(fault, CORDON_E_INVALID, "redirect it", "standard stream %d is closed",
                         fd);
    }
    return GetConsoleMode(io_handle(fd), &mode)
               ? fault_set(fault, CORDON_E_UNSUPPORTED, "redirect it: <NUL, >FILE or | more",
                           "standard stream %d is a console, which no job can be given yet", fd)
               : CORDON_OK;
}

const char *link_folder_name(char *buf, size_t size)
{
    WCHAR wide[MAX_PATH * 4];
    const DWORD len = GetCurrentDirectoryW(sizeof(wide) / sizeof(wide[0]), wide);

    return len > 0 && len < sizeof(wide) / sizeof(wide[0]) &&
                   win32_narrow(wide, len, buf, size) == API_OK
               ? buf
               : NULL;
}

/* ---- UTF-8 ---- */

/* Behind an array of @count pointers and NULL, the texts; NULL: no memory. */
static char **narrow_all(WCHAR *const *wide, size_t count)
{
    size_t size = (count + 1) * sizeof(char *);
    char **list;
    char *text;

    for (size_t i = 0; i < count; i++) {
        size += 3 * wcslen(wide[i]) + 1; /* a unit is at most so many bytes */
    }
    list = calloc(1, size);
    if (list == NULL) {
        return NULL;
    }
    text = (char *)(list + count + 1);
    for (size_t i = 0; i < count; i++) {
        const size_t room = 3 * wcslen(wide[i]) + 1;

        (void)WideCharToMultiByte(CP_UTF8, 0, wide[i], -1, text, (int)room, NULL, NULL);
        list[i] = text;
        text += strlen(text) + 1;
    }
    return list;
}

#define VARIABLES_MAX 4096U

/* Without the drives' current directories ("=C:=C:\x"), which are no variables. */
char **link_environment(void)
{
    static char **list;
    static WCHAR *wide[VARIABLES_MAX];
    WCHAR *block = GetEnvironmentStringsW();
    size_t count = 0;

    free(list);
    list = NULL;
    for (WCHAR *at = block; at != NULL && *at != L'\0'; at += wcslen(at) + 1) {
        if (*at != L'=' && count < VARIABLES_MAX) {
            wide[count++] = at;
        }
    }
    list = narrow_all(wide, count);
    if (block != NULL) {
        (void)FreeEnvironmentStringsW(block);
    }
    return list;
}

char **link_arguments(int argc, char **argv)
{
    int count = 0;
    WCHAR **wide = CommandLineToArgvW(GetCommandLineW(), &count);
    char **list = wide == NULL || count != argc ? NULL : narrow_all(wide, (size_t)count);

    (void)argv;
    if (wide != NULL) {
        (void)LocalFree(wide);
    }
    return list;
}

/* Numbers of handles do not turn into those of standard streams. */
bool link_fill_stdio(void)
{
    return true;
}

/* Nothing becomes another program here: it is started with what we have, and its end is ours. */
enum cordon_err link_become(const char *path, char **argv, struct cordon_fault *fault)
{
    STARTUPINFOW start = {.cb = sizeof(start), .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION made = {NULL};
    struct strbuf text = STRBUF_INIT;
    WCHAR *program = NULL, *line = NULL;
    DWORD status = 0;
    uint32_t code = win32_wide("", path, &program);

    for (; *argv != NULL; argv++) {
        strbuf_puts(&text, text.len == 0 ? "" : " ");
        args_quote(&text, *argv);
    }
    code = code == API_OK && text.failed ? (uint32_t)ERROR_NOT_ENOUGH_MEMORY : code;
    code = code == API_OK ? win32_wide("", strbuf_text(&text), &line) : code;
    start.hStdInput = GetStdHandle(STD_INPUT_HANDLE);
    start.hStdOutput = GetStdHandle(STD_OUTPUT_HANDLE);
    start.hStdError = GetStdHandle(STD_ERROR_HANDLE);
    if (code == API_OK &&
        !CreateProcessW(program, line, NULL, NULL, TRUE, 0, NULL, NULL, &start, &made)) {
        code = GetLastError();
    }
    strbuf_deinit(&text);
    free(program);
    free(line);
    if (code == API_OK && (WaitForSingleObject(made.hProcess, INFINITE) != WAIT_OBJECT_0 ||
                           !GetExitCodeProcess(made.hProcess, &status))) {
        code = GetLastError();
    }
    if (code == API_OK) {
        ExitProcess(status);
    }
    return api_fault(fault, code, "reinstall cordon", "cannot run %s", path);
}
