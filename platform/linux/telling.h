/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mounts whose file systems tell inotify(7) of whatever is changed there, by the numbers that
 * statx(2) and /proc/self/mountinfo have for them. Not for threads.
 */
#ifndef CORDON_LINUX_TELLING_H
#define CORDON_LINUX_TELLING_H

#include <stdbool.h>
#include <stdint.h>

/* Reads the table of mounts: first of all, and whenever it changed. */
void telling_read(void);
bool telling_has(uint64_t mount);

#endif
