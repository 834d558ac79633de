/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heir of a guard: when a job is gone, a process that takes in what its guard had read and not
 * told of, or not read. It does so as the guard would have, by the job's own rules; only that it
 * looks at the host's tree instead of the view. So nothing of what else the host renamed meanwhile
 * is kept.
 */
#ifndef CORDON_LINUX_INDEX_HEIR_H
#define CORDON_LINUX_INDEX_HEIR_H

#include "platform/linux/index/hold.h"

struct heir {
    pid_t pid; /* our child; its status is 0 if it has told all */
    int pidfd;
    int life; /* what it tells on, as a guard does */
};

/* False: it could not be started. */
bool heir_start(const struct held *held, struct heir *ret_heir);

#endif
