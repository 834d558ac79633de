/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/files.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/linux/init/watch.h"

bool files_close(int after, int before)
{
    return before - after <= 1 || syscall(SYS_close_range, after + 1, before - 1, 0) == 0;
}

bool files_close_but(int *kept, size_t count)
{
    int after = -1;
    bool ok = true;

    for (size_t i = 1; i < count; i++) {
        for (size_t k = i; k > 0 && kept[k - 1] > kept[k]; k--) {
            int swap = kept[k];

            kept[k] = kept[k - 1];
            kept[k - 1] = swap;
        }
    }
    for (size_t i = 0; i < count; i++) {
        ok = files_close(after, kept[i]) && ok;
        after = kept[i];
    }
    return files_close(after, INT_MAX) && ok;
}

int watch_raise_fd(int fd)
{
    int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, WATCH_FD_BASE);

    if (fd >= 0) {
        (void)close(fd);
    }
    return high;
}
