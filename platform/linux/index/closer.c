/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/index/closer.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "platform/linux/init/init.h"
#include "platform/linux/pass.h"

#define CLOSERS 16U /* at once: they wait for the same grace periods of the kernel */
#define FD_TAKEN 3
#define GIVE_NS 1000000
#define GIVE_TRIES 1000

enum giver { GIVER_INDEX, GIVER_LINKS, GIVER_COUNT };

/* All of these processes have it. */
struct shared {
    atomic_uint count;                /* taken, and not closed yet */
    atomic_ulong let_go[GIVER_COUNT]; /* of each one's, those that he holds no longer */
};

/* What comes with a descriptor. */
struct gift {
    unsigned long number;
    enum giver giver;
};

static int taken = -1;
static struct gift given; /* last, by this process */
static struct shared *shared;

/* Closing it first would leave the last one to the giver. He is quick, or dead. */
static void wait_for_giver(const struct gift *gift)
{
    const atomic_ulong *let_go = &shared->let_go[gift->giver];
    const struct timespec wait = {.tv_nsec = 100000};

    for (int tries = 0; atomic_load(let_go) < gift->number && tries < 10000; tries++) {
        (void)nanosleep(&wait, NULL);
    }
}

static void *close_each(void *ignored)
{
    struct gift gift;
    struct pass pass;

    (void)ignored;
    /* Until nobody is left to give any. */
    while (pass_receive(FD_TAKEN, &gift, sizeof(gift), 0, &pass) > 0) {
        if (pass.count > 0) {
            wait_for_giver(&gift);
            (void)close(pass.fds[0]);
        }
        (void)atomic_fetch_sub(&shared->count, 1);
    }
    return NULL;
}

/* It has nothing of the other's: what that holds must end when that ends. */
static _Noreturn void closer_main(struct init *init, int from)
{
    pthread_t threads[CLOSERS];
    size_t started = 0;

    (void)prctl(PR_SET_NAME, "cordon-closer", 0, 0, 0);
    if (dup2(from, FD_TAKEN) != FD_TAKEN || syscall(SYS_close_range, FD_TAKEN + 1U, ~0U, 0) != 0 ||
        identity_narrow(init, 0) != CORDON_OK) {
        _exit(1);
    }
    while (started < CLOSERS && pthread_create(&threads[started], NULL, close_each, NULL) == 0) {
        started++;
    }
    /* Once: from here on it is there to take what comes. */
    if (started == 0 || write(FD_TAKEN, "", 1) != 1) {
        _exit(1);
    }
    while (started > 0) {
        (void)pthread_join(threads[--started], NULL);
    }
    _exit(0);
}

bool closer_start(struct init *init)
{
    char byte;
    int pair[2];
    pid_t pid;

    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return false;
    }
    pid = fork();
    if (pid == 0) {
        closer_main(init, pair[1]);
    }
    (void)close(pair[1]);
    taken = pair[0];
    return pid > 0 && read(taken, &byte, 1) == 1;
}

/* It may take a while until there is room, or memory. False: nobody takes it. */
static bool give(const struct gift *gift, int fd)
{
    const struct timespec wait = {.tv_nsec = GIVE_NS};

    for (int tries = 0; tries < GIVE_TRIES; tries++) {
        if (pass_send(taken, gift, sizeof(*gift), PASS_ONE(fd))) {
            return true;
        }
        if (errno == EPIPE || errno == ECONNRESET) {
            return false;
        }
        (void)nanosleep(&wait, NULL);
    }
    return false;
}

void closer_take(int fd)
{
    given.number++;
    (void)atomic_fetch_add(&shared->count, 1);
    if (!give(&given, fd)) {
        _exit(1);
    }
    (void)close(fd);
    atomic_store(&shared->let_go[given.giver], given.number);
}

int closer_links(void)
{
    given.giver = GIVER_LINKS;
    given.number = atomic_load(&shared->let_go[GIVER_LINKS]);
    return taken;
}

unsigned closer_count(void)
{
    return atomic_load(&shared->count);
}
