/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a message must be besides well-formed. Two halves: the raw body before
 * protobuf-c sees it, and the plain struct after decoding or before encoding.
 */
#ifndef CORDON_PROTO_VALIDATE_H
#define CORDON_PROTO_VALIDATE_H

#include "proto/fields.h"

/*
 * Walks @body without allocating and without recursing: every field complete and
 * of its wire type, no group, numbers within 32 bits, no NUL in a string, counts
 * within the caps of the table. What passes makes protobuf-c allocate a bounded
 * amount. *ret_unknown is the number of fields that the table does not have.
 *
 * CORDON_E_PROTO, CORDON_E_LIMIT
 */
CORDON_MUST_USE enum cordon_err validate_wire(const struct msg_shape *shape,
                                              const unsigned char *body, size_t body_len,
                                              uint32_t *ret_unknown, struct cordon_fault *fault);

/*
 * Checks the values of @message: lengths, counts, totals, UTF-8, ranges, and
 * what relates fields to each other.
 *
 * CORDON_E_INVALID, CORDON_E_LIMIT
 */
CORDON_MUST_USE enum cordon_err validate_message(const struct msg_shape *shape,
                                                 const struct message *message,
                                                 struct cordon_fault *fault);

/* True if @len bytes of @text are UTF-8 (no surrogates, no over-long forms). */
bool validate_utf8(const char *text, size_t len);

#endif
