/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A body of any type. The first byte chooses the type, the rest is the body.
 * What decodes must encode, and must then decode and encode to the same bytes.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

/* Encodes @message, which came from a decoder; a message has one encoding. */
static void again(const struct message *message, const struct strbuf *before, unsigned depth)
{
    struct strbuf body = STRBUF_INIT;
    struct cordon_fault fault;
    struct message decoded;
    struct arena arena;

    /* Decoded bodies may be larger encoded only by lists that came packed: never over a cap. */
    must(msg_encode(message, &body, &fault) == CORDON_OK);
    must(before == NULL || (before->len == body.len &&
                            (body.len == 0 || memcmp(before->data, body.data, body.len) == 0)));
    if (depth > 0) {
        arena_init(&arena, MSG_ARENA_MAX);
        must(msg_decode(message->type, body.data, body.len, &arena, &decoded, &fault) == CORDON_OK);
        must(msg_fd_count(&decoded) == msg_fd_count(message) && decoded.unknown == 0);
        again(&decoded, &body, depth - 1);
        arena_deinit(&arena);
    }
    strbuf_deinit(&body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct frame_rule *rule = size == 0 ? NULL : frame_rule_at(data[0]);
    struct cordon_fault fault;
    struct message message;
    struct arena arena;

    if (rule == NULL) {
        return 0;
    }
    arena_init(&arena, MSG_ARENA_MAX);
    if (msg_decode(rule->type, data + 1, size - 1, &arena, &message, &fault) == CORDON_OK) {
        must(msg_fd_count(&message) <= rule->fds_max);
        again(&message, NULL, 1);
    }
    arena_deinit(&arena);
    return 0;
}
