/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MT-07, MT-27: every open descriptor as "N TARGET", one a line, on standard
 * output or, with an argument, in that file (when standard output is closed).
 */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static size_t describe(char *text, size_t room)
{
    DIR *folder = opendir("/proc/self/fd");
    struct dirent *entry;
    size_t used = 0;

    if (folder == NULL) {
        return 0;
    }
    while ((entry = readdir(folder)) != NULL) {
        char target[PATH_MAX];
        ssize_t len;
        int fd = atoi(entry->d_name);

        if (entry->d_name[0] == '.' || fd == dirfd(folder)) {
            continue;
        }
        len = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
        target[len > 0 ? len : 0] = '\0';
        used += (size_t)snprintf(text + used, room - used, "%d %s\n", fd, target);
    }
    (void)closedir(folder);
    return used;
}

int main(int argc, char **argv)
{
    static char text[1 << 16];
    size_t len = describe(text, sizeof(text));
    int out = argc > 1 ? open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644) : 1;

    return len == 0 || out < 0 || write(out, text, len) != (ssize_t)len;
}
