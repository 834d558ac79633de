/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether names that were looked up would lead to the same now, without looking again: the
 * directories on the way to each are watched by inotify(7), which queues an event before the system
 * call that caused it returns. What cannot be watched (a file system that others change too, a
 * directory that may be searched but not read, one with encrypted names, more directories than a
 * user can spare) is never taken as still the same.
 *
 * One process has one queue, for all witnesses. Not for threads.
 */
#ifndef CORDON_LINUX_WITNESS_H
#define CORDON_LINUX_WITNESS_H

#include <stdbool.h>

struct witness;

/* NULL: there is none to be had. */
struct witness *witness_new(void);
void witness_free(struct witness *witness);

/* @path, absolute, is looked up after this. */
void witness_name(struct witness *witness, const char *path);
/* What is behind @fd, found so, is opened again later: not where a file server has to answer. */
void witness_object(struct witness *witness, int fd);

/* False: something on the way to one of its names changed, or it cannot be said. */
bool witness_holds(struct witness *witness);

#endif
