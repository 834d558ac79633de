/* SPDX-License-Identifier: Apache-2.0 */
/* The session worker's program; the supervisor starts it with a channel between them. */
#include "broker/worker.h"

#include <stdlib.h>
#include <string.h>

#include "broker/connection.h"
#include "broker/identity.h"
#include "broker/worker_job.h"
#include "broker/worker_query.h"
#include "broker/worker_records.h"

static void on_identity(struct worker *worker, const struct ipc_packet *packet)
{
    if (worker->is_callers || packet->fd_count != 1 || identity_take(packet->fds[0]) != CORDON_OK) {
        worker->status = HOST_STATUS_IDENTITY;
        loop_stop(worker->loop);
    } else {
        worker->is_callers = true;
    }
}

static void on_managed(struct worker *worker, const struct ipc_packet *packet)
{
    struct cordon_fault fault = {.err = CORDON_OK};

    if (packet->fd_count != 1 ||
        worker_managed_take(&worker->managed, packet->fds[0], &fault) != CORDON_OK) {
        loop_stop(worker->loop);
    }
}

static void on_session(struct worker *worker, struct ipc_packet *packet)
{
    if (packet->fd_count == 1 && worker->managed.known) {
        connection_new(worker, packet->message.session, packet->fds[0]);
        packet->fds[0] = -1;
    }
}

static void on_job(struct worker *worker, const struct ipc_message *message)
{
    for (struct connection *connection = worker->connections; connection != NULL;
         connection = connection->next) {
        if (connection->id == message->session) {
            (void)worker_job_message(connection, message);
            return;
        }
    }
}

static void on_reply(struct worker *worker, const struct ipc_packet *packet,
                     void (*take)(struct connection *connection, const struct ipc_packet *packet))
{
    for (struct connection *connection = worker->connections; connection != NULL;
         connection = connection->next) {
        if (connection->id == packet->message.session) {
            take(connection, packet);
            return;
        }
    }
}

static void on_packet(void *context, struct ipc_packet *packet)
{
    struct worker *worker = context;

    if (packet->message.type == IPC_IDENTITY) {
        on_identity(worker, packet);
        return;
    }
    if (!worker->is_callers) {
        loop_stop(worker->loop);
        return;
    }
    switch (packet->message.type) {
    case IPC_MANAGED:
        on_managed(worker, packet);
        return;
    case IPC_SESSION:
        on_session(worker, packet);
        return;
    case IPC_RECORDS:
        on_reply(worker, packet, worker_records_take);
        return;
    case IPC_ANSWER:
        on_reply(worker, packet, worker_query_take);
        return;
    case IPC_REPORT:
    case IPC_REFUSED:
    case IPC_STARTED:
        on_job(worker, &packet->message);
        return;
    }
    loop_stop(worker->loop); /* told to, or out of step with the supervisor */
}

static void on_closed(void *context, enum cordon_err why)
{
    struct worker *worker = context;

    (void)why;
    loop_stop(worker->loop);
}

static const struct platform *backend(const char *option)
{
#ifdef CORDON_TEST_PATHS
    if (option != NULL && strcmp(option, "--null") == 0) {
        return platform_null();
    }
#endif
    (void)option;
    return platform_host();
}

int worker_main(int argc, char **argv)
{
    struct worker worker;
    const struct channel_config config = {on_packet, on_closed, &worker};

    memset(&worker, 0, sizeof(worker));
    worker.channel.fd = -1;
    host_harden_worker();
    if (argc < 2) {
        return EXIT_FAILURE;
    }
    worker.embedded = strcmp(argv[1], WORKER_EMBEDDED) == 0;
    worker.is_callers = worker.embedded || !host_can_become();
    worker.platform = backend(argc > 2 ? argv[2] : NULL);
    if (loop_new(&worker.loop) != CORDON_OK) {
        return EXIT_FAILURE;
    }
    if (strcmp(argv[1], WORKER_AHEAD) == 0) {
        (void)memo_rehearse();
    }
    if (channel_init(&worker.channel, worker.loop, host_channel(), &config) == CORDON_OK) {
        loop_run(worker.loop);
    }
    while (worker.connections != NULL) {
        connection_free(worker.connections);
    }
    channel_deinit(&worker.channel);
    worker_managed_deinit(&worker.managed);
    memo_deinit(&worker.memo);
    loop_free(worker.loop);
    return worker.status;
}
