/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A thread that cannot stop acting as the caller must not go on: wherever that happens the process
 * ends there. Each revert of a launch in turn, in a process of its own; so for POSIX hosts alone.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/state_world.h"

static unsigned reverts, fail_at;
static uint32_t (*real_revert)(void *self);

static uint32_t revert(void *self)
{
    reverts++;
    return reverts == fail_at ? (uint32_t)API_ACCESS_DENIED : real_revert(self);
}

/* Opened, made, and taken over from the job: all that is done as the caller. */
static enum cordon_err launch(void)
{
    const struct state_target targets[] = {denied("C:\\w\\a"), making("C:\\w\\n", STATE_MAKE_FILE),
                                           denied("C:\\w\\mine")};
    struct state_request request = {.principal = sid_of(JOB),
                                    .owner = sid_of(OTHER),
                                    .holder = "s1",
                                    .targets = targets,
                                    .target_count = 3};

    start();
    (void)fake_add(&world, API_FILE, "C:\\w\\mine", "O:" JOB "D:(A;;FA;;;WD)");
    request.caller = fake_token(&world, OTHER " WD");
    real_revert = world.api.revert;
    world.api.revert = revert;
    reverts = 0;
    return state_apply(state, &request, &fault);
}

/* The signal that a launch ended by whose @n-th revert fails; 0: it did not end so. */
static int signal_of(unsigned n)
{
    int status = 0;
    const pid_t child = fork();

    CHECK(child >= 0);
    if (child == 0) {
        fail_at = n;
        (void)launch();
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

TEST(who_cannot_be_himself_again_ends)
{
    unsigned all;

    CHECK(launch() == CORDON_OK);
    all = reverts;
    /* Three are opened, one of them in vain before it is made; one is taken over. */
    CHECK(all == 6);
    for (unsigned n = 1; n <= all; n++) {
        CHECK(signal_of(n) == SIGABRT);
    }
    CHECK(signal_of(all + 1) == 0);
}

TEST_MAIN()
