/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closing what somebody else gave. The last one to close waits for what is behind it: a server of
 * FUSE that is asked whether it has something to flush, a TCP socket that lingers. Whoever made
 * these may take as long as he likes. So it is a thread that closes, one for each descriptor:
 * nobody waits for another's.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/host.h"

#define STACK ((size_t)64U * 1024U)
#define CLOSING_MAX 4096U /* so many take their time that one more is waited for */

static atomic_uint closing;

/* A place in a tree, or memory: nobody is asked. With a UNIX socket goes what is queued in it,
 * which may linger: not closed aside yet, see SECURITY.md. */
static bool is_harmless(int fd)
{
    const int flags = fcntl(fd, F_GETFL);
    int domain = AF_UNSPEC;
    socklen_t len = sizeof(domain);

    return flags < 0 || (flags & O_PATH) != 0 || fcntl(fd, F_GET_SEALS) >= 0 ||
           (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX);
}

static void *close_it(void *context)
{
    (void)close((int)(intptr_t)context);
    atomic_fetch_sub(&closing, 1U);
    return NULL;
}

/* Signals are for the loop's thread. */
static bool close_aside(int fd)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all;
    sigset_t before;
    bool done;

    if (pthread_attr_init(&attr) != 0) {
        return false;
    }
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    atomic_fetch_add(&closing, 1U);
    done = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 &&
           pthread_attr_setstacksize(&attr, STACK) == 0 &&
           pthread_create(&thread, &attr, close_it, (void *)(intptr_t)fd) == 0;
    if (!done) {
        atomic_fetch_sub(&closing, 1U);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attr);
    return done;
}

void host_close_foreign(int fd)
{
    if (fd < 0) {
        return;
    }
    if (is_harmless(fd) || atomic_load(&closing) >= CLOSING_MAX || !close_aside(fd)) {
        (void)close(fd);
    }
}
