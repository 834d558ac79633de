/* SPDX-License-Identifier: Apache-2.0 */
/* One end of the channel between supervisor and worker, with a bounded queue to send. */
#ifndef CORDON_BROKER_CHANNEL_H
#define CORDON_BROKER_CHANNEL_H

#include "platform/ipc.h"
#include "platform/loop.h"

/*
 * What waits for a peer that does not read: packets, descriptors, bytes of memory behind those.
 * The descriptors are as many as all connections of one user may have asked for at once.
 */
#define CHANNEL_QUEUE_MAX 2048U
#define CHANNEL_QUEUE_FDS_MAX 1024U
#define CHANNEL_QUEUE_BYTES_MAX ((size_t)32U * 1024U * 1024U)

struct channel_queued;

struct channel_config {
    /* Takes the packet's descriptors that it wants and sets them to -1; may deinit the channel. */
    void (*on_packet)(void *context, struct ipc_packet *packet);
    /* The other side is gone or broke the rules; deinit the channel there. */
    void (*on_closed)(void *context, enum cordon_err why);
    void *context;
};

struct channel {
    struct channel_config config;
    int fd; /* owned; -1: not open */
    struct loop_source *source;
    struct channel_queued *first, *last;
    size_t queued, queued_fds, queued_bytes;
};

/* Takes @fd over, also when it fails. */
CORDON_MUST_USE enum cordon_err channel_init(struct channel *channel, struct loop *loop, int fd,
                                             const struct channel_config *config);
void channel_deinit(struct channel *channel); /* all zero but fd -1 is allowed */

/* Nothing of @session is sent any more. To be called before its connection is closed. */
void channel_forget(struct channel *channel, uint32_t session);

/*
 * Sends, or queues until it can. The descriptors are the channel's from here
 * on, also when it fails. CORDON_E_LIMIT: the other side does not read;
 * CORDON_E_CLOSED, CORDON_E_NOMEM, CORDON_E_OS.
 */
CORDON_MUST_USE enum cordon_err channel_send(struct channel *channel,
                                             const struct ipc_message *message, const int *fds,
                                             size_t fd_count);

/*
 * The same with @len bytes of @block as a sealed memfd, which count as long as they are queued.
 * @len 0: without one.
 */
CORDON_MUST_USE enum cordon_err channel_send_block(struct channel *channel,
                                                   const struct ipc_message *message,
                                                   const void *block, size_t len);

#endif
