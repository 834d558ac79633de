/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

#include "platform/linux/init/init.h"

/* Downwards only: what the caller had himself may be less. */
static int limit_lower(int which, rlim_t most)
{
    struct rlimit limit;

    if (getrlimit(which, &limit) != 0) {
        return errno;
    }
    limit.rlim_max = limit.rlim_max < most ? limit.rlim_max : most;
    limit.rlim_cur = limit.rlim_cur < most ? limit.rlim_cur : most;
    return setrlimit(which, &limit) == 0 ? 0 : errno;
}

int limits_take(const struct init *init)
{
    const struct order_head *order = init->order;
    const struct order_identity *who = &order->identity;
    int code = 0;

    /* The set-up needs more than the caller may have. */
    if ((who->rlimit_mask & (1U << RLIMIT_NOFILE)) != 0) {
        identity_limit(RLIMIT_NOFILE, who->rlimit[RLIMIT_NOFILE].soft,
                       who->rlimit[RLIMIT_NOFILE].hard);
    }
    for (unsigned i = 0; code == 0 && i < ORDER_RLIMITS; i++) {
        if ((order->limit_mask & (1U << i)) != 0) {
            code = limit_lower((int)i, order->limit[i]);
        }
    }
    return code;
}
