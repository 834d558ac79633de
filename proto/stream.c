/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/stream.h"

#include <stdlib.h>
#include <string.h>

#include "proto/codec.h"

#define TOGETHER_MAX 4096U /* bytes of small frames that wait as one */

struct stream_out {
    struct stream_out *next;
    struct strbuf bytes; /* a frame, and small ones without descriptors behind it */
    size_t sent;
    size_t fd_count; /* 0 once they went */
    int fds[];
};

void stream_init(struct stream *stream, const struct stream_config *config)
{
    *stream = (struct stream){.config = *config, .in = STRBUF_INIT};
}

static void close_all(struct stream *stream, const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        stream->config.close_fd(stream->config.context, fds[i]);
    }
}

static void out_pop(struct stream *stream)
{
    struct stream_out *out = stream->out_first;

    stream->out_first = out->next;
    if (stream->out_first == NULL) {
        stream->out_last = NULL;
    }
    close_all(stream, out->fds, out->fd_count);
    strbuf_deinit(&out->bytes);
    free(out);
}

static void drop_received(struct stream *stream)
{
    close_all(stream, stream->fds, stream->fd_count);
    stream->fd_count = 0;
    strbuf_deinit(&stream->in);
    stream->in_used = 0;
    stream->frame_len = 0;
}

void stream_deinit(struct stream *stream)
{
    if (stream == NULL) {
        return;
    }
    drop_received(stream);
    while (stream->out_first != NULL) {
        out_pop(stream);
    }
    stream->out_len = 0;
    stream->out_fds = 0;
}

static enum cordon_err stream_kill(struct stream *stream, enum cordon_err err)
{
    stream->dead = err;
    drop_received(stream);
    return err;
}

static enum cordon_err already_dead(const struct stream *stream, struct cordon_fault *fault)
{
    return fault_set(fault, stream->dead, NULL, "the connection failed before");
}

static size_t available(const struct stream *stream)
{
    return stream->in.len - stream->in_used;
}

/* Consumes the frame that was given out, if any. */
static enum cordon_err frame_done(struct stream *stream, struct cordon_fault *fault)
{
    if (stream->frame_len == 0) {
        return CORDON_OK;
    }
    stream->in_used += stream->frame_len;
    stream->frame_len = 0;
    if (available(stream) > 0) {
        return CORDON_OK;
    }
    if (stream->fd_count > 0) {
        return stream_kill(stream, fault_set(fault, CORDON_E_PROTO, NULL,
                                             "%zu descriptors came that no message claims",
                                             stream->fd_count));
    }
    /* One large frame must not make an idle connection large for ever. */
    if (stream->in.size > 2 * (size_t)STREAM_FEED_MAX) {
        strbuf_deinit(&stream->in);
    }
    stream->in.len = 0;
    stream->in_used = 0;
    return CORDON_OK;
}

static enum cordon_err feed_fds(struct stream *stream, const struct stream_chunk *chunk,
                                struct cordon_fault *fault)
{
    if (chunk->fd_count > STREAM_FDS_MAX - stream->fd_count) {
        close_all(stream, chunk->fds, chunk->fd_count);
        return fault_set(fault, CORDON_E_LIMIT, NULL, "more than %u descriptors are waiting",
                         STREAM_FDS_MAX);
    }
    for (size_t i = 0; i < chunk->fd_count; i++) {
        stream->fds[stream->fd_count++] = chunk->fds[i];
    }
    if (chunk->fds_truncated) {
        return fault_set(fault, CORDON_E_PROTO, NULL, "descriptors were lost on the way");
    }
    return CORDON_OK;
}

static enum cordon_err feed_bytes(struct stream *stream, const struct stream_chunk *chunk,
                                  struct cordon_fault *fault)
{
    const size_t in_max = (size_t)FRAME_HEADER_SIZE + FRAME_BODY_MAX + STREAM_FEED_MAX;

    if (chunk->len > STREAM_FEED_MAX || available(stream) + chunk->len > in_max) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "more bytes are waiting than may");
    }
    if (stream->in_used > 0) {
        stream->in.len -= stream->in_used;
        memmove(stream->in.data, stream->in.data + stream->in_used, stream->in.len);
        stream->in_used = 0;
    }
    strbuf_add(&stream->in, chunk->data, chunk->len);
    if (stream->in.failed) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "no memory left for a message");
    }
    return CORDON_OK;
}

enum cordon_err stream_feed(struct stream *stream, const struct stream_chunk *chunk,
                            struct cordon_fault *fault)
{
    enum cordon_err err =
        stream->dead == CORDON_OK ? frame_done(stream, fault) : already_dead(stream, fault);

    if (err != CORDON_OK) {
        close_all(stream, chunk->fds, chunk->fd_count);
        return err;
    }
    err = feed_fds(stream, chunk, fault);
    if (err == CORDON_OK) {
        err = feed_bytes(stream, chunk, fault);
    }
    return err == CORDON_OK ? CORDON_OK : stream_kill(stream, err);
}

enum cordon_err stream_next(struct stream *stream, struct stream_frame *ret_frame,
                            struct cordon_fault *fault)
{
    struct frame_header header = {0};
    const unsigned char *bytes;
    enum cordon_err err =
        stream->dead == CORDON_OK ? frame_done(stream, fault) : already_dead(stream, fault);

    if (err == CORDON_OK && available(stream) < FRAME_HEADER_SIZE) {
        return CORDON_E_AGAIN;
    }
    if (err == CORDON_OK) {
        bytes = (const unsigned char *)stream->in.data + stream->in_used;
        err = frame_header_decode(bytes, stream->config.reads, &header, fault);
    }
    if (err != CORDON_OK) {
        ret_frame->header = header;
        return stream_kill(stream, err);
    }
    if (available(stream) - FRAME_HEADER_SIZE < header.length) {
        return CORDON_E_AGAIN;
    }
    stream->frame_len = (size_t)FRAME_HEADER_SIZE + header.length;
    *ret_frame = (struct stream_frame){header, bytes + FRAME_HEADER_SIZE};
    return CORDON_OK;
}

