/* SPDX-License-Identifier: Apache-2.0 */
/* When memory is given back. */
#include "broker/lull.h"
#include "platform/host.h"
#include "tests/support/check.h"

static unsigned trims;

void host_trim(void)
{
    trims++;
}

static void many(struct lull *lull, unsigned count, bool idle)
{
    for (unsigned i = 0; i < count; i++) {
        lull_ended(lull, idle);
    }
}

TEST(not_while_anybody_is_busy)
{
    struct lull lull = {.ended = 0};

    trims = 0;
    many(&lull, 1000, false);
    CHECK(trims == 0);
    lull_ended(&lull, true);
    CHECK(trims == 1);
    lull_ended(&lull, true);
    CHECK(trims == 1);
}

TEST(one_after_the_other_seldom)
{
    struct lull lull = {.ended = 0};

    trims = 0;
    many(&lull, LULL_AFTER - 1, true);
    CHECK(trims == 0);
    many(&lull, 1, true);
    CHECK(trims == 1);
    many(&lull, 10 * LULL_AFTER, true);
    CHECK(trims == 11);
}

TEST_MAIN()
