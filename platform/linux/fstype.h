/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of a file system by its type, as /proc/self/mountinfo has it. */
#ifndef CORDON_LINUX_FSTYPE_H
#define CORDON_LINUX_FSTYPE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Whatever is changed on it is changed by this kernel, which tells inotify(7) of it, and which
 * dates a directory (its ctime) whenever a name in it comes, goes or is replaced.
 */
bool fstype_tells(const char *type);
/* The same of a type as statfs(2) has it, and its dates are this host's. */
bool fstype_dates(uint32_t number);

#endif
