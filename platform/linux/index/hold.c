/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/index/hold.h"

#include <unistd.h>

#include "platform/linux/index/closer.h"
#include "platform/linux/index/wire.h"

/*
 * There is a limit on groups (128, see fanotify(7)). When jobs end faster than
 * the kernel closes, new ones are not held: their end waits, as without us.
 */
#define CLOSING_MAX 48U

static struct held {
    int fds[INDEX_FDS_MAX];
    size_t count;
} holding[HOLD_MAX];
static size_t held_count;

bool hold_init(void)
{
    return closer_start();
}

static void let_go(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        closer_take(fds[i]);
    }
}

void hold_add(const int *fds, size_t count)
{
    struct held *held = &holding[held_count];

    if (held_count == HOLD_MAX || closer_count() > CLOSING_MAX) {
        /* Quick: the job still holds them. */
        for (size_t i = 0; i < count; i++) {
            (void)close(fds[i]);
        }
        return;
    }
    for (size_t i = 0; i < count; i++) {
        held->fds[i] = fds[i];
    }
    held->count = count;
    held_count++;
}

size_t hold_polls(struct pollfd *polls)
{
    for (size_t i = 0; i < held_count; i++) {
        polls[i] = (struct pollfd){.fd = holding[i].fds[0]};
    }
    return held_count;
}

void hold_check(const struct pollfd *polls, size_t count)
{
    /* From the end: what takes the place of one that goes was looked at already. */
    for (size_t i = count; i-- > 0;) {
        if (polls[i].revents != 0) {
            let_go(holding[i].fds, holding[i].count);
            holding[i] = holding[--held_count];
        }
    }
}
