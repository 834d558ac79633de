/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies as a hostile peer writes them: no encoder of ours makes these. */
#include "proto/codec.h"
#include "proto/fields.h"
#include "proto/wire.h"
#include "proto_samples.h"
#include "tests/support/check.h"

static struct cordon_fault fault;

/* Decodes and frees @body; *ret_message keeps only what needs no arena. */
static enum cordon_err decode(enum cordon_msg_type type, struct strbuf *body,
                              struct message *ret_message)
{
    struct arena arena;
    enum cordon_err err;

    CHECK(!body->failed);
    arena_init(&arena, MSG_ARENA_MAX);
    err = msg_decode(type, body->data, body->len, &arena, ret_message, &fault);
    arena_deinit(&arena);
    strbuf_deinit(body);
    return err;
}

static enum cordon_err verdict(enum cordon_msg_type type, struct strbuf *body)
{
    struct message message;

    return decode(type, body, &message);
}

static struct strbuf hello(void)
{
    struct strbuf body = STRBUF_INIT;

    wire_number(&body, 1, 1);
    wire_number(&body, 2, 1);
    return body;
}

static struct strbuf spawn(void)
{
    struct strbuf body = STRBUF_INIT;

    wire_string(&body, 1, "true", 4);
    return body;
}

TEST(an_empty_body_is_a_status_and_a_bye_but_no_hello)
{
    struct strbuf body = STRBUF_INIT;

    CHECK(verdict(CORDON_MSG_STATUS, &body) == CORDON_OK);
    CHECK(verdict(CORDON_MSG_BYE, &body) == CORDON_OK);
    CHECK(verdict(CORDON_MSG_HELLO, &body) == CORDON_E_INVALID);
}

TEST(the_last_of_a_repeated_singular_field_counts)
{
    struct strbuf body = hello();
    struct message message;

    wire_number(&body, 2, 9);
    CHECK(decode(CORDON_MSG_HELLO, &body, &message) == CORDON_OK);
    CHECK(message.u.hello.protocol_max == 9 && message.unknown == 0);
}

TEST(endless_repetition_of_a_singular_field_is_a_limit)
{
    struct strbuf body = hello();

    for (unsigned i = 0; i <= MSG_REPEAT_MAX; i++) {
        wire_number(&body, 1, 1);
    }
    CHECK(verdict(CORDON_MSG_HELLO, &body) == CORDON_E_LIMIT);
}

TEST(unknown_fields_of_every_wire_type_are_skipped_and_counted)
{
    struct strbuf body = hello();
    struct message message;

    wire_number(&body, 99, UINT64_MAX);
    wire_string(&body, 100, "a\0b", 3);
    wire_tag(&body, 536870911, 5);
    strbuf_add(&body, "1234", 4);
    wire_tag(&body, 4, 1);
    strbuf_add(&body, "12345678", 8);
    CHECK(decode(CORDON_MSG_HELLO, &body, &message) == CORDON_OK);
    CHECK(message.unknown == 4);
}

TEST(too_many_unknown_fields_are_a_limit)
{
    struct strbuf body = hello();

    for (unsigned i = 0; i < MSG_UNKNOWN_MAX; i++) {
        wire_number(&body, 50 + i, 1);
    }
    CHECK(verdict(CORDON_MSG_HELLO, &body) == CORDON_OK);
    body = hello();
    for (unsigned i = 0; i <= MSG_UNKNOWN_MAX; i++) {
        wire_number(&body, 50, 1);
    }
    CHECK(verdict(CORDON_MSG_HELLO, &body) == CORDON_E_LIMIT);
}

TEST(groups_and_wire_types_that_do_not_exist_are_refused)
{
    static const uint32_t types[] = {3, 4, 6, 7};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct strbuf body = hello();

        wire_tag(&body, 77, types[i]);
        wire_varint(&body, 0);
        CHECK(verdict(CORDON_MSG_HELLO, &body) == CORDON_E_PROTO);
    }
}

TEST(deep_nesting_in_an_unknown_field_costs_nothing)
{
    struct strbuf body = hello();
    struct strbuf inner = STRBUF_INIT;

    for (unsigned i = 0; i < 200; i++) {
        struct strbuf outer = STRBUF_INIT;

        wire_string(&outer, 60, strbuf_text(&inner), inner.len);
        strbuf_deinit(&inner);
        inner = outer;
    }
    strbuf_add(&body, inner.data, inner.len);
    strbuf_deinit(&inner);
    CHECK(verdict(CORDON_MSG_HELLO, &body) == CORDON_OK);
    body = hello();
    for (unsigned i = 0; i < 400; i++) {
        wire_tag(&body, 60, 3);
    }
    CHECK(verdict(CORDON_MSG_HELLO, &body) == CORDON_E_PROTO);
}

