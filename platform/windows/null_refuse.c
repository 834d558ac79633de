/* SPDX-License-Identifier: Apache-2.0 */
/* Outside tests: the null back end runs nothing. */
#include "platform/null/null_job.h"

bool null_may_run(void)
{
    return false;
}
