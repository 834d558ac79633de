/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/backend_rows.h"

/* A worker starts nothing: those rows are the supervisor's. */
const struct platform *platform_host(void)
{
    static const struct platform backend = {
        LINUX_ROWS,
        LINUX_WORKER_ROWS,
    };

    return &backend;
}
