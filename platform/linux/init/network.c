/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network of the job's own. The kernel takes some 0.4 ms to make one, so a thread has it made
 * while the view is; where no thread is to be had the set-up does it itself.
 */
#include "platform/linux/init/init.h"

#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
    pthread_t thread;
    bool runs;
    /* The thread's until it has ended. */
    struct cordon_fault fault;
    int network;
} beside;

/* It becomes this thread's, with loopback as its only interface; *ret_network leads to it. */
static void network_make(struct cordon_fault *fault, int *ret_network)
{
    struct ifreq request;
    int fd;

    *ret_network = -1;
    if (unshare(CLONE_NEWNET) != 0) {
        (void)fault_os(fault, errno, NULL, "cannot make the network of the job");
        return;
    }
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memset(&request, 0, sizeof(request));
    memcpy(request.ifr_name, "lo", 3);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) != 0) {
        (void)fault_os(fault, errno, NULL, "cannot bring up the job's loopback");
    } else if ((*ret_network = ioctl(fd, SIOCGSKNS)) < 0) {
        (void)fault_os(fault, errno, NULL, "cannot open the network of the job");
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

static void *network_run(void *context)
{
    (void)context;
    network_make(&beside.fault, &beside.network);
    return NULL;
}

enum cordon_err network_begin(struct init *init)
{
    if ((init->order->flags & ORDER_NET_HOST) != 0) {
        return CORDON_OK;
    }
    beside.runs = pthread_create(&beside.thread, NULL, network_run, NULL) == 0;
    if (!beside.runs) {
        network_make(&beside.fault, &beside.network);
    }
    return CORDON_OK;
}

enum cordon_err network_enter(struct init *init)
{
    if ((init->order->flags & ORDER_NET_HOST) != 0) {
        return CORDON_OK;
    }
    if (beside.runs) {
        (void)pthread_join(beside.thread, NULL);
    }
    if (beside.fault.err != CORDON_OK) {
        init->fault = beside.fault;
        return init->fault.err;
    }
    if (setns(beside.network, CLONE_NEWNET) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot enter the network of the job");
    }
    (void)close(beside.network);
    return CORDON_OK;
}
