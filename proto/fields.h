/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields of every message in one table: what the codec copies, what
 * validation checks and what PROTOCOL.md must mention.
 */
#ifndef CORDON_PROTO_FIELDS_H
#define CORDON_PROTO_FIELDS_H

#include "proto/message.h"

enum msg_kind {
    MSG_BOOL,       /* bool */
    MSG_NUMBER,     /* uint32_t */
    MSG_ENUM,       /* an enum with values min..max */
    MSG_TEXT,       /* const char *, UTF-8 */
    MSG_BYTES,      /* const char * */
    MSG_TEXT_LIST,  /* struct msg_list of UTF-8 */
    MSG_BYTES_LIST, /* struct msg_list */
    MSG_NUMBER_LIST /* struct msg_numbers */
};

struct msg_field {
    uint32_t number;  /* protobuf's field number */
    const char *name; /* as in broker.proto */
    enum msg_kind kind;
    size_t offset;      /* in the member of message.u */
    uint32_t min;       /* numbers: least value; strings: least length; lists: least count */
    uint32_t max;       /* numbers: greatest value; strings, also in lists: greatest length */
    uint32_t count_max; /* lists: greatest count */
    uint32_t total_max; /* string lists: bytes of all, a NUL for each; 0: no cap of its own */
};

/* The fields of one type of message; ascending numbers. */
struct msg_shape {
    enum cordon_msg_type type;
    const struct msg_field *fields;
    size_t field_count;
};

#define MSG_UNKNOWN_MAX 64U         /* fields of a newer peer that are skipped */
#define MSG_REPEAT_MAX 64U          /* repetitions of singular fields in one message */
#define MSG_ARGS_TOTAL_MAX 8388608U /* argv and env together, a NUL for each */

/* The shape of @type; NULL: there is no such message. */
const struct msg_shape *msg_shape_find(enum cordon_msg_type type);

/* The field with @number; NULL: unknown. */
const struct msg_field *msg_field_find(const struct msg_shape *shape, uint32_t number);

bool msg_field_is_list(const struct msg_field *field);

/* Reads and writes one member of @message; the kind must fit. */
uint32_t msg_get_number(const struct message *message, const struct msg_field *field);
const char *msg_get_string(const struct message *message, const struct msg_field *field);
struct msg_list msg_get_list(const struct message *message, const struct msg_field *field);
struct msg_numbers msg_get_numbers(const struct message *message, const struct msg_field *field);

/* Writes @value (of the field's C type, as msg_kind says) into @message. */
void msg_set_number(struct message *message, const struct msg_field *field, uint32_t value);
void msg_set_string(struct message *message, const struct msg_field *field, const char *value);
void msg_set_list(struct message *message, const struct msg_field *field, struct msg_list value);
void msg_set_numbers(struct message *message, const struct msg_field *field,
                     struct msg_numbers value);

#endif
