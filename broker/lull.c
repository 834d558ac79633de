/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/lull.h"

bool lull_ended(struct lull *lull, bool idle)
{
    const bool due = idle && lull->ended + 1 >= LULL_AFTER;

    lull->ended = due ? 0 : lull->ended + (lull->ended < LULL_AFTER);
    return due;
}
