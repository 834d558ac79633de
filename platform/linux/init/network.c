/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A network of the job's own. The kernel takes some 0.4 ms to make one, so a thread has it made
 * while the view is; where no thread is to be had the set-up does it itself. Whoever waits for any
 * job makes one before, by a thread in any case: this process stays in the host's network, which
 * the job may turn out to have.
 */
#include "platform/linux/init/init.h"

#include <errno.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/linux/init/beside.h"

static struct beside making;
static int network;  /* leads to it once it is made */
static bool is_made; /* before the job was known */

/* It becomes this thread's, with loopback as its only interface. */
static void network_make(struct cordon_fault *fault)
{
    struct ifreq request;
    int fd;

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
    } else if ((network = ioctl(fd, SIOCGSKNS)) < 0) {
        (void)fault_os(fault, errno, NULL, "cannot open the network of the job");
    }
    if (fd >= 0) {
        (void)close(fd);
    }
}

enum cordon_err network_ahead(struct init *init)
{
    if (!parts_are_due() && beside_try(&making, network_make)) {
        is_made = beside_end(&making, &init->fault) == CORDON_OK;
    }
    return init->fault.err;
}

enum cordon_err network_begin(struct init *init)
{
    if ((init->order->flags & ORDER_NET_HOST) == 0 && !is_made) {
        beside_begin(&making, network_make);
    }
    return CORDON_OK;
}

enum cordon_err network_enter(struct init *init)
{
    if ((init->order->flags & ORDER_NET_HOST) != 0) {
        if (is_made) {
            (void)close(network);
        }
        return CORDON_OK;
    }
    if (beside_end(&making, &init->fault) != CORDON_OK) {
        return init->fault.err;
    }
    if (setns(network, CLONE_NEWNET) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot enter the network of the job");
    }
    (void)close(network);
    return CORDON_OK;
}
