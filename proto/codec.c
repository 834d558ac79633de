/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/codec.h"

#include <string.h>

#include "proto/broker.pb-c.h"
#include "proto/fields.h"
#include "proto/frame.h"
#include "proto/validate.h"
#include "proto/wire.h"

/* The wire's error numbers are those of enum cordon_err: neither may move alone. */
#define SAME(name)                                                                                 \
    _Static_assert((int)CORDON__WIRE__ERROR__ERROR_##name == (int)CORDON_E_##name,                 \
                   "error numbers of the wire are fixed")
SAME(NOMEM);
SAME(LIMIT);
SAME(SYNTAX);
SAME(INVALID);
SAME(DENIED);
SAME(UNSUPPORTED);
SAME(NOT_FOUND);
SAME(PROTO);
SAME(STATE);
SAME(QUOTA);
SAME(CLOSED);
SAME(AGAIN);
SAME(TIMEOUT);
SAME(OS);
_Static_assert(CORDON_ERR_COUNT == CORDON_E_OS + 1, "a new error needs its number in broker.proto");
_Static_assert((int)CORDON__WIRE__OS__OS_WINDOWS == (int)MSG_OS_WINDOWS, "systems");
_Static_assert((int)CORDON__WIRE__REPORT__REPORT_JOBS == (int)MSG_REPORT_JOBS, "reports");
_Static_assert((int)CORDON__WIRE__EXIT_KIND__EXIT_KIND_KILLED == (int)MSG_EXIT_KILLED, "kinds");
_Static_assert((int)CORDON__WIRE__BROKER_MODE__BROKER_MODE_SERVICE == (int)MSG_BROKER_SERVICE,
               "modes");

struct codec_row {
    enum cordon_msg_type type;
    const ProtobufCMessageDescriptor *descriptor;
};

static const struct codec_row rows[] = {
    {CORDON_MSG_HELLO, &cordon__wire__hello__descriptor},
    {CORDON_MSG_SPAWN, &cordon__wire__spawn__descriptor},
    {CORDON_MSG_SIGNAL, &cordon__wire__signal__descriptor},
    {CORDON_MSG_PLAN, &cordon__wire__plan__descriptor},
    {CORDON_MSG_STATUS, &cordon__wire__status__descriptor},
    {CORDON_MSG_BYE, &cordon__wire__bye__descriptor},
    {CORDON_MSG_VIOLATIONS, &cordon__wire__violations__descriptor},
    {CORDON_MSG_KILL, &cordon__wire__kill__descriptor},
    {CORDON_MSG_RELOAD, &cordon__wire__reload__descriptor},
    {CORDON_MSG_WELCOME, &cordon__wire__welcome__descriptor},
    {CORDON_MSG_STARTED, &cordon__wire__started__descriptor},
    {CORDON_MSG_EXITED, &cordon__wire__exited__descriptor},
    {CORDON_MSG_FAILED, &cordon__wire__failed__descriptor},
    {CORDON_MSG_PLAN_TEXT, &cordon__wire__plan_text__descriptor},
    {CORDON_MSG_STATUS_TEXT, &cordon__wire__status_text__descriptor},
    {CORDON_MSG_VIOLATION, &cordon__wire__violation__descriptor},
    {CORDON_MSG_VIOLATIONS_TOLD, &cordon__wire__violations_told__descriptor},
};

#define ARENA_SLACK 16U /* what alignment may add to an allocation */

/*
 * One message on its way: protobuf-c's struct @raw on one side, ours on the
 * other. Members of @raw are found through its descriptor and copied by memcpy.
 */
struct transfer {
    const ProtobufCMessageDescriptor *descriptor;
    unsigned char *raw;
    struct arena *arena;
    enum cordon_err err; /* why the arena refused */
};

static const ProtobufCMessageDescriptor *descriptor_find(enum cordon_msg_type type)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].type == type) {
            return rows[i].descriptor;
        }
    }
    return NULL;
}

static const ProtobufCFieldDescriptor *member_find(const struct transfer *transfer,
                                                   const struct msg_field *field)
{
    return protobuf_c_message_descriptor_get_field(transfer->descriptor, field->number);
}

