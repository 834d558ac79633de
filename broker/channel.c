/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/channel.h"

#include <stdlib.h>
#include <string.h>

#include "platform/host.h"

struct channel_queued {
    struct channel_queued *next;
    struct ipc_message message;
    size_t bytes; /* behind its descriptors */
    size_t fd_count;
    int fds[];
};

static void close_fds(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        host_close(fds[i]);
    }
}

static void receive(struct channel *channel)
{
    struct ipc_packet packet;
    enum cordon_err err = ipc_recv(channel->fd, &packet);

    if (err == CORDON_OK) {
        channel->config.on_packet(channel->config.context, &packet);
        ipc_packet_close(&packet);
    } else if (err != CORDON_E_AGAIN) {
        channel->config.on_closed(channel->config.context, err);
    }
}

/* Whose connection it was has it still, see channel_forget(). */
static void queued_free(struct channel *channel, struct channel_queued *queued)
{
    channel->queued--;
    channel->queued_fds -= queued->fd_count;
    channel->queued_bytes -= queued->bytes;
    close_fds(queued->fds, queued->fd_count);
    free(queued);
}

static void pop(struct channel *channel)
{
    struct channel_queued *queued = channel->first;

    channel->first = queued->next;
    channel->last = channel->first == NULL ? NULL : channel->last;
    queued_free(channel, queued);
}

void channel_forget(struct channel *channel, uint32_t session)
{
    struct channel_queued **link = &channel->first;

    channel->last = NULL;
    while (*link != NULL) {
        struct channel_queued *queued = *link;

        if (queued->message.session == session) {
            *link = queued->next;
            queued_free(channel, queued);
        } else {
            channel->last = queued;
            link = &queued->next;
        }
    }
}

static enum cordon_err flush(struct channel *channel)
{
    enum cordon_err err = CORDON_OK;

    while (err == CORDON_OK && channel->first != NULL) {
        const struct channel_queued *queued = channel->first;

        err = ipc_send(channel->fd, &queued->message, queued->fds, queued->fd_count);
        if (err == CORDON_OK) {
            pop(channel);
        }
    }
    if (err != CORDON_OK && err != CORDON_E_AGAIN) {
        return err;
    }
    return loop_watch_for(channel->source,
                          channel->first == NULL ? LOOP_READ : LOOP_READ | LOOP_WRITE);
}

static void on_ready(void *context, unsigned events)
{
    struct channel *channel = context;
    enum cordon_err err = CORDON_OK;

    if ((events & LOOP_WRITE) != 0) {
        err = flush(channel);
    }
    if (err != CORDON_OK) {
        channel->config.on_closed(channel->config.context, err);
    } else if ((events & LOOP_READ) != 0) {
        receive(channel);
    }
}

enum cordon_err channel_init(struct channel *channel, struct loop *loop, int fd,
                             const struct channel_config *config)
{
    enum cordon_err err;

    memset(channel, 0, sizeof(*channel));
    channel->config = *config;
    channel->fd = fd;
    err = loop_watch(loop, fd, LOOP_READ, on_ready, channel, &channel->source);
    if (err != CORDON_OK) {
        channel_deinit(channel);
    }
    return err;
}

void channel_deinit(struct channel *channel)
{
    while (channel->first != NULL) {
        pop(channel);
    }
    loop_source_free(channel->source);
    channel->source = NULL;
    host_end_foreign(channel->fd); /* with what nobody read */
    channel->fd = -1;
}

/* What is to be sent. */
struct parcel {
    const struct ipc_message *message;
    const int *fds;
    size_t fd_count, bytes;
};

static bool has_room(const struct channel *channel, const struct parcel *parcel)
{
    return channel->queued < CHANNEL_QUEUE_MAX &&
           channel->queued_fds + parcel->fd_count <= CHANNEL_QUEUE_FDS_MAX &&
           channel->queued_bytes + parcel->bytes <= CHANNEL_QUEUE_BYTES_MAX;
}

static enum cordon_err enqueue(struct channel *channel, const struct parcel *parcel)
{
    struct channel_queued *queued;

    if (!has_room(channel, parcel)) {
        return CORDON_E_LIMIT;
    }
    queued = malloc(sizeof(*queued) + parcel->fd_count * sizeof(int));
    if (queued == NULL) {
        return CORDON_E_NOMEM;
    }
    queued->next = NULL;
    queued->message = *parcel->message;
    queued->bytes = parcel->bytes;
    queued->fd_count = parcel->fd_count;
    if (parcel->fd_count > 0) {
        memcpy(queued->fds, parcel->fds, parcel->fd_count * sizeof(int));
    }
    if (channel->last != NULL) {
        channel->last->next = queued;
    } else {
        channel->first = queued;
    }
    channel->last = queued;
    channel->queued++;
    channel->queued_fds += parcel->fd_count;
    channel->queued_bytes += parcel->bytes;
    return CORDON_OK;
}

static enum cordon_err send_parcel(struct channel *channel, const struct parcel *parcel)
{
    enum cordon_err err = CORDON_E_AGAIN;

    if (channel->fd < 0) {
        close_fds(parcel->fds, parcel->fd_count);
        return CORDON_E_CLOSED;
    }
    if (channel->first == NULL) {
        err = ipc_send(channel->fd, parcel->message, parcel->fds, parcel->fd_count);
    }
    if (err == CORDON_E_AGAIN) {
        err = enqueue(channel, parcel);
        if (err == CORDON_OK) {
            return loop_watch_for(channel->source, LOOP_READ | LOOP_WRITE);
        }
    }
    close_fds(parcel->fds, parcel->fd_count);
    return err;
}

enum cordon_err channel_send(struct channel *channel, const struct ipc_message *message,
                             const int *fds, size_t fd_count)
{
    const struct parcel parcel = {message, fds, fd_count, 0};

    return send_parcel(channel, &parcel);
}

enum cordon_err channel_send_block(struct channel *channel, const struct ipc_message *message,
                                   const void *block, size_t len)
{
    struct parcel parcel = {message, NULL, 0, len};
    struct cordon_fault ignored;
    enum cordon_err err;
    int fd = -1;

    if (len == 0) {
        return send_parcel(channel, &parcel);
    }
    err = ipc_memfd("cordon-answer", block, len, &fd, &ignored);
    if (err != CORDON_OK) {
        return err;
    }
    parcel.fds = &fd;
    parcel.fd_count = 1;
    return send_parcel(channel, &parcel);
}
