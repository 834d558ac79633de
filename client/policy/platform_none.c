/* SPDX-License-Identifier: Apache-2.0 */
/* For a build without a back end of its own system. */
#include "client/policy/tool.h"

const struct platform *tool_platform(void)
{
    return NULL;
}
