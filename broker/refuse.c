/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/refuse.h"

#include "platform/host.h"
#include "proto/stream.h"

#define EXIT_SETUP 125U

static void close_fd(void *context, int fd)
{
    (void)context;
    host_close(fd);
}

void refuse_connection(int fd, const struct cordon_fault *fault)
{
    const struct stream_config config = {FRAME_TO_BROKER, STREAM_OUT_SMALL, close_fd, NULL};
    const struct message message = {
        .type = CORDON_MSG_FAILED,
        .u.failed = {.err = fault->err == CORDON_OK ? CORDON_E_STATE : fault->err,
                     .text = fault->text,
                     .remedy = fault->remedy,
                     .exit_status = EXIT_SETUP}};
    struct stream_pending pending;
    struct stream stream;

    stream_init(&stream, &config);
    if (stream_send(&stream, 0, &message, NULL, NULL) == CORDON_OK &&
        stream_pending(&stream, &pending)) {
        size_t sent = 0;

        /* A new connection has room for it; one that has not does not listen. */
        if (host_send(fd, pending.data, pending.len, NULL, 0, &sent) == CORDON_OK) {
            stream_sent(&stream, sent);
        }
    }
    stream_deinit(&stream);
    host_end_foreign(fd);
}
