/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <poll.h>

#include "platform/linux/backend.h"

bool linux_mounts_changed(void)
{
    static int fd = -1;
    struct pollfd table = {.events = POLLPRI};

    if (fd < 0) {
        fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    }
    table.fd = fd;
    return fd < 0 || poll(&table, 1, 0) != 0;
}
