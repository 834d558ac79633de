/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/frame.h"

#define KIB 1024U

#define TO_BROKER(name, body, fds)                                                                 \
    {                                                                                              \
        CORDON_MSG_##name, #name, FRAME_TO_BROKER, body, fds                                       \
    }
#define TO_CLIENT(name, body, fds)                                                                 \
    {                                                                                              \
        CORDON_MSG_##name, #name, FRAME_TO_CLIENT, body, fds                                       \
    }

static const struct frame_rule rules[] = {
    TO_BROKER(HELLO, KIB, 0),
    TO_BROKER(SPAWN, FRAME_BODY_MAX, SPAWN_FD_EXTRA + MSG_FD_TARGETS_MAX),
    TO_BROKER(SIGNAL, KIB, 0),
    TO_BROKER(PLAN, KIB *KIB, 1),
    TO_BROKER(STATUS, KIB, 0),
    TO_BROKER(BYE, KIB, 0),
    TO_BROKER(VIOLATIONS, KIB, 0),
    TO_BROKER(KILL, KIB, 0),
    TO_BROKER(RELOAD, KIB, 0),
    TO_CLIENT(WELCOME, KIB, 0),
    TO_CLIENT(STARTED, 64 * KIB, 1),
    TO_CLIENT(EXITED, KIB, 0),
    TO_CLIENT(FAILED, 4 * KIB, 0),
    TO_CLIENT(PLAN_TEXT, FRAME_BODY_MAX, 0),
    TO_CLIENT(STATUS_TEXT, 4 * KIB * KIB, 0),
    TO_CLIENT(VIOLATION, 16 * KIB, 0),
    TO_CLIENT(VIOLATIONS_TOLD, KIB, 0),
};

const struct frame_rule *frame_rule_at(size_t index)
{
    return index < sizeof(rules) / sizeof(rules[0]) ? &rules[index] : NULL;
}

const struct frame_rule *frame_rule_find(uint32_t type)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if ((uint32_t)rules[i].type == type) {
            return &rules[i];
        }
    }
    return NULL;
}

const char *frame_type_name(uint32_t type)
{
    const struct frame_rule *rule = frame_rule_find(type);

    return rule == NULL ? "unknown" : rule->name;
}

static void put(unsigned char *at, uint32_t value, unsigned width)
{
    for (unsigned i = 0; i < width; i++) {
        at[i] = (unsigned char)(value >> (8 * i));
    }
}

static uint32_t get(const unsigned char *at, unsigned width)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < width; i++) {
        value |= (uint32_t)at[i] << (8 * i);
    }
    return value;
}

void frame_header_encode(const struct frame_header *header,
                         unsigned char ret_bytes[FRAME_HEADER_SIZE])
{
    put(ret_bytes, FRAME_MAGIC, 4);
    put(ret_bytes + 4, FRAME_VERSION, 2);
    put(ret_bytes + 6, (uint32_t)header->type, 2);
    put(ret_bytes + 8, header->id, 4);
    put(ret_bytes + 12, header->length, 4);
}

enum cordon_err frame_header_decode(const unsigned char bytes[FRAME_HEADER_SIZE],
                                    enum frame_direction direction, struct frame_header *ret_header,
                                    struct cordon_fault *fault)
{
    uint32_t version = get(bytes + 4, 2);
    uint32_t type = get(bytes + 6, 2);
    uint32_t id = get(bytes + 8, 4);
    uint32_t length = get(bytes + 12, 4);
    const struct frame_rule *rule = frame_rule_find(type);

    if (get(bytes, 4) != FRAME_MAGIC) {
        return fault_set(fault, CORDON_E_PROTO, NULL, "the peer does not speak cordon's protocol");
    }
    if (version != FRAME_VERSION) {
        return fault_set(fault, CORDON_E_PROTO, "install the same version of cordon and cordond",
                         "framing version %u, this program speaks %u", version, FRAME_VERSION);
    }
    if (rule == NULL || rule->direction != direction) {
        return fault_set(fault, CORDON_E_PROTO, NULL, "message type %u is not expected here", type);
    }
    if (id == 0 && direction == FRAME_TO_BROKER) {
        return fault_set(fault, CORDON_E_PROTO, NULL, "%s has request id 0", rule->name);
    }
    *ret_header = (struct frame_header){rule->type, id, length};
    if (length > rule->body_max) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "%s of %u bytes is over its cap of %u",
                         rule->name, length, rule->body_max);
    }
    return CORDON_OK;
}
