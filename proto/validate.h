/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a message must be besides well-formed (wire.h): looked at as the plain
 * struct, after decoding and before encoding.
 */
#ifndef CORDON_PROTO_VALIDATE_H
#define CORDON_PROTO_VALIDATE_H

#include "proto/fields.h"

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
