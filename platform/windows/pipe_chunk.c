/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/pipe_chunk.h"

#include <string.h>

#include "platform/windows/le.h"

#define FIXED 8U

/* Moves bytes to the head until it has @want of them; false: more are needed. */
static bool fill(struct pipe_chunk *chunk, const uint8_t **bytes, size_t *len, size_t want)
{
    const size_t missing = want > chunk->head_len ? want - chunk->head_len : 0;
    const size_t take = *len < missing ? *len : missing;

    memcpy(chunk->head + chunk->head_len, *bytes, take);
    chunk->head_len += take;
    *bytes += take;
    *len -= take;
    return chunk->head_len >= want;
}

static enum cordon_err read_handles(const struct pipe_chunk *chunk, struct pipe_part *part)
{
    part->handle_count = le_get32(chunk->head + 4);
    for (size_t i = 0; i < part->handle_count; i++) {
        const uint32_t handle = le_get32(chunk->head + FIXED + 4U * i);

        if (handle == 0 || handle > INT32_MAX || handle % 4U != 0) {
            return CORDON_E_PROTO;
        }
        part->handles[i] = handle;
    }
    return CORDON_OK;
}

enum cordon_err pipe_chunk_take(struct pipe_chunk *chunk, const uint8_t **bytes, size_t *len,
                                struct pipe_part *ret_part)
{
    uint32_t count;
    enum cordon_err err = CORDON_OK;

    ret_part->len = 0;
    ret_part->handle_count = 0;
    if (chunk->left == 0) {
        if (!fill(chunk, bytes, len, FIXED)) {
            return CORDON_OK;
        }
        count = le_get32(chunk->head + 4);
        if (le_get32(chunk->head) == 0 || le_get32(chunk->head) > PIPE_CHUNK_MAX ||
            count > PIPE_HANDLES_MAX) {
            return CORDON_E_PROTO;
        }
        if (!fill(chunk, bytes, len, FIXED + 4U * (size_t)count)) {
            return CORDON_OK;
        }
        chunk->left = le_get32(chunk->head);
        chunk->handles_told = false;
    }
    if (*len == 0) {
        return CORDON_OK;
    }
    if (!chunk->handles_told) {
        err = read_handles(chunk, ret_part);
        chunk->handles_told = true;
    }
    ret_part->bytes = *bytes;
    ret_part->len = *len < chunk->left ? *len : chunk->left;
    *bytes += ret_part->len;
    *len -= ret_part->len;
    chunk->left -= (uint32_t)ret_part->len;
    chunk->head_len = chunk->left == 0 ? 0 : chunk->head_len;
    return err;
}

size_t pipe_chunk_head(uint32_t len, const uint32_t *handles, size_t handle_count,
                       uint8_t head[PIPE_HEAD_MAX])
{
    le_put32(head, len);
    le_put32(head + 4, handle_count);
    for (size_t i = 0; i < handle_count; i++) {
        le_put32(head + FIXED + 4U * i, handles[i]);
    }
    return FIXED + 4U * handle_count;
}
