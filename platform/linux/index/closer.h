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

struct init;

/*
 * Before there are other threads, and with every capability yet, so that the process can give up
 * all of them. Of @init the faults are used. False: it does not run.
 */
bool closer_start(struct init *init);
/*
 * Takes @fd over. If nobody is there to close it this process ends: those who wait for it are told
 * first (main.c), and the next job starts it again.
 */
void closer_take(int fd);
/* This process is cordon-links from now on. The descriptor that it needs for this. */
int closer_links(void);
/* How many were taken and are not closed yet. */
unsigned closer_count(void);

#endif
