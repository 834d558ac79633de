/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One caller as the supervisor sees him: the key of a worker (uid, gid, groups,
 * label), what the user database says of him, his rules, his worker process,
 * his sessions and jobs. Lives while he has any, and a minute longer.
 */
#ifndef CORDON_BROKER_CALLER_H
#define CORDON_BROKER_CALLER_H

#include "broker/channel.h"
#include "broker/supervisor.h"

struct caller_session {
    struct caller_session *next;
    uint32_t id;
    int fd;                    /* never read; says whether the client is still there */
    bool delivered;            /* the worker has the connection */
    struct platform_peer peer; /* this connection's own attributes; owned */
    struct quota_charge charge;
};

struct job;
struct feed_wait;

struct caller {
    struct caller *next;
    struct supervisor *supervisor;
    struct platform_peer key; /* copied from the first session; owned */

    struct lookup *lookup; /* running; else NULL */
    bool known;            /* @user is set */
    uint64_t known_ms;
    struct arena user_arena;
    struct host_user user;
    struct managed_rules rules;

    struct host_child worker; /* pidfd -1: none */
    struct loop_source *worker_source;
    struct channel channel;
    uint64_t told_generation; /* what the worker was told last */
    uint64_t told_signature;
    bool told;

    struct caller_session *sessions;
    struct job *jobs;
    struct loop_source *idle;

    struct feed_wait *waits; /* for records of denials */
    size_t wait_count;
    uint64_t audit_until_ms, audit_skipped; /* see denial.c */
    uint32_t audit_count;
};

/*
 * Takes over a connection and its peer, also when it fails (the client is told).
 */
void caller_connect(struct supervisor *supervisor, int fd, struct platform_peer *peer);

/* Tells the worker what changed in the managed policy; sends nothing twice. */
void caller_tell(struct caller *caller);
/*
 * NULL: there is none, or the worker was not given it yet. Until it is, nobody has looked the
 * user up, whose managed rules would be those of nobody.
 */
struct caller_session *caller_find_session(struct caller *caller, uint32_t id);
/* Sends to the worker; one that does not read is ended. */
void caller_send(struct caller *caller, const struct ipc_message *message);
/* After a job ended: starts the clock of an idle caller. */
void caller_check_idle(struct caller *caller);
/* Ends everything at once; for the supervisor's own end. */
void caller_free(struct caller *caller);

#endif
