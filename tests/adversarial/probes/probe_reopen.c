/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MT-31, MT-08: reopens each path given for writing, in every way there is,
 * and writes a byte. Exit status 0 if all were refused, 1 if any succeeded.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int by_open(const char *path, int flags, const char *how)
{
    int fd = open(path, flags | O_CLOEXEC);

    if (fd < 0) {
        (void)printf("%s %s: refused (%s)\n", path, how, strerror(errno));
        return 0;
    }
    if ((flags & O_ACCMODE) == O_RDONLY || write(fd, "!", 1) != 1) {
        (void)printf("%s %s: opened, nothing written\n", path, how);
    } else {
        (void)printf("%s %s: WRITTEN\n", path, how);
    }
    (void)close(fd);
    return 1;
}

static int by_call(long result, const char *path, const char *how)
{
    if (result < 0) {
        (void)printf("%s %s: refused (%s)\n", path, how, strerror(errno));
        return 0;
    }
    (void)printf("%s %s: CHANGED\n", path, how);
    return 1;
}

int main(int argc, char **argv)
{
    int bad = 0;

    (void)setvbuf(stdout, NULL, _IONBF, 0);
    for (int i = 1; i < argc; i++) {
        bad |= by_open(argv[i], O_WRONLY, "O_WRONLY");
        bad |= by_open(argv[i], O_RDWR, "O_RDWR");
        bad |= by_open(argv[i], O_WRONLY | O_APPEND, "O_APPEND");
        bad |= by_open(argv[i], O_RDONLY | O_TRUNC, "O_TRUNC");
        bad |= by_call(truncate(argv[i], 1), argv[i], "truncate");
    }
    return bad;
}
