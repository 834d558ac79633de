/* SPDX-License-Identifier: Apache-2.0 */
/* How long to wait; a fleet that lost its source must not come back all at once. */
#ifndef CORDON_FETCH_BACKOFF_H
#define CORDON_FETCH_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_MS 500U
#define BACKOFF_MOST_MS 60000U

/* After @failures (from 1) in a row: twice as long each time up to the most, half of it by lot. */
uint32_t backoff_after(uint32_t failures, uint32_t lot);
/* Between two rounds that went well: @interval_s less up to a fifth. */
uint32_t backoff_between(uint32_t interval_s, uint32_t lot);

#endif
