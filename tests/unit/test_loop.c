/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/loop.h"

#include "tests/support/check.h"

static struct loop *loop;
static struct loop_source *every;
static unsigned ticks;
static unsigned ends;

static void on_tick(void *context, unsigned events)
{
    (void)context;
    (void)events;
    if (++ticks == 3) {
        loop_source_free(every);
        every = NULL;
    }
}

static void on_end(void *context, unsigned events)
{
    (void)context;
    (void)events;
    ends++;
    loop_stop(loop);
}

TEST(a_timer_comes_every_time_until_it_is_freed_and_the_other_kind_once)
{
    struct loop_source *once = NULL;
    struct loop_source *end = NULL;

    CHECK(loop_new(&loop) == CORDON_OK);
    CHECK(loop_every(loop, 5, on_tick, NULL, &every) == CORDON_OK);
    CHECK(loop_after(loop, 100, on_end, NULL, &once) == CORDON_OK);
    loop_run(loop);
    CHECK(ticks == 3 && every == NULL && ends == 1);
    /* The one that came does not come again. */
    CHECK(loop_after(loop, 150, on_end, NULL, &end) == CORDON_OK);
    loop_run(loop);
    CHECK(ticks == 3 && ends == 2);
    loop_source_free(once);
    loop_source_free(end);
    loop_free(loop);
}

TEST_MAIN()
