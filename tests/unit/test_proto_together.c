/* SPDX-License-Identifier: Apache-2.0 */
/* Which frames that wait are written together. */
#include "proto/stream.h"
#include "proto_samples.h"
#include "tests/support/check.h"

static struct cordon_fault fault;
static unsigned closed;

static void count_close(void *context, int fd)
{
    CHECK(context == &closed && fd >= 0);
    closed++;
}

static struct stream stream_new(void)
{
    const struct stream_config config = {FRAME_TO_CLIENT, STREAM_OUT_SMALL, count_close, &closed};
    struct stream stream;

    closed = 0;
    stream_init(&stream, &config);
    return stream;
}

/* Who reads is woken once for all. A frame with descriptors begins a write: they go with its start.
 */
TEST(small_frames_that_wait_together_are_one_write)
{
    static const int fd = 90;
    struct message started = {.type = CORDON_MSG_STARTED, .u.started = {"1", .terminal = true}};
    struct message status = sample_message(4);
    struct stream out = stream_new();
    struct stream_pending pending;

    CHECK(stream_send(&out, 1, &status, NULL, &fault) == CORDON_OK);
    CHECK(stream_send(&out, 2, &status, NULL, &fault) == CORDON_OK);
    CHECK(stream_pending(&out, &pending) && pending.len == stream_backlog(&out));
    CHECK(stream_send(&out, 3, &started, &(struct stream_fds){&fd, 1}, &fault) == CORDON_OK);
    stream_sent(&out, pending.len);
    CHECK(stream_pending(&out, &pending) && pending.fd_count == 1);
    stream_deinit(&out);
    CHECK(closed == 1);
}

TEST(a_write_of_small_frames_has_a_bound)
{
    struct message status = sample_message(4);
    struct stream out = stream_new();
    struct stream_pending pending;
    const size_t frames = 1000;
    size_t frame;
    size_t written = 0;

    CHECK(stream_send(&out, 1, &status, NULL, &fault) == CORDON_OK);
    frame = stream_backlog(&out);
    for (size_t i = 1; i < frames; i++) {
        CHECK(stream_send(&out, 1, &status, NULL, &fault) == CORDON_OK);
    }
    CHECK(stream_backlog(&out) == frames * frame);
    while (stream_pending(&out, &pending)) {
        written += pending.len;
        CHECK(pending.len <= 4096 && pending.len % frame == 0);
        CHECK(pending.len + frame > 4096 || written == frames * frame);
        stream_sent(&out, pending.len);
    }
    CHECK(written == frames * frame && stream_backlog(&out) == 0);
    stream_deinit(&out);
}

TEST_MAIN()
