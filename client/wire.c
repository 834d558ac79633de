/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/lib.h"
#include "proto/codec.h"

#define SEND_FDS_MAX 8U
#define RECEIVE_FDS_MAX 16U
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
    union {
        struct cmsghdr head;
        unsigned char bytes[CMSG_SPACE(SEND_FDS_MAX * sizeof(int))];
    } control = {0};
    size_t done = 0;

    while (done < out->len) {
        struct iovec iov = {out->data + done, out->len - done};
        struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
        ssize_t n;

        if (done == 0 && fds != NULL && fds->count > 0) {
            const uint32_t bytes = (uint32_t)(fds->count * sizeof(int));

            msg.msg_control = control.bytes;
            msg.msg_controllen = (uint32_t)CMSG_SPACE(bytes);
            control.head.cmsg_level = SOL_SOCKET;
            control.head.cmsg_type = SCM_RIGHTS;
            control.head.cmsg_len = (uint32_t)CMSG_LEN(bytes);
            memcpy(CMSG_DATA(&control.head), fds->fds, bytes);
        }
        n = sendmsg(cordon->fd, &msg, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            cordon->lost = errno != EPIPE && errno != ECONNRESET;
            return errno == EPIPE || errno == ECONNRESET
                       ? closed(fault)
                       : fault_os(fault, errno, NULL, "send to the broker");
        }
        done += (size_t)n;
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

/* One recvmsg() into the stream. */
static enum cordon_err feed(struct cordon *cordon, struct cordon_fault *fault)
{
    union {
        struct cmsghdr head;
        unsigned char bytes[CMSG_SPACE(RECEIVE_FDS_MAX * sizeof(int))];
    } control;
    unsigned char data[RECEIVE_BYTES];
    int fds[RECEIVE_FDS_MAX];
    struct iovec iov = {data, sizeof(data)};
    struct msghdr msg = {.msg_iov = &iov,
                         .msg_iovlen = 1,
                         .msg_control = control.bytes,
                         .msg_controllen = sizeof(control.bytes)};
    struct stream_chunk chunk = {.data = data, .fds = fds};
    struct cmsghdr *cmsg;
    ssize_t n = recvmsg(cordon->fd, &msg, MSG_CMSG_CLOEXEC);

    if (n < 0 && (errno == EINTR || errno == EAGAIN)) {
        return CORDON_E_AGAIN;
    }
    if (n < 0 && errno != ECONNRESET) {
        return fault_os(fault, errno, NULL, "receive from the broker");
    }
    if (n <= 0) {
        return closed(fault);
    }
    /* One read never crosses from one sender's descriptors to the next: one header. */
    cmsg = CMSG_FIRSTHDR(&msg);
    if (cmsg != NULL && cmsg->cmsg_level == SOL_SOCKET && cmsg->cmsg_type == SCM_RIGHTS) {
        chunk.fd_count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(fds, CMSG_DATA(cmsg), chunk.fd_count * sizeof(int));
    }
    chunk.len = (size_t)n;
    chunk.fds_truncated = (msg.msg_flags & MSG_CTRUNC) != 0;
    return stream_feed(&cordon->in, &chunk, fault);
}

enum cordon_err lib_receive(struct cordon *cordon, int timeout_ms, struct stream_message *ret,
                            struct cordon_fault *fault)
{
    for (;;) {
        struct pollfd wait = {.fd = cordon->fd, .events = POLLIN};
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
        if (timeout_ms >= 0 && poll(&wait, 1, timeout_ms) <= 0) {
            return CORDON_E_AGAIN;
        }
        err = feed(cordon, fault);
        if (err != CORDON_OK) {
            cordon->lost = cordon->lost || err != CORDON_E_AGAIN;
            return err;
        }
    }
}
