/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The privileged half: accepts, identifies, counts, starts and reaps. It holds
 * connections only until their worker has them and never reads one.
 */
#ifndef CORDON_BROKER_SUPERVISOR_H
#define CORDON_BROKER_SUPERVISOR_H

#include "broker/audit.h"
#include "broker/lull.h"
#include "broker/managed.h"
#include "broker/quota.h"
#include "broker/ring.h"
#include "broker/tend.h"
#include "platform/host.h"
#include "platform/loop.h"

#define SUPERVISOR_PATH_MAX 512U

struct supervisor_options {
    const struct platform *platform;
    bool embedded;          /* serve one client, who started us */
    int client;             /* embedded: the connection */
    const char *socket;     /* service: where to listen unless a socket was handed over */
    const char *audit_file; /* NULL: none */
    struct managed_places places;
    const char *worker; /* name of the worker's program, as sibling_path() takes it */
    const char *helper; /* ... of the one that asks the user database */
    /* Not NULL: the worker is part of this program. */
    int (*worker_main)(int argc, char **argv);
};

struct caller;
struct remains;

/* A worker's process, and our end of the channel to it. */
struct worker_process {
    struct host_child child; /* pidfd -1: there is none */
    int channel;
};

struct supervisor {
    const struct supervisor_options *options;
    const struct platform *platform;
    struct loop *loop;
    char worker_path[SUPERVISOR_PATH_MAX];
    char helper_path[SUPERVISOR_PATH_MAX]; /* "": embedded, which rarely needs it */
    struct audit audit;
    struct quota quota;
    struct managed managed;
    char alarm[CORDON_FAULT_TEXT_MAX]; /* of fetched requirements, as it was told last; "": none */
    bool alarm_refused;                /* ... and whether every job was refused for it */
    bool has_read;                     /* the managed files */
    struct rings rings;                /* what was denied lately */
    struct caller *callers;
    struct worker_process ahead; /* service: serves nobody yet; see worker_process.h */
    struct loop_source *ahead_source;
    struct remains *remains; /* workers that were killed and are not reaped yet */
    uint32_t last_session;
    uint64_t last_job;
    int listen_fd;   /* -1: embedded */
    bool own_socket; /* made by us, not handed over */
    struct loop_source *listen_source, *listen_pause;
    struct loop_source *tick; /* service: the managed files are looked at in any case */
    struct tend tend;
    struct loop_source *tend_wanted; /* the platform has something to put away */
    struct loop_source *signals[3];
    uint64_t start_ms, start_tick_ms; /* since 1970; monotonic */
    struct lull lull;
    uint64_t quiet_until_ms; /* refusals for quota are logged once a second */
};

/* Until it is told to stop, or the embedded client left. */
CORDON_MUST_USE enum cordon_err supervisor_run(const struct supervisor_options *options,
                                               struct cordon_fault *fault);

/* Looks at the managed files again; tells workers and raises the alarm as needed. */
void supervisor_refresh(struct supervisor *supervisor, bool force);
/* A session or a job has ended: an embedded broker with nothing left stops, another rests. */
void supervisor_check_done(struct supervisor *supervisor);

#endif
