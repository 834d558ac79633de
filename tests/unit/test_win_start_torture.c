/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th allocation between a worker's order and its job fails, n = 1, 2, ...: the start is
 * refused, or every entry is on; and once it has ended, nothing of it is left.
 */
#include "tests/unit/no_memory.h"
#include "tests/unit/win_start_world.h"

static bool start_without_memory(unsigned *refused)
{
    enum cordon_err err;

    begin_start(PLAN "own deny /C:/w/a\n", MANAGED);
    allocations = 0;
    armed = true;
    err = run_order();
    armed = false;
    if (err == CORDON_OK) {
        CHECK(sys.running && count(DRAWN, "C:\\w\\b") == 1 && count(DRAWN, "C:\\w\\a") == 1);
        end_job();
    } else {
        CHECK(err == CORDON_E_NOMEM && job.token.handle == 0 && !sys.running);
        ++*refused;
    }
    CHECK(drop(DRAWN, "job-7") == CORDON_OK && nothing_left());
    return allocations >= fail_at;
}

TEST(a_start_that_runs_out_of_memory_leaves_nothing)
{
    no_memory_each(start_without_memory, 30);
}

TEST_MAIN()
