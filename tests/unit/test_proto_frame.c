/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/frame.h"
#include "tests/support/check.h"

static struct cordon_fault fault;

static enum cordon_err decode(const unsigned char *bytes, enum frame_direction direction)
{
    struct frame_header header;

    return frame_header_decode(bytes, direction, &header, &fault);
}

static void header_bytes(enum cordon_msg_type type, uint32_t id, uint32_t length,
                         unsigned char *ret_bytes)
{
    struct frame_header header = {type, id, length};

    frame_header_encode(&header, ret_bytes);
}

TEST(header_is_little_endian_whatever_the_host)
{
    static const unsigned char want[FRAME_HEADER_SIZE] = {'C', 'R', 'D', 'N', 1,    0,    1, 0,
                                                          4,   3,   2,   1,   0x10, 0x02, 0, 0};
    unsigned char bytes[FRAME_HEADER_SIZE];

    header_bytes(CORDON_MSG_HELLO, 0x01020304, 0x210, bytes);
    CHECK(memcmp(bytes, want, sizeof(want)) == 0);
}

TEST(header_survives_encoding_for_every_type)
{
    const struct frame_rule *rule;
    unsigned char bytes[FRAME_HEADER_SIZE];
    struct frame_header header;

    for (size_t i = 0; (rule = frame_rule_at(i)) != NULL; i++) {
        header_bytes(rule->type, 7, rule->body_max, bytes);
        CHECK(frame_header_decode(bytes, rule->direction, &header, &fault) == CORDON_OK);
        CHECK(header.type == rule->type && header.id == 7 && header.length == rule->body_max);
        CHECK_STR(frame_type_name((uint32_t)rule->type), rule->name);
        CHECK(frame_rule_find((uint32_t)rule->type) == rule);
    }
}

TEST(any_wrong_byte_of_magic_or_version_is_refused)
{
    for (size_t i = 0; i < 6; i++) {
        unsigned char bytes[FRAME_HEADER_SIZE];

        header_bytes(CORDON_MSG_STATUS, 1, 0, bytes);
        bytes[i] ^= 0x40;
        CHECK(decode(bytes, FRAME_TO_BROKER) == CORDON_E_PROTO);
    }
}

TEST(a_type_without_a_row_is_refused)
{
    unsigned char bytes[FRAME_HEADER_SIZE];

    for (unsigned type = 0; type <= 0xffff; type++) {
        header_bytes((enum cordon_msg_type)type, 1, 0, bytes);
        if (frame_rule_find(type) == NULL) {
            CHECK(decode(bytes, FRAME_TO_BROKER) == CORDON_E_PROTO);
            CHECK_STR(frame_type_name(type), "unknown");
        }
    }
}

TEST(a_frame_in_the_wrong_direction_is_refused)
{
    const struct frame_rule *rule;
    unsigned char bytes[FRAME_HEADER_SIZE];

    for (size_t i = 0; (rule = frame_rule_at(i)) != NULL; i++) {
        header_bytes(rule->type, 1, 0, bytes);
        CHECK(
            decode(bytes, rule->direction == FRAME_TO_BROKER ? FRAME_TO_CLIENT : FRAME_TO_BROKER) ==
            CORDON_E_PROTO);
    }
}

TEST(request_id_0_is_refused_and_reply_id_0_is_not)
{
    unsigned char bytes[FRAME_HEADER_SIZE];

    header_bytes(CORDON_MSG_STATUS, 0, 0, bytes);
    CHECK(decode(bytes, FRAME_TO_BROKER) == CORDON_E_PROTO);
    header_bytes(CORDON_MSG_FAILED, 0, 0, bytes);
    CHECK(decode(bytes, FRAME_TO_CLIENT) == CORDON_OK);
}

TEST(a_length_over_the_cap_is_a_limit_and_names_the_request)
{
    static const uint32_t over[] = {1, 0x7fffffffU, 0x80000000U, 0xffffffffU};
    const struct frame_rule *rule;
    unsigned char bytes[FRAME_HEADER_SIZE];

    for (size_t i = 0; (rule = frame_rule_at(i)) != NULL; i++) {
        for (size_t j = 0; j < sizeof(over) / sizeof(over[0]); j++) {
            struct frame_header header = {0};

            header_bytes(rule->type, 42, j == 0 ? rule->body_max + 1 : over[j], bytes);
            CHECK(frame_header_decode(bytes, rule->direction, &header, &fault) == CORDON_E_LIMIT);
            CHECK(header.id == 42);
            CHECK(strstr(fault.text, rule->name) != NULL);
        }
    }
}

TEST(no_cap_is_over_the_overall_one)
{
    const struct frame_rule *rule;

    for (size_t i = 0; (rule = frame_rule_at(i)) != NULL; i++) {
        CHECK(rule->body_max <= FRAME_BODY_MAX);
        CHECK(rule->fds_max <= SPAWN_FD_EXTRA + MSG_FD_TARGETS_MAX);
    }
}

TEST_MAIN()
