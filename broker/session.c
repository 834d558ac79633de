/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/session.h"

#include <string.h>

#include "broker/request.h"

static void close_fd(void *context, int fd)
{
    const struct session *session = context;

    session->owner.close_fd(session->owner.context, fd);
}

void session_init(struct session *session, const struct session_owner *owner)
{
    const struct stream_config config = {FRAME_TO_BROKER, SESSION_OUT_MAX, close_fd, session};

    memset(session, 0, sizeof(*session));
    session->owner = *owner;
    session->state = SESSION_NEW;
    stream_init(&session->stream, &config);
}

void session_deinit(struct session *session)
{
    stream_deinit(&session->stream);
}

/* A client that does not read its answers is left, and told nothing more. */
static void send(struct session *session, uint32_t id, const struct message *message,
                 const struct stream_fds *fds)
{
    if (session->state != SESSION_CLOSING &&
        stream_send(&session->stream, id, message, fds, NULL) == CORDON_OK) {
        return;
    }
    session->state = SESSION_CLOSING;
    for (size_t i = 0; fds != NULL && i < fds->count; i++) {
        close_fd(session, fds->fds[i]);
    }
}

static void send_failed(struct session *session, uint32_t id, const struct cordon_fault *fault,
                        enum session_status status)
{
    const struct message failed = {.type = CORDON_MSG_FAILED,
                                   .u.failed = {.err = fault->err,
                                                .text = fault->text,
                                                .remedy = fault->remedy,
                                                .exit_status = (uint32_t)status}};

    send(session, id, &failed, NULL);
}

void session_feed(struct session *session, const struct stream_chunk *chunk)
{
    struct cordon_fault fault = {.err = CORDON_OK};
    struct stream_frame frame = {.header = {.id = 0}};
    enum cordon_err err = CORDON_E_AGAIN;

    if (session->state == SESSION_CLOSING) {
        for (size_t i = 0; i < chunk->fd_count; i++) {
            close_fd(session, chunk->fds[i]);
        }
        return; /* nobody listens any more */
    }
    err = stream_feed(&session->stream, chunk, &fault);
    while (err == CORDON_OK && session->state != SESSION_CLOSING) {
        frame.header.id = 0;
        err = stream_next(&session->stream, &frame, &fault);
        if (err == CORDON_OK) {
            err = request_dispatch(session, &frame, &fault);
        }
    }
    if (err != CORDON_OK && err != CORDON_E_AGAIN) {
        fault.err = err;
        send_failed(session, frame.header.id, &fault, STATUS_SETUP);
        session->state = SESSION_CLOSING;
    }
}

void session_job_started(struct session *session, uint32_t id, const struct msg_started *started,
                         int pty)
{
    const struct message message = {.type = CORDON_MSG_STARTED, .u.started = *started};
    const struct stream_fds fds = {&pty, 1};

    send(session, id, &message, pty < 0 ? NULL : &fds);
}

void session_job_exited(struct session *session, uint32_t id, const struct msg_exited *exited)
{
    const struct message message = {.type = CORDON_MSG_EXITED, .u.exited = *exited};

    session->jobs--;
    send(session, id, &message, NULL);
}

void session_job_failed(struct session *session, uint32_t id, const struct cordon_fault *fault,
                        enum session_status status)
{
    session->jobs--;
    send_failed(session, id, fault, status);
}

void session_violation(struct session *session, uint32_t id, const struct msg_violation *violation)
{
    const struct message message = {.type = CORDON_MSG_VIOLATION, .u.violation = *violation};

    send(session, id, &message, NULL);
}

void session_told(struct session *session, uint32_t id, const struct msg_violations_told *told)
{
    const struct message message = {.type = CORDON_MSG_VIOLATIONS_TOLD, .u.violations_told = *told};

    send(session, id, &message, NULL);
}

bool session_pending(const struct session *session, struct stream_pending *ret_pending)
{
    return stream_pending(&session->stream, ret_pending);
}

void session_sent(struct session *session, size_t len)
{
    stream_sent(&session->stream, len);
}

bool session_finished(const struct session *session)
{
    return session->state == SESSION_CLOSING && stream_backlog(&session->stream) == 0;
}
