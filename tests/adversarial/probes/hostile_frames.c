/* SPDX-License-Identifier: Apache-2.0 */
#include "hostile_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/frame.h"

static void little(struct strbuf *out, uint32_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++) {
        char byte = (char)(value >> (8 * i));

        strbuf_add(out, &byte, 1);
    }
}

void header_add(struct strbuf *out, uint32_t magic, uint16_t version, uint16_t type, uint32_t id,
                uint32_t length)
{
    little(out, magic, 4);
    little(out, version, 2);
    little(out, type, 2);
    little(out, id, 4);
    little(out, length, 4);
}

static void raw_frame(struct strbuf *out, uint16_t type, const char *body, size_t len)
{
    header_add(out, FRAME_MAGIC, FRAME_VERSION, type, 2, (uint32_t)len);
    strbuf_add(out, body, len);
}

void frame_add(struct strbuf *out, uint32_t id, const struct message *message)
{
    struct strbuf body = STRBUF_INIT;
    struct cordon_fault fault;

    if (msg_encode(message, &body, &fault) != CORDON_OK) {
        (void)fprintf(stderr, "encode: %s\n", fault.text);
        exit(70);
    }
    header_add(out, FRAME_MAGIC, FRAME_VERSION, (uint16_t)message->type, id, (uint32_t)body.len);
    strbuf_add(out, strbuf_text(&body), body.len);
    strbuf_deinit(&body);
}

static void hello_add(struct script *script)
{
    struct message hello = {.type = CORDON_MSG_HELLO};

    hello.u.hello.protocol_min = CORDON_PROTOCOL_VERSION;
    hello.u.hello.protocol_max = CORDON_PROTOCOL_VERSION;
    hello.u.hello.client_version = "hostile";
    frame_add(&script->bytes, 1, &hello);
}

static void spawn_of(struct script *script, char *const *argv, size_t argc)
{
    static char path[] = "PATH=/usr/bin:/bin";
    static char *const env[] = {path, NULL};
    struct message spawn = {.type = CORDON_MSG_SPAWN};

    spawn.u.spawn.argv = (struct msg_list){argv, argc};
    spawn.u.spawn.env = (struct msg_list){env, 1};
    script->fds_at = script->bytes.len;
    script->fd_count = SPAWN_FD_EXTRA;
    frame_add(&script->bytes, 2, &spawn);
}

static void spawn_add(struct script *script)
{
    static char sleep_word[] = "sleep";
    static char seconds[] = "42.5";
    static char *const argv[] = {sleep_word, seconds, NULL};

    spawn_of(script, argv, 2);
}

void script_good(struct script *script)
{
    hello_add(script);
    spawn_add(script);
}

void script_spawn(struct script *script, char *const *argv, size_t argc)
{
    spawn_of(script, argv, argc);
}

void script_hello(struct script *script)
{
    hello_add(script);
}

/* ---- malformed conversations ---- */

static void truncated_header(struct script *script)
{
    strbuf_add(&script->bytes, "CRDN\1", 5);
    script->half_closed = true;
}

static void wrong_magic(struct script *script)
{
    header_add(&script->bytes, 0xdeadbeef, FRAME_VERSION, CORDON_MSG_HELLO, 1, 0);
}

static void wrong_version(struct script *script)
{
    header_add(&script->bytes, FRAME_MAGIC, 9, CORDON_MSG_HELLO, 1, 0);
}

static void unknown_type(struct script *script)
{
    hello_add(script);
    header_add(&script->bytes, FRAME_MAGIC, FRAME_VERSION, 4242, 2, 0);
}

static void reply_as_request(struct script *script)
{
    hello_add(script);
    header_add(&script->bytes, FRAME_MAGIC, FRAME_VERSION, CORDON_MSG_STARTED, 2, 0);
}

static void id_zero(struct script *script)
{
    hello_add(script);
    header_add(&script->bytes, FRAME_MAGIC, FRAME_VERSION, CORDON_MSG_STATUS, 0, 0);
}

static void length_two_gib(struct script *script)
{
    hello_add(script);
    header_add(&script->bytes, FRAME_MAGIC, FRAME_VERSION, CORDON_MSG_SPAWN, 2, 0x80000000U);
}

static void length_all_ones(struct script *script)
{
    header_add(&script->bytes, FRAME_MAGIC, FRAME_VERSION, CORDON_MSG_HELLO, 1, 0xffffffffU);
}

static void truncated_body(struct script *script)
{
    hello_add(script);
    spawn_add(script);
    script->bytes.len -= 3;
    script->half_closed = true;
}

static void noise(struct script *script)
{
    char body[4096];

    for (size_t i = 0; i < sizeof(body); i++) {
        body[i] = (char)(i * 2654435761U >> 13);
    }
    hello_add(script);
    raw_frame(&script->bytes, CORDON_MSG_SPAWN, body, sizeof(body));
}

/* Groups nest without a length: 100 000 open ones. */
static void deep_nesting(struct script *script)
{
    static char body[100000];

    memset(body, (15 << 3) | 3, sizeof(body));
    hello_add(script);
    raw_frame(&script->bytes, CORDON_MSG_SPAWN, body, sizeof(body));
}

/* Field 1 of HELLO, 100 000 times. */
static void duplicated_fields(struct script *script)
{
    static char body[64000];

    for (size_t i = 0; i < sizeof(body); i += 2) {
        body[i] = 1 << 3;
        body[i + 1] = 1;
    }
    raw_frame(&script->bytes, CORDON_MSG_HELLO, body, sizeof(body));
}

