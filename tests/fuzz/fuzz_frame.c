/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer's bytes and descriptors in any pieces. The first byte chooses the
 * direction; then pieces: a byte of length, a byte of descriptors (low bits:
 * how many; high bit: the kernel lost some), the bytes. Every descriptor must
 * end with exactly one owner: closed by the stream, or taken out of it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"
#include "proto/stream.h"

#define FDS_MAX 65536
#define PIECE_FDS 15U
#define LOST 0x80U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct ledger {
    uint8_t settled[FDS_MAX];
    int given;
};

static struct ledger ledger;

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void settle(void *context, int fd)
{
    struct ledger *book = context;

    must(fd >= 0 && fd < book->given && book->settled[fd] == 0);
    book->settled[fd] = 1;
}

static enum cordon_err feed_piece(struct stream *stream, const uint8_t *bytes, size_t len,
                                  uint8_t along)
{
    struct cordon_fault fault;
    int fds[PIECE_FDS];
    struct stream_chunk chunk = {bytes, len, fds, along & PIECE_FDS, (along & LOST) != 0};

    for (size_t i = 0; i < chunk.fd_count; i++) {
        fds[i] = ledger.given++;
    }
    return stream_feed(stream, &chunk, &fault);
}

static enum cordon_err take_all(struct stream *stream)
{
    struct stream_message got;
    struct cordon_fault fault;
    enum cordon_err err;

    do {
        struct arena arena;

        arena_init(&arena, MSG_ARENA_MAX);
        err = stream_receive(stream, &arena, &got, &fault);
        must(err == CORDON_OK || got.fd_count == 0);
        for (size_t i = 0; i < got.fd_count; i++) {
            settle(&ledger, got.fds[i]);
        }
        arena_deinit(&arena);
    } while (err == CORDON_OK);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stream_config config = {FRAME_TO_BROKER, STREAM_OUT_SMALL, settle, &ledger};
    struct stream stream;
    size_t at = 1;

    if (size == 0) {
        return 0;
    }
    memset(&ledger, 0, sizeof(ledger));
    config.reads = (data[0] & 1) != 0 ? FRAME_TO_CLIENT : FRAME_TO_BROKER;
    stream_init(&stream, &config);
    while (size - at >= 2 && ledger.given < FDS_MAX - (int)PIECE_FDS) {
        size_t len = data[at] < size - at - 2 ? data[at] : size - at - 2;
        enum cordon_err err = feed_piece(&stream, data + at + 2, len, data[at + 1]);
        enum cordon_err next = take_all(&stream);

        must(err == CORDON_OK ? next != CORDON_OK : next == err);
        at += 2 + len;
    }
    stream_deinit(&stream);
    for (int fd = 0; fd < ledger.given; fd++) {
        must(ledger.settled[fd] == 1);
    }
    return 0;
}
