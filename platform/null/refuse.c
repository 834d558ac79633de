/* SPDX-License-Identifier: Apache-2.0 */
/* Outside tests: the null back end runs nothing. */
#include <unistd.h>

#include "platform/null/null_child.h"
#include "platform/null/null_job.h"

bool null_may_run(void)
{
    return false;
}

void null_child(const struct platform_spawn *spawn, int status)
{
    (void)spawn;
    (void)status;
    _exit(125);
}
