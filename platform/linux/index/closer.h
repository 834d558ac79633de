/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closes the last descriptor of a fanotify group, in a process of its own: that takes the kernel
 * some 20 ms, and as long as an open is being decided on the same file system. Whoever decides may
 * wait for cordon-index, so that must never wait for a group to end; not even to die itself, which
 * it could not while one of its threads closes.
 */
#ifndef CORDON_LINUX_INDEX_CLOSER_H
#define CORDON_LINUX_INDEX_CLOSER_H

#include <stdbool.h>

/* Before there are other threads. */
bool closer_start(void);
/* Takes @fd over; -1 is allowed. */
void closer_take(int fd);
/* How many were taken and are not closed yet. */
unsigned closer_count(void);

#endif
