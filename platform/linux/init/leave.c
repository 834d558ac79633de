/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's tree, on top of the view since pivot_root(2), is unmounted by a thread: out of sight
 * it is at once, but the call returns only when no processor can be looking at it any more, which
 * takes some tenths of a millisecond. Until it is out of sight, what is above the root is its root,
 * and a cover laid there by that name would go with it.
 */
#include "platform/linux/init/init.h"

#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <time.h>

#include "platform/linux/init/beside.h"
#include "platform/linux/init/sys.h"

#define ABOVE "/.."
#define LOOKS_AT_ONCE 32U /* some 0.1 ms: mostly it is out of sight by then */
#define LOOK_NS 50000L

static struct beside leaving;
static int over; /* the call has returned */

static void tree_leave(struct cordon_fault *fault)
{
    if (umount2(ABOVE, MNT_DETACH) != 0) {
        (void)fault_os(fault, errno, NULL, "cannot leave the host's tree");
    }
    __atomic_store_n(&over, 1, __ATOMIC_RELEASE);
}

void leave_begin(void)
{
    beside_begin(&leaving, tree_leave);
}

static bool is_in_sight(void)
{
    struct sys_place root;
    struct sys_place above;

    return sys_place_at("/", 0, &root) != 0 || sys_place_at(ABOVE, 0, &above) != 0 ||
           root.mount_id != above.mount_id || root.mount_id == 0;
}

/* The thread may have to wait for this very processor. */
static void wait_to_look(unsigned looks)
{
    const struct timespec pause = {.tv_nsec = LOOK_NS};

    if (looks < LOOKS_AT_ONCE) {
        (void)sched_yield();
    } else {
        (void)nanosleep(&pause, NULL);
    }
}

enum cordon_err leave_sight(struct init *init)
{
    bool last = false;

    for (unsigned looks = 0; is_in_sight(); looks++) {
        if (last) {
            return leave_end(init) != CORDON_OK
                       ? init->fault.err
                       : fault_set(&init->fault, CORDON_E_STATE,
                                   "unmount it, or restart the service behind it",
                                   "something is mounted over the root of the host");
        }
        last = __atomic_load_n(&over, __ATOMIC_ACQUIRE) != 0;
        wait_to_look(looks);
    }
    return CORDON_OK;
}

enum cordon_err leave_end(struct init *init)
{
    return beside_end(&leaving, &init->fault);
}
