/* SPDX-License-Identifier: Apache-2.0 */
/* A system without a back end of its own. */
#include "platform/platform.h"

const struct platform *platform_host(void)
{
    return platform_null();
}
