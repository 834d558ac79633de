/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/io.h"

#include <stdlib.h>
#include <string.h>

#define ROOM (64U * 1024U) /* bytes read at once */

struct io {
    struct io *next;
    int fd;
    OVERLAPPED reading, writing; /* each with an event of its own, for good */
    bool is_reading, is_writing;
    uint8_t *out; /* what is being written */
    HANDLE process;
    struct pipe_chunk chunk;
    uint8_t *in; /* what was read and nobody took yet: bytes @in_at to @in_len */
    size_t in_at, in_len;
    uint8_t *record; /* the beginning of a whole chunk */
    size_t record_len;
    int record_fds[PIPE_HANDLES_MAX];
    size_t record_fd_count;
};

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

static struct io *io_get(int fd)
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

static enum cordon_err io_err(DWORD code)
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

/* AGAIN while the system has not all of what was written before. */
static enum cordon_err written(struct io *io)
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

/* Takes @out over. */
static enum cordon_err write_out(struct io *io, uint8_t *out, size_t len)
{
    DWORD code;

    io->out = out;
    io->is_writing = true;
    if (WriteFile(io_handle(io->fd), out, (DWORD)len, NULL, &io->writing)) {
        return written(io);
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
    enum cordon_err err = io == NULL ? CORDON_E_NOMEM : written(io);
    uint8_t *copy;

    if (err != CORDON_OK) {
        return err;
    }
    copy = malloc(len);
    if (copy == NULL) {
        return CORDON_E_NOMEM;
    }
    memcpy(copy, bytes, len);
    return write_out(io, copy, len);
}

/* ---- handles ---- */

/* Gives @handle to @process (NULL: stays in this one, under another number). */
static bool give(HANDLE process, HANDLE handle, uint32_t *ret_number)
{
    HANDLE given = NULL;

    if (!DuplicateHandle(GetCurrentProcess(), handle,
                         process == NULL ? GetCurrentProcess() : process, &given, 0, FALSE,
                         DUPLICATE_SAME_ACCESS)) {
        return false;
    }
    *ret_number = (uint32_t)(uintptr_t)given;
    return true;
}

static void take_back(HANDLE process, const uint32_t *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)DuplicateHandle(process == NULL ? GetCurrentProcess() : process,
                              (HANDLE)(uintptr_t)numbers[i], NULL, NULL, 0, FALSE,
                              DUPLICATE_CLOSE_SOURCE);
    }
}

enum cordon_err io_send(int fd, const struct io_sent *what)
{
    struct io *io = io_get(fd);
    uint32_t numbers[PIPE_HANDLES_MAX];
    enum cordon_err err = io == NULL ? CORDON_E_NOMEM : written(io);
    uint8_t *out;
    size_t head;
    size_t given = 0;

    if (err != CORDON_OK) {
        return err;
    }
    if (what->fd_count > PIPE_HANDLES_MAX || what->len > PIPE_CHUNK_MAX) {
        return CORDON_E_LIMIT;
    }
    out = malloc(PIPE_HEAD_MAX + what->len);
    if (out == NULL) {
        return CORDON_E_NOMEM;
    }
    while (given < what->fd_count &&
           give(io->process, io_handle(what->fds[given]), &numbers[given])) {
        given++;
    }
    if (given < what->fd_count) {
        err = io_err(GetLastError());
        free(out);
    } else {
        head = pipe_chunk_head((uint32_t)what->len, numbers, given, out);
        memcpy(out + head, what->bytes, what->len);
        err = write_out(io, out, head + what->len);
    }
    if (err != CORDON_OK) {
        take_back(io->process, numbers, given);
    }
    return err;
}

/* Handles that came become ours; all or none. */
static bool take(const struct io *io, const struct pipe_part *part, int fds[PIPE_HANDLES_MAX])
{
    for (size_t i = 0; i < part->handle_count; i++) {
        HANDLE ours = (HANDLE)(uintptr_t)part->handles[i];

        if (io->process != NULL &&
            !DuplicateHandle(io->process, (HANDLE)(uintptr_t)part->handles[i], GetCurrentProcess(),
                             &ours, 0, FALSE, DUPLICATE_SAME_ACCESS | DUPLICATE_CLOSE_SOURCE)) {
            while (i > 0) {
                host_close(fds[--i]);
            }
            return false;
        }
        fds[i] = io_fd(ours);
    }
    return true;
}