static void raw_get(const struct transfer *transfer, size_t offset, void *ret, size_t size)
{
    memcpy(ret, transfer->raw + offset, size);
}

static void raw_set(struct transfer *transfer, size_t offset, const void *value, size_t size)
{
    memcpy(transfer->raw + offset, value, size);
}

static void *transfer_alloc(struct transfer *transfer, size_t count, size_t size)
{
    void *data = arena_array(transfer->arena, count, size);

    if (data == NULL) {
        /* The arena does not say which; a request within its budget met the heap's end. */
        size_t need = count * size + ARENA_SLACK;
        size_t room = transfer->arena->limit - transfer->arena->used;

        transfer->err = need <= room ? CORDON_E_NOMEM : CORDON_E_LIMIT;
    }
    return data;
}

/* protobuf-c asks for exact sizes; the one byte more, zeroed, makes bytes C strings. */
static void *allocator_alloc(void *data, size_t size)
{
    return transfer_alloc(data, 1, size + 1);
}

static void allocator_free(void *data, void *pointer)
{
    (void)data;
    (void)pointer;
}

/* Bytes and text differ in protobuf-c's struct only. */
static char *string_in(const unsigned char *element, bool text)
{
    ProtobufCBinaryData bytes;
    char *string;

    if (text) {
        memcpy(&string, element, sizeof(string));
        return string;
    }
    memcpy(&bytes, element, sizeof(bytes));
    return (char *)bytes.data;
}

static void string_out(unsigned char *element, bool text, char *string)
{
    ProtobufCBinaryData bytes = {strlen(string), (uint8_t *)string};

    if (text) {
        memcpy(element, &string, sizeof(string));
    } else {
        memcpy(element, &bytes, sizeof(bytes));
    }
}

static size_t element_size(bool text)
{
    return text ? sizeof(char *) : sizeof(ProtobufCBinaryData);
}

static bool is_text(const struct msg_field *field)
{
    return field->kind == MSG_TEXT || field->kind == MSG_TEXT_LIST;
}

static bool number_decode(struct transfer *transfer, const struct msg_field *field,
                          struct message *message)
{
    uint32_t value;

    raw_get(transfer, member_find(transfer, field)->offset, &value, sizeof(value));
    msg_set_number(message, field, value);
    return true;
}

static bool string_decode(struct transfer *transfer, const struct msg_field *field,
                          struct message *message)
{
    char *string = string_in(transfer->raw + member_find(transfer, field)->offset, is_text(field));

    msg_set_string(message, field, string == NULL || string[0] == '\0' ? NULL : string);
    return true;
}

static bool list_decode(struct transfer *transfer, const struct msg_field *field,
                        struct message *message)
{
    static char empty[1];
    const ProtobufCFieldDescriptor *member = member_find(transfer, field);
    unsigned char *elements;
    size_t count;
    char **items;

    raw_get(transfer, member->quantifier_offset, &count, sizeof(count));
    raw_get(transfer, member->offset, &elements, sizeof(elements));
    items = transfer_alloc(transfer, count + 1, sizeof(*items));
    if (items == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        char *item = string_in(elements + i * element_size(is_text(field)), is_text(field));

        items[i] = item == NULL ? empty : item;
    }
    msg_set_list(message, field, (struct msg_list){items, count});
    return true;
}

static bool numbers_decode(struct transfer *transfer, const struct msg_field *field,
                           struct message *message)
{
    const ProtobufCFieldDescriptor *member = member_find(transfer, field);
    struct msg_numbers numbers;

    raw_get(transfer, member->quantifier_offset, &numbers.count, sizeof(numbers.count));
    raw_get(transfer, member->offset, &numbers.items, sizeof(numbers.items));
    msg_set_numbers(message, field, numbers);
    return true;
}

static bool number_encode(struct transfer *transfer, const struct msg_field *field,
                          struct message *message)
{
    uint32_t value = msg_get_number(message, field);

    raw_set(transfer, member_find(transfer, field)->offset, &value, sizeof(value));
    return true;
}

