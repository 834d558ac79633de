/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/loop.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/support/check.h"

static struct loop *loop;
static struct loop_source *every;
static unsigned ticks;
static unsigned ends;

static struct loop_source *once;

static void on_end(void *context, unsigned events);

/* After the third it would come ten times more before the end does. */
static void on_tick(void *context, unsigned events)
{
    (void)context;
    (void)events;
    if (++ticks == 3) {
        loop_source_free(every);
        every = NULL;
        CHECK(loop_after(loop, 50, on_end, NULL, &once) == CORDON_OK);
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
    struct loop_source *end = NULL;

    CHECK(loop_new(&loop) == CORDON_OK);
    CHECK(loop_every(loop, 5, on_tick, NULL, &every) == CORDON_OK);
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

#define MANY 3000 /* more than there are notes for */

static unsigned seen;

static void on_seen(void *context, unsigned events)
{
    CHECK(events == LOOP_READ);
    seen++;
    loop_source_free(*(struct loop_source **)context);
    if (seen == MANY) {
        loop_stop(loop);
    }
}

/* More descriptors at once than are thought of, and the same numbers again in another loop. */
TEST(as_many_descriptors_as_there_are)
{
    static struct loop_source *sources[MANY];
    static int fds[MANY];
    struct rlimit files;
    int ends_of[2];

    CHECK(getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_max > MANY + 100);
    files.rlim_cur = files.rlim_max;
    CHECK(setrlimit(RLIMIT_NOFILE, &files) == 0);
    CHECK(pipe2(ends_of, O_CLOEXEC) == 0 && write(ends_of[1], "x", 1) == 1);
    for (size_t i = 0; i < MANY; i++) {
        fds[i] = fcntl(ends_of[0], F_DUPFD_CLOEXEC, 0);
        CHECK(fds[i] >= 0);
    }
    for (unsigned round = 0; round < 2; round++) {
        seen = 0;
        CHECK(loop_new(&loop) == CORDON_OK);
        for (size_t i = 0; i < MANY; i++) {
            CHECK(loop_watch(loop, fds[i], LOOP_READ, on_seen, &sources[i], &sources[i]) ==
                  CORDON_OK);
        }
        loop_run(loop);
        CHECK(seen == MANY);
        loop_free(loop);
    }
    for (size_t i = 0; i < MANY; i++) {
        (void)close(fds[i]);
    }
    (void)close(ends_of[0]);
    (void)close(ends_of[1]);
}

TEST_MAIN()
