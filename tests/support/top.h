/* SPDX-License-Identifier: Apache-2.0 */
/* A folder in memory of a test's own, and what is in it. */
#ifndef CORDON_TESTS_TOP_H
#define CORDON_TESTS_TOP_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/check.h"

static char top[64];

/* @test is a part of its name. */
static inline void top_make(const char *test)
{
    (void)snprintf(top, sizeof(top), "/dev/shm/cordon-%s-XXXXXX", test);
    CHECK(mkdtemp(top) != NULL);
}

static inline void top_remove(void)
{
    char command[sizeof(top) + 8];

    (void)snprintf(command, sizeof(command), "rm -rf %s", top);
    CHECK(system(command) == 0); /* NOLINT: a name of ours */
}

/* The path of @name, until eight others were asked for. */
static inline const char *in_top(const char *name)
{
    static char paths[8][256];
    static unsigned next;
    char *path = paths[next++ % 8];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", top, name);
    return path;
}

/* An empty file at @path. */
static inline void file_make(const char *path)
{
    const int fd = open(path, O_CREAT | O_WRONLY, 0644);

    CHECK(fd >= 0);
    (void)close(fd);
}

#endif
