/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client/lib.h"
#include "platform/link.h"
#include "proto/codec.h"

#define RECEIVE_BYTES 16384U

int lib_error(struct cordon_error *ret_error, int status, const struct cordon_fault *fault)
{
    if (ret_error != NULL) {
        ret_error->status = status;
        memcpy(ret_error->text, fault->text, sizeof(ret_error->text));
        memcpy(ret_error->remedy, fault->remedy, sizeof(ret_error->remedy));
    }
    return status;
}

static enum cordon_err closed(struct cordon_fault *fault)
{
    return fault_set(fault, CORDON_E_CLOSED, "run it again",
                     "the broker closed the connection: it was stopped, restarted or killed");
}

/* Appends one frame; the header is written once the body's length is known. */
static enum cordon_err add_frame(struct strbuf *out, const struct message *message, uint32_t id,
                                 struct cordon_fault *fault)
{
    unsigned char bytes[FRAME_HEADER_SIZE] = {0};
    struct frame_header header = {message->type, id, 0};
    size_t start = out->len;
    enum cordon_err err;

    strbuf_add(out, (const char *)bytes, sizeof(bytes));
    err = msg_encode(message, out, fault);
    if (err != CORDON_OK || out->failed) {
        return err != CORDON_OK ? err : fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    header.length = (uint32_t)(out->len - start - sizeof(bytes));
    frame_header_encode(&header, bytes);
    memcpy(out->data + start, bytes, sizeof(bytes));
    return CORDON_OK;
}

/* The broker always reads what it is sent, or closes: waiting here cannot hang for ever. */
static enum cordon_err send_all(struct cordon *cordon, const struct strbuf *out,
                                const struct stream_fds *fds, struct cordon_fault *fault)
{
    size_t done = 0;

    while (done < out->len) {
        const bool first = done == 0 && fds != NULL;
        const struct link_part part = {out->data + done, out->len - done, first ? fds->fds : NULL,
                                       first ? fds->count : 0};
        size_t sent = 0;
        const enum cordon_err err = link_send(cordon->fd, &part, &sent, fault);

        if (err == CORDON_E_CLOSED) {
            return closed(fault);
        }
        if (err != CORDON_OK && err != CORDON_E_AGAIN) {
            cordon->lost = true;
            return err;
        }
        done += sent;
    }
    return CORDON_OK;
}

static enum cordon_err send_frame(struct cordon *cordon, const struct message *message, uint32_t id,
                                  const struct stream_fds *fds, struct cordon_fault *fault)
{
    struct strbuf out = STRBUF_INIT;
    enum cordon_err err = add_frame(&out, message, id, fault);

    if (err == CORDON_OK) {
        err = send_all(cordon, &out, fds, fault);
    }
    strbuf_deinit(&out);
    return err;
}

enum cordon_err lib_send(struct cordon *cordon, const struct message *message, uint32_t id,
                         const struct stream_fds *fds, struct cordon_fault *fault)
{
    const struct message hello = {
        .type = CORDON_MSG_HELLO,
        .u.hello = {CORDON_PROTOCOL_VERSION, CORDON_PROTOCOL_VERSION, CORDON_VERSION}};
    enum cordon_err err = CORDON_OK;

    if (cordon->lost) {
        return fault_set(fault, CORDON_E_CLOSED, NULL, "the connection to the broker is lost");
    }
    if (!cordon->greeted) {
        cordon->greeted = true;
        err = send_frame(cordon, &hello, LIB_HELLO_ID, NULL, fault);
    }
    return err == CORDON_OK ? send_frame(cordon, message, id, fds, fault) : err;
}

/* One read into the stream. */
static enum cordon_err feed(struct cordon *cordon, struct cordon_fault *fault)
{
    unsigned char data[RECEIVE_BYTES];
    struct link_chunk got;
    struct stream_chunk chunk = {.data = data, .fds = got.fds};
    const enum cordon_err err = link_recv(cordon->fd, data, sizeof(data), &got, fault);

    if (err != CORDON_OK) {
        return err == CORDON_E_CLOSED ? closed(fault) : err;
    }
    chunk.len = got.len;
    chunk.fd_count = got.fd_count;
    chunk.fds_truncated = got.fds_truncated;
    return stream_feed(&cordon->in, &chunk, fault);
}

enum cordon_err lib_receive(struct cordon *cordon, int timeout_ms, struct stream_message *ret,
                            struct cordon_fault *fault)
{
    for (;;) {
        enum cordon_err err;

        arena_deinit(&cordon->arena);
        err = stream_receive(&cordon->in, &cordon->arena, ret, fault);
        if (err == CORDON_OK && ret->message.type == CORDON_MSG_WELCOME) {
            continue;
        }
        if (err != CORDON_E_AGAIN) {
            cordon->lost = cordon->lost || err != CORDON_OK;
            return err;
        }
        if (timeout_ms >= 0 && !link_wait(cordon->fd, timeout_ms)) {
            return CORDON_E_AGAIN;
        }
        err = feed(cordon, fault);
        if (err != CORDON_OK) {
            cordon->lost = cordon->lost || err != CORDON_E_AGAIN;
            return err;
        }
    }
}
