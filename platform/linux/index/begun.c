/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/index/begun.h"

#include <stddef.h>

_Static_assert(BEGUN_BYTES % 4096 == 0, "something else follows it in the file");

static const struct begun_job *find(const struct begun *begun, uint32_t pid)
{
    for (size_t i = 0; i < HOLD_MAX; i++) {
        if (__atomic_load_n(&begun->jobs[i].pid, __ATOMIC_ACQUIRE) == pid) {
            return &begun->jobs[i];
        }
    }
    return NULL;
}

bool begun_add(struct begun *begun, pid_t pid, uint32_t uid)
{
    const struct begun_job *free_one = find(begun, 0);
    struct begun_job *job;

    if (free_one == NULL || begun_has(begun, pid)) {
        return false;
    }
    job = &begun->jobs[free_one - begun->jobs];
    job->uid = uid;
    job->lost = 0;
    __atomic_store_n(&job->pid, (uint32_t)pid, __ATOMIC_RELEASE);
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
    const struct begun_job *job = find(begun, (uint32_t)pid);
    uint32_t expected = (uint32_t)pid;

    if (job != NULL && pid > 0) {
        (void)__atomic_compare_exchange_n(&begun->jobs[job - begun->jobs].pid, &expected, 0, false,
                                          __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
    }
}

bool begun_has(const struct begun *begun, pid_t pid)
{
    return pid > 0 && find(begun, (uint32_t)pid) != NULL;
}
