/* SPDX-License-Identifier: Apache-2.0 */
/* When things are made ahead: not while somebody waits, but a little later in any case. */
#include <string.h>

#include "broker/supervisor.h"
#include "broker/worker_process.h"
#include "tests/support/check.h"

struct loop_source {
    loop_fn *fn;
    void *context;
    uint64_t at_ms;
};

static struct loop_source timer; /* fn NULL: there is none */
static uint64_t now_ms;
static uint32_t again_ms; /* what the platform says */
static unsigned tended, workers, trims;
static bool no_memory;

uint64_t host_now_ms(void)
{
    return now_ms;
}

void host_trim(void)
{
    trims++;
}

enum cordon_err loop_after(struct loop *loop, uint64_t delay_ms, loop_fn *fn, void *context,
                           struct loop_source **ret_source)
{
    (void)loop;
    CHECK(timer.fn == NULL);
    if (no_memory) {
        return CORDON_E_NOMEM;
    }
    timer = (struct loop_source){fn, context, now_ms + delay_ms};
    *ret_source = &timer;
    return CORDON_OK;
}

void loop_source_free(struct loop_source *source)
{
    if (source != NULL) {
        CHECK(source->fn != NULL);
        source->fn = NULL;
    }
}

void worker_ahead_make(struct supervisor *supervisor)
{
    (void)supervisor;
    workers++;
}

static uint32_t tend(void)
{
    tended++;
    return again_ms;
}

static struct supervisor supervisor;

static void begin(void)
{
    static const struct platform platform = {.tend = tend};

    memset(&supervisor, 0, sizeof(supervisor));
    timer.fn = NULL;
    supervisor.platform = &platform;
    now_ms = 1000;
    again_ms = 0;
    tended = workers = trims = 0;
    no_memory = false;
}

/* Until @to_ms, firing what is due. */
static void go_to(uint64_t to_ms)
{
    while (timer.fn != NULL && timer.at_ms <= to_ms) {
        now_ms = timer.at_ms;
        timer.fn(timer.context, 0);
    }
    now_ms = to_ms;
}

static void end(void)
{
    tend_end(&supervisor);
    CHECK(timer.fn == NULL);
}

TEST(what_is_new_is_made_soon_and_not_put_off_by_more)
{
    begin();
    for (; now_ms < 1015; now_ms++) {
        tend_soon(&supervisor);
    }
    go_to(1025);
    CHECK(tended == 1 && workers == 1 && trims == 1 && timer.fn == NULL);
    end();
}

TEST(as_long_as_there_is_more_it_goes_on_and_the_worker_is_the_last)
{
    begin();
    again_ms = PLATFORM_TEND_MORE;
    tend_soon(&supervisor);
    go_to(1024);
    CHECK(tended == 5 && workers == 0 && trims == 0);
    again_ms = 60000;
    go_to(1100);
    CHECK(tended == 6 && workers == 1 && trims == 0 && timer.at_ms == 61025);
    end();
}

TEST(nothing_is_made_while_somebody_waits_and_soon_then)
{
    begin();
    tend_hold(&supervisor);
    tend_hold(&supervisor);
    tend_soon(&supervisor);
    go_to(1040);
    CHECK(tended == 0);
    tend_go_on(&supervisor);
    go_to(1041);
    CHECK(tended == 0);
    tend_go_on(&supervisor);
    go_to(1043);
    CHECK(tended == 0);
    go_to(1044);
    CHECK(tended == 1 && workers == 1);
    end();
}

TEST(who_was_told_has_a_moment_to_go_on)
{
    begin();
    tend_soon(&supervisor);
    go_to(1019);
    tend_rest(&supervisor);
    go_to(1021);
    CHECK(tended == 0);
    go_to(1022);
    CHECK(tended == 1);
    tend_rest(&supervisor);
    tend_gone(&supervisor);
    go_to(1022);
    CHECK(tended == 2);
    tend_hold(&supervisor);
    tend_gone(&supervisor);
    go_to(1060);
    CHECK(tended == 2); /* another waits */
    end();
}

TEST(what_never_rests_does_not_keep_it_for_ever)
{
    begin();
    for (; now_ms < 1200; go_to(now_ms + 1)) {
        tend_rest(&supervisor);
    }
    CHECK(tended == 4 && workers == 4); /* each 50 ms */
    end();
}

TEST(who_always_waits_does_not_keep_it_for_ever)
{
    begin();
    tend_hold(&supervisor);
    tend_soon(&supervisor);
    go_to(1200);
    CHECK(tended == 1);
    tend_soon(&supervisor);
    go_to(1400);
    CHECK(tended == 2);
    end();
}

TEST(what_is_dead_is_put_away_in_any_case)
{
    begin();
    tend_hold(&supervisor);
    tend_now(&supervisor, 0);
    CHECK(tended == 1);
    end();
}

TEST(without_memory_nothing_is_made)
{
    begin();
    no_memory = true;
    tend_soon(&supervisor);
    CHECK(timer.fn == NULL);
    no_memory = false;
    tend_soon(&supervisor);
    go_to(1100);
    CHECK(tended == 1);
    end();
}

TEST_MAIN()
