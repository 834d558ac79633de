/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/io_state.h"

#include <stdlib.h>
#include <string.h>

static struct io *ios;

HANDLE io_handle(int fd)
{
    static const DWORD standard[] = {STD_INPUT_HANDLE, STD_OUTPUT_HANDLE, STD_ERROR_HANDLE,
                                     STD_INPUT_HANDLE};

    return fd >= 0 && fd <= IO_CHANNEL ? GetStdHandle(standard[fd]) : (HANDLE)(intptr_t)fd;
}

int io_fd(HANDLE handle)
{
    return (int)(intptr_t)handle;
}

static struct io *io_find(int fd)
{
    struct io *io = ios;

    while (io != NULL && io->fd != fd) {
        io = io->next;
    }
    return io;
}

static void io_free(struct io *io)
{
    HANDLE events[] = {io->reading.hEvent, io->writing.hEvent};

    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        if (events[i] != NULL) {
            (void)CloseHandle(events[i]);
        }
    }
    if (io->process != NULL) {
        (void)CloseHandle(io->process);
    }
    for (size_t i = 0; i < io->record_fd_count; i++) {
        (void)CloseHandle(io_handle(io->record_fds[i]));
    }
    free(io->out);
    free(io->in);
    free(io->record);
    free(io);
}

struct io *io_get(int fd)
{
    struct io *io = io_find(fd);

    if (io == NULL) {
        io = calloc(1, sizeof(*io));
        if (io == NULL) {
            return NULL;
        }
        io->reading.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
        io->writing.hEvent = CreateEventW(NULL, TRUE, TRUE, NULL);
        if (io->reading.hEvent == NULL || io->writing.hEvent == NULL) {
            io_free(io);
            return NULL;
        }
        io->fd = fd;
        io->next = ios;
        ios = io;
    }
    return io;
}

/* The system writes to what it was given until it has said that it is done. */
static void io_drop(int fd)
{
    struct io **link = &ios;
    struct io *io;
    DWORD done;

    while (*link != NULL && (*link)->fd != fd) {
        link = &(*link)->next;
    }
    io = *link;
    if (io == NULL) {
        return;
    }
    *link = io->next;
    (void)CancelIoEx(io_handle(fd), NULL);
    if (io->is_reading) {
        (void)GetOverlappedResult(io_handle(fd), &io->reading, &done, TRUE);
    }
    if (io->is_writing) {
        (void)GetOverlappedResult(io_handle(fd), &io->writing, &done, TRUE);
    }
    io_free(io);
}

/* Nobody is waited for here when a handle is closed. */
void host_close_foreign(int fd)
{
    host_close(fd);
}

void host_end_foreign(int fd)
{
    host_close(fd);
}

void host_close(int fd)
{
    if (fd > 2) {
        io_drop(fd);
        io_forget_pair(fd);
        if (!listener_close(fd)) {
            (void)CloseHandle(io_handle(fd));
        }
    }
}

bool io_set_process(int fd, HANDLE process)
{
    struct io *io = io_get(fd);

    if (io == NULL) {
        (void)CloseHandle(process);
        return false;
    }
    if (io->process != NULL) {
        (void)CloseHandle(io->process);
    }
    io->process = process;
    return true;
}

bool io_has_process(int fd)
{
    const struct io *io = io_find(fd);

    return io != NULL && io->process != NULL;
}

/* ---- readiness ---- */

static bool is_pipe(int fd)
{
    return GetFileType(io_handle(fd)) == FILE_TYPE_PIPE;
}

