/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the back end: a program has those of its half, or, embedded, of both. */
#ifndef CORDON_LINUX_BACKEND_ROWS_H
#define CORDON_LINUX_BACKEND_ROWS_H

#include "platform/linux/backend.h"
#include "platform/linux/plan_linux.h"
#include "platform/linux/remains.h"

#define LINUX_ROWS .name = "linux", .os = POLICY_OS_LINUX, .probe = linux_probe

#define LINUX_WORKER_ROWS                                                                          \
    .resolve = linux_resolve, .resolved_release = linux_resolved_release,                          \
    .resolved_holds = linux_resolved_holds, .needed = linux_needed, .plan = plan_linux,            \
    .order = linux_order

#define LINUX_SUPERVISOR_ROWS                                                                      \
    .spawn = linux_spawn, .watch_fd = linux_watch_fd, .poll = linux_poll,                          \
    .violation = linux_violation, .about = linux_about, .signal = linux_signal,                    \
    .release = linux_release, .cleanup = linux_cleanup, .expect = linux_expect,                    \
    .tend = linux_tend, .tend_fd = remains_fd, .forget = linux_forget

#endif
