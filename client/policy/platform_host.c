/* SPDX-License-Identifier: Apache-2.0 */
#include "client/policy/tool.h"

const struct platform *tool_platform(void)
{
    return platform_host();
}
