/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/backend.h"
#include "platform/linux/remains.h"

/* The supervisor never looks at a caller's paths: those rows are the worker's. */
const struct platform *platform_host(void)
{
    static const struct platform backend = {
        .name = "linux",
        .os = POLICY_OS_LINUX,
        .probe = linux_probe,
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
