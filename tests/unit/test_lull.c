/* SPDX-License-Identifier: Apache-2.0 */
/* When memory is given back. */
#include "broker/lull.h"
#include "tests/support/check.h"

/* How often memory is given back. */
static unsigned many(struct lull *lull, unsigned count, bool idle)
{
    unsigned times = 0;

    for (unsigned i = 0; i < count; i++) {
        times += lull_ended(lull, idle);
    }
    return times;
}

TEST(not_while_anybody_is_busy)
{
    struct lull lull = {.ended = 0};

    CHECK(many(&lull, 1000, false) == 0);
    CHECK(many(&lull, 1, true) == 1);
    CHECK(many(&lull, 1, true) == 0);
}

TEST(one_after_the_other_seldom)
{
    struct lull lull = {.ended = 0};

    CHECK(many(&lull, LULL_AFTER - 1, true) == 0);
    CHECK(many(&lull, 1, true) == 1);
    CHECK(many(&lull, 10 * LULL_AFTER, true) == 10);
}

TEST_MAIN()
