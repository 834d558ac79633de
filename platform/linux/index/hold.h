/* SPDX-License-Identifier: Apache-2.0 */
/* Fanotify groups of jobs, held until those are gone: see INDEX_HOLD in wire.h. */
#ifndef CORDON_LINUX_INDEX_HOLD_H
#define CORDON_LINUX_INDEX_HOLD_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#define HOLD_MAX 1024U

/* The thread that closes. False: none can be had; then nothing is held. */
bool hold_init(void);
/* Takes all of @fds over; the first tells of the job's end. */
void hold_add(const int *fds, size_t count);
/* One entry for each job; at most HOLD_MAX. */
size_t hold_polls(struct pollfd *polls);
/* As poll(2) filled them in: lets go of those that ended. */
void hold_check(const struct pollfd *polls, size_t count);

#endif
