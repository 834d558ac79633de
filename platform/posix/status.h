/* SPDX-License-Identifier: Apache-2.0 */
/* The text of /proc/PID/status: proc(5). In a name that is in it newlines are escaped. */
#ifndef CORDON_POSIX_STATUS_H
#define CORDON_POSIX_STATUS_H

#include <stdbool.h>
#include <stdint.h>

/* The first number of the line that begins with @key, itself a "\nName:". False: no such line. */
bool status_number(const char *status, const char *key, int base, unsigned long *ret_value);

/*
 * True if the real, effective, saved and file system user are all @uid, and the same of the group.
 * A process that has become setuid or setgid keeps another at least in one of them.
 */
bool status_is_whole(const char *status, uint32_t uid, uint32_t gid);

#endif
