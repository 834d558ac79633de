/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/index/hold.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "platform/linux/index/wire.h"

#define CLOSERS 16U /* at once: they wait for the same grace periods of the kernel */
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
static atomic_uint closing_count;
static int closing[2] = {-1, -1}; /* a pipe of descriptors */

static void *close_each(void *ignored)
{
    int fd;

    (void)ignored;
    while (read(closing[0], &fd, sizeof(fd)) == (ssize_t)sizeof(fd)) {
        (void)close(fd);
        (void)atomic_fetch_sub(&closing_count, 1);
    }
    return NULL;
}

bool hold_init(void)
{
    pthread_t thread;
    size_t started = 0;

    if (pipe(closing) != 0) {
        return false;
    }
    for (size_t i = 0; i < CLOSERS; i++) {
        started += pthread_create(&thread, NULL, close_each, NULL) == 0;
    }
    return started > 0;
}

/* What the thread cannot take is closed here, however long that takes. */
static void let_go(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)atomic_fetch_add(&closing_count, 1);
        if (write(closing[1], &fds[i], sizeof(fds[i])) != (ssize_t)sizeof(fds[i])) {
            (void)close(fds[i]);
            (void)atomic_fetch_sub(&closing_count, 1);
        }
    }
}

void hold_add(const int *fds, size_t count)
{
    struct held *held = &holding[held_count];

    if (held_count == HOLD_MAX || atomic_load(&closing_count) > CLOSING_MAX) {
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
