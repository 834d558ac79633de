/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/index/hold.h"

#include <unistd.h>

#include "platform/linux/index/closer.h"

/*
 * There is a limit on groups: 128 where nobody raised it, see linux_fanotify_groups(). When jobs
 * end faster than the kernel closes, new ones are not held: their end waits, as without us.
 */
#define CLOSING_MAX 48U

static struct pass holding[HOLD_MAX];
static size_t held_count;

void hold_add(const struct pass *job)
{
    if (held_count < HOLD_MAX && closer_count() <= CLOSING_MAX) {
        holding[held_count++] = *job;
        return;
    }
    /* Quick: the job still holds them. */
    for (size_t i = 0; i < job->count; i++) {
        (void)close(job->fds[i]);
    }
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
            for (size_t k = 0; k < holding[i].count; k++) {
                closer_take(holding[i].fds[k]);
            }
            holding[i] = holding[--held_count];
        }
    }
}
