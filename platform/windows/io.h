/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors of host.h and ipc.h on Windows: the number of a handle, of which 32 bits are
 * significant, and which is a multiple of 4; 0, 1 and 2 are the standard streams, and 3 is the
 * channel of a process that was started with one, which it has as its standard input. What is on
 * its way through a pipe is kept beside the number, until host_close(). One thread uses them all.
 *
 * Readiness, which pipes do not have here: a read of no bytes ends when there are some, or the end
 * of the pipe. A write is taken over whole, and the next one waits until the system has it.
 */
#ifndef CORDON_PLATFORM_WINDOWS_IO_H
#define CORDON_PLATFORM_WINDOWS_IO_H

#include "platform/host.h"
#include "platform/loop.h"
#include "platform/windows/pipe_chunk.h"
#include "platform/windows/sd.h"
#include "platform/windows/win32.h"

#define IO_CHANNEL 3

HANDLE io_handle(int fd);
/* INVALID_HANDLE_VALUE: -1 */
int io_fd(HANDLE handle);

/* What becomes signalled once @fd can be read, or written; asked anew before each wait. For what is
 * no pipe, its handle. NULL: no memory. */
HANDLE io_readable(int fd);
HANDLE io_writable(int fd);

/* Bytes as they are: those that are there, as host_read(); all of them, as host_send(). */
CORDON_MUST_USE enum cordon_err io_read(int fd, void *buf, size_t size, size_t *ret_len);
CORDON_MUST_USE enum cordon_err io_write(int fd, const void *bytes, size_t len);

/* Bytes with handles, as pipe_chunk.h has them. */
struct io_sent {
    const void *bytes;
    size_t len; /* at most PIPE_CHUNK_MAX */
    const int *fds;
    size_t fd_count;
};
CORDON_MUST_USE enum cordon_err io_send(int fd, const struct io_sent *what);
/* A part of a chunk; its handles come with the first. As host_recv(). */
CORDON_MUST_USE enum cordon_err io_recv(int fd, void *buf, size_t size, int *fds, size_t fds_max,
                                        struct host_chunk *ret_chunk);
/* A whole chunk of just @size bytes. CORDON_E_PROTO: of another size, or with more handles. */
CORDON_MUST_USE enum cordon_err io_recv_whole(int fd, void *record, size_t size, int *fds,
                                              size_t fds_max, size_t *ret_fd_count);

/*
 * Handles sent to @fd become handles of @process, and those that come from it are taken from there,
 * and closed there. Without one, numbers are told as they are: the other end does both. Owns
 * @process, which has to allow PROCESS_DUP_HANDLE.
 */
CORDON_MUST_USE bool io_set_process(int fd, HANDLE process);
bool io_has_process(int fd);

/* ret[0] reads and writes without waiting, and so does ret[1] with @both. Nobody but this user may
 * open them by name. */
CORDON_MUST_USE enum cordon_err io_pair(bool both, int ret_fds[2], struct cordon_fault *fault);
/* The first end of the io_pair() whose second one @fd is, while this process has both; -1. */
int io_other_end(int fd);
void io_forget_pair(int fd); /* one of them is closed */

/* SYSTEM and the user of this process alone; self-relative, for free(). NULL: no memory. */
uint8_t *io_private_list(void);
/* @ret_list of free(). A Win32 code. */
uint32_t io_write_list(const struct sd *sd, uint8_t **ret_list);

/* From any thread: what loop_on_signal() waits for has come. */
void loop_tell(enum loop_signal which);

/* What else host_close() has to give back. */
bool listener_close(int fd);

#endif
