/* SPDX-License-Identifier: Apache-2.0 */
/* A system for whole jobs over the disk of state_world.h; shared by the tests of them. */
#ifndef CORDON_TESTS_JOB_WORLD_H
#define CORDON_TESTS_JOB_WORLD_H

#include "tests/support/fake_job.h"
#include "tests/unit/state_world.h"

static struct fake_job sys;
static struct job job;
static struct job_order order;

/* What the whole is about: the caller's folders, one of them denied, one to be made. */
static inline const struct state_target *job_targets(void)
{
    static struct state_target targets[3];

    targets[0] = denied("C:\\w\\b");
    targets[1] = making("C:\\w\\n\\.env", STATE_MAKE_FILE);
    targets[2] = readable("C:\\w");
    return targets;
}

/* The order of a job by the service, with all there is: restricted, off the network, with a desktop
 * and a terminal. */
static inline void begin_job(void)
{
    static const struct around_terminal terminal = {80, 24, 0x31, 0x32};

    build_world();
    CHECK(reopen() == CORDON_OK);
    fake_job_init(&sys, &tap, &world);
    job = (struct job){0};
    order = (struct job_order){
        .token = {.kind = TOKEN_WRITE_RESTRICTED,
                  .account = "cordon-job",
                  .principal = sid_of(JOB),
                  .restricting = {sid_of(JOB), {0}, sid_of("S-1-5-12")},
                  .restricting_count = 3},
        .around = {.filter = {true, true, true, true},
                   .desktop = true,
                   .station = true,
                   .terminal = &terminal},
        .targets = job_targets(),
        .target_count = 3,
        .holder = "session-1 job-1",
        .launch = {.process = {.command_line = "cmd /c dir", .folder = "C:\\w"}, .processes = 64},
    };
    strbuf_deinit(&tap.trace);
}

static inline enum cordon_err start_job(void)
{
    const struct job_host host = fake_job_host(&sys, state);

    memset(&fault, 0, sizeof(fault));
    return job_start(&host, &order, &job, &fault);
}

static inline bool end_job_once(void)
{
    const struct job_host host = fake_job_host(&sys, state);

    return job_end(&host, &job);
}

static inline void end_job(void)
{
    CHECK(end_job_once());
}

/* Nothing runs, nothing is open but what the state keeps, nothing is on the disk. */
static inline bool nothing_left(void)
{
    return !sys.running && !sys.filtered && fake_job_open(&sys) == 0 && state_size(state) == 0 &&
           !any_entry() && fake_find(&world, API_FILE, "C:\\w\\n") == NULL && world.acting == 0;
}

#endif
