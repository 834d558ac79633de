/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service's named pipe: one thread, a completion port, and every connection's reads and writes
 * in flight on it. The port is the loop: pipe_step() waits for one event and tells the owner.
 *
 * Who a client is comes from the token of its process, and that process from the system, never from
 * what it says: a process that is younger than its connection is another that was given the number
 * of a dead one, and is refused.
 */
#ifndef CORDON_PLATFORM_WINDOWS_PIPE_H
#define CORDON_PLATFORM_WINDOWS_PIPE_H

#include "platform/windows/api.h"
#include "platform/windows/sd.h"

#define PIPE_NAME "\\\\.\\pipe\\cordond"
/* Read and write data, attributes, READ_CONTROL, SYNCHRONIZE; not FILE_CREATE_PIPE_INSTANCE, by
 * which a client could answer other clients. */
#define PIPE_CLIENT_MASK 0x0012019bU

struct pipe;
struct pipe_peer;

struct pipe_identity {
    struct sid user;
    uint32_t pid;
    api_handle token; /* of the client's process: may be queried, duplicated, acted as; borrowed */
    api_handle process; /* its handles may be duplicated; borrowed */
};

struct pipe_owner {
    void *context;
    /* A client; whatever is returned comes back as @session. NULL: it is hung up on. */
    void *(*opened)(void *context, struct pipe_peer *peer, const struct pipe_identity *who);
    /* The protocol's bytes; handles were duplicated and are the session's. */
    void (*received)(void *session, const uint8_t *bytes, size_t len, const int *handles,
                     size_t handle_count);
    void (*sent)(void *session, size_t len);
    void (*closed)(void *session);
};

struct pipe_config {
    const char *name;     /* PIPE_NAME */
    const struct sd *who; /* owner and list: see pipe_list() */
    uint32_t peers_max;
    struct pipe_owner owner;
};

/*
 * Who may connect: SYSTEM and Administrators, and users who are logged on here; no principal of
 * those named (a job does not talk to the service), and nobody else.
 */
CORDON_MUST_USE enum cordon_err pipe_list(const struct sid *const *principals, size_t count,
                                          struct sd *ret_sd);

/*
 * CORDON_E_STATE  somebody has a pipe of this name: whoever it is, clients must not believe him
 */
CORDON_MUST_USE enum cordon_err pipe_listen(const struct pipe_config *config,
                                            struct pipe **ret_pipe, struct cordon_fault *fault);

/* Waits for one event and deals with it. CORDON_E_TIMEOUT: none came. CORDON_E_CLOSED: pipe_stop()
 */
CORDON_MUST_USE enum cordon_err pipe_step(struct pipe *pipe, uint32_t wait_ms,
                                          struct cordon_fault *fault);
/* From any thread: pipe_step() returns CORDON_E_CLOSED from now on. */
void pipe_stop(struct pipe *pipe);
/* From any thread: pipe_step() calls @told once. */
void pipe_post(struct pipe *pipe, void (*told)(void *context), void *context);

/* Writes; the bytes stay until owner.sent(). One at a time: false while one is on its way. */
CORDON_MUST_USE bool pipe_send(struct pipe_peer *peer, const void *bytes, size_t len);
/* Ends a connection; owner.closed() follows from pipe_step(). */
void pipe_hang_up(struct pipe_peer *peer);
/* Ends them all. NULL is allowed. */
void pipe_free(struct pipe *pipe);

#endif
