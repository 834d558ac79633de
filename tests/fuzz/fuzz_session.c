/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connection from its first byte, in chunks as the input says: two bytes of
 * control (low six bits of the first: descriptors that come along, with 0x40
 * truncated; the second: length), then that many bytes. Every descriptor must
 * end up closed once or kept once, and a session that closes must say nothing
 * more to its owner.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "broker/session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define JOBS_MAX 128U

static struct {
    uint8_t held[4096]; /* by descriptor: given to the session and not back yet */
    int next;
    size_t jobs;
    uint32_t ids[JOBS_MAX];
    struct session session;
} world;

static void must(bool holds)
{
    if (!holds) {
        abort();
    }
}

static void give_back(void *context, int fd)
{
    (void)context;
    must(fd >= 0 && fd < world.next && world.held[fd] == 1);
    world.held[fd] = 0;
}

static enum cordon_err on_spawn(void *context, const struct session_request *request,
                                struct cordon_fault *fault)
{
    const struct msg_spawn *spawn = &request->in->message.u.spawn;

    (void)context;
    must(world.session.state == SESSION_READY && spawn->argv.count > 0);
    must(request->in->fd_count == SPAWN_FD_EXTRA + spawn->fd_targets.count);
    if (spawn->log_denials || world.jobs == JOBS_MAX) {
        return fault_set(fault, CORDON_E_DENIED, NULL, "refused");
    }
    for (size_t i = 0; i < request->in->fd_count; i++) {
        give_back(NULL, request->in->fds[i]);
        request->in->fds[i] = -1;
    }
    world.ids[world.jobs++] = request->in->id;
    return CORDON_OK;
}

static enum cordon_err on_signal(void *context, const struct msg_signal *signal,
                                 struct cordon_fault *fault)
{
    const struct msg_exited exited = {.job = "1", .kind = MSG_EXIT_SIGNALLED, .code = 9};

    (void)context;
    must(signal->signo >= 1 && signal->signo <= 64);
    if (world.jobs == 0) {
        return fault_set(fault, CORDON_E_NOT_FOUND, NULL, "no such job");
    }
    session_job_exited(&world.session, world.ids[--world.jobs], &exited);
    return CORDON_OK;
}

static enum cordon_err on_plan(void *context, const struct session_request *request,
                               struct strbuf *out, struct cordon_fault *fault)
{
    (void)context;
    (void)fault;
    must(request->in->fd_count == 1);
    strbuf_puts(out, "plan");
    return CORDON_OK;
}

/* Answered in every way: at once, with a refusal later, or by a fault. */
static enum cordon_err on_query(void *context, const struct session_request *request,
                                struct cordon_fault *fault)
{
    const struct message *message = &request->in->message;
    const struct msg_status_text text = {.text = "x", .failed = true};
    struct cordon_fault refusal;

    (void)context;
    must(request->in->fd_count == 0);
    if (message->type == CORDON_MSG_KILL) {
        must(message->u.kill.job != NULL && message->u.kill.signo >= 1);
        return fault_set(fault, CORDON_E_NOT_FOUND, NULL, "no such job");
    }
    if (message->type == CORDON_MSG_RELOAD) {
        (void)fault_set(&refusal, CORDON_E_DENIED, NULL, "only root");
        session_refused(&world.session, request->in->id, &refusal);
    } else {
        session_report(&world.session, request->in->id, &text);
    }
    return CORDON_OK;
}

static enum cordon_err on_violations(void *context, uint32_t id, bool follow,
                                     struct cordon_fault *fault)
{
    const struct msg_violations_told told = {.missed = 1, .last = !follow};

    (void)context;
    (void)fault;
    session_told(&world.session, id, &told);
    return CORDON_OK;
}

static void drain(size_t most)
{
    struct stream_pending pending;

    while (most > 0 && session_pending(&world.session, &pending)) {
        const size_t len = pending.len < most ? pending.len : most;

        session_sent(&world.session, len);
        most -= len;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct session_owner owner = {.spawn = on_spawn,
                                               .signal = on_signal,
                                               .plan = on_plan,
                                               .query = on_query,
                                               .violations = on_violations,
                                               .close_fd = give_back,
                                               .mode = MSG_BROKER_EMBEDDED,
                                               .version = "1"};
    int fds[64];

    memset(&world, 0, sizeof(world));
    session_init(&world.session, &owner);
    while (size > 2) {
        const size_t len = data[1] < size - 2 ? data[1] : size - 2;
        struct stream_chunk chunk = {.data = data + 2, .len = len, .fds = fds};

        chunk.fd_count = data[0] & 0x3fU;
        chunk.fds_truncated = (data[0] & 0x40U) != 0;
        if ((size_t)world.next + chunk.fd_count > sizeof(world.held)) {
            break;
        }
        for (size_t i = 0; i < chunk.fd_count; i++) {
            world.held[world.next] = 1;
            fds[i] = world.next++;
        }
        session_feed(&world.session, &chunk);
        drain((data[0] & 0x80U) != 0 ? 7 : SIZE_MAX);
        data += 2 + len;
        size -= 2 + len;
    }
    drain(SIZE_MAX);
    must(world.session.state != SESSION_CLOSING || session_finished(&world.session));
    must(world.session.jobs == world.jobs);
    session_deinit(&world.session);
    for (int i = 0; i < world.next; i++) {
        must(world.held[i] == 0);
    }
    return 0;
}
