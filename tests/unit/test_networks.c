/* SPDX-License-Identifier: Apache-2.0 */
/* Networks of jobs that ended are held for a while after the last, and never many. */
#include "platform/linux/networks.h"

#include <unistd.h>

#include "tests/support/fds.h"

TEST(they_are_let_go_together_some_time_after_the_last)
{
    const int before = fds_count();

    CHECK(networks_tend(1000) == 0);
    networks_hold(getpid(), 1000);
    networks_hold(getpid(), 1060);
    CHECK(fds_count() == before + 2 && networks_tend(1060) == 100);
    CHECK(networks_tend(1159) == 1 && fds_count() == before + 2);
    CHECK(networks_tend(1160) == 0 && fds_count() == before);
}

TEST(there_is_a_most)
{
    const int before = fds_count();

    for (unsigned i = 0; i < 100; i++) {
        networks_hold(getpid(), 1000);
        CHECK(fds_count() <= before + 16);
    }
    networks_forget();
    CHECK(fds_count() == before && networks_tend(1000) == 0);
}

TEST(what_cannot_be_had_is_not_held)
{
    const int before = fds_count();

    networks_hold(INT32_MAX, 1000);
    CHECK(fds_count() == before && networks_tend(1000) == 0);
}

TEST_MAIN()
