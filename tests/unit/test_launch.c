/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/launch.h"

#include "tests/support/check.h"

/* A system that does as it is told, or fails at its n-th call, or lies. */
static struct {
    unsigned calls, fail_at;
    struct launch_limits limits;
    uint32_t extra_flags; /* that nobody asked for */
    bool outside;         /* the process is not in the job */
    bool running, ended;
    bool stays;   /* a process does not end when it is told to */
    bool forgets; /* limits read back as none */
    int open;     /* handles */
    char order[256];
} sys;

static uint32_t call(const char *name)
{
    sys.calls++;
    strcat(sys.order, name);
    strcat(sys.order, " ");
    return sys.calls == sys.fail_at ? 1450U : 0U;
}

static uint32_t s_job_make(void *self, api_handle *ret_job)
{
    const uint32_t code = call("job");

    (void)self;
    if (code == 0) {
        sys.open++;
        *ret_job = 1;
    }
    return code;
}

static uint32_t s_job_limit(void *self, api_handle job, const struct launch_limits *limits)
{
    (void)self;
    CHECK(job == 1);
    sys.limits = *limits;
    return call("limit");
}

static uint32_t s_job_limits(void *self, api_handle job, struct launch_limits *ret_limits)
{
    (void)self;
    CHECK(job == 1);
    *ret_limits = sys.limits;
    ret_limits->flags = (sys.forgets ? 0 : ret_limits->flags) | sys.extra_flags;
    return call("limits");
}

static uint32_t s_job_restrict_ui(void *self, api_handle job)
{
    (void)self;
    CHECK(job == 1);
    return call("ui");
}

static uint32_t s_process_make(void *self, const struct launch_process *what,
                               api_handle *ret_process, api_handle *ret_thread)
{
    const uint32_t code = call("process");

    (void)self;
    CHECK(what->job == 1 && what->token == 7);
    if (code == 0) {
        sys.open += 2;
        *ret_process = 2;
        *ret_thread = 3;
    }
    return code;
}

static uint32_t s_is_in_job(void *self, api_handle process, api_handle job, bool *ret_is)
{
    (void)self;
    CHECK(process == 2 && job == 1);
    *ret_is = !sys.outside;
    return call("inside");
}

static uint32_t s_resume(void *self, api_handle thread)
{
    const uint32_t code = call("resume");

    (void)self;
    CHECK(thread == 3);
    sys.running = code == 0;
    return code;
}

static uint32_t s_job_end(void *self, api_handle job, uint32_t status)
{
    (void)self;
    CHECK(job == 1 && status == 192);
    sys.ended = true;
    sys.running = false;
    return 0;
}

static uint32_t s_job_wait(void *self, api_handle job, uint32_t wait_ms)
{
    (void)self;
    CHECK(job == 1 && wait_ms == LAUNCH_END_MS && sys.ended);
    return sys.stays ? API_TIMEOUT : API_OK;
}

static uint32_t s_close(void *self, api_handle handle)
{
    (void)self;
    CHECK(handle != 0);
    sys.open--;
    return 0;
}

static const struct launch_api api = {.job_make = s_job_make,
                                      .job_limit = s_job_limit,
                                      .job_limits = s_job_limits,
                                      .job_restrict_ui = s_job_restrict_ui,
                                      .process_make = s_process_make,
                                      .is_in_job = s_is_in_job,
                                      .resume = s_resume,
                                      .job_end = s_job_end,
                                      .job_wait = s_job_wait,
                                      .close = s_close};

static struct launch_order order = {.process = {.token = 7, .command_line = "cmd /c x"}};
static struct launch launch;
static struct cordon_fault fault;

static enum cordon_err start(void)
{
    launch = (struct launch){0};
    return launch_start(&api, &order, &launch, &fault);
}

static void reset(void)
{
    memset(&sys, 0, sizeof(sys));
    order.processes = 0;
    order.memory = 0;
    order.process.handle_count = 3;
    order.open = false;
}

