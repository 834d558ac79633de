/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes from a client, whole and cut in two: the same parts, bounded, with real handles alone.
 */
#include <stdlib.h>
#include <string.h>

#include "platform/windows/pipe_chunk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint64_t bytes; /* a digest of what came */
    size_t len, handles;
    enum cordon_err err;
};

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void feed(struct pipe_chunk *chunk, const uint8_t *bytes, size_t len, struct seen *seen)
{
    struct pipe_part part;

    do {
        seen->err = pipe_chunk_take(chunk, &bytes, &len, &part);
        if (seen->err != CORDON_OK) {
            return;
        }
        for (size_t i = 0; i < part.len; i++) {
            seen->bytes = seen->bytes * 31U + part.bytes[i];
        }
        for (size_t i = 0; i < part.handle_count; i++) {
            require(part.handles[i] != 0 && part.handles[i] % 4U == 0 &&
                    part.handles[i] <= INT32_MAX);
        }
        require(part.handle_count <= PIPE_HANDLES_MAX && part.len <= PIPE_CHUNK_MAX);
        seen->len += part.len;
        seen->handles += part.handle_count;
    } while (part.len > 0);
    require(len == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct pipe_chunk whole = {0}, halves = {0};
    struct seen one = {0}, two = {0};

    feed(&whole, data, size, &one);
    feed(&halves, data, size / 2, &two);
    if (two.err == CORDON_OK) {
        feed(&halves, data + size / 2, size - size / 2, &two);
    }
    require(one.err == two.err && one.bytes == two.bytes && one.len == two.len &&
            one.handles == two.handles);
    return 0;
}
