/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that many jobs at once needed is given back when nobody has any, not
 * at each of these moments: it would be asked for again by the next job.
 */
#ifndef CORDON_BROKER_LULL_H
#define CORDON_BROKER_LULL_H

#include <stdbool.h>

#define LULL_AFTER 64U

struct lull {
    unsigned ended; /* since memory was given back last */
};

/* Something ended; @idle: it was the last. True: free what is seldom needed, then host_trim(). */
bool lull_ended(struct lull *lull, bool idle);

#endif