static bool string_encode(struct transfer *transfer, const struct msg_field *field,
                          struct message *message)
{
    const char *given = msg_get_string(message, field);
    char *string;

    if (given != NULL) {
        /* protobuf-c's structs are not const, though packing only reads them. */
        memcpy(&string, &given, sizeof(string));
        string_out(transfer->raw + member_find(transfer, field)->offset, is_text(field), string);
    }
    return true;
}

static bool list_encode(struct transfer *transfer, const struct msg_field *field,
                        struct message *message)
{
    const ProtobufCFieldDescriptor *member = member_find(transfer, field);
    struct msg_list list = msg_get_list(message, field);
    size_t size = element_size(is_text(field));
    unsigned char *elements = transfer_alloc(transfer, list.count, size);

    if (elements == NULL) {
        return false;
    }
    for (size_t i = 0; i < list.count; i++) {
        string_out(elements + i * size, is_text(field), list.items[i]);
    }
    raw_set(transfer, member->quantifier_offset, &list.count, sizeof(list.count));
    raw_set(transfer, member->offset, &elements, sizeof(elements));
    return true;
}

static bool numbers_encode(struct transfer *transfer, const struct msg_field *field,
                           struct message *message)
{
    const ProtobufCFieldDescriptor *member = member_find(transfer, field);
    struct msg_numbers numbers = msg_get_numbers(message, field);

    raw_set(transfer, member->quantifier_offset, &numbers.count, sizeof(numbers.count));
    raw_set(transfer, member->offset, &numbers.items, sizeof(numbers.items));
    return true;
}

/* One way for a kind of field; false: the arena refused, transfer->err says why. */
typedef bool (*member_copy)(struct transfer *transfer, const struct msg_field *field,
                            struct message *message);

static const member_copy decoders[] = {
    [MSG_BOOL] = number_decode,     [MSG_NUMBER] = number_decode,
    [MSG_ENUM] = number_decode,     [MSG_TEXT] = string_decode,
    [MSG_BYTES] = string_decode,    [MSG_TEXT_LIST] = list_decode,
    [MSG_BYTES_LIST] = list_decode, [MSG_NUMBER_LIST] = numbers_decode,
};

static const member_copy encoders[] = {
    [MSG_BOOL] = number_encode,     [MSG_NUMBER] = number_encode,
    [MSG_ENUM] = number_encode,     [MSG_TEXT] = string_encode,
    [MSG_BYTES] = string_encode,    [MSG_TEXT_LIST] = list_encode,
    [MSG_BYTES_LIST] = list_encode, [MSG_NUMBER_LIST] = numbers_encode,
};

static bool transfer_all(struct transfer *transfer, const member_copy *copies,
                         const struct msg_shape *shape, struct message *message)
{
    for (size_t i = 0; i < shape->field_count; i++) {
        if (!copies[shape->fields[i].kind](transfer, &shape->fields[i], message)) {
            return false;
        }
    }
    return true;
}

static enum cordon_err exhausted(enum cordon_err err, const struct msg_shape *shape,
                                 struct cordon_fault *fault)
{
    return fault_set(fault, err, NULL, "no memory left for a %s message",
                     frame_type_name((uint32_t)shape->type));
}

static enum cordon_err unpack(struct transfer *transfer, const struct msg_shape *shape,
                              const void *body, size_t body_len, struct cordon_fault *fault)
{
    ProtobufCAllocator allocator = {allocator_alloc, allocator_free, transfer};
    ProtobufCMessage *raw =
        protobuf_c_message_unpack(transfer->descriptor, &allocator, body_len, body);

    if (raw == NULL && transfer->err != CORDON_OK) {
        return exhausted(transfer->err, shape, fault);
    }
    if (raw == NULL) {
        return fault_set(fault, CORDON_E_PROTO, NULL, "%s is not a message",
                         frame_type_name((uint32_t)shape->type));
    }
    transfer->raw = (unsigned char *)raw;
    return CORDON_OK;
}

