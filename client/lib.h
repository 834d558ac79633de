/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of libcordon share. */
#ifndef CORDON_CLIENT_LIB_H
#define CORDON_CLIENT_LIB_H

#include <stdbool.h>

#include "client/include/cordon/cordon.h"
#include "platform/base/err.h"
#include "proto/stream.h"

#define LIB_HELLO_ID 1U /* the first request of a connection */

struct cordon {
    int fd;
    int broker;   /* the private broker, as link_private() names it; 0: the service */
    bool greeted; /* HELLO was sent */
    bool lost;    /* the stream broke; nothing more can be sent or read */
    uint32_t last_id;
    struct cordon_job *job; /* NULL: none */
    struct stream in;
    struct arena arena; /* of the last message */
};

struct cordon_job {
    struct cordon *cordon;
    uint32_t id;      /* of its request */
    char name[64];    /* the broker's; "" before STARTED */
    int pty;          /* owned; -1 */
    uint64_t signals; /* bit n - 1: signal n waits for STARTED */
    bool ended;
};

/* What a VIOLATION says; borrowed from it. */
void lib_violation(const struct msg_violation *violation, struct cordon_event *ret_event);

/* The broker's refusal as an error of ours; its exit status. */
int lib_refused(const struct msg_failed *failed, struct cordon_error *ret_error);

/*
 * Waits for the one answer, a PLAN_TEXT or STATUS_TEXT. On 0 *ret_text is for free(), and
 * *ret_failed (NULL is allowed) what a STATUS_TEXT says.
 */
int lib_text(struct cordon *cordon, enum cordon_msg_type type, char **ret_text, int *ret_failed,
             struct cordon_error *ret_error);

/*
 * What came of sending a request (@err, @fault): 0, also where the broker has closed already and
 * its reason waits to be read. A value that the protocol refuses came from the caller: usage.
 */
int lib_sent(const struct cordon *cordon, enum cordon_err err, const struct cordon_fault *fault,
             struct cordon_error *ret_error);

/* 0, or CORDON_STATUS_USAGE: a connection that has a job carries nothing else. */
int lib_check_free(const struct cordon *cordon, struct cordon_error *ret_error);

/* Both of these, and the sending of @message, which has no descriptors. */
int lib_request(struct cordon *cordon, const struct message *message,
                struct cordon_error *ret_error);

/* Closes what came with a message. */
void lib_drop_fds(struct stream_message *in);

/* Copies @fault to *ret_error (NULL is allowed) and returns @status. */
int lib_error(struct cordon_error *ret_error, int status, const struct cordon_fault *fault);

/* Connects or starts a private broker; fills fd and broker. */
CORDON_MUST_USE enum cordon_err lib_connect(unsigned flags, struct cordon *cordon,
                                            struct cordon_fault *fault);

/*
 * Writes a request, preceded by HELLO if that was not sent yet, without waiting
 * for WELCOME. @fds stay the caller's.
 */
CORDON_MUST_USE enum cordon_err lib_send(struct cordon *cordon, const struct message *message,
                                         uint32_t id, const struct stream_fds *fds,
                                         struct cordon_fault *fault);

/*
 * The next message, WELCOME taken out; waits at most @timeout_ms. What it
 * points to lives until the next call.
 * CORDON_E_AGAIN   time up, or a signal handler ran
 * CORDON_E_CLOSED, CORDON_E_PROTO, CORDON_E_OS, ...
 */
CORDON_MUST_USE enum cordon_err lib_receive(struct cordon *cordon, int timeout_ms,
                                            struct stream_message *ret, struct cordon_fault *fault);

#endif
