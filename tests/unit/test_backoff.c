/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/backoff.h"
#include "tests/support/check.h"

static const uint32_t lots[] = {0, 1, 249, 250, 251, 12345, UINT32_MAX / 2, UINT32_MAX};
#define LOTS (sizeof(lots) / sizeof(lots[0]))

TEST(the_wait_doubles_up_to_the_most_and_half_of_it_is_by_lot)
{
    uint32_t most = BACKOFF_FIRST_MS;

    for (uint32_t failures = 1; failures < 100; failures++) {
        for (size_t i = 0; i < LOTS; i++) {
            const uint32_t wait = backoff_after(failures, lots[i]);

            CHECK(wait >= most / 2 && wait <= most);
        }
        most = most * 2 < BACKOFF_MOST_MS ? most * 2 : BACKOFF_MOST_MS;
    }
    CHECK(backoff_after(UINT32_MAX, 0) == BACKOFF_MOST_MS / 2);
}

TEST(two_of_a_fleet_do_not_wait_alike)
{
    CHECK(backoff_after(3, 1) != backoff_after(3, 2));
    CHECK(backoff_between(60, 1) != backoff_between(60, 2));
}

TEST(the_interval_loses_at_most_a_fifth)
{
    static const uint32_t intervals[] = {1, 60, 86400};

    for (size_t i = 0; i < LOTS * 3; i++) {
        const uint32_t interval = intervals[i % 3];
        const uint32_t wait = backoff_between(interval, lots[i / 3]);

        CHECK(wait <= interval * 1000 && wait >= interval * 800);
    }
}

TEST_MAIN()
