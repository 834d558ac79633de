/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection as a state machine without I/O: bytes and descriptors go in,
 * frames come out, and its owner is asked to do what a request means.
 *
 *   NEW    --HELLO-->  READY  --BYE, or any broken rule-->  CLOSING
 */
#ifndef CORDON_BROKER_SESSION_H
#define CORDON_BROKER_SESSION_H

#include <stdbool.h>

#include "proto/stream.h"

#define SESSION_JOBS_MAX 64U /* of one connection */
#define SESSION_OUT_MAX (FRAME_BODY_MAX + STREAM_OUT_SMALL)

enum session_state { SESSION_NEW, SESSION_READY, SESSION_CLOSING };

/* Exit statuses of FAILED. */
enum session_status {
    STATUS_FAILED = 1,
    STATUS_USAGE = 2,
    STATUS_SETUP = 125,
    STATUS_NOEXEC = 126,
    STATUS_NOTFOUND = 127
};

/* A decoded request. The owner takes what it wants to keep: see below. */
struct session_request {
    struct stream_message *in; /* its descriptors: set those kept to -1; the rest is closed */
    struct arena *arena;       /* holds the message; keep it by copying it and arena_init() again */
};

/* What a session asks of its owner. A fault becomes a FAILED. */
struct session_owner {
    enum cordon_err (*spawn)(void *context, const struct session_request *request,
                             struct cordon_fault *fault);
    enum cordon_err (*signal)(void *context, const struct msg_signal *signal,
                              struct cordon_fault *fault);
    enum cordon_err (*plan)(void *context, const struct session_request *request,
                            struct strbuf *out, struct cordon_fault *fault);
    /* STATUS, KILL, RELOAD; answered by session_report() or session_refused(). */
    enum cordon_err (*query)(void *context, const struct session_request *request,
                             struct cordon_fault *fault);
    /* VIOLATIONS of request @id; answered by session_violation() and session_told(). */
    enum cordon_err (*violations)(void *context, uint32_t id, bool follow,
                                  struct cordon_fault *fault);
    void (*close_fd)(void *context, int fd);
    void *context;
    enum msg_broker_mode mode;
    const char *version;
};

struct session {
    struct session_owner owner;
    struct stream stream;
    enum session_state state;
    uint32_t jobs; /* started or about to be; the owner's session_job_*() count them down */
};

void session_init(struct session *session, const struct session_owner *owner);
void session_deinit(struct session *session);

/*
 * What recvmsg() brought; its descriptors are the session's. Answers are queued.
 * After it, or after any of the calls below, write what session_pending() says, and close the
 * connection when session_finished().
 */
void session_feed(struct session *session, const struct stream_chunk *chunk);

/* The owner's news about the job of request @id. @pty, -1 or taken over, goes to the client. */
void session_job_started(struct session *session, uint32_t id, const struct msg_started *started,
                         int pty);
/* The job is over, one way or the other; it counts no more. */
void session_job_exited(struct session *session, uint32_t id, const struct msg_exited *exited);
void session_job_failed(struct session *session, uint32_t id, const struct cordon_fault *fault,
                        enum session_status status);

/* About a job of request @id, or for VIOLATIONS. */
void session_violation(struct session *session, uint32_t id, const struct msg_violation *violation);
void session_told(struct session *session, uint32_t id, const struct msg_violations_told *told);

/* For STATUS, KILL and RELOAD of request @id: the text, or why there is none. */
void session_report(struct session *session, uint32_t id, const struct msg_status_text *report);
void session_refused(struct session *session, uint32_t id, const struct cordon_fault *fault);

bool session_pending(const struct session *session, struct stream_pending *ret_pending);
void session_sent(struct session *session, size_t len);
/* Closing, and all that was to be said is written. */
bool session_finished(const struct session *session);

#endif
