/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one choke point of requests. Every frame passes the same checks in the
 * same order: known type, state, length, charge, decoding and validation,
 * descriptors; then its handler.
 */
#ifndef CORDON_BROKER_REQUEST_H
#define CORDON_BROKER_REQUEST_H

#include "broker/session.h"

#define STATE_BIT(state) (1U << (state))

enum request_flag {
    REQ_JOB = 1U << 0,  /* is charged as a job before it is decoded */
    REQ_PLAIN = 1U << 1 /* no sandbox is at stake: its fault is status 1 */
};

struct request_rule {
    enum cordon_msg_type type;
    unsigned flags;
    unsigned states;   /* STATE_BIT()s in which it is allowed */
    uint32_t body_max; /* bytes; at most what the frame table allows */
    /* CORDON_OK or a fault that is told to the client as FAILED. */
    enum cordon_err (*run)(struct session *session, const struct session_request *request,
                           struct cordon_fault *fault);
};

/* NULL: there is no such request. */
const struct request_rule *request_find(enum cordon_msg_type type);

/*
 * Runs one frame. An error is one of the connection: the session has told it
 * and closes. A fault of the request itself is told and forgotten.
 */
CORDON_MUST_USE enum cordon_err request_dispatch(struct session *session,
                                                 const struct stream_frame *frame,
                                                 struct cordon_fault *fault);

#endif
