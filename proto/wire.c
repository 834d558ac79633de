/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/wire.h"

#include <string.h>

#include "proto/frame.h"

/* Wire types of protobuf's encoding; groups (3, 4) have no place in proto3. */
enum { WIRE_VARINT = 0, WIRE_64BIT = 1, WIRE_LENGTH = 2, WIRE_32BIT = 5 };

#define VARINT_LEN_MAX 10U
#define SEEN_MAX 32U /* field numbers below this are counted; the table stays below */

struct cursor {
    const unsigned char *at;
    const unsigned char *end;
};

struct walk {
    const struct msg_shape *shape;
    struct cursor in;
    uint32_t counts[SEEN_MAX];
    uint32_t unknown;
    uint32_t repeats;
    struct cordon_fault *fault;
};

static enum cordon_err malformed(const struct walk *walk, const char *what)
{
    return fault_set(walk->fault, CORDON_E_PROTO, NULL, "%s: %s",
                     frame_type_name((uint32_t)walk->shape->type), what);
}

static bool take_varint(struct cursor *in, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < VARINT_LEN_MAX && in->at < in->end; i++) {
        unsigned char byte = *in->at++;

        value |= (uint64_t)(byte & 0x7fU) << (7 * i);
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

/* The length-prefixed piece at the cursor; the cursor moves past it. */
static bool take_piece(struct cursor *in, struct cursor *ret_piece)
{
    uint64_t len;

    if (!take_varint(in, &len) || len > (uint64_t)(in->end - in->at)) {
        return false;
    }
    ret_piece->at = in->at;
    ret_piece->end = in->at + len;
    in->at += len;
    return true;
}

static bool take_fixed(struct cursor *in, size_t len)
{
    if ((size_t)(in->end - in->at) < len) {
        return false;
    }
    in->at += len;
    return true;
}

static enum cordon_err walk_unknown(struct walk *walk, uint32_t wire)
{
    struct cursor piece;
    uint64_t value;
    bool whole;

    if (++walk->unknown > MSG_UNKNOWN_MAX) {
        return fault_set(walk->fault, CORDON_E_LIMIT, NULL, "%s: more than %u unknown fields",
                         frame_type_name((uint32_t)walk->shape->type), MSG_UNKNOWN_MAX);
    }
    if (wire == WIRE_VARINT) {
        whole = take_varint(&walk->in, &value);
    } else if (wire == WIRE_LENGTH) {
        whole = take_piece(&walk->in, &piece);
    } else if (wire == WIRE_64BIT || wire == WIRE_32BIT) {
        whole = take_fixed(&walk->in, wire == WIRE_64BIT ? 8 : 4);
    } else {
        return malformed(walk, "a field of an unsupported wire type");
    }
    return whole ? CORDON_OK : malformed(walk, "an unknown field is cut off");
}

static enum cordon_err too_often(const struct walk *walk, const struct msg_field *field)
{
    return fault_set(walk->fault, CORDON_E_LIMIT, NULL, "%s is repeated too often", field->name);
}

static enum cordon_err count(struct walk *walk, const struct msg_field *field, uint32_t more)
{
    bool list = msg_field_is_list(field);

    /* Checked at every element, so that the sum cannot overflow. */
    walk->counts[field->number] += more;
    if (list && walk->counts[field->number] > field->count_max) {
        return fault_set(walk->fault, CORDON_E_LIMIT, NULL, "%s has more than %u entries",
                         field->name, field->count_max);
    }
    if (!list && walk->counts[field->number] > 1 && ++walk->repeats > MSG_REPEAT_MAX) {
        return too_often(walk, field);
    }
    return CORDON_OK;
}

static enum cordon_err take_number(struct walk *walk, struct cursor *in,
                                   const struct msg_field *field)
{
    uint64_t value;

    if (!take_varint(in, &value)) {
        return malformed(walk, "a number is cut off");
    }
    /* protobuf would cut it down to 32 bits: another value than was sent. */
    if (value > UINT32_MAX) {
        return fault_set(walk->fault, CORDON_E_PROTO, NULL, "%s is over 32 bits", field->name);
    }
    return count(walk, field, 1);
}

/* A list of numbers comes packed or one by one; both are protobuf. */
static enum cordon_err walk_number(struct walk *walk, const struct msg_field *field, uint32_t wire)
{
    struct cursor piece;
    enum cordon_err err = CORDON_OK;

    if (wire == WIRE_VARINT) {
        return take_number(walk, &walk->in, field);
    }
    if (wire != WIRE_LENGTH || field->kind != MSG_NUMBER_LIST) {
        return malformed(walk, "a number of another wire type");
    }
    if (!take_piece(&walk->in, &piece)) {
        return malformed(walk, "a list of numbers is cut off");
    }
    /* A piece may be empty and still costs the decoder a record of it. */
    if (++walk->repeats > MSG_REPEAT_MAX) {
        return too_often(walk, field);
    }
    while (err == CORDON_OK && piece.at < piece.end) {
        err = take_number(walk, &piece, field);
    }
    return err;
}

static enum cordon_err walk_string(struct walk *walk, const struct msg_field *field, uint32_t wire)
{
    struct cursor piece;

    if (wire != WIRE_LENGTH) {
        return malformed(walk, "a string of another wire type");
    }
    if (!take_piece(&walk->in, &piece)) {
        return malformed(walk, "a string is cut off");
    }
    if ((size_t)(piece.end - piece.at) > field->max) {
        return fault_set(walk->fault, CORDON_E_LIMIT, NULL, "%s is longer than %u bytes",
                         field->name, field->max);
    }
    if (memchr(piece.at, 0, (size_t)(piece.end - piece.at)) != NULL) {
        return fault_set(walk->fault, CORDON_E_PROTO, NULL, "%s holds a NUL byte", field->name);
    }
    return count(walk, field, 1);
}

static bool is_number(const struct msg_field *field)
{
    return field->kind == MSG_BOOL || field->kind == MSG_NUMBER || field->kind == MSG_ENUM ||
           field->kind == MSG_NUMBER_LIST;
}

static enum cordon_err walk_field(struct walk *walk)
{
    const struct msg_field *field;
    uint64_t tag;
    uint32_t wire;

    /* Field numbers end at 2^29-1, so a tag has at most 32 bits; 0 is no number. */
    if (!take_varint(&walk->in, &tag) || tag > UINT32_MAX || tag < 8) {
        return malformed(walk, "not a field");
    }
    wire = (uint32_t)tag & 7U;
    field = msg_field_find(walk->shape, (uint32_t)tag >> 3);
    if (field == NULL) {
        return walk_unknown(walk, wire);
    }
    return is_number(field) ? walk_number(walk, field, wire) : walk_string(walk, field, wire);
}

enum cordon_err wire_check(const struct msg_shape *shape, const unsigned char *body,
                           size_t body_len, uint32_t *ret_unknown, struct cordon_fault *fault)
{
    static const unsigned char none[1];
    const unsigned char *begin = body == NULL ? none : body;
    struct walk walk = {.shape = shape, .in = {begin, begin + body_len}, .fault = fault};
    enum cordon_err err = CORDON_OK;

    while (err == CORDON_OK && walk.in.at < walk.in.end) {
        err = walk_field(&walk);
    }
    if (err == CORDON_OK) {
        *ret_unknown = walk.unknown;
    }
    return err;
}
