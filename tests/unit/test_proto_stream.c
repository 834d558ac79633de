/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors are plain numbers here: the test counts who was told to close which. */
#include "proto/codec.h"
#include "proto/stream.h"
#include "proto_samples.h"
#include "tests/support/check.h"

#define FD_NUMBERS 4096

static struct cordon_fault fault;
static unsigned char closed[FD_NUMBERS];

static void count_close(void *context, int fd)
{
    CHECK(context == closed && fd >= 0 && fd < FD_NUMBERS);
    closed[fd]++;
}

static struct stream stream_new(enum frame_direction reads, size_t out_max)
{
    struct stream_config config = {reads, out_max, count_close, closed};
    struct stream stream;

    memset(closed, 0, sizeof(closed));
    stream_init(&stream, &config);
    return stream;
}

/* The frames of @count requests (spawn, status, plan, ...) as bytes. */
static struct strbuf frame_of(const struct message *message, uint32_t id)
{
    struct stream stream = stream_new(FRAME_TO_BROKER, SIZE_MAX);
    struct strbuf bytes = STRBUF_INIT;
    struct stream_pending pending;
    int fds[80] = {0};
    struct stream_fds along = {fds, msg_fd_count(message)};

    CHECK(stream_send(&stream, id, message, &along, &fault) == CORDON_OK);
    CHECK(stream_pending(&stream, &pending));
    CHECK(stream_backlog(&stream) == pending.len);
    strbuf_add(&bytes, pending.data, pending.len);
    stream_deinit(&stream);
    memset(closed, 0, sizeof(closed));
    return bytes;
}

static struct strbuf sample_frame(enum cordon_msg_type type, uint32_t id)
{
    struct message message = {.type = type};

    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        if (sample_message(i).type == type) {
            message = sample_message(i);
        }
    }
    return frame_of(&message, id);
}

static enum cordon_err feed(struct stream *stream, const void *data, size_t len, int first_fd,
                            size_t fd_count)
{
    int fds[STREAM_FDS_MAX + 8];
    struct stream_chunk chunk = {data, len, fds, fd_count, false};

    for (size_t i = 0; i < fd_count; i++) {
        fds[i] = first_fd + (int)i;
    }
    return stream_feed(stream, &chunk, &fault);
}

static enum cordon_err receive(struct stream *stream, struct stream_message *ret)
{
    struct arena arena;
    enum cordon_err err;

    arena_init(&arena, MSG_ARENA_MAX);
    err = stream_receive(stream, &arena, ret, &fault);
    arena_deinit(&arena);
    return err;
}

/* Every one of @count numbers from @first was closed @times times. */
static bool closed_all(int first, int count, int times)
{
    for (int i = first; i < first + count; i++) {
        if (closed[i] != times) {
            return false;
        }
    }
    return true;
}

static void check_spawn(const struct stream_message *got, uint32_t id, int first_fd)
{
    CHECK(got->message.type == CORDON_MSG_SPAWN && got->id == id && got->fd_count == 7);
    for (int i = 0; i < 7; i++) {
        CHECK(got->fds[i] == first_fd + i);
    }
}

TEST(a_frame_survives_a_split_at_every_byte_with_descriptors_on_either_side)
{
    struct strbuf frame = sample_frame(CORDON_MSG_SPAWN, 5);

    for (size_t cut = 1; cut < frame.len; cut++) {
        for (size_t early = 0; early <= 7; early++) {
            struct stream stream = stream_new(FRAME_TO_BROKER, STREAM_OUT_SMALL);
            struct stream_message got;

            CHECK(feed(&stream, frame.data, cut, 10, early) == CORDON_OK);
            CHECK(receive(&stream, &got) == CORDON_E_AGAIN);
            CHECK(feed(&stream, frame.data + cut, frame.len - cut, 10 + (int)early, 7 - early) ==
                  CORDON_OK);
            CHECK(receive(&stream, &got) == CORDON_OK);
            check_spawn(&got, 5, 10);
            CHECK(receive(&stream, &got) == CORDON_E_AGAIN);
            stream_deinit(&stream);
            CHECK(closed_all(0, FD_NUMBERS, 0));
        }
    }
    strbuf_deinit(&frame);
}

/* A spawn with its seven descriptors and a status by turns. */
static void check_in_turn(const struct stream_message *got, size_t seen)
{
    CHECK(got->id == 1 + seen % 2);
    if (got->id == 1) {
        check_spawn(got, 1, 100 + 7 * (int)(seen / 2));
    }
}