TEST(a_process_runs_only_once_it_is_in_a_limited_job)
{
    reset();
    CHECK(start() == CORDON_OK);
    CHECK_STR(sys.order, "job limit limits ui process inside resume ");
    CHECK(sys.limits.flags == LAUNCH_KILL_ON_CLOSE && sys.open == 2 && sys.running);
    CHECK(launch_end(&api, &launch));
    CHECK(sys.open == 0 && sys.ended && launch.job == 0);
    CHECK(launch_end(&api, &launch));
    CHECK(sys.open == 0);
}

TEST(what_does_not_end_is_kept_and_tried_again)
{
    reset();
    CHECK(start() == CORDON_OK);
    sys.stays = true;
    CHECK(!launch_end(&api, &launch) && launch.job != 0 && sys.open == 2);
    sys.stays = false;
    CHECK(launch_end(&api, &launch) && launch.job == 0 && sys.open == 0);
}

/* Of one that nothing is denied to, a job object that only ends it is enough; a way out is not. */
TEST(limits_that_do_not_stick_are_accepted_of_nobody_who_is_kept_in)
{
    reset();
    sys.forgets = true;
    CHECK(start() == CORDON_E_STATE && strstr(fault.text, "0x0 instead of 0x2000") != NULL);
    reset();
    sys.forgets = true;
    order.open = true;
    CHECK(start() == CORDON_OK && strstr(sys.order, "ui") == NULL);
    CHECK(launch_end(&api, &launch));
    reset();
    sys.extra_flags = LAUNCH_BREAKAWAY;
    order.open = true;
    CHECK(start() == CORDON_E_STATE && sys.open == 0);
}

TEST(limits_are_those_that_were_asked_for)
{
    reset();
    order.processes = 20;
    order.memory = 1U << 30U;
    CHECK(start() == CORDON_OK);
    CHECK(sys.limits.flags ==
          (LAUNCH_KILL_ON_CLOSE | LAUNCH_LIMIT_PROCESSES | LAUNCH_LIMIT_MEMORY));
    CHECK(sys.limits.processes == 20 && sys.limits.memory == 1U << 30U);
    CHECK(launch_end(&api, &launch));
}

TEST(every_call_that_fails_leaves_nothing_running_or_open)
{
    for (unsigned n = 1; n <= 7; n++) {
        reset();
        sys.fail_at = n;
        CHECK(start() == CORDON_E_OS && strstr(fault.text, "1450") != NULL);
        CHECK(sys.open == 0 && !sys.running && launch.job == 0);
        CHECK(n == 1 || sys.ended);
    }
}

TEST(a_way_out_of_the_job_is_not_accepted)
{
    reset();
    sys.extra_flags = LAUNCH_SILENT_BREAKAWAY;
    CHECK(start() == CORDON_E_STATE && strstr(fault.text, "did not stick") != NULL);
    CHECK(sys.open == 0 && strstr(sys.order, "process") == NULL);
}

TEST(a_process_outside_its_job_never_runs)
{
    reset();
    sys.outside = true;
    CHECK(start() == CORDON_E_STATE && strstr(fault.text, "not started in its job") != NULL);
    CHECK(sys.open == 0 && strstr(sys.order, "resume") == NULL && sys.ended);
}

TEST(more_handles_than_fit_are_refused)
{
    reset();
    order.process.handle_count = LAUNCH_HANDLES_MAX + 1;
    CHECK(start() == CORDON_E_LIMIT && sys.calls == 0);
}

TEST(a_terminal_is_all_that_a_process_has)
{
    reset();
    order.process.console = 5;
    CHECK(start() == CORDON_E_INVALID && sys.calls == 0);
    order.process.handle_count = 0;
    CHECK(start() == CORDON_OK);
    CHECK(launch_end(&api, &launch));
    order.process.console = 0;
}

TEST_MAIN()
