/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/backend.h"
#include "platform/linux/plan_linux.h"
#include "platform/linux/remains.h"

/* Supervisor and worker are processes of one program and of one user: the rows of both. */
const struct platform *platform_host(void)
{
    static const struct platform backend = {
        .name = "linux",
        .os = POLICY_OS_LINUX,
        .probe = linux_probe,
        .resolve = linux_resolve,
        .resolved_release = linux_resolved_release,
        .resolved_holds = linux_resolved_holds,
        .needed = linux_needed,
        .plan = plan_linux,
        .order = linux_order,
        .spawn = linux_spawn,
        .watch_fd = linux_watch_fd,
        .poll = linux_poll,
        .violation = linux_violation,
        .about = linux_about,
        .signal = linux_signal,
        .release = linux_release,
        .cleanup = linux_cleanup,
        .tend = linux_tend,
        .tend_fd = remains_fd,
        .forget = linux_forget,
    };

    return &backend;
}
