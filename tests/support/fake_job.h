/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables of token.h, around.h and launch.h over a system that does as it is told, or lies.
 * Every call is written down and counted by a tap (api_tap.h), so that each can be made to fail.
 * Tokens are those of the disk in memory, which asks them what they may do.
 */
#ifndef CORDON_TESTS_FAKE_JOB_H
#define CORDON_TESTS_FAKE_JOB_H

#include "platform/windows/job.h"
#include "tests/support/api_tap.h"
#include "tests/support/fake_api.h"

#define FAKE_JOB_ACCOUNT "S-1-5-21-7-7-7-1000"
#define FAKE_JOB_THINGS 32U
#define FAKE_JOB_FIRST 0x2000U /* the handle of things[0] */

/* A handle that is no token: what it is of. */
struct fake_thing {
    const char *kind; /* NULL: closed */
};

/* Of a token of the world's. */
enum fake_job_token_state {
    FAKE_JOB_TOKEN_NONE, /* not made here */
    FAKE_JOB_TOKEN_OPEN,
    FAKE_JOB_TOKEN_CLOSED
};

struct fake_job {
    struct token_api token;
    struct around_api around;
    struct launch_api launch;
    struct api_tap *tap;
    struct fake *world;
    struct fake_thing things[FAKE_JOB_THINGS];
    enum fake_job_token_state tokens[FAKE_TOKENS];
    /* What is the case. */
    struct token_limits limits; /* of the last token that was restricted */
    struct token_group groups[4];
    size_t group_count;
    struct sid session; /* of the caller's logon */
    struct launch_limits job_limits;
    api_handle ran_as, ran_on; /* token and terminal of the last process that was made */
    uint8_t list[512];         /* who may open it; list_len 0: as its token has it */
    size_t list_len;
    bool running;               /* it was let run, and its job did not end */
    bool filtered;              /* filters are committed, and their session is open */
    uint32_t level, privileges; /* of tokens */
    /* How it lies. */
    bool never_ends; /* ... what runs does not, when it is told to */
    bool drops_restricting, adds_restricting, drops_groups, is_administrator, keeps_level;
};

void fake_job_init(struct fake_job *fake, struct api_tap *tap, struct fake *world);
struct job_host fake_job_host(const struct fake_job *fake, struct state *state);

/* Handles of all kinds that are open. */
size_t fake_job_open(const struct fake_job *fake);

#endif