TEST(frames_survive_any_chunk_size)
{
    struct strbuf bytes = STRBUF_INIT;
    struct strbuf spawn = sample_frame(CORDON_MSG_SPAWN, 1);
    struct strbuf status = sample_frame(CORDON_MSG_STATUS, 2);

    for (int i = 0; i < 4; i++) {
        strbuf_add(&bytes, spawn.data, spawn.len);
        strbuf_add(&bytes, status.data, status.len);
    }
    for (size_t size = 1; size <= bytes.len; size++) {
        struct stream stream = stream_new(FRAME_TO_BROKER, STREAM_OUT_SMALL);
        struct stream_message got;
        size_t seen = 0;
        size_t given = 0;

        for (size_t at = 0; at < bytes.len; at += size) {
            size_t len = bytes.len - at < size ? bytes.len - at : size;
            /* Each spawn's descriptors come with the chunk that holds its first byte. */
            size_t pair = spawn.len + status.len;
            size_t want = (at + len - 1) / pair + 1;

            CHECK(feed(&stream, bytes.data + at, len, 100 + 7 * (int)given, 7 * (want - given)) ==
                  CORDON_OK);
            given = want;
            while (receive(&stream, &got) == CORDON_OK) {
                check_in_turn(&got, seen++);
            }
            CHECK(stream.dead == CORDON_OK);
        }
        CHECK(seen == 8);
        stream_deinit(&stream);
        CHECK(closed_all(0, FD_NUMBERS, 0));
    }
    strbuf_deinit(&spawn);
    strbuf_deinit(&status);
    strbuf_deinit(&bytes);
}

TEST(the_end_of_one_frame_may_come_with_the_descriptors_of_the_next)
{
    struct strbuf bytes = sample_frame(CORDON_MSG_STATUS, 1);
    struct strbuf spawn = sample_frame(CORDON_MSG_SPAWN, 2);
    struct stream stream = stream_new(FRAME_TO_BROKER, STREAM_OUT_SMALL);
    struct stream_message got;
    size_t first = bytes.len;

    strbuf_add(&bytes, spawn.data, spawn.len);
    CHECK(feed(&stream, bytes.data, first - 3, 0, 0) == CORDON_OK);
    CHECK(feed(&stream, bytes.data + first - 3, 5, 20, 7) == CORDON_OK);
    CHECK(receive(&stream, &got) == CORDON_OK && got.id == 1 && got.fd_count == 0);
    CHECK(receive(&stream, &got) == CORDON_E_AGAIN);
    CHECK(feed(&stream, bytes.data + first + 2, bytes.len - first - 2, 0, 0) == CORDON_OK);
    CHECK(receive(&stream, &got) == CORDON_OK);
    check_spawn(&got, 2, 20);
    stream_deinit(&stream);
    strbuf_deinit(&bytes);
    strbuf_deinit(&spawn);
}

TEST(missing_descriptors_kill_the_stream_and_close_the_rest)
{
    struct strbuf frame = sample_frame(CORDON_MSG_SPAWN, 9);
    struct stream stream = stream_new(FRAME_TO_BROKER, STREAM_OUT_SMALL);
    struct stream_message got;
    int fd;

    CHECK(feed(&stream, frame.data, frame.len, 30, 6) == CORDON_OK);
    CHECK(receive(&stream, &got) == CORDON_E_PROTO && got.id == 9 && got.fd_count == 0);
    CHECK(closed_all(30, 6, 1));
    CHECK(receive(&stream, &got) == CORDON_E_PROTO && got.id == 0);
    CHECK(stream_take_fds(&stream, 1, &fd, &fault) == CORDON_E_PROTO);
    CHECK(feed(&stream, frame.data, frame.len, 40, 3) == CORDON_E_PROTO);
    CHECK(closed_all(40, 3, 1));
    stream_deinit(&stream);
    CHECK(closed_all(30, 6, 1));
    strbuf_deinit(&frame);
}

