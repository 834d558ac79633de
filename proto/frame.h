/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fixed header in front of every message, and the table of what may
 * travel: all integers little-endian.
 *
 *   0  magic    u32  FRAME_MAGIC
 *   4  version  u16  FRAME_VERSION (of the framing; the protocol's is in HELLO)
 *   6  type     u16  enum cordon_msg_type
 *   8  id       u32  of the request; a reply repeats it
 *  12  length   u32  bytes of body that follow
 */
#ifndef CORDON_PROTO_FRAME_H
#define CORDON_PROTO_FRAME_H

#include "platform/base/err.h"
#include "proto/message.h"

#define FRAME_MAGIC 0x4e445243U /* "CRDN" on the wire */
#define FRAME_VERSION 1U
#define FRAME_HEADER_SIZE 16U
#define FRAME_BODY_MAX (16U * 1024U * 1024U) /* the largest cap of the table */

enum frame_direction { FRAME_TO_BROKER, FRAME_TO_CLIENT };

/* What one type of message may carry. */
struct frame_rule {
    enum cordon_msg_type type;
    const char *name; /* as PROTOCOL.md spells it */
    enum frame_direction direction;
    uint32_t body_max; /* bytes */
    uint32_t fds_max;  /* descriptors */
};

struct frame_header {
    enum cordon_msg_type type;
    uint32_t id;
    uint32_t length; /* bytes; at most the rule's body_max */
};

/* The row of @type as it came off the wire; NULL: there is no such message. */
const struct frame_rule *frame_rule_find(uint32_t type);

/* The rows in order, for tables and tests; NULL past the end. */
const struct frame_rule *frame_rule_at(size_t index);

/* "SPAWN"; "unknown" for what is not in the table. */
const char *frame_type_name(uint32_t type);

/* Writes the header; @header is trusted to obey the table. */
void frame_header_encode(const struct frame_header *header,
                         unsigned char ret_bytes[FRAME_HEADER_SIZE]);

/*
 * Reads the header of a frame travelling in @direction.
 *
 * CORDON_E_PROTO   magic, framing version, type, direction, or id 0 in a request
 * CORDON_E_LIMIT   the length is over the cap of the type; *ret_header is set even
 *                  then, so that the refusal can name the request
 */
CORDON_MUST_USE enum cordon_err frame_header_decode(const unsigned char bytes[FRAME_HEADER_SIZE],
                                                    enum frame_direction direction,
                                                    struct frame_header *ret_header,
                                                    struct cordon_fault *fault);

#endif
