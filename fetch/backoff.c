/* SPDX-License-Identifier: Apache-2.0 */
#include "fetch/backoff.h"

uint32_t backoff_after(uint32_t failures, uint32_t lot)
{
    uint32_t most = BACKOFF_FIRST_MS;

    for (uint32_t i = 1; i < failures && most < BACKOFF_MOST_MS; i++) {
        most *= 2;
    }
    most = most < BACKOFF_MOST_MS ? most : BACKOFF_MOST_MS;
    return most / 2 + lot % (most / 2 + 1);
}

uint32_t backoff_between(uint32_t interval_s, uint32_t lot)
{
    const uint32_t most = interval_s * 1000U; /* at most a day: see fetch_config.c */

    return most - lot % (most / 5 + 1);
}
