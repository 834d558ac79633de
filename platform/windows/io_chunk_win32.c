/* SPDX-License-Identifier: Apache-2.0 */
/* Chunks with handles (pipe_chunk.h), over pipes. */
#include <stdlib.h>
#include <string.h>

#include "platform/windows/io_state.h"

#define ROOM (64U * 1024U) /* bytes read at once */

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
    enum cordon_err err = io == NULL ? CORDON_E_NOMEM : io_written(io);
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
        err = io_write_out(io, out, head + what->len);
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
