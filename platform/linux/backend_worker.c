/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/backend.h"
#include "platform/linux/plan_linux.h"

/* A worker starts nothing: those rows are the supervisor's. */
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
    };

    return &backend;
}
