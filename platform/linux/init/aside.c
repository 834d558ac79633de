/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel takes long for and the set-up need not wait for is done by a thread beside it: a
 * network is made while the view is, and the host's tree is let go, which waits until no processor
 * reads in it any more. Without a thread the set-up does both itself.
 */
#include "platform/linux/init/init.h"

#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

enum work { WORK_NONE, WORK_TREE, WORK_END };

static struct {
    pthread_t thread;
    bool runs;
    pthread_mutex_t lock; /* the two below */
    pthread_cond_t more;
    enum work asked;
    int under; /* the directory that the tree to let go lies over */
    /* The thread's until it has ended. */
    struct cordon_fault fault;
    int network; /* one that is its own; -1: none */
} aside = {.lock = PTHREAD_MUTEX_INITIALIZER,
           .more = PTHREAD_COND_INITIALIZER,
           .under = -1,
           .network = -1};

/* A network of the job's own, with loopback as its only interface, becomes that of this thread. */
static enum cordon_err network_make(struct cordon_fault *fault, int *ret_network)
{
    struct ifreq request;
    int fd;

    if (unshare(CLONE_NEWNET) != 0) {
        return fault_os(fault, errno, NULL, "cannot make the network of the job");
    }
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memset(&request, 0, sizeof(request));
    memcpy(request.ifr_name, "lo", 3);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) != 0) {
        (void)fault_os(fault, errno, NULL, "cannot bring up the job's loopback");
    } else if (ret_network != NULL && (*ret_network = ioctl(fd, SIOCGSKNS)) < 0) {
        (void)fault_os(fault, errno, NULL, "cannot open the network of the job");
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return fault->err;
}

/* What is mounted over the directory @under leaves this mount namespace. */
static enum cordon_err tree_let_go(int under, struct cordon_fault *fault)
{
    if (fchdir(under) != 0 || umount2(".", MNT_DETACH) != 0) {
        return fault_os(fault, errno, NULL, "cannot let go of the host's tree");
    }
    (void)close(under);
    return CORDON_OK;
}

static enum work work_wait(void)
{
    enum work asked;

    (void)pthread_mutex_lock(&aside.lock);
    while (aside.asked == WORK_NONE) {
        (void)pthread_cond_wait(&aside.more, &aside.lock);
    }
    asked = aside.asked;
    (void)pthread_mutex_unlock(&aside.lock);
    return asked;
}

/* Nothing more is asked than the first. */
static void work_ask(enum work what, int under)
{
    (void)pthread_mutex_lock(&aside.lock);
    if (aside.asked == WORK_NONE) {
        aside.asked = what;
        aside.under = under;
    }
    (void)pthread_cond_signal(&aside.more);
    (void)pthread_mutex_unlock(&aside.lock);
}

static void *aside_run(void *context)
{
    const struct init *init = context;
    enum cordon_err err = CORDON_OK;

    /* Its working directory is no longer that of the set-up. */
    if (unshare(CLONE_FS) != 0) {
        err = fault_os(&aside.fault, errno, NULL, "cannot part from the set-up");
    }
    if (err == CORDON_OK && (init->order->flags & ORDER_NET_HOST) == 0) {
        err = network_make(&aside.fault, &aside.network);
    }
    if (work_wait() == WORK_TREE && err == CORDON_OK) {
        (void)tree_let_go(aside.under, &aside.fault);
    }
    return NULL;
}

enum cordon_err aside_begin(struct init *init)
{
    aside.runs = pthread_create(&aside.thread, NULL, aside_run, init) == 0;
    return aside.runs || (init->order->flags & ORDER_NET_HOST) != 0
               ? CORDON_OK
               : network_make(&init->fault, NULL);
}

enum cordon_err aside_let_go(struct init *init, int under)
{
    if (!aside.runs) {
        return tree_let_go(under, &init->fault);
    }
    work_ask(WORK_TREE, under);
    return CORDON_OK;
}

enum cordon_err aside_end(struct init *init)
{
    if (!aside.runs) {
        return CORDON_OK;
    }
    work_ask(WORK_END, -1);
    (void)pthread_join(aside.thread, NULL);
    aside.runs = false;
    if (aside.fault.err != CORDON_OK) {
        init->fault = aside.fault;
        return init->fault.err;
    }
    if (aside.network >= 0 && setns(aside.network, CLONE_NEWNET) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot enter the network of the job");
    }
    if (aside.network >= 0) {
        (void)close(aside.network);
    }
    return CORDON_OK;
}