enum cordon_err msg_decode(enum cordon_msg_type type, const void *body, size_t body_len,
                           struct arena *arena, struct message *ret_message,
                           struct cordon_fault *fault)
{
    const struct msg_shape *shape = msg_shape_find(type);
    struct transfer transfer = {descriptor_find(type), NULL, arena, CORDON_OK};
    struct message message = {.type = type};
    enum cordon_err err;

    if (shape == NULL) {
        return fault_set(fault, CORDON_E_PROTO, NULL, "message type %u is unknown", (unsigned)type);
    }
    if (body_len > frame_rule_find((uint32_t)type)->body_max) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "%s of %zu bytes is over its cap",
                         frame_type_name((uint32_t)type), body_len);
    }
    err = wire_check(shape, body, body_len, &message.unknown, fault);
    if (err == CORDON_OK) {
        err = unpack(&transfer, shape, body, body_len, fault);
    }
    if (err != CORDON_OK) {
        return err;
    }
    if (!transfer_all(&transfer, decoders, shape, &message)) {
        return exhausted(transfer.err, shape, fault);
    }
    err = validate_message(shape, &message, fault);
    if (err == CORDON_OK) {
        *ret_message = message;
    }
    return err;
}

struct pack_buffer {
    ProtobufCBuffer base; /* first: protobuf-c hands its address back */
    struct strbuf *out;
};

static void pack_append(ProtobufCBuffer *buffer, size_t len, const uint8_t *data)
{
    struct pack_buffer *pack = (struct pack_buffer *)buffer;

    strbuf_add(pack->out, (const char *)data, len);
}

static enum cordon_err pack(const struct transfer *transfer, const struct msg_shape *shape,
                            struct strbuf *out, struct cordon_fault *fault)
{
    const ProtobufCMessage *raw = (const ProtobufCMessage *)(const void *)transfer->raw;
    struct pack_buffer buffer = {{pack_append}, out};
    size_t before = out->len;
    uint32_t cap = frame_rule_find((uint32_t)shape->type)->body_max;

    (void)protobuf_c_message_pack_to_buffer(raw, &buffer.base);
    if (out->failed) {
        out->len = before;
        return exhausted(CORDON_E_NOMEM, shape, fault);
    }
    if (out->len - before > cap) {
        out->len = before;
        return fault_set(fault, CORDON_E_LIMIT, NULL, "%s is over its cap of %u bytes",
                         frame_type_name((uint32_t)shape->type), cap);
    }
    return CORDON_OK;
}

enum cordon_err msg_encode(const struct message *message, struct strbuf *out,
                           struct cordon_fault *fault)
{
    const struct msg_shape *shape = msg_shape_find(message->type);
    struct transfer transfer = {descriptor_find(message->type), NULL, NULL, CORDON_OK};
    struct message copy = *message;
    struct arena arena;
    enum cordon_err err;

    if (shape == NULL) {
        return fault_set(fault, CORDON_E_PROTO, NULL, "message type %u is unknown",
                         (unsigned)message->type);
    }
    err = validate_message(shape, message, fault);
    if (err != CORDON_OK) {
        return err;
    }
    arena_init(&arena, MSG_ARENA_MAX);
    transfer.arena = &arena;
    transfer.raw = transfer_alloc(&transfer, 1, transfer.descriptor->sizeof_message);
    if (transfer.raw != NULL) {
        protobuf_c_message_init(transfer.descriptor, transfer.raw);
    }
    if (transfer.raw == NULL || !transfer_all(&transfer, encoders, shape, &copy)) {
        err = exhausted(transfer.err, shape, fault);
    } else {
        err = pack(&transfer, shape, out, fault);
    }
    arena_deinit(&arena);
    return err;
}

size_t msg_fd_count(const struct message *message)
{
    if (message->type == CORDON_MSG_SPAWN) {
        return SPAWN_FD_EXTRA + message->u.spawn.fd_targets.count;
    }
    if (message->type == CORDON_MSG_STARTED) {
        return message->u.started.terminal ? 1 : 0;
    }
    return message->type == CORDON_MSG_PLAN ? 1 : 0;
}
