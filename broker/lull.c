/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/lull.h"

#include "platform/host.h"

void lull_ended(struct lull *lull, bool idle)
{
    lull->ended += lull->ended < LULL_AFTER;
    if (idle && lull->ended == LULL_AFTER) {
        lull->ended = 0;
        host_trim();
    }
}
