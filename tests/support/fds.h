/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_TESTS_FDS_H
#define CORDON_TESTS_FDS_H

#include <dirent.h>

#include "tests/support/check.h"

/* How many descriptors this process has, and a few more: only a difference means something. */
static inline int fds_count(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    CHECK(dir != NULL);
    while (readdir(dir) != NULL) {
        count++;
    }
    (void)closedir(dir);
    return count;
}

#endif
