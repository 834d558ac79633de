/* SPDX-License-Identifier: Apache-2.0 */
/* Fanotify groups of jobs, held until those are gone: see INDEX_HOLD in wire.h. */
#ifndef CORDON_LINUX_INDEX_HOLD_H
#define CORDON_LINUX_INDEX_HOLD_H

#include <poll.h>
#include <stddef.h>

#include "platform/linux/index/pass.h"

#define HOLD_MAX 1024U

/*
 * Takes all of @job's descriptors over; the first tells of its end. Where there are HOLD_MAX jobs,
 * or too many wait to be closed, they are closed at once. After closer_start().
 */
void hold_add(const struct pass *job);
/* One entry for each job; at most HOLD_MAX. */
size_t hold_polls(struct pollfd *polls);
/* As poll(2) filled them in: lets go of those that ended. */
void hold_check(const struct pollfd *polls, size_t count);

#endif