TEST(descriptors_that_no_message_claims_kill_the_stream)
{
    struct strbuf frame = sample_frame(CORDON_MSG_STATUS, 1);
    struct stream stream = stream_new(FRAME_TO_BROKER, STREAM_OUT_SMALL);
    struct stream_message got;

    CHECK(feed(&stream, frame.data, frame.len, 50, 1) == CORDON_OK);
    CHECK(receive(&stream, &got) == CORDON_OK);
    CHECK(receive(&stream, &got) == CORDON_E_PROTO);
    CHECK(closed_all(50, 1, 1));
    stream_deinit(&stream);

    stream = stream_new(FRAME_TO_BROKER, STREAM_OUT_SMALL);
    CHECK(feed(&stream, frame.data, frame.len, 50, 1) == CORDON_OK);
    CHECK(receive(&stream, &got) == CORDON_OK);
    CHECK(feed(&stream, frame.data, frame.len, 51, 1) == CORDON_E_PROTO);
    CHECK(closed_all(50, 2, 1));
    stream_deinit(&stream);
    strbuf_deinit(&frame);
}

TEST(a_flood_of_descriptors_is_a_limit_and_every_one_is_closed)
{
    struct strbuf frame = sample_frame(CORDON_MSG_SPAWN, 1);
    struct stream stream = stream_new(FRAME_TO_BROKER, STREAM_OUT_SMALL);

    CHECK(feed(&stream, frame.data, 1, 100, STREAM_FDS_MAX) == CORDON_OK);
    CHECK(feed(&stream, frame.data + 1, 1, 300, 1) == CORDON_E_LIMIT);
    CHECK(closed_all(100, STREAM_FDS_MAX, 1) && closed_all(300, 1, 1));
    stream_deinit(&stream);
    CHECK(closed_all(100, STREAM_FDS_MAX, 1));

    stream = stream_new(FRAME_TO_BROKER, STREAM_OUT_SMALL);
    CHECK(feed(&stream, frame.data, 1, 100, STREAM_FDS_MAX + 8) == CORDON_E_LIMIT);
    CHECK(closed_all(100, STREAM_FDS_MAX + 8, 1));
    stream_deinit(&stream);
    strbuf_deinit(&frame);
}

TEST(truncated_control_data_kills_the_stream_and_closes_what_came)
{
    static const int fds[] = {60, 61};
    struct stream stream = stream_new(FRAME_TO_BROKER, STREAM_OUT_SMALL);
    struct stream_chunk chunk = {"C", 1, fds, 2, true};

    CHECK(stream_feed(&stream, &chunk, &fault) == CORDON_E_PROTO);
    CHECK(closed_all(60, 2, 1));
    stream_deinit(&stream);
    CHECK(closed_all(60, 2, 1));
}

TEST(descriptors_not_taken_are_closed_at_the_end)
{
    struct strbuf frame = sample_frame(CORDON_MSG_SPAWN, 1);
    struct stream stream = stream_new(FRAME_TO_BROKER, STREAM_OUT_SMALL);

    CHECK(feed(&stream, frame.data, 20, 70, 7) == CORDON_OK);
    stream_deinit(&stream);
    CHECK(closed_all(70, 7, 1));
    stream_deinit(NULL);
    strbuf_deinit(&frame);
}

TEST(a_bad_header_is_refused_as_soon_as_it_is_whole)
{
    struct strbuf frame = sample_frame(CORDON_MSG_SPAWN, 8);
    struct stream stream = stream_new(FRAME_TO_BROKER, STREAM_OUT_SMALL);
    struct stream_message got;

    memset(frame.data + 12, 0xff, 4);
    CHECK(feed(&stream, frame.data, 15, 0, 0) == CORDON_OK);
    CHECK(receive(&stream, &got) == CORDON_E_AGAIN);
    CHECK(feed(&stream, frame.data + 15, 1, 0, 0) == CORDON_OK);
    CHECK(receive(&stream, &got) == CORDON_E_LIMIT && got.id == 8);
    CHECK(feed(&stream, frame.data, 1, 0, 0) == CORDON_E_LIMIT);
    stream_deinit(&stream);

    stream = stream_new(FRAME_TO_CLIENT, STREAM_OUT_SMALL);
    CHECK(feed(&stream, frame.data, 16, 0, 0) == CORDON_OK);
    CHECK(receive(&stream, &got) == CORDON_E_PROTO && got.id == 0);
    stream_deinit(&stream);
    strbuf_deinit(&frame);
}

