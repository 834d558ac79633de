/* SPDX-License-Identifier: Apache-2.0 */
/* A body in protobuf's encoding, looked at before protobuf-c is let near it. */
#ifndef CORDON_PROTO_WIRE_H
#define CORDON_PROTO_WIRE_H

#include "proto/fields.h"

/*
 * Walks @body without allocating and without recursing: every field complete and
 * of its wire type, no group, numbers within 32 bits, no NUL in a string, lengths
 * and counts within the caps of the table. What passes makes protobuf-c allocate
 * a bounded amount. *ret_unknown is the number of fields that the table does not
 * have. @body may be NULL if @body_len is 0.
 *
 * CORDON_E_PROTO, CORDON_E_LIMIT
 */
CORDON_MUST_USE enum cordon_err wire_check(const struct msg_shape *shape, const unsigned char *body,
                                           size_t body_len, uint32_t *ret_unknown,
                                           struct cordon_fault *fault);

#endif
