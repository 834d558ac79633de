/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between plain structs (message.h) and protobuf bytes. Pure; no descriptor and
 * no clock. Both directions validate (validate.h), so a message that one of our
 * own encoders accepted is one that our decoder accepts.
 */
#ifndef CORDON_PROTO_CODEC_H
#define CORDON_PROTO_CODEC_H

#include "platform/base/arena.h"
#include "platform/base/strbuf.h"
#include "proto/message.h"

/*
 * A budget in which every message within the caps decodes; give it to
 * arena_init(). Nothing is allocated ahead: a usual SPAWN takes some 8 KiB, the largest 20 MiB.
 */
#define MSG_ARENA_MAX ((size_t)64U * 1024U * 1024U)

/*
 * Appends the body of @message to @out (without a frame header). On an error
 * @out is as long as before.
 *
 * CORDON_E_INVALID   a value that the protocol does not allow
 * CORDON_E_LIMIT     a count or a length over its cap; the fault names the field
 * CORDON_E_PROTO     an unknown type
 * CORDON_E_NOMEM
 */
CORDON_MUST_USE enum cordon_err msg_encode(const struct message *message, struct strbuf *out,
                                           struct cordon_fault *fault);

/*
 * Decodes and validates the body of a frame of @type. @body is not needed
 * afterwards; everything *ret_message points to lives in @arena, which on an
 * error holds rubbish and is to be deinited as usual.
 *
 * CORDON_E_PROTO     not protobuf, or not of this message: wire types, NUL in a string,
 *                    truncation, groups
 * CORDON_E_INVALID   well-formed, but a value that the protocol does not allow
 * CORDON_E_LIMIT     a count, a length or the arena's budget
 * CORDON_E_NOMEM
 */
CORDON_MUST_USE enum cordon_err msg_decode(enum cordon_msg_type type, const void *body,
                                           size_t body_len, struct arena *arena,
                                           struct message *ret_message, struct cordon_fault *fault);

/* How many descriptors belong to @message; a frame with fewer or more is refused. */
size_t msg_fd_count(const struct message *message);

#endif
