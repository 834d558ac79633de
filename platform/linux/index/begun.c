/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/index/begun.h"

#include <stddef.h>

_Static_assert(BEGUN_BYTES % 4096 == 0, "something else follows it in the file");

/* HOLD_MAX: none. */
static size_t place_of(const struct begun *begun, uint32_t pid)
{
    size_t at = 0;

    while (at < HOLD_MAX && __atomic_load_n(&begun->jobs[at].pid, __ATOMIC_ACQUIRE) != pid) {
        at++;
    }
    return at;
}

bool begun_add(struct begun *begun, pid_t pid, uint32_t uid)
{
    const size_t at = place_of(begun, 0);

    if (at == HOLD_MAX || begun_has(begun, pid)) {
        return false;
    }
    begun->jobs[at].uid = uid;
    begun->jobs[at].lost = 0;
    __atomic_store_n(&begun->jobs[at].pid, (uint32_t)pid, __ATOMIC_RELEASE);
    return true;
}

void begun_lose(struct begun *begun)
{
    for (size_t i = 0; i < HOLD_MAX; i++) {
        begun->jobs[i].lost = begun->jobs[i].pid != 0;
    }
}

/* Two may do so at once, and the place may be somebody else's by then. */
void begun_remove(struct begun *begun, pid_t pid)
{
    const size_t at = pid > 0 ? place_of(begun, (uint32_t)pid) : HOLD_MAX;
    uint32_t expected = (uint32_t)pid;

    if (at < HOLD_MAX) {
        (void)__atomic_compare_exchange_n(&begun->jobs[at].pid, &expected, 0, false,
                                          __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    }
}

bool begun_has(const struct begun *begun, pid_t pid)
{
    return pid > 0 && place_of(begun, (uint32_t)pid) < HOLD_MAX;
}
