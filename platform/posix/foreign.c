/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Closing what somebody else gave. The last one to close waits for what is behind it: a server of
 * FUSE that is asked whether it has something to flush, a TCP socket that lingers, also one that
 * is queued in a UNIX socket. Whoever made these may take as long as he likes. So a process of its
 * own is the last that has the descriptor, and ends: nobody waits for that, nor for another's.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/host.h"

/* A place in a tree, or memory: nobody is asked. */
static bool is_harmless(int fd)
{
    const int flags = fcntl(fd, F_GETFL);

    return flags < 0 || (flags & O_PATH) != 0 || fcntl(fd, F_GET_SEALS) >= 0;
}

/* ---- the process ---- */

/* Nobody's child, so that nobody has to wait for it. Signals are blocked as in its parent. */
__attribute__((noreturn)) static void closer_main(int fd, int go)
{
    char byte;

    if (fork() != 0) {
        _exit(0);
    }
    /* Nothing else of ours: others wait for the end of that. */
    if (dup2(fd, 0) == 0 && dup2(go, 1) == 1 && syscall(SYS_close_range, 2U, ~0U, 0) == 0) {
        while (read(1, &byte, 1) < 0 && errno == EINTR) {
        }
    }
    _exit(0);
}

/* False: there is no such process. */
static bool closer_fork(int fd, int go)
{
    sigset_t all;
    sigset_t before;
    pid_t pid;

    (void)sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, &before) != 0) {
        return false;
    }
    pid = fork();
    if (pid == 0) {
        closer_main(fd, go);
    }
    while (sigprocmask(SIG_SETMASK, &before, NULL) != 0) {
    }
    while (pid > 0 && waitpid(pid, NULL, 0) < 0 && errno == EINTR) {
    }
    return pid > 0;
}

/*
 * Has a process hold @fd until what is returned is closed, if that can be had; -1 is nothing to be
 * closed. Without such a process whoever closes @fd may be the last.
 */
static int closer_start(int fd)
{
    int go[2];
    int ready[2]; /* closed once the process has nothing else of ours */
    char byte;

    if (pipe2(go, O_CLOEXEC) != 0) {
        return -1;
    }
    if (pipe2(ready, O_CLOEXEC) != 0) {
        (void)close(go[0]);
        return go[1];
    }
    if (closer_fork(fd, go[0])) {
        (void)close(ready[1]);
        while (read(ready[0], &byte, 1) < 0 && errno == EINTR) {
        }
    } else {
        (void)close(ready[1]);
    }
    (void)close(ready[0]);
    (void)close(go[0]);
    return go[1];
}

void host_close_foreign(int fd)
{
    const int go = fd < 0 || is_harmless(fd) ? -1 : closer_start(fd);

    host_close(fd);
    host_close(go);
}

/* ---- connections ---- */

/*
 * No descriptor is queued in it, nor will be: it was shut down. Only its entry in proc(5) tells,
 * since Linux 5.11: to whoever receives, what came with a byte out of band that somebody has read
 * is there no more, though it is.
 */
static bool is_empty(int fd)
{
    static const char key[] = "\nscm_fds:";
    char path[48];
    char text[512];
    const char *at;
    ssize_t len;
    int info;

    (void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
    info = open(path, O_RDONLY | O_CLOEXEC);
    if (info < 0) {
        return false;
    }
    len = read(info, text, sizeof(text) - 1);
    (void)close(info);
    text[len < 0 ? 0 : len] = '\0';
    at = strstr(text, key);
    return at != NULL && strtoul(at + sizeof(key) - 1, NULL, 10) == 0;
}

static bool option_is(int fd, int option, int value)
{
    int is = 0;
    socklen_t len = sizeof(is);

    return getsockopt(fd, SOL_SOCKET, option, &is, &len) == 0 && is == value;
}

/* One that listens has more of them behind it. */
static bool is_connection(int fd)
{
    return option_is(fd, SO_DOMAIN, AF_UNIX) && option_is(fd, SO_ACCEPTCONN, 0);
}

void host_end_foreign(int fd)
{
    if (fd >= 0 && is_connection(fd) && shutdown(fd, SHUT_RDWR) == 0 && is_empty(fd)) {
        (void)close(fd);
    } else {
        host_close_foreign(fd);
    }
}