TEST(a_known_field_of_another_wire_type_is_refused)
{
    for (uint32_t wire = 1; wire <= 7; wire++) {
        struct strbuf body = hello();

        wire_tag(&body, 1, wire);
        strbuf_add(&body, "\0\0\0\0\0\0\0\0", 8);
        CHECK(verdict(CORDON_MSG_HELLO, &body) == CORDON_E_PROTO);
        if (wire != 2) {
            body = spawn();
            wire_tag(&body, 1, wire);
            strbuf_add(&body, "\0\0\0\0\0\0\0\0", 8);
            CHECK(verdict(CORDON_MSG_SPAWN, &body) == CORDON_E_PROTO);
        }
    }
}

TEST(tags_that_are_no_field_are_refused)
{
    static const uint64_t tags[] = {0, 2, 7, 0x100000000ULL, UINT64_MAX};

    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        struct strbuf body = hello();

        wire_varint(&body, tags[i]);
        wire_varint(&body, 0);
        CHECK(verdict(CORDON_MSG_HELLO, &body) == CORDON_E_PROTO);
    }
}

TEST(a_tag_spelled_in_more_bytes_than_protobuf_c_reads_is_refused)
{
    struct strbuf body = hello();

    strbuf_add(&body, "\x98\x80\x80\x80\x80\x00\x01", 7);
    CHECK(verdict(CORDON_MSG_HELLO, &body) == CORDON_E_PROTO);
}

TEST(a_varint_without_end_is_refused)
{
    struct strbuf body = STRBUF_INIT;

    wire_tag(&body, 1, 0);
    strbuf_add(&body, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12);
    CHECK(verdict(CORDON_MSG_HELLO, &body) == CORDON_E_PROTO);
}

TEST(numbers_over_32_bits_are_refused_and_not_cut)
{
    struct strbuf body = hello();

    wire_number(&body, 2, 0x100000001ULL);
    CHECK(verdict(CORDON_MSG_HELLO, &body) == CORDON_E_PROTO);
}

TEST(enum_values_not_listed_are_refused)
{
    struct strbuf body = spawn();

    wire_number(&body, 6, 4);
    CHECK(verdict(CORDON_MSG_SPAWN, &body) == CORDON_E_INVALID);
    body = spawn();
    wire_number(&body, 6, UINT64_MAX);
    CHECK(verdict(CORDON_MSG_SPAWN, &body) == CORDON_E_PROTO);
    body = spawn();
    wire_number(&body, 6, UINT32_MAX);
    CHECK(verdict(CORDON_MSG_SPAWN, &body) == CORDON_E_INVALID);
}

TEST(a_nul_in_any_string_is_refused)
{
    static const uint32_t fields[] = {1, 2, 3, 4, 5, 7, 8, 9, 10};

    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        struct strbuf body = spawn();

        wire_string(&body, fields[i], "a\0b", 3);
        CHECK(verdict(CORDON_MSG_SPAWN, &body) == CORDON_E_PROTO);
        CHECK(strstr(fault.text, "NUL") != NULL);
    }
}

TEST(text_that_is_not_utf8_is_refused_and_bytes_are_not_asked)
{
    struct strbuf body = spawn();

    wire_string(&body, 7, "/\xff", 2);
    wire_string(&body, 2, "A=\xff", 3);
    CHECK(verdict(CORDON_MSG_SPAWN, &body) == CORDON_OK);
    body = spawn();
    wire_string(&body, 3, "\xff", 1);
    CHECK(verdict(CORDON_MSG_SPAWN, &body) == CORDON_E_INVALID);
    body = spawn();
    wire_string(&body, 5, "k=\xc0\x80", 4);
    CHECK(verdict(CORDON_MSG_SPAWN, &body) == CORDON_E_INVALID);
}

TEST(lengths_far_over_the_body_are_refused)
{
    static const uint64_t lengths[] = {5,           0x7fffffffU, 0x80000000U,
                                       0xffffffffU, 1ULL << 62,  UINT64_MAX};

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (uint32_t field = 1; field <= 60; field += 1) {
            struct strbuf body = spawn();

            wire_tag(&body, field, 2);
            wire_varint(&body, lengths[i]);
            strbuf_add(&body, "abcd", 4);
            CHECK(verdict(CORDON_MSG_SPAWN, &body) == CORDON_E_PROTO);
        }
    }
}

