/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "platform/linux/init/watch.h"

void violation_report(const struct init *init, const struct denial *denial)
{
    (void)init;
    (void)denial;
}
