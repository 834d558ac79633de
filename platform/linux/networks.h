/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The networks of jobs that have ended, which the kernel takes down a little later: that takes it
 * longer than all else of a job's end, on whichever processor comes first, and of many at once
 * hardly more. Nothing is in one by then, and nobody gets it: it is only held.
 */
#ifndef CORDON_LINUX_NETWORKS_H
#define CORDON_LINUX_NETWORKS_H

#include <stdint.h>

/* That of a process of ours, which was not reaped. If it cannot be had, its
 * end takes it along. */
void networks_hold(int32_t pid, uint64_t now_ms);
/* Lets go those that were held for long enough. In how many milliseconds to come again; 0: none. */
uint32_t networks_tend(uint64_t now_ms);
void networks_forget(void);

#endif
