/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/networks.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define HELD_MAX 16U
#define HOLD_MS 100U /* after the last */

static struct {
    int fds[HELD_MAX];
    unsigned count;
    uint64_t last_ms;
} held;

void networks_forget(void)
{
    while (held.count > 0) {
        (void)close(held.fds[--held.count]);
    }
}

void networks_hold(int32_t pid, uint64_t now_ms)
{
    char path[64];
    int fd;

    (void)snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return;
    }
    if (held.count == HELD_MAX) {
        networks_forget();
    }
    held.fds[held.count++] = fd;
    held.last_ms = now_ms;
}

uint32_t networks_tend(uint64_t now_ms)
{
    if (held.count > 0 && now_ms - held.last_ms >= HOLD_MS) {
        networks_forget();
    }
    return held.count == 0 ? 0 : (uint32_t)(held.last_ms + HOLD_MS - now_ms);
}
