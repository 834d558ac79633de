/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_TESTS_HOSTILE_WORKER_H
#define CORDON_TESTS_HOSTILE_WORKER_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/ipc.h"

/* One hand-made spawn order; every descriptor is the packet's. */
struct hostile {
    const char *name;
    bool harmless; /* may run, and must then have gained nothing */
    int fds[IPC_FDS_MAX];
    size_t fd_count;
};

/* Fills row @index; false past the last. @home: the caller's home. */
bool hostile_order(size_t index, const char *home, struct hostile *ret);

#endif
