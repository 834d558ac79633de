/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th allocation fails, n = 1, 2, ...: an error, never a crash, a leak or a
 * descriptor closed twice. Linked with --wrap for malloc, calloc, realloc, free.
 */
#include "proto/codec.h"
#include "proto/stream.h"
#include "proto_samples.h"
#include "tests/support/check.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void __real_free(void *memory);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);
void __wrap_free(void *memory);

static bool armed;
static long countdown;
static long live;

static bool refuse(void)
{
    return armed && --countdown == 0;
}

static void *counted(void *memory)
{
    live += memory != NULL;
    return memory;
}

void *__wrap_malloc(size_t size)
{
    return refuse() ? NULL : counted(__real_malloc(size));
}

void *__wrap_calloc(size_t count, size_t size)
{
    return refuse() ? NULL : counted(__real_calloc(count, size));
}

void *__wrap_realloc(void *old, size_t size)
{
    bool fresh = old == NULL;
    void *memory = refuse() ? NULL : __real_realloc(old, size);

    live += fresh && memory != NULL;
    return memory;
}

void __wrap_free(void *memory)
{
    live -= memory != NULL;
    __real_free(memory);
}

static struct cordon_fault fault;
static int closed[32];

static void count_close(void *context, int fd)
{
    (void)context;
    closed[fd]++;
}

/* Sends @sample through one stream into another; the error of the first step that failed. */
static enum cordon_err pass(const struct message *sample)
{
    static const int numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    struct stream_fds fds = {numbers, msg_fd_count(sample)};
    struct stream_config config = {frame_rule_find((uint32_t)sample->type)->direction,
                                   STREAM_OUT_SMALL, count_close, NULL};
    struct stream stream;
    struct stream_pending pending;
    struct stream_message got = {0};
    struct arena arena;
    enum cordon_err err;

    stream_init(&stream, &config);
    arena_init(&arena, MSG_ARENA_MAX);
    err = stream_send(&stream, 1, sample, &fds, &fault);
    while (err == CORDON_OK && stream_pending(&stream, &pending)) {
        struct stream_chunk chunk = {pending.data, pending.len, pending.fds, pending.fd_count,
                                     false};

        err = stream_feed(&stream, &chunk, &fault);
        stream_sent(&stream, pending.len);
    }
    if (err == CORDON_OK) {
        err = stream_receive(&stream, &arena, &got, &fault);
    }
    CHECK(err == CORDON_OK ? got.fd_count == fds.count : got.fd_count == 0);
    arena_deinit(&arena);
    stream_deinit(&stream);
    return err;
}

TEST(every_allocation_may_fail_for_every_message)
{
    for (size_t i = 0; i < SAMPLE_COUNT; i++) {
        struct message sample = sample_message(i);
        enum cordon_err err = CORDON_E_NOMEM;
        long before = live;
        long n;

        for (n = 1; err != CORDON_OK; n++) {
            memset(closed, 0, sizeof(closed));
            countdown = n;
            armed = true;
            err = pass(&sample);
            armed = false;
            CHECK(err == CORDON_OK || err == CORDON_E_NOMEM);
            CHECK(live == before);
            for (int fd = 0; fd < 32; fd++) {
                CHECK(closed[fd] <= 2);
            }
            CHECK(n < 1000);
        }
        CHECK(n > 2);
    }
}

TEST(an_exhausted_arena_is_told_from_an_exhausted_heap)
{
    struct message sample = sample_message(1);
    struct strbuf body = STRBUF_INIT;
    struct message message;
    struct arena arena;

    CHECK(msg_encode(&sample, &body, &fault) == CORDON_OK);
    arena_init(&arena, 16);
    CHECK(msg_decode(CORDON_MSG_SPAWN, body.data, body.len, &arena, &message, &fault) ==
          CORDON_E_LIMIT);
    arena_deinit(&arena);
    arena_init(&arena, MSG_ARENA_MAX);
    countdown = 1;
    armed = true;
    CHECK(msg_decode(CORDON_MSG_SPAWN, body.data, body.len, &arena, &message, &fault) ==
          CORDON_E_NOMEM);
    armed = false;
    arena_deinit(&arena);
    strbuf_deinit(&body);
}

TEST_MAIN()
