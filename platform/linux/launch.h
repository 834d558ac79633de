/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting cordon-init in fresh namespaces. Everything that it gets are the
 * descriptors of enum order_init_fd, so it can be started again from the same.
 * Those of its job it is sent, before it is started or while it waits.
 */
#ifndef CORDON_LINUX_LAUNCH_H
#define CORDON_LINUX_LAUNCH_H

#include "platform/base/err.h"
#include "platform/linux/order.h"

struct launch {
    int fds[INIT_FD_COUNT]; /* from INIT_FD_CHANNEL on; owned; -1: none */
    uint32_t flags;         /* enum order_flag: which namespaces */
    bool asks;              /* INIT_FD_INDEX is a cordon-index */
};

void launch_init(struct launch *launch);
void launch_close(struct launch *launch); /* twice is allowed */

/* Sends what its job is on our end of its channel. CORDON_E_OS. */
CORDON_MUST_USE enum cordon_err launch_tell(const struct launch *launch, int control, bool ahead,
                                            struct cordon_fault *fault);

/* *ret_pidfd is the caller's; *ret_pid is its number as this process sees it. CORDON_E_OS, with
 * the remedy where user namespaces are off; CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err launch_start(const struct launch *launch, int *ret_pidfd,
                                             int *ret_pid, struct cordon_fault *fault);

#endif
