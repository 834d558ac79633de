/* SPDX-License-Identifier: Apache-2.0 */
/* ID-09: says in the file $MARKS which programs have loaded it. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

__attribute__((constructor)) static void mark(void)
{
    char program[PATH_MAX];
    const char *marks = getenv("MARKS");
    ssize_t len = readlink("/proc/self/exe", program, sizeof(program) - 1);
    int fd = marks == NULL ? -1 : open(marks, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd >= 0 && len > 0) {
        (void)dprintf(fd, "%.*s\n", (int)len, program);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}
