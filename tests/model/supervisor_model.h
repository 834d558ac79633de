/* SPDX-License-Identifier: Apache-2.0 */
/* What the supervisor's surroundings remember; see supervisor_model.c. */
#ifndef CORDON_TESTS_SUPERVISOR_MODEL_H
#define CORDON_TESTS_SUPERVISOR_MODEL_H

#include "broker/job.h"
#include "broker/lookup.h"
#include "tests/model/world.h"

#define USERS 2U
#define LIVE_MAX 2U /* connections, and jobs, at once */
#define ORDERS 8U   /* remembered; those that are over are forgotten */
#define CHILDREN 8U

/* OVER: its processes are gone, but not all that was made for it. */
enum stage { STAGE_FREE, STAGE_SETUP, STAGE_RUNNING, STAGE_OVER, STAGE_ENDED };

struct platform_job {
    enum stage stage;
    uint32_t uid;
    uint64_t job;
    int fd;
    bool killed, final; /* @final: poll() has told of the end */
    unsigned denials;   /* taken at the broker's end */
};

/* What a worker was promised. */
struct order {
    bool used;
    uint32_t uid, session, request;
    unsigned answers, ends;
    uint64_t job; /* once it is started */
};

struct lookup {
    lookup_fn *fn;
    void *context;
};

struct supervisor_model {
    struct supervisor supervisor;
    struct platform_job jobs[LIVE_MAX + 1];
    struct order orders[ORDERS];
    struct lookup lookups[USERS];
    int child[CHILDREN]; /* workers, by the descriptor that tells of their end; 0: none */
    bool child_killed[CHILDREN], child_ended[CHILDREN];
    int hung_up[LIVE_MAX];
    uint32_t delivered[ORDERS]; /* numbers of the connections that workers were given last */
    unsigned deliveries;
    uint32_t last_request;
    uint64_t started, ended; /* records in the log */
    bool stopping;
};
extern struct supervisor_model model;

uint32_t uid_of(unsigned user);
/* Process trees that are there, of one user. */
size_t trees_of(uint32_t uid);
extern const struct platform model_platform;
struct caller *caller_of(unsigned user); /* NULL: none */

struct bounds {
    unsigned users, live; /* connections, and jobs, at once */
};
extern struct bounds bounds;
extern const struct explore_action model_actions[];
extern const size_t model_action_count;

/* By the descriptor that tells of its end. */
void child_remember(int pidfd);
size_t child_slot(int pidfd);

#endif
