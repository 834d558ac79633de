/* SPDX-License-Identifier: Apache-2.0 */
/* What the worker's surroundings remember; see worker_model.c. */
#ifndef CORDON_TESTS_WORKER_MODEL_H
#define CORDON_TESTS_WORKER_MODEL_H

#include "broker/connection.h"
#include "tests/model/world.h"

#define CONNECTIONS 2U
#define REQUESTS 4U
#define ASKS 8U
#define FINISHED 4U

/* SPAWN of a client, and what became of it on both sides. */
enum asked { ASKED_NOTHING, ASKED_ORDER, ASKED_CHECK, ASKED_RUNNING, ASKED_OVER };
struct request {
    bool used;
    uint32_t session, id;
    unsigned started; /* told to the client */
    unsigned again;   /* the order was made anew */
    enum asked asked; /* of the supervisor */
    uint32_t order;   /* its number there */
    bool told_running;
    unsigned kind;
};

enum kind { KIND_PLAIN, KIND_TERMINAL, KIND_DENIALS, KIND_TIMEOUT, KIND_COUNT };

/* An IPC_ASK, or an IPC_QUERY, that is not answered. */
struct ask {
    bool used, query;
    uint32_t session, request;
    uint64_t job;
};

struct client {
    bool used, deaf, gone;
    int fd;
    uint32_t session;
    struct stream stream;
    const void *data; /* what it has just written */
    size_t len;
    int fds[8];
    size_t fd_count;
};

struct worker_model {
    struct worker worker;
    struct client clients[CONNECTIONS];
    struct request requests[REQUESTS];
    struct ask asks[ASKS];
    uint32_t last_session, last_id;
    bool stopped;
    uint32_t finished[FINISHED]; /* numbers of the last that have ended for their clients */
    unsigned finished_count;
    bool answers_query; /* what ipc_map() gives is about a query */
    int answer_pty;     /* to the next host_recv_record(): 1 a terminal, 0 closed */
};
extern struct worker_model model;

/* By a text, or (@fault) a refusal. */
void query_answer(struct ask *ask, enum cordon_err fault);

struct client *client_of(uint32_t session);
void client_told(const struct client *client, uint32_t id, const struct message *message);
/* Reads what was written to it. */
void client_read(struct client *client, const void *data, size_t len, size_t fd_count);
struct connection *connection_of(const struct client *client);

struct bounds {
    unsigned connections, requests; /* of each at once */
};
extern struct bounds bounds;
extern const struct explore_action model_actions[];
extern const size_t model_action_count;

#endif
