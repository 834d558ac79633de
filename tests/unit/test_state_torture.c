/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th allocation of the state fails, n = 1, 2, ...: the call is refused or does its work, and
 * once nobody holds anything the world is as it was. What the world itself allocates does not fail.
 */
#include "tests/unit/no_memory.h"
#include "tests/unit/state_world.h"

static enum cordon_err apply_all(void)
{
    const struct state_target targets[] = ONE_OF_EACH;

    return apply(JOB, "s1", targets, 4);
}

static bool is_clean(void)
{
    return !any_entry() && fake_find(&world, API_FILE, "C:\\w\\n") == NULL &&
           state_size(state) == 0;
}

static bool apply_without_memory(unsigned *refused)
{
    enum cordon_err err;

    start();
    allocations = 0;
    armed = true;
    err = apply_all();
    armed = false;
    if (err == CORDON_OK) {
        CHECK(strstr(list("C:\\w\\a"), JOB) != NULL && strstr(list("HKLM\\k"), JOB) != NULL);
    } else {
        CHECK(err == CORDON_E_NOMEM);
        ++*refused;
    }
    CHECK(drop(JOB, "s1") == CORDON_OK && is_clean());
    return allocations >= fail_at;
}

TEST(an_apply_that_runs_out_of_memory_leaves_nothing)
{
    no_memory_each(apply_without_memory, 10);
}

static bool drop_without_memory(void)
{
    start();
    CHECK(apply_all() == CORDON_OK);
    allocations = 0;
    armed = true;
    (void)drop(JOB, "s1");
    armed = false;
    CHECK(drop(JOB, "s1") == CORDON_OK && is_clean());
    return allocations >= fail_at;
}

TEST(a_drop_that_runs_out_of_memory_is_made_up_for)
{
    for (unsigned way = 0; way < 2; way++) {
        and_on = way == 1;
        fail_at = 1;
        while (drop_without_memory()) {
            fail_at++;
        }
        CHECK(fail_at > 3);
    }
}

static bool start_without_memory(void)
{
    enum cordon_err err;

    start();
    CHECK(apply_all() == CORDON_OK);
    stop();
    allocations = 0;
    armed = true;
    err = reopen();
    armed = false;
    if (err != CORDON_OK) {
        CHECK(err == CORDON_E_NOMEM && fake_open_handles(&world) == 0);
        CHECK(reopen() == CORDON_OK);
    }
    CHECK(count(JOB, "C:\\w\\a") == 1 && state_notices(state)[0] == '\0');
    CHECK(drop(JOB, "s1") == CORDON_OK && is_clean());
    return allocations >= fail_at;
}

TEST(a_start_that_runs_out_of_memory_loses_nothing)
{
    for (unsigned way = 0; way < 2; way++) {
        and_on = way == 1;
        fail_at = 1;
        while (start_without_memory()) {
            fail_at++;
        }
        CHECK(fail_at > 10);
    }
}

TEST_MAIN()
