/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/lull.h"

bool lull_ended(struct lull *lull, bool idle)
{
    lull->ended += lull->ended < LULL_AFTER;
    if (!idle || lull->ended < LULL_AFTER) {
        return false;
    }
    lull->ended = 0;
    return true;
}
