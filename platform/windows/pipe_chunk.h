/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What travels over the pipe: the protocol's bytes in chunks, each with the numbers that handles
 * have in the client's process in front of it. The caller's worker takes them from there, and they
 * are closed there: who sends one sends a duplicate, and forgets it. Pure, without I/O.
 *
 *   0  length   u32  bytes of the protocol that follow the handles; 1 to PIPE_CHUNK_MAX
 *   4  handles  u32  at most PIPE_HANDLES_MAX
 *   8  u32 each      a number, a multiple of 4 below 2^31: what is no real handle (the "current
 *                    process" and "current thread" of whoever duplicates them) is refused
 *
 * From the service to the client the protocol's bytes travel bare: it sends no handles.
 */
#ifndef CORDON_PLATFORM_WINDOWS_PIPE_CHUNK_H
#define CORDON_PLATFORM_WINDOWS_PIPE_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"

#define PIPE_CHUNK_MAX (256U * 1024U)
#define PIPE_HANDLES_MAX 253U /* as many as a Unix socket carries */
#define PIPE_HEAD_MAX (8U + 4U * PIPE_HANDLES_MAX)

/* Private to pipe_chunk.c; all zero to begin with. */
struct pipe_chunk {
    uint8_t head[PIPE_HEAD_MAX];
    size_t head_len;   /* bytes of the head that came */
    uint32_t left;     /* bytes of the chunk that are to come */
    bool handles_told; /* they were given out with an earlier part */
};

/* A part of a chunk. Handles come with its first part. */
struct pipe_part {
    const uint8_t *bytes; /* in what was fed */
    size_t len;           /* 0: more is needed */
    uint32_t handles[PIPE_HANDLES_MAX];
    size_t handle_count;
};

/*
 * Takes bytes from *@bytes, *@len of them, and moves both on; call again until ret->len is 0.
 * CORDON_E_PROTO: a head that is not allowed; nothing more may be fed.
 */
CORDON_MUST_USE enum cordon_err pipe_chunk_take(struct pipe_chunk *chunk, const uint8_t **bytes,
                                                size_t *len, struct pipe_part *ret_part);

/* Writes a head; its length. @handle_count is at most PIPE_HANDLES_MAX. */
size_t pipe_chunk_head(uint32_t len, const uint32_t *handles, size_t handle_count,
                       uint8_t head[PIPE_HEAD_MAX]);

#endif
