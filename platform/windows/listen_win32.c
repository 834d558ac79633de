/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service's pipe as a socket that listens: its descriptor is an event, signalled when the one
 * instance that waits has a client, or when there is none and one has to be made.
 */
#include <stdlib.h>
#include <string.h>

#include "platform/windows/io.h"
#include "platform/windows/pipe.h"

#define QUOTA (64U * 1024U)

const char *const host_service_socket = PIPE_NAME;

struct listener {
    struct listener *next;
    OVERLAPPED waiting; /* its event is the descriptor */
    HANDLE instance;    /* INVALID_HANDLE_VALUE: none waits */
    WCHAR *name;
    uint8_t *who; /* self-relative */
};

static struct listener *listeners;

static struct listener *listener_find(int fd)
{
    struct listener *listener = listeners;

    while (listener != NULL && io_fd(listener->waiting.hEvent) != fd) {
        listener = listener->next;
    }
    return listener;
}

static void listener_free(struct listener *listener)
{
    DWORD done;

    if (listener->instance != INVALID_HANDLE_VALUE) {
        (void)CancelIoEx(listener->instance, &listener->waiting);
        (void)GetOverlappedResult(listener->instance, &listener->waiting, &done, TRUE);
        (void)CloseHandle(listener->instance);
    }
    if (listener->waiting.hEvent != NULL) {
        (void)CloseHandle(listener->waiting.hEvent);
    }
    free(listener->name);
    free(listener->who);
    free(listener);
}

bool listener_close(int fd)
{
    struct listener **link = &listeners;
    struct listener *listener = listener_find(fd);

    if (listener == NULL) {
        return false;
    }
    while (*link != listener) {
        link = &(*link)->next;
    }
    *link = listener->next;
    listener_free(listener);
    return true;
}

/* One more instance, waiting; a Win32 code. Without one the event stays signalled, so that the next
 * host_accept() tries again. */
static DWORD wait_for_client(struct listener *listener, bool first)
{
    SECURITY_ATTRIBUTES who = {.nLength = sizeof(who), .lpSecurityDescriptor = listener->who};
    DWORD code;

    listener->instance = CreateNamedPipeW(
        listener->name,
        PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED | (first ? FILE_FLAG_FIRST_PIPE_INSTANCE : 0),
        PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT | PIPE_REJECT_REMOTE_CLIENTS,
        PIPE_UNLIMITED_INSTANCES, QUOTA, QUOTA, 0, &who);
    if (listener->instance == INVALID_HANDLE_VALUE) {
        code = GetLastError();
        (void)SetEvent(listener->waiting.hEvent);
        return code;
    }
    if (ConnectNamedPipe(listener->instance, &listener->waiting)) {
        return ERROR_SUCCESS;
    }
    code = GetLastError();
    if (code == ERROR_IO_PENDING) {
        return ERROR_SUCCESS;
    }
    (void)SetEvent(listener->waiting.hEvent);
    if (code == ERROR_PIPE_CONNECTED) { /* it came in between */
        listener->waiting.Internal = 0;
        return ERROR_SUCCESS;
    }
    (void)CloseHandle(listener->instance);
    listener->instance = INVALID_HANDLE_VALUE;
    return code;
}

static DWORD listener_new(const char *path, struct listener **ret_listener)
{
    struct listener *listener = calloc(1, sizeof(*listener));
    struct sd who;
    DWORD code = ERROR_NOT_ENOUGH_MEMORY;

    if (listener == NULL) {
        return code;
    }
    listener->instance = INVALID_HANDLE_VALUE;
    listener->waiting.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (listener->waiting.hEvent == NULL) {
        code = GetLastError();
    } else if (pipe_list(NULL, 0, &who) == CORDON_OK) {
        code = io_write_list(&who, &listener->who);
    }
    code = code == ERROR_SUCCESS ? win32_wide("", path, &listener->name) : code;
    code = code == ERROR_SUCCESS ? wait_for_client(listener, true) : code;
    if (code != ERROR_SUCCESS) {
        listener_free(listener);
        return code;
    }
    *ret_listener = listener;
    return code;
}

