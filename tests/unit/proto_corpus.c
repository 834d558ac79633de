/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seeds of fuzz_codec and fuzz_frame. "proto_corpus check DIR" fails when a
 * seed in DIR/codec or DIR/frame is missing or old; "write" writes them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/frame.h"
#include "proto_samples.h"

struct corpus {
    const char *dir;
    bool write;
    int failed;
};

static void add_byte(struct strbuf *out, unsigned value)
{
    char byte = (char)(unsigned char)value;

    strbuf_add(out, &byte, 1);
}

static bool same_file(const char *path, const struct strbuf *want)
{
    static char have[65536];
    FILE *file = fopen(path, "rbe");
    size_t len;

    if (file == NULL) {
        return false;
    }
    len = fread(have, 1, sizeof(have), file);
    (void)fclose(file);
    return len == want->len && memcmp(have, want->data, len) == 0;
}

static bool write_file(const char *path, const struct strbuf *seed)
{
    FILE *file = fopen(path, "wbe");
    bool written;

    if (file == NULL) {
        return false;
    }
    written = fwrite(seed->data, 1, seed->len, file) == seed->len;
    return fclose(file) == 0 && written;
}

static void put(struct corpus *corpus, const char *kind, const char *name, struct strbuf *seed)
{
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s/%s/%s", corpus->dir, kind, name);
    if (corpus->write ? !write_file(path, seed) : !same_file(path, seed)) {
        (void)fprintf(stderr, "%s: %s\n", path, corpus->write ? "cannot write" : "old or missing");
        corpus->failed = 1;
    }
    strbuf_deinit(seed);
}

static void body_of(size_t index, struct strbuf *out)
{
    struct message message = sample_message(index);
    struct cordon_fault fault;

    if (msg_encode(&message, out, &fault) != CORDON_OK) {
        (void)fprintf(stderr, "%s\n", fault.text);
        exit(1);
    }
}

/* @frame in pieces of @piece bytes, its descriptors with the first. */
static void add_pieces(struct strbuf *out, const struct strbuf *frame, size_t piece, size_t fds)
{
    for (size_t at = 0; at < frame->len; at += piece) {
        size_t len = frame->len - at < piece ? frame->len - at : piece;

        add_byte(out, (unsigned)len);
        add_byte(out, at == 0 ? (unsigned)fds : 0);
        strbuf_add(out, frame->data + at, len);
    }
}

static void frame_of(size_t index, struct strbuf *out)
{
    struct strbuf body = STRBUF_INIT;
    unsigned char bytes[FRAME_HEADER_SIZE];
    struct frame_header header = {frame_rule_at(index)->type, 1, 0};

    body_of(index, &body);
    header.length = (uint32_t)body.len;
    frame_header_encode(&header, bytes);
    strbuf_add(out, (const char *)bytes, sizeof(bytes));
    strbuf_add(out, strbuf_text(&body), body.len);
    strbuf_deinit(&body);
}

static void put_samples(struct corpus *corpus)
{
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        struct message message = sample_message(i);
        const struct frame_rule *rule = frame_rule_at(i);
        struct strbuf codec = STRBUF_INIT;
        struct strbuf whole = STRBUF_INIT;
        struct strbuf frame = STRBUF_INIT;

        add_byte(&codec, (unsigned)i);
        body_of(i, &codec);
        put(corpus, "codec", rule->name, &codec);

        add_byte(&whole, rule->direction == FRAME_TO_CLIENT);
        frame_of(i, &frame);
        add_pieces(&whole, &frame, i % 2 == 0 ? 255 : 9, msg_fd_count(&message));
        strbuf_deinit(&frame);
        put(corpus, "frame", rule->name, &whole);
    }
}

/* SPAWN with what a hostile peer would put into it. */
static void put_hostile_bodies(struct corpus *corpus)
{
    struct strbuf seed = STRBUF_INIT;

    add_byte(&seed, 1);
    wire_string(&seed, 1, "a", 1);
    wire_string(&seed, 19, "\x03\x04\x85\x01", 4);
    wire_number(&seed, 19, 6);
    wire_number(&seed, 99, UINT64_MAX);
    wire_tag(&seed, 100, 5);
    strbuf_add(&seed, "1234", 4);
    wire_tag(&seed, 101, 1);
    strbuf_add(&seed, "12345678", 8);
    put(corpus, "codec", "packed-and-unknown", &seed);

    add_byte(&seed, 1);
    wire_string(&seed, 1, "a\0b", 3);
    put(corpus, "codec", "nul", &seed);

    add_byte(&seed, 1);
    wire_tag(&seed, 1, 2);
    wire_varint(&seed, 0x80000000U);
    put(corpus, "codec", "length-2-31", &seed);

    add_byte(&seed, 0);
    wire_number(&seed, 1, 1);
    wire_number(&seed, 2, 2);
    wire_number(&seed, 2, 9);
    for (unsigned i = 0; i < 20; i++) {
        wire_tag(&seed, 60, 3);
    }
    put(corpus, "codec", "repeats-and-groups", &seed);
}

/* Descriptors where none belong, lost ones, and too few. */
static void put_hostile_frames(struct corpus *corpus)
{
    struct strbuf seed = STRBUF_INIT;
    struct strbuf frame = STRBUF_INIT;
    struct strbuf pair = STRBUF_INIT;

    frame_of(4, &frame);
    add_byte(&seed, 0);
    add_pieces(&seed, &frame, 255, 3);
    add_pieces(&seed, &frame, 255, 0);
    put(corpus, "frame", "unclaimed-descriptors", &seed);

    add_byte(&seed, 0);
    add_pieces(&seed, &frame, 8, 0x81);
    put(corpus, "frame", "lost-descriptors", &seed);

    strbuf_add(&pair, frame.data, frame.len);
    frame_of(3, &pair);
    add_byte(&seed, 0);
    add_pieces(&seed, &pair, 20, 1);
    put(corpus, "frame", "two-frames-in-a-piece", &seed);

    memset(frame.data + 12, 0x80, 4);
    add_byte(&seed, 0);
    add_pieces(&seed, &frame, 255, 1);
    put(corpus, "frame", "length-2-31", &seed);
    strbuf_deinit(&frame);
    strbuf_deinit(&pair);
}

int main(int argc, char **argv)
{
    struct corpus corpus = {.failed = 0};

    if (argc != 3) {
        (void)fprintf(stderr, "usage: proto_corpus check|write DIR\n");
        return 2;
    }
    corpus.dir = argv[2];
    corpus.write = strcmp(argv[1], "write") == 0;
    put_samples(&corpus);
    put_hostile_bodies(&corpus);
    put_hostile_frames(&corpus);
    return corpus.failed;
}
