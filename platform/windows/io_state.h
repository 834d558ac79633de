/* SPDX-License-Identifier: Apache-2.0 */
/* What io_win32.c and io_chunk_win32.c know of a pipe. */
#ifndef CORDON_PLATFORM_WINDOWS_IO_STATE_H
#define CORDON_PLATFORM_WINDOWS_IO_STATE_H

#include "platform/windows/io.h"

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

/* That of @fd, made on demand; NULL: no memory. */
struct io *io_get(int fd);
enum cordon_err io_err(DWORD code);
/* AGAIN while the system has not all of what was written before. */
enum cordon_err io_written(struct io *io);
/* Takes @out over. */
enum cordon_err io_write_out(struct io *io, uint8_t *out, size_t len);

#endif
