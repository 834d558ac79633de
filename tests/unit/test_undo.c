/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/undo.h"
#include "tests/support/check.h"

static char order[8];
static size_t ran;

static void note(void *arg)
{
    order[ran++] = *(const char *)arg;
}

static struct undo again;
static void run_again(void *arg)
{
    (void)arg;
    undo_run(&again);
}

TEST(reversals_run_latest_first)
{
    struct undo undo = {.count = 0};
    char a = 'a';
    char b = 'b';

    ran = 0;
    undo_push(&undo, note, &a, "a");
    undo_push(&undo, note, &b, "b");
    CHECK_STR(undo_top(&undo), "b");
    undo_run(&undo);
    CHECK(ran == 2 && order[0] == 'b' && order[1] == 'a');
    CHECK(undo_top(&undo) == NULL);
}

TEST(running_twice_undoes_once)
{
    struct undo undo = {.count = 0};
    char a = 'a';

    ran = 0;
    undo_push(&undo, note, &a, "a");
    undo_run(&undo);
    undo_run(&undo);
    CHECK(ran == 1);
}

TEST(a_reversal_that_runs_the_log_again_repeats_nothing)
{
    char a = 'a';

    ran = 0;
    again.count = 0;
    undo_push(&again, note, &a, "a");
    undo_push(&again, run_again, NULL, "again");
    undo_run(&again);
    CHECK(ran == 1);
}

TEST_MAIN()