HANDLE io_readable(int fd)
{
    static uint8_t nothing;
    struct io *io;

    if (!is_pipe(fd)) {
        return io_handle(fd);
    }
    io = io_get(fd);
    if (io == NULL) {
        return NULL;
    }
    if (io->in_at < io->in_len) {
        (void)SetEvent(io->reading.hEvent);
    } else if (!io->is_reading || HasOverlappedIoCompleted(&io->reading)) {
        io->is_reading = true;
        if (!ReadFile(io_handle(fd), &nothing, 0, NULL, &io->reading) &&
            GetLastError() != ERROR_IO_PENDING) {
            io->is_reading = false; /* the end, which whoever reads will find */
            (void)SetEvent(io->reading.hEvent);
        }
    }
    return io->reading.hEvent;
}

HANDLE io_writable(int fd)
{
    struct io *io;

    if (!is_pipe(fd)) {
        return io_handle(fd);
    }
    io = io_get(fd);
    return io == NULL ? NULL : io->writing.hEvent;
}

/* ---- bytes ---- */

enum cordon_err io_err(DWORD code)
{
    switch (code) {
    case ERROR_BROKEN_PIPE:
    case ERROR_PIPE_NOT_CONNECTED:
    case ERROR_NO_DATA:
    case ERROR_BAD_PIPE:
    case ERROR_HANDLE_EOF:
        return CORDON_E_CLOSED;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_TOO_MANY_OPEN_FILES:
        return CORDON_E_LIMIT;
    default:
        return CORDON_E_OS;
    }
}

enum cordon_err io_read(int fd, void *buf, size_t size, size_t *ret_len)
{
    const HANDLE handle = io_handle(fd);
    OVERLAPPED one = {0};
    DWORD there = 0;
    DWORD len = 0;
    BOOL well;

    if (!PeekNamedPipe(handle, NULL, 0, NULL, &there, NULL)) {
        return io_err(GetLastError());
    }
    if (there == 0) {
        return CORDON_E_AGAIN;
    }
    one.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (one.hEvent == NULL) {
        return CORDON_E_LIMIT;
    }
    /* It is there: this waits for nobody. */
    well = ReadFile(handle, buf, (DWORD)(there < size ? there : size), &len, &one) ||
           (GetLastError() == ERROR_IO_PENDING && GetOverlappedResult(handle, &one, &len, TRUE));
    if (!well) {
        const enum cordon_err err = io_err(GetLastError());

        (void)CloseHandle(one.hEvent);
        return err;
    }
    (void)CloseHandle(one.hEvent);
    *ret_len = len;
    return len == 0 ? CORDON_E_AGAIN : CORDON_OK;
}

enum cordon_err io_written(struct io *io)
{
    DWORD done;
    DWORD code = ERROR_SUCCESS;

    if (!io->is_writing) {
        return CORDON_OK;
    }
    if (!GetOverlappedResult(io_handle(io->fd), &io->writing, &done, FALSE)) {
        code = GetLastError();
        if (code == ERROR_IO_INCOMPLETE) {
            return CORDON_E_AGAIN;
        }
    }
    io->is_writing = false;
    free(io->out);
    io->out = NULL;
    return code == ERROR_SUCCESS ? CORDON_OK : io_err(code);
}

enum cordon_err io_write_out(struct io *io, uint8_t *out, size_t len)
{
    DWORD code;

    io->out = out;
    io->is_writing = true;
    if (WriteFile(io_handle(io->fd), out, (DWORD)len, NULL, &io->writing)) {
        return io_written(io);
    }
    code = GetLastError();
    if (code == ERROR_IO_PENDING) {
        return CORDON_OK;
    }
    io->is_writing = false;
    free(io->out);
    io->out = NULL;
    (void)SetEvent(io->writing.hEvent);
    return io_err(code);
}

enum cordon_err io_write(int fd, const void *bytes, size_t len)
{
    struct io *io = io_get(fd);
    enum cordon_err err = io == NULL ? CORDON_E_NOMEM : io_written(io);
    uint8_t *copy;

    if (err != CORDON_OK) {
        return err;
    }
    copy = malloc(len);
    if (copy == NULL) {
        return CORDON_E_NOMEM;
    }
    memcpy(copy, bytes, len);
    return io_write_out(io, copy, len);
}
