/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_LINUX_INDEX_START_H
#define CORDON_LINUX_INDEX_START_H

#include <stdbool.h>
#include <stdint.h>

/*
 * The askers' end of cordon-index, which is started if it does not run; the supervisor's own.
 * -1: it cannot be started, and every job has to look for itself.
 */
int index_started(void);

/* Of the one that runs, or ran last: those that were started. */
unsigned index_number(void);
/*
 * Before a job of @uid's that was made ahead, and is held by cordon-index @number, gets its
 * command: see index/begun.h. False: it may not have it; that one is gone, for example.
 */
bool index_begins(unsigned number, int pid, uint32_t uid);
/* After that, if it was not to be: no command ever ran. */
void index_begins_not(int pid);

#endif
