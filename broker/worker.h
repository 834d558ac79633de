/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The unprivileged half: runs as the caller, reads what he sends, turns his
 * configuration into a policy, a plan and an order. Nothing depends on its
 * honesty: he may take it over at will.
 */
#ifndef CORDON_BROKER_WORKER_H
#define CORDON_BROKER_WORKER_H

#include "broker/channel.h"
#include "broker/lull.h"
#include "broker/memo.h"
#include "platform/host.h"
#include "platform/platform.h"
#include "policy/policy.h"

struct connection;

/* What the supervisor said last about the managed policy and the caller. */
struct worker_managed {
    bool known;
    const void *block; /* mapped; texts lead into it */
    size_t block_len;
    struct arena arena;
    uint64_t generation;
    uint32_t host; /* enum ipc_host */
    struct host_user user;
    struct policy_document *documents;
    size_t document_count;
    struct cordon_fault fault; /* err CORDON_OK: usable */
};

struct worker {
    const struct platform *platform;
    bool embedded;
    int status;      /* to exit with */
    bool is_callers; /* runs as who it serves; until then it takes nothing but who that is */
    struct loop *loop;
    struct channel channel;
    struct worker_managed managed;
    struct memo memo;
    struct connection *connections;
    struct lull lull;
    uint32_t last_request;
};

/* worker_managed.c: takes the memfd over, which stays the packet's. CORDON_E_PROTO, ... */
CORDON_MUST_USE enum cordon_err worker_managed_take(struct worker_managed *managed, int fd,
                                                    struct cordon_fault *fault);
void worker_managed_deinit(struct worker_managed *managed);

/* argv[1] of a worker: with its supervisor's one client; of a caller who waits; or of nobody yet.
 */
#define WORKER_EMBEDDED "--embedded"
#define WORKER_SERVICE "--service"
#define WORKER_AHEAD "--ahead"

/* The worker's whole life, as a program's: its exit status. */
int worker_main(int argc, char **argv);

#endif
