/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_LINUX_INDEX_START_H
#define CORDON_LINUX_INDEX_START_H

/*
 * The askers' end of cordon-index, which is started if it does not run; the supervisor's own.
 * -1: it cannot be started, and every job has to look for itself.
 */
int index_started(void);

#endif
