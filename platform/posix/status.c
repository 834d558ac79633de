/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/posix/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool status_number(const char *status, const char *key, int base, unsigned long *ret_value)
{
    const char *line = strstr(status, key);

    if (line == NULL) {
        return false;
    }
    *ret_value = strtoul(line + strlen(key), NULL, base);
    return true;
}

/* As the kernel writes it, or not at all: nothing is to be read here in two ways. */
static bool all_are(const char *status, const char *name, uint32_t id)
{
    char line[64];

    (void)snprintf(line, sizeof(line), "\n%s:\t%u\t%u\t%u\t%u\n", name, id, id, id, id);
    return strstr(status, line) != NULL;
}

bool status_is_whole(const char *status, uint32_t uid, uint32_t gid)
{
    return all_are(status, "Uid", uid) && all_are(status, "Gid", gid);
}
