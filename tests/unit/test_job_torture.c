/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th allocation of a job's start or end fails, n = 1, 2, ...: the start is refused, or all is
 * as it should be; and once it has ended, nothing of it is left.
 */
#include "tests/unit/job_world.h"
#include "tests/unit/no_memory.h"

static bool start_without_memory(unsigned *refused)
{
    enum cordon_err err;

    begin_job();
    allocations = 0;
    armed = true;
    err = start_job();
    armed = false;
    if (err == CORDON_OK) {
        CHECK(sys.running && sys.filtered && count(JOB, "C:\\w\\b") == 1);
        end_job();
    } else {
        CHECK(err == CORDON_E_NOMEM && job.token.handle == 0);
        ++*refused;
        /* What there was no memory to take off waits for the next call. */
        CHECK(drop(JOB, order.holder) == CORDON_OK);
    }
    CHECK(nothing_left());
    return allocations >= fail_at;
}

TEST(a_start_that_runs_out_of_memory_leaves_nothing)
{
    no_memory_each(start_without_memory, 15);
}

static bool end_without_memory(void)
{
    begin_job();
    CHECK(start_job() == CORDON_OK);
    allocations = 0;
    armed = true;
    end_job();
    armed = false;
    CHECK(!sys.running && !sys.filtered && fake_job_open(&sys) == 0);
    end_job();
    CHECK(drop(JOB, order.holder) == CORDON_OK && nothing_left());
    return allocations >= fail_at;
}

TEST(an_end_that_runs_out_of_memory_is_made_up_for)
{
    for (unsigned way = 0; way < 2; way++) {
        and_on = way == 1;
        fail_at = 1;
        while (end_without_memory()) {
            fail_at++;
        }
        CHECK(fail_at > 3);
    }
}

TEST_MAIN()
