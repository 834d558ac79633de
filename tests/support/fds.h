/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORDON_TESTS_FDS_H
#define CORDON_TESTS_FDS_H

#include <dirent.h>
#include <stdbool.h>
#include <unistd.h>

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

/* So many are left, once those are closed that host_close_foreign() closes aside. */
static inline bool fds_come_to(int count)
{
    for (int i = 0; i < 5000 && fds_count() != count; i++) {
        (void)usleep(1000);
    }
    return fds_count() == count;
}

#endif
