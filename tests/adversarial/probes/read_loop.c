/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read_loop FILE: four processes that open and read FILE for ever and write
 * what they got to standard output. "ready" goes to standard error.
 */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define READERS 4

static void read_once(const char *path)
{
    char bytes[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t len;

    if (fd < 0) {
        return;
    }
    len = read(fd, bytes, sizeof(bytes));
    if (len > 0 && write(1, bytes, (size_t)len) < 0) {
        _exit(1);
    }
    (void)close(fd);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        return 2;
    }
    (void)fprintf(stderr, "ready\n");
    for (int i = 1; i < READERS; i++) {
        if (fork() == 0) {
            break;
        }
    }
    for (;;) {
        read_once(argv[1]);
    }
}
