/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames over a byte stream with descriptors beside it, without any I/O: the
 * owner reads and writes the socket, blocking or not, and this module says what
 * the bytes mean. Descriptors are plain ints here; they are closed only by the
 * owner's callback.
 *
 * Reading:   recvmsg -> stream_feed() -> stream_receive() until CORDON_E_AGAIN
 * Writing:   stream_send(); while stream_pending(): sendmsg -> stream_sent()
 *
 * Descriptors are a queue of their own: each message says how many are its own
 * (msg_fd_count()) and takes them from the head. So it does not matter which
 * of a frame's bytes they came with, or that a read returned the end of one
 * frame together with the beginning and the descriptors of the next. They must
 * have come by the time the frame is complete, and none may be left over when
 * a frame ends and no further byte has arrived.
 *
 * After an error of reading the stream is dead: descriptors not yet handed out
 * are closed, what is queued to write can still be written (a last FAILED),
 * and every further read gives the same error.
 */
#ifndef CORDON_PROTO_STREAM_H
#define CORDON_PROTO_STREAM_H

#include "platform/base/arena.h"
#include "platform/base/strbuf.h"
#include "proto/frame.h"
#include "proto/message.h"

#define STREAM_FDS_MAX 160U              /* received and not yet taken */
#define STREAM_FEED_MAX (256U * 1024U)   /* bytes of one stream_feed() */
#define STREAM_OUT_FDS_MAX 160U          /* queued to be sent */
#define STREAM_OUT_SMALL (1024U * 1024U) /* a fair out_max where no reply is large */

struct stream_config {
    enum frame_direction reads; /* FRAME_TO_BROKER in the worker, FRAME_TO_CLIENT in the client */
    size_t out_max;             /* bytes that may wait to be written, headers included */
    void (*close_fd)(void *context, int fd); /* never NULL */
    void *context;
};

struct stream_out;

/* Private to stream.c; here so that it can be embedded. */
struct stream {
    struct stream_config config;
    struct strbuf in;
    size_t in_used;   /* bytes of @in that were consumed */
    size_t frame_len; /* bytes at @in_used of the frame that stream_next() gave out; 0: none */
    enum cordon_err dead;
    int fds[STREAM_FDS_MAX];
    size_t fd_count;
    struct stream_out *out_first;
    struct stream_out *out_last;
    size_t out_len;
    size_t out_fds;
};

void stream_init(struct stream *stream, const struct stream_config *config);

/* Closes every descriptor still held, received or queued; NULL is allowed. */
void stream_deinit(struct stream *stream);

/* What one recvmsg() brought. */
struct stream_chunk {
    const void *data;
    size_t len; /* at most STREAM_FEED_MAX */
    const int *fds;
    size_t fd_count;
    bool fds_truncated; /* MSG_CTRUNC: the kernel dropped descriptors */
};

/*
 * Takes in a chunk; its descriptors are the stream's from here on, also when it
 * fails (they are closed then). Take the frames out before feeding again.
 *
 * CORDON_E_PROTO   truncated control data
 * CORDON_E_LIMIT   more descriptors or bytes than may wait
 * CORDON_E_NOMEM
 */
CORDON_MUST_USE enum cordon_err stream_feed(struct stream *stream, const struct stream_chunk *chunk,
                                            struct cordon_fault *fault);

struct stream_frame {
    struct frame_header header;
    const unsigned char *body; /* header.length bytes; until the next call of feed or next */
};

/*
 * The next whole frame.
 *
 * CORDON_E_AGAIN   more bytes are needed
 * CORDON_E_PROTO, CORDON_E_LIMIT   as frame_header_decode(), or descriptors that no
 *                  message claimed; ret_frame->header.id is set (0 where it is unknown)
 */
CORDON_MUST_USE enum cordon_err stream_next(struct stream *stream, struct stream_frame *ret_frame,
                                            struct cordon_fault *fault);

/*
 * Moves the first @count received descriptors to ret_fds; the caller owns them.
 * CORDON_E_PROTO   there are fewer; the stream is dead
 */
CORDON_MUST_USE enum cordon_err stream_take_fds(struct stream *stream, size_t count, int *ret_fds,
                                                struct cordon_fault *fault);

/* A decoded message with what came along. */
struct stream_message {
    struct message message;
    uint32_t id;
    int fds[SPAWN_FD_EXTRA + MSG_FD_TARGETS_MAX]; /* owned by whoever received it */
    size_t fd_count;
};

/*
 * stream_next(), msg_decode() and stream_take_fds() in one, for an owner that
 * has nothing to do between them. On an error ret->id names the request, or is 0.
 * An error of the message alone (CORDON_E_INVALID, CORDON_E_LIMIT, CORDON_E_PROTO,
 * CORDON_E_NOMEM from decoding) kills the stream too, because it is then unknown
 * which descriptors were its own.
 */
CORDON_MUST_USE enum cordon_err stream_receive(struct stream *stream, struct arena *arena,
                                               struct stream_message *ret,
                                               struct cordon_fault *fault);

/* Descriptors to send along; the stream owns them once it returned CORDON_OK. */
struct stream_fds {
    const int *fds;
    size_t count;
};

/*
 * Encodes @message and queues it as the frame of request @id. @fds may be NULL
 * for none; their number must be msg_fd_count().
 *
 * CORDON_E_LIMIT   the queue would exceed out_max: the reader is too slow
 * CORDON_E_INVALID wrong number of descriptors, or as msg_encode()
 * CORDON_E_NOMEM
 */
CORDON_MUST_USE enum cordon_err stream_send(struct stream *stream, uint32_t id,
                                            const struct message *message,
                                            const struct stream_fds *fds,
                                            struct cordon_fault *fault);

/*
 * What to write next: at least one byte, there until the next stream_send(). Descriptors go with
 * the first byte, and belong to the first frame; false: nothing waits.
 */
struct stream_pending {
    const void *data;
    size_t len;
    const int *fds;
    size_t fd_count;
};
bool stream_pending(const struct stream *stream, struct stream_pending *ret_pending);

/*
 * @len bytes (at most the pending chunk's) were written; if at least one, its
 * descriptors were too and are closed here.
 */
void stream_sent(struct stream *stream, size_t len);

/* Bytes that wait to be written. */
size_t stream_backlog(const struct stream *stream);

#endif
