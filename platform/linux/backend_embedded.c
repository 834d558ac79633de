/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/backend_rows.h"

/* Supervisor and worker are processes of one program and of one user: the rows of both. */
const struct platform *platform_host(void)
{
    static const struct platform backend = {
        LINUX_ROWS,
        LINUX_WORKER_ROWS,
        LINUX_SUPERVISOR_ROWS,
    };

    return &backend;
}