static void many_unknown_fields(struct script *script)
{
    struct strbuf body = STRBUF_INIT;

    for (size_t i = 0; i < 4000; i++) {
        strbuf_add(&body, "\xf8\x7f\x01", 3); /* field 2047, a varint */
    }
    raw_frame(&script->bytes, CORDON_MSG_HELLO, strbuf_text(&body), body.len);
    strbuf_deinit(&body);
}

/* A repeated string field of SPAWN: @count items of @len bytes with @byte in them. */
static void spawn_with_items(struct script *script, size_t count, const char *item, size_t len)
{
    struct strbuf body = STRBUF_INIT;

    for (size_t i = 0; i < count; i++) {
        char head[2] = {(1 << 3) | 2, (char)len};

        strbuf_add(&body, head, 2);
        strbuf_add(&body, item, len);
    }
    hello_add(script);
    script->fds_at = script->bytes.len;
    script->fd_count = SPAWN_FD_EXTRA;
    raw_frame(&script->bytes, CORDON_MSG_SPAWN, strbuf_text(&body), body.len);
    strbuf_deinit(&body);
}

static void nul_in_an_argument(struct script *script)
{
    spawn_with_items(script, 1, "tr\0ue", 5);
}

static void million_arguments(struct script *script)
{
    spawn_with_items(script, 1000000, "x", 1);
}

static void no_arguments(struct script *script)
{
    spawn_with_items(script, 0, "", 0);
}

static void empty_command(struct script *script)
{
    spawn_with_items(script, 1, "", 0);
}

static void bad_utf8(struct script *script)
{
    /* client_version, field 3 of HELLO */
    raw_frame(&script->bytes, CORDON_MSG_HELLO, "\x08\x01\x10\x01\x1a\x02\xc3\x28", 8);
}

static void spawn_before_hello(struct script *script)
{
    spawn_add(script);
}

static void second_hello(struct script *script)
{
    hello_add(script);
    hello_add(script);
}

static void no_descriptors(struct script *script)
{
    script_good(script);
    script->fd_count = 0;
}

static void too_few_descriptors(struct script *script)
{
    script_good(script);
    script->fd_count = 2;
}

static void too_many_descriptors(struct script *script)
{
    script_good(script);
    script->fd_count = 200;
}

static void descriptors_with_hello(struct script *script)
{
    hello_add(script);
    script->fds_at = 0;
    script->fd_count = 100;
}

static void future_protocol(struct script *script)
{
    raw_frame(&script->bytes, CORDON_MSG_HELLO, "\x08\x63\x10\x63\x1a\x01x", 7);
}

static void kill_before_hello(struct script *script)
{
    raw_frame(&script->bytes, CORDON_MSG_KILL,
              "\x0a\x01"
              "1\x10\x09",
              5);
}

static void kill_of_no_signal(struct script *script)
{
    hello_add(script);
    raw_frame(&script->bytes, CORDON_MSG_KILL,
              "\x0a\x01"
              "1\x10\x41",
              5);
}

static void kill_of_no_job(struct script *script)
{
    hello_add(script);
    raw_frame(&script->bytes, CORDON_MSG_KILL, "\x10\x09", 2);
}

/* The numbers of jobs as another would write them are none of ours. */
static void kill_of_an_odd_job(struct script *script)
{
    hello_add(script);
    raw_frame(&script->bytes, CORDON_MSG_KILL, "\x0a\x05../ 1\x10\x09", 9);
}

static void unknown_report(struct script *script)
{
    hello_add(script);
    raw_frame(&script->bytes, CORDON_MSG_STATUS, "\x08\x07", 2);
}

static const struct {
    const char *name;
    void (*make)(struct script *script);
} bad[] = {
    {"truncated header", truncated_header},
    {"wrong magic", wrong_magic},
    {"wrong framing version", wrong_version},
    {"unknown type", unknown_type},
    {"a reply as request", reply_as_request},
    {"request id 0", id_zero},
    {"length 2^31", length_two_gib},
    {"length 2^32-1", length_all_ones},
    {"truncated body", truncated_body},
    {"noise", noise},
    {"deep nesting", deep_nesting},
    {"duplicated fields", duplicated_fields},
    {"many unknown fields", many_unknown_fields},
    {"NUL in an argument", nul_in_an_argument},
    {"a million arguments", million_arguments},
    {"no arguments", no_arguments},
    {"empty command", empty_command},
    {"bad UTF-8", bad_utf8},
    {"SPAWN before HELLO", spawn_before_hello},
    {"a second HELLO", second_hello},
    {"no descriptors", no_descriptors},
    {"too few descriptors", too_few_descriptors},
    {"too many descriptors", too_many_descriptors},
    {"descriptors with HELLO", descriptors_with_hello},
    {"a future protocol", future_protocol},
    {"KILL before HELLO", kill_before_hello},
    {"KILL with no signal", kill_of_no_signal},
    {"KILL of no job", kill_of_no_job},
    {"KILL of an odd job", kill_of_an_odd_job},
    {"STATUS of an unknown report", unknown_report},
};

bool script_bad(size_t index, struct script *script, const char **ret_name)
{
    if (index >= sizeof(bad) / sizeof(bad[0])) {
        return false;
    }
    *ret_name = bad[index].name;
    bad[index].make(script);
    return true;
}