enum cordon_err stream_take_fds(struct stream *stream, size_t count, int *ret_fds,
                                struct cordon_fault *fault)
{
    if (stream->dead != CORDON_OK) {
        return already_dead(stream, fault);
    }
    if (count > stream->fd_count) {
        return stream_kill(stream, fault_set(fault, CORDON_E_PROTO, NULL,
                                             "%zu descriptors are missing from the message",
                                             count - stream->fd_count));
    }
    for (size_t i = 0; i < count; i++) {
        ret_fds[i] = stream->fds[i];
    }
    stream->fd_count -= count;
    memmove(stream->fds, stream->fds + count, stream->fd_count * sizeof(stream->fds[0]));
    return CORDON_OK;
}

enum cordon_err stream_receive(struct stream *stream, struct arena *arena,
                               struct stream_message *ret, struct cordon_fault *fault)
{
    struct stream_frame frame = {0};
    enum cordon_err err = stream_next(stream, &frame, fault);

    ret->id = frame.header.id;
    ret->fd_count = 0;
    if (err != CORDON_OK) {
        return err;
    }
    err =
        msg_decode(frame.header.type, frame.body, frame.header.length, arena, &ret->message, fault);
    if (err != CORDON_OK) {
        return stream_kill(stream, err);
    }
    err = stream_take_fds(stream, msg_fd_count(&ret->message), ret->fds, fault);
    if (err == CORDON_OK) {
        ret->fd_count = msg_fd_count(&ret->message);
    }
    return err;
}

/* Behind the frame that waits last, so that one write takes both. False: it is not there. */
static bool out_append(struct stream *stream, const struct strbuf *bytes)
{
    struct stream_out *last = stream->out_last;

    if (last == NULL || last->bytes.len + bytes->len > TOGETHER_MAX) {
        return false;
    }
    strbuf_add(&last->bytes, bytes->data, bytes->len);
    if (last->bytes.failed) {
        return false; /* what it has is whole */
    }
    stream->out_len += bytes->len;
    return true;
}

/* Takes over the contents of @bytes if it returns CORDON_OK. */
static enum cordon_err out_push(struct stream *stream, struct strbuf *bytes,
                                const struct stream_fds *fds, struct cordon_fault *fault)
{
    struct stream_out *out;
    size_t fd_bytes = fds->count * sizeof(fds->fds[0]);

    if (bytes->len > stream->config.out_max ||
        stream->out_len > stream->config.out_max - bytes->len ||
        fds->count > STREAM_OUT_FDS_MAX - stream->out_fds) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "the peer reads too slowly");
    }
    if (fds->count == 0 && out_append(stream, bytes)) {
        return CORDON_OK;
    }
    out = malloc(sizeof(*out) + fd_bytes);
    if (out == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "no memory left to queue a message");
    }
    *out = (struct stream_out){.bytes = *bytes, .fd_count = fds->count};
    for (size_t i = 0; i < fds->count; i++) {
        out->fds[i] = fds->fds[i];
    }
    *bytes = (struct strbuf)STRBUF_INIT;
    if (stream->out_last == NULL) {
        stream->out_first = out;
    } else {
        stream->out_last->next = out;
    }
    stream->out_last = out;
    stream->out_len += out->bytes.len;
    stream->out_fds += out->fd_count;
    return CORDON_OK;
}

enum cordon_err stream_send(struct stream *stream, uint32_t id, const struct message *message,
                            const struct stream_fds *fds, struct cordon_fault *fault)
{
    static const struct stream_fds none = {NULL, 0};
    struct frame_header header = {.type = message->type, .id = id};
    unsigned char bytes[FRAME_HEADER_SIZE] = {0};
    struct strbuf frame = STRBUF_INIT;
    enum cordon_err err;

    fds = fds == NULL ? &none : fds;
    /* The length is known once the body is there; the header's place is kept free. */
    strbuf_add(&frame, (const char *)bytes, sizeof(bytes));
    err = msg_encode(message, &frame, fault);
    if (err == CORDON_OK && fds->count != msg_fd_count(message)) {
        err =
            fault_set(fault, CORDON_E_INVALID, NULL, "%s needs %zu descriptors, not %zu",
                      frame_type_name((uint32_t)message->type), msg_fd_count(message), fds->count);
    }
    if (err == CORDON_OK) {
        header.length = (uint32_t)(frame.len - FRAME_HEADER_SIZE);
        frame_header_encode(&header, bytes);
        memcpy(frame.data, bytes, sizeof(bytes));
        err = out_push(stream, &frame, fds, fault);
    }
    strbuf_deinit(&frame);
    return err;
}

bool stream_pending(const struct stream *stream, struct stream_pending *ret_pending)
{
    const struct stream_out *out = stream->out_first;

    if (out == NULL) {
        return false;
    }
    *ret_pending = (struct stream_pending){out->bytes.data + out->sent, out->bytes.len - out->sent,
                                           out->fds, out->fd_count};
    return true;
}

void stream_sent(struct stream *stream, size_t len)
{
    struct stream_out *out = stream->out_first;

    if (len == 0 || out == NULL) {
        return;
    }
    close_all(stream, out->fds, out->fd_count);
    stream->out_fds -= out->fd_count;
    stream->out_len -= len;
    out->fd_count = 0;
    out->sent += len;
    if (out->sent == out->bytes.len) {
        out_pop(stream);
    }
}

size_t stream_backlog(const struct stream *stream)
{
    return stream->out_len;
}
