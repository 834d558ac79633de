/* SPDX-License-Identifier: Apache-2.0 */
/* One look at the source. */
#ifndef CORDON_FETCH_ROUND_H
#define CORDON_FETCH_ROUND_H

#include "fetch/spool.h"

struct fetcher {
    struct http *http;
    struct spool spool;
    struct fetch_config config;
    size_t endpoint;                   /* of the cluster, that answered last */
    const volatile sig_atomic_t *look; /* not 0: a watch ends, so that the next round begins */
};

/*
 * Looks once; an etcd cluster is then watched until interval_s is over, or @look is set. Alarms,
 * and their end, are the round's to raise. CORDON_OK: @ret_wait says whether to wait interval_s
 * before the next; CORDON_E_AGAIN: a watch broke off; anything else: the source cannot be reached.
 */
CORDON_MUST_USE enum cordon_err round_run(struct fetcher *fetcher, bool *ret_wait);

#endif
