/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/telling.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/linux/fstype.h"

#define MOUNTS_MAX 1024U /* what is on further ones is not believed */

static struct {
    uint64_t numbers[MOUNTS_MAX]; /* sorted */
    size_t count;
} mounts;

static int number_order(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* statfs(2) would ask a file server, which may never answer; the table of mounts does not. */
void telling_read(void)
{
    FILE *table = fopen("/proc/self/mountinfo", "re");
    char *line = NULL;
    size_t room = 0;

    mounts.count = 0;
    while (table != NULL && getline(&line, &room, table) > 0 && mounts.count < MOUNTS_MAX) {
        const char *end = strstr(line, " - ");
        char type[32];

        if (end != NULL && sscanf(end, " - %31s", type) == 1 && fstype_tells(type)) {
            mounts.numbers[mounts.count++] = strtoull(line, NULL, 10);
        }
    }
    free(line);
    if (table != NULL) {
        (void)fclose(table);
    }
    qsort(mounts.numbers, mounts.count, sizeof(mounts.numbers[0]), number_order);
}

bool telling_has(uint64_t mount)
{
    return bsearch(&mount, mounts.numbers, mounts.count, sizeof(mount), number_order) != NULL;
}
