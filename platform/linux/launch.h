/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting cordon-init in fresh namespaces. Everything that it gets are the
 * descriptors of enum order_init_fd, so it can be started again from the same.
 */
#ifndef CORDON_LINUX_LAUNCH_H
#define CORDON_LINUX_LAUNCH_H

#include "platform/base/err.h"
#include "platform/linux/order.h"

struct launch {
    int fds[INIT_FD_COUNT]; /* from INIT_FD_ORDER on; owned; -1: none */
    uint32_t flags;         /* enum order_flag: which namespaces */
};

void launch_init(struct launch *launch);
void launch_close(struct launch *launch); /* twice is allowed */

/* *ret_pidfd is the caller's; *ret_pid is its number as this process sees it. CORDON_E_OS, with
 * the remedy where user namespaces are off; CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err launch_start(const struct launch *launch, int *ret_pidfd,
                                             int *ret_pid, struct cordon_fault *fault);

#endif