/* At least one byte that nobody took yet. */
static enum cordon_err fill(struct io *io)
{
    if (io->in_at < io->in_len) {
        return CORDON_OK;
    }
    if (io->in == NULL) {
        io->in = malloc(ROOM);
        if (io->in == NULL) {
            return CORDON_E_NOMEM;
        }
    }
    io->in_at = 0;
    io->in_len = 0;
    return io_read(io->fd, io->in, ROOM, &io->in_len);
}

/* The next part; at most @size bytes of it are used up. */
static enum cordon_err next_part(struct io *io, size_t size, struct pipe_part *ret_part)
{
    for (;;) {
        const uint8_t *at;
        size_t len;
        enum cordon_err err = fill(io);

        if (err != CORDON_OK) {
            return err;
        }
        at = io->in + io->in_at;
        len = io->in_len - io->in_at;
        /* Of the bytes behind a head no more than there is room for. */
        len = io->chunk.left > 0 && len > size ? size : len;
        len = io->chunk.left == 0 && len > PIPE_HEAD_MAX ? PIPE_HEAD_MAX : len;
        err = pipe_chunk_take(&io->chunk, &at, &len, ret_part);
        io->in_at = (size_t)(at - io->in);
        if (err != CORDON_OK || ret_part->len > 0) {
            return err;
        }
    }
}

enum cordon_err io_recv(int fd, void *buf, size_t size, int *fds, size_t fds_max,
                        struct host_chunk *ret_chunk)
{
    struct io *io = io_get(fd);
    struct host_chunk chunk = {0, 0, false};
    int taken[PIPE_HANDLES_MAX];
    struct pipe_part part;
    enum cordon_err err = io == NULL ? CORDON_E_NOMEM : next_part(io, size, &part);

    if (err != CORDON_OK) {
        return err;
    }
    if (part.len > size || !take(io, &part, taken)) {
        return CORDON_E_PROTO;
    }
    memcpy(buf, part.bytes, part.len);
    chunk.len = part.len;
    for (size_t i = 0; i < part.handle_count; i++) {
        if (i < fds_max) {
            fds[chunk.fd_count++] = taken[i];
        } else {
            host_close(taken[i]);
            chunk.fds_truncated = true;
        }
    }
    *ret_chunk = chunk;
    return CORDON_OK;
}

/* One more part of the whole; PROTO when it cannot be one of @size bytes. */
static enum cordon_err collect(struct io *io, size_t size)
{
    struct pipe_part part;
    enum cordon_err err;

    if (io->record == NULL) {
        io->record = malloc(size);
        if (io->record == NULL) {
            return CORDON_E_NOMEM;
        }
    }
    err = next_part(io, size, &part);
    if (err != CORDON_OK) {
        return err;
    }
    if (io->record_len + part.len + io->chunk.left != size ||
        !take(io, &part, io->record_fds + io->record_fd_count)) {
        return CORDON_E_PROTO;
    }
    io->record_fd_count += part.handle_count;
    memcpy(io->record + io->record_len, part.bytes, part.len);
    io->record_len += part.len;
    return CORDON_OK;
}

enum cordon_err io_recv_whole(int fd, void *record, size_t size, int *fds, size_t fds_max,
                              size_t *ret_fd_count)
{
    struct io *io = io_get(fd);
    enum cordon_err err = io == NULL ? CORDON_E_NOMEM : CORDON_OK;

    while (err == CORDON_OK && io->record_len < size) {
        err = collect(io, size);
    }
    if (err != CORDON_OK) {
        return err;
    }
    if (io->record_fd_count > fds_max) {
        return CORDON_E_PROTO; /* closed with the descriptor */
    }
    memcpy(record, io->record, size);
    memcpy(fds, io->record_fds, io->record_fd_count * sizeof(*fds));
    *ret_fd_count = io->record_fd_count;
    free(io->record);
    io->record = NULL;
    io->record_len = 0;
    io->record_fd_count = 0;
    return CORDON_OK;
}
