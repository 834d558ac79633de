/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/index/closer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CLOSERS 16U /* at once: they wait for the same grace periods of the kernel */
#define FD_TAKEN 3

union control {
    struct cmsghdr head;
    char bytes[CMSG_SPACE(sizeof(int))];
};

/* Both processes have it. */
struct shared {
    atomic_uint count;   /* taken, and not closed yet */
    atomic_ulong let_go; /* of them, those that the giver holds no longer */
};

static int taken = -1;
static unsigned long given;
static struct shared *shared;

/* Closing it first would leave the last one to the giver. He is quick, or dead. */
static void wait_for_giver(unsigned long number)
{
    const struct timespec wait = {.tv_nsec = 100000};

    for (int tries = 0; atomic_load(&shared->let_go) < number && tries < 10000; tries++) {
        (void)nanosleep(&wait, NULL);
    }
}

static void *close_each(void *ignored)
{
    (void)ignored;
    for (;;) {
        union control control;
        unsigned long number;
        struct iovec part = {&number, sizeof(number)};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof(control)};
        int fd;

        if (recvmsg(FD_TAKEN, &message, MSG_CMSG_CLOEXEC) <= 0) {
            return NULL; /* nobody is left to give any */
        }
        if (CMSG_FIRSTHDR(&message) != NULL) {
            memcpy(&fd, CMSG_DATA(&control.head), sizeof(fd));
            wait_for_giver(number);
            (void)close(fd);
        }
        (void)atomic_fetch_sub(&shared->count, 1);
    }
}

/* It has nothing of the other's: what that holds must end when that ends. */
static _Noreturn void closer_main(int from)
{
    pthread_t threads[CLOSERS];
    size_t started = 0;

    (void)prctl(PR_SET_NAME, "cordon-closer", 0, 0, 0);
    if (dup2(from, FD_TAKEN) != FD_TAKEN || syscall(SYS_close_range, FD_TAKEN + 1U, ~0U, 0) != 0) {
        _exit(1);
    }
    while (started < CLOSERS && pthread_create(&threads[started], NULL, close_each, NULL) == 0) {
        started++;
    }
    while (started > 0) {
        (void)pthread_join(threads[--started], NULL);
    }
    _exit(0);
}

bool closer_start(void)
{
    int pair[2];
    pid_t pid;

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return false;
    }
    pid = fork();
    if (pid == 0) {
        closer_main(pair[1]);
    }
    (void)close(pair[1]);
    taken = pair[0];
    return pid > 0;
}

void closer_take(int fd)
{
    union control control;
    unsigned long number = given + 1;
    struct iovec part = {&number, sizeof(number)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};

    if (fd < 0) {
        return;
    }
    memset(&control, 0, sizeof(control));
    control.head.cmsg_len = CMSG_LEN(sizeof(int));
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    memcpy(CMSG_DATA(&control.head), &fd, sizeof(fd));
    (void)atomic_fetch_add(&shared->count, 1);
    if (sendmsg(taken, &message, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)sizeof(number)) {
        (void)atomic_fetch_sub(&shared->count, 1);
        (void)close(fd); /* however long that takes */
        return;
    }
    (void)close(fd);
    given = number;
    atomic_store(&shared->let_go, given);
}

unsigned closer_count(void)
{
    return atomic_load(&shared->count);
}