TEST(a_million_arguments_are_a_limit)
{
    struct strbuf body = STRBUF_INIT;

    for (unsigned i = 0; i < 1000000; i++) {
        wire_string(&body, 1, "x", 1);
    }
    CHECK(verdict(CORDON_MSG_SPAWN, &body) == CORDON_E_LIMIT);
    CHECK(strstr(fault.text, "argv") != NULL);
}

TEST(as_many_empty_strings_as_the_caps_allow_decode_within_the_arena)
{
    struct strbuf body = spawn();

    for (unsigned i = 0; i < 65535; i++) {
        wire_string(&body, 1, "", 0);
        wire_string(&body, 2, "", 0);
    }
    CHECK(verdict(CORDON_MSG_SPAWN, &body) == CORDON_OK);
}

TEST(an_overlong_argument_is_a_limit_before_it_is_copied)
{
    struct strbuf body = spawn();
    char *text = calloc(1, 131073);

    CHECK(text != NULL);
    memset(text, 'x', 131072);
    wire_string(&body, 1, text, 131072);
    CHECK(verdict(CORDON_MSG_SPAWN, &body) == CORDON_E_LIMIT);
    body = spawn();
    wire_string(&body, 1, text, 131071);
    CHECK(verdict(CORDON_MSG_SPAWN, &body) == CORDON_OK);
    free(text);
}

TEST(numbers_of_a_list_come_packed_or_single)
{
    struct strbuf body = spawn();
    struct message message;

    wire_string(&body, 19, "\x03\x04\x85\x01", 4);
    wire_number(&body, 19, 6);
    CHECK(decode(CORDON_MSG_SPAWN, &body, &message) == CORDON_OK);
    CHECK(message.u.spawn.fd_targets.count == 4);
    CHECK(msg_fd_count(&message) == 8);
}

TEST(packed_numbers_are_counted_checked_and_whole)
{
    struct strbuf body = spawn();
    char many[MSG_FD_TARGETS_MAX + 1];

    memset(many, 3, sizeof(many));
    wire_string(&body, 19, many, sizeof(many));
    CHECK(verdict(CORDON_MSG_SPAWN, &body) == CORDON_E_LIMIT);
    body = spawn();
    wire_string(&body, 19, "\x03\x80", 2);
    CHECK(verdict(CORDON_MSG_SPAWN, &body) == CORDON_E_PROTO);
    body = spawn();
    wire_tag(&body, 19, 2);
    wire_varint(&body, 9);
    CHECK(verdict(CORDON_MSG_SPAWN, &body) == CORDON_E_PROTO);
    body = spawn();
    wire_tag(&body, 13, 2);
    wire_varint(&body, 0);
    CHECK(verdict(CORDON_MSG_SPAWN, &body) == CORDON_E_PROTO);
}

TEST(endless_empty_packed_lists_are_a_limit)
{
    struct strbuf body = spawn();

    for (unsigned i = 0; i <= MSG_REPEAT_MAX; i++) {
        wire_string(&body, 19, "", 0);
    }
    CHECK(verdict(CORDON_MSG_SPAWN, &body) == CORDON_E_LIMIT);
}

TEST(a_body_over_the_cap_and_a_type_without_a_shape_are_refused)
{
    struct strbuf body = hello();
    struct arena arena;
    struct message message;

    arena_init(&arena, MSG_ARENA_MAX);
    CHECK(msg_decode(CORDON_MSG_HELLO, body.data, 1025, &arena, &message, &fault) ==
          CORDON_E_LIMIT);
    CHECK(msg_decode((enum cordon_msg_type)99, body.data, body.len, &arena, &message, &fault) ==
          CORDON_E_PROTO);
    arena_deinit(&arena);
    strbuf_deinit(&body);
}

TEST(random_bodies_never_crash_and_never_decode_out_of_caps)
{
    uint32_t seed = 1;

    for (unsigned round = 0; round < 20000; round++) {
        struct strbuf body = STRBUF_INIT;
        size_t index = round % SAMPLE_COUNT;
        struct message message = sample_message(index);

        CHECK(msg_encode(&message, &body, &fault) == CORDON_OK);
        for (unsigned i = 0; i < 3 && body.len > 0; i++) {
            seed = seed * 1664525U + 1013904223U;
            body.data[(seed >> 8) % body.len] = (char)(seed >> 24);
        }
        (void)verdict(message.type, &body);
    }
}

TEST_MAIN()
