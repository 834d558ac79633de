/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors that a process of ours does not need; one that keeps them ends, since others wait for
 * their end. */
#ifndef CORDON_LINUX_INIT_FILES_H
#define CORDON_LINUX_INIT_FILES_H

#include <stdbool.h>
#include <stddef.h>

/* Closes what lies between the two. False: they are open. */
bool files_close(int after, int before);
/* Closes all but @kept, which is put in order; -1 stands for none. False: some are open. */
bool files_close_but(int *kept, size_t count);

#endif
