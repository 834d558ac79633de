/* SPDX-License-Identifier: Apache-2.0 */
/* What waits for a peer that does not read is bounded, and nothing of it stays. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/channel.h"
#include "tests/support/deaf.h"
#include "tests/support/fds.h"

static struct loop *loop;
static struct channel channel;
static int peer;
static int before;

static void begin(void)
{
    int pair[2];

    before = fds_count();
    CHECK(loop_new(&loop) == CORDON_OK && ipc_pair(pair, NULL) == CORDON_OK);
    CHECK(channel_init(&channel, loop, pair[0], &deaf) == CORDON_OK);
    peer = pair[1];
}

static void end(void)
{
    channel_deinit(&channel);
    (void)close(peer);
    loop_free(loop);
    CHECK(fds_count() == before);
}

/* Sends until there is no room, or @most times; how many went. */
static size_t fill(const void *block, size_t len, size_t most)
{
    const struct ipc_message message = {.type = IPC_ANSWER};
    enum cordon_err err = CORDON_OK;
    size_t count = 0;

    while (err == CORDON_OK && count < most) {
        err = channel_send_block(&channel, &message, block, len);
        count += err == CORDON_OK;
    }
    CHECK(err == CORDON_OK || err == CORDON_E_LIMIT);
    return count;
}

static void on_time(void *context, unsigned events)
{
    (void)context;
    (void)events;
    loop_stop(loop);
}

/* What can be sent is. */
static void turn(void)
{
    struct loop_source *time = NULL;

    CHECK(loop_after(loop, 1, on_time, NULL, &time) == CORDON_OK);
    loop_run(loop);
    loop_source_free(time);
}

TEST(packets_are_bounded)
{
    begin();
    CHECK(fill(NULL, 0, 100000) < 100000);
    CHECK(channel.queued == CHANNEL_QUEUE_MAX && channel.queued_fds == 0);
    end();
}

TEST(descriptors_are_bounded)
{
    begin();
    CHECK(fill("x", 1, 100000) < 100000);
    CHECK(channel.queued == CHANNEL_QUEUE_FDS_MAX);
    CHECK(channel.queued_fds == CHANNEL_QUEUE_FDS_MAX);
    /* The last one that was refused is closed as well. */
    CHECK(fds_count() <= before + 10 + (int)CHANNEL_QUEUE_FDS_MAX);
    end();
}

TEST(of_a_session_that_is_forgotten_nothing_is_sent)
{
    const struct ipc_message gone = {.type = IPC_SESSION, .session = 7};
    const struct ipc_message last = {.type = IPC_ANSWER, .session = 8};
    struct ipc_packet packet;
    size_t got = 0;
    bool is_last = false;

    begin();
    CHECK(fill(NULL, 0, 1000) == 1000 && channel.queued > 0);
    for (int i = 0; i < 3; i++) {
        const int fd = dup(peer);

        CHECK(channel_send(&channel, &gone, &fd, 1) == CORDON_OK);
    }
    CHECK(channel_send(&channel, &last, NULL, 0) == CORDON_OK && channel.queued_fds == 3);
    channel_forget(&channel, 7);
    CHECK(channel.queued_fds == 0 && channel.queued_bytes == 0);
    while (!is_last) {
        if (ipc_recv(peer, &packet) != CORDON_OK) {
            turn();
            continue;
        }
        got++;
        is_last = packet.message.session == 8;
        CHECK(packet.message.session != 7);
        ipc_packet_close(&packet);
    }
    CHECK(got == 1001 && channel.queued == 0);
    /* What is sent after all was forgotten is the first again. */
    CHECK(fill("x", 1, 100000) < 100000);
    channel_forget(&channel, 0);
    CHECK(channel.queued == 0 && channel.queued_fds == 0 && channel.queued_bytes == 0);
    CHECK(fill(NULL, 0, 100000) < 100000 && channel.queued == CHANNEL_QUEUE_MAX);
    end();
}

TEST(bytes_are_bounded_and_come_free_as_they_are_read)
{
    const size_t len = (size_t)1024 * 1024;
    char *block = calloc(1, len);
    struct ipc_packet packet;

    begin();
    CHECK(block != NULL && fill(block, len, 100000) < 100000);
    CHECK(channel.queued_bytes == CHANNEL_QUEUE_BYTES_MAX);
    while (ipc_recv(peer, &packet) == CORDON_OK) {
        CHECK(packet.fd_count == 1);
        ipc_packet_close(&packet);
    }
    /* Where the peer reads there is no end to what may be sent. */
    channel_deinit(&channel);
    (void)close(peer);
    loop_free(loop);
    begin();
    for (int i = 0; i < 200; i++) {
        CHECK(fill(block, len, 1) == 1);
        CHECK(ipc_recv(peer, &packet) == CORDON_OK);
        ipc_packet_close(&packet);
    }
    CHECK(channel.queued_bytes == 0);
    end();
    free(block);
}

TEST_MAIN()