TEST(a_body_that_does_not_decode_kills_the_stream_with_the_id_known)
{
    struct strbuf frame = sample_frame(CORDON_MSG_SPAWN, 8);
    struct stream stream = stream_new(FRAME_TO_BROKER, STREAM_OUT_SMALL);
    struct stream_message got;

    frame.data[FRAME_HEADER_SIZE] = 7;
    CHECK(feed(&stream, frame.data, frame.len, 80, 7) == CORDON_OK);
    CHECK(receive(&stream, &got) == CORDON_E_PROTO && got.id == 8);
    CHECK(closed_all(80, 7, 1));
    stream_deinit(&stream);
    strbuf_deinit(&frame);
}

TEST(an_announced_length_costs_no_memory_until_bytes_come)
{
    unsigned char bytes[FRAME_HEADER_SIZE];
    struct frame_header header = {CORDON_MSG_SPAWN, 1, FRAME_BODY_MAX};
    struct stream stream = stream_new(FRAME_TO_BROKER, STREAM_OUT_SMALL);
    struct stream_message got;

    frame_header_encode(&header, bytes);
    CHECK(feed(&stream, bytes, sizeof(bytes), 0, 0) == CORDON_OK);
    CHECK(receive(&stream, &got) == CORDON_E_AGAIN);
    CHECK(stream.in.size < 4096);
    stream_deinit(&stream);
}

TEST(an_owner_that_never_takes_frames_out_meets_a_limit)
{
    static char chunk[STREAM_FEED_MAX + 1];
    struct stream stream = stream_new(FRAME_TO_BROKER, STREAM_OUT_SMALL);
    enum cordon_err err = CORDON_OK;
    size_t fed = 0;

    CHECK(feed(&stream, chunk, sizeof(chunk), 0, 0) == CORDON_E_LIMIT);
    stream_deinit(&stream);
    stream = stream_new(FRAME_TO_BROKER, STREAM_OUT_SMALL);
    while (err == CORDON_OK) {
        err = feed(&stream, chunk, STREAM_FEED_MAX, 0, 0);
        fed += STREAM_FEED_MAX;
    }
    CHECK(err == CORDON_E_LIMIT && fed <= (size_t)FRAME_BODY_MAX + 3 * (size_t)STREAM_FEED_MAX);
    stream_deinit(&stream);
}

TEST(a_large_frame_passes_and_leaves_no_large_buffer)
{
    char item[] = "0123456789abcdef0123456789abcdef";
    char **items = calloc(65536, sizeof(*items));
    struct message message = {.type = CORDON_MSG_SPAWN, .u.spawn.argv = {items, 65536}};
    struct stream stream;
    struct stream_message got;
    struct strbuf frame;

    CHECK(items != NULL);
    for (size_t i = 0; i < 65536; i++) {
        items[i] = item;
    }
    frame = frame_of(&message, 1);
    stream = stream_new(FRAME_TO_BROKER, STREAM_OUT_SMALL);
    for (size_t at = 0; at < frame.len; at += STREAM_FEED_MAX) {
        size_t left = frame.len - at;

        CHECK(receive(&stream, &got) == CORDON_E_AGAIN);
        CHECK(feed(&stream, frame.data + at, left < STREAM_FEED_MAX ? left : STREAM_FEED_MAX, 5,
                   at == 0 ? 4 : 0) == CORDON_OK);
    }
    CHECK(receive(&stream, &got) == CORDON_OK && got.message.u.spawn.argv.count == 65536);
    CHECK(receive(&stream, &got) == CORDON_E_AGAIN);
    CHECK(stream.in.size == 0);
    stream_deinit(&stream);
    strbuf_deinit(&frame);
    free(items);
}

TEST(what_is_sent_arrives_whatever_the_writes_take)
{
    struct message spawn = sample_message(1);
    struct message status = sample_message(4);
    static const int fds[] = {90, 91, 92, 93, 94, 95, 96};
    struct stream_fds along = {fds, 7};

    for (size_t most = 1; most < 300; most += 7) {
        struct stream out = stream_new(FRAME_TO_CLIENT, STREAM_OUT_SMALL);
        struct stream_config config = {FRAME_TO_BROKER, STREAM_OUT_SMALL, count_close, closed};
        struct stream in;
        struct stream_pending pending;
        struct stream_message got;
        size_t seen = 0;

        stream_init(&in, &config);
        CHECK(stream_send(&out, 1, &spawn, &along, &fault) == CORDON_OK);
        CHECK(stream_send(&out, 2, &status, NULL, &fault) == CORDON_OK);
        while (stream_pending(&out, &pending)) {
            size_t len = pending.len < most ? pending.len : most;
            struct stream_chunk chunk = {pending.data, len, pending.fds, pending.fd_count, false};

            CHECK(stream_feed(&in, &chunk, &fault) == CORDON_OK);
            stream_sent(&out, 0);
            stream_sent(&out, len);
            while (receive(&in, &got) == CORDON_OK) {
                seen++;
                CHECK(got.id == seen && got.fd_count == (seen == 1 ? 7U : 0U));
            }
        }
        CHECK(seen == 2 && stream_backlog(&out) == 0 && out.out_fds == 0);
        /* The sender's copies, once each; the receiver's are the test's. */
        CHECK(closed_all(90, 7, 1));
        stream_sent(&out, 5);
        stream_deinit(&out);
        stream_deinit(&in);
        CHECK(closed_all(90, 7, 1));
    }
}