enum cordon_err host_listen(const char *path, int *ret_fd, struct cordon_fault *fault)
{
    struct listener *listener;
    const DWORD code = listener_new(path, &listener);

    /* Both are said of a name that somebody has already. */
    if (code == ERROR_ACCESS_DENIED || code == ERROR_PIPE_BUSY) {
        return fault_set(fault, CORDON_E_STATE, "end whoever has it", "there is a pipe %s already",
                         path);
    }
    if (code != ERROR_SUCCESS) {
        return api_fault(fault, code, NULL, "making the pipe %s", path);
    }
    listener->next = listeners;
    listeners = listener;
    *ret_fd = io_fd(listener->waiting.hEvent);
    return CORDON_OK;
}

/* A pipe is gone with its last handle. */
void host_unlisten(const char *path)
{
    (void)path;
}

enum cordon_err host_accept(int fd, int *ret_fd)
{
    struct listener *listener = listener_find(fd);
    HANDLE connected;
    DWORD done;

    if (listener == NULL) {
        return CORDON_E_OS;
    }
    if (listener->instance == INVALID_HANDLE_VALUE) {
        return wait_for_client(listener, false) == ERROR_SUCCESS ? CORDON_E_AGAIN : CORDON_E_LIMIT;
    }
    if (WaitForSingleObject(listener->waiting.hEvent, 0) != WAIT_OBJECT_0) {
        return CORDON_E_AGAIN;
    }
    connected = listener->instance;
    if (!GetOverlappedResult(connected, &listener->waiting, &done, FALSE)) {
        (void)CloseHandle(connected);
        connected = INVALID_HANDLE_VALUE;
    }
    (void)wait_for_client(listener, false);
    if (connected == INVALID_HANDLE_VALUE) {
        return CORDON_E_AGAIN; /* it left again */
    }
    *ret_fd = io_fd(connected);
    return CORDON_OK;
}

/* From here on its chunks are read; handles are taken from the client's process with the rights of
 * this one, which is the caller's own worker. */
enum cordon_err host_adopt_stream(int fd, struct cordon_fault *fault)
{
    const HANDLE handle = io_handle(fd);
    HANDLE process = NULL;
    ULONG pid = 0;

    if (GetFileType(handle) != FILE_TYPE_PIPE || !GetNamedPipeClientProcessId(handle, &pid)) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "descriptor %d: not our end of a pipe", fd);
    }
    process = OpenProcess(PROCESS_DUP_HANDLE, FALSE, pid);
    if (process == NULL) {
        return api_fault(fault, GetLastError(), NULL, "opening the client's process");
    }
    return io_set_process(fd, process) ? CORDON_OK : CORDON_E_NOMEM;
}

int host_dup(int fd)
{
    HANDLE copy = NULL;

    return DuplicateHandle(GetCurrentProcess(), io_handle(fd), GetCurrentProcess(), &copy, 0, FALSE,
                           DUPLICATE_SAME_ACCESS)
               ? io_fd(copy)
               : -1;
}

/* With bytes that nobody has read, the pipe does not say it: they are the worker's to read first.
 */
bool host_hung_up(int fd)
{
    DWORD there;

    return !PeekNamedPipe(io_handle(fd), NULL, 0, NULL, &there, NULL);
}

enum cordon_err host_recv(int fd, void *buf, size_t size, int *fds, size_t fds_max,
                          struct host_chunk *ret_chunk)
{
    return io_recv(fd, buf, size, fds, fds_max, ret_chunk);
}

/* To a client the protocol's bytes go bare: it is sent no handles. */
enum cordon_err host_send(int fd, const void *data, size_t len, const int *fds, size_t fd_count,
                          size_t *ret_sent)
{
    const size_t some = len < PIPE_CHUNK_MAX ? len : PIPE_CHUNK_MAX;
    const enum cordon_err err = fd_count > 0 ? CORDON_E_OS : io_write(fd, data, some);

    (void)fds;
    if (err == CORDON_OK) {
        *ret_sent = some;
    }
    return err;
}