TEST(a_slow_reader_is_a_limit_and_descriptors_stay_the_senders)
{
    static const int fds[] = {200, 201, 202, 203, 204, 205, 206};
    struct stream_fds along = {fds, 7};
    struct message spawn = sample_message(1);
    struct strbuf frame = sample_frame(CORDON_MSG_SPAWN, 1);
    struct stream stream = stream_new(FRAME_TO_CLIENT, frame.len * 2);

    CHECK(stream_send(&stream, 1, &spawn, &along, &fault) == CORDON_OK);
    CHECK(stream_send(&stream, 2, &spawn, &along, &fault) == CORDON_OK);
    CHECK(stream_send(&stream, 3, &spawn, &along, &fault) == CORDON_E_LIMIT);
    CHECK(closed_all(200, 7, 0));
    stream_deinit(&stream);
    CHECK(closed_all(200, 7, 2));
    stream = stream_new(FRAME_TO_CLIENT, 3);
    CHECK(stream_send(&stream, 1, &spawn, &along, &fault) == CORDON_E_LIMIT);
    stream_deinit(&stream);
    strbuf_deinit(&frame);
}

TEST(queued_descriptors_have_a_cap)
{
    static const int fds[] = {1, 2, 3, 4, 5, 6, 7};
    struct stream_fds along = {fds, 7};
    struct message spawn = sample_message(1);
    struct stream stream = stream_new(FRAME_TO_CLIENT, SIZE_MAX);
    enum cordon_err err = CORDON_OK;
    size_t sent = 0;

    for (; err == CORDON_OK; sent++) {
        err = stream_send(&stream, 1, &spawn, &along, &fault);
    }
    CHECK(err == CORDON_E_LIMIT && (sent - 1) * 7 <= STREAM_OUT_FDS_MAX);
    stream_deinit(&stream);
}

TEST(a_wrong_number_of_descriptors_or_an_invalid_message_is_not_queued)
{
    static const int fds[] = {1, 2, 3, 4, 5, 6, 7, 8};
    struct stream_fds along = {fds, 8};
    struct message spawn = sample_message(1);
    struct message empty = {.type = CORDON_MSG_SPAWN};
    struct stream stream = stream_new(FRAME_TO_CLIENT, STREAM_OUT_SMALL);
    struct stream_pending pending;

    CHECK(stream_send(&stream, 1, &spawn, &along, &fault) == CORDON_E_INVALID);
    CHECK(stream_send(&stream, 1, &spawn, NULL, &fault) == CORDON_E_INVALID);
    CHECK(stream_send(&stream, 1, &empty, &along, &fault) == CORDON_E_INVALID);
    CHECK(!stream_pending(&stream, &pending));
    stream_deinit(&stream);
}

TEST(a_dead_stream_still_writes_its_last_answer)
{
    struct message failed = sample_message(9);
    struct stream stream = stream_new(FRAME_TO_BROKER, STREAM_OUT_SMALL);
    struct stream_pending pending;
    struct stream_message got;

    CHECK(feed(&stream, "0123456789abcdef", 16, 0, 0) == CORDON_OK);
    CHECK(receive(&stream, &got) == CORDON_E_PROTO);
    CHECK(stream_send(&stream, 0, &failed, NULL, &fault) == CORDON_OK);
    CHECK(stream_pending(&stream, &pending));
    stream_sent(&stream, pending.len);
    CHECK(!stream_pending(&stream, &pending));
    stream_deinit(&stream);
}

TEST_MAIN()
