/* SPDX-License-Identifier: Apache-2.0 */
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <pthread.h>
#include <stdlib.h>

#include "platform/host.h"

struct host_beside {
    pthread_t thread;
    void (*work)(void *context);
    void *context;
};

static void *run(void *arg)
{
    const struct host_beside *beside = arg;

    beside->work(beside->context);
    return NULL;
}

struct host_beside *host_beside(void (*work)(void *context), void *context)
{
    struct host_beside *beside = malloc(sizeof(*beside));

#ifdef M_ARENA_MAX
    (void)mallopt(M_ARENA_MAX, 1); /* one heap, which is there already */
#endif
    if (beside == NULL) {
        return NULL;
    }
    *beside = (struct host_beside){.work = work, .context = context};
    if (pthread_create(&beside->thread, NULL, run, beside) != 0) {
        free(beside);
        return NULL;
    }
    return beside;
}

void host_beside_end(struct host_beside *beside)
{
    if (beside != NULL) {
        (void)pthread_join(beside->thread, NULL);
        free(beside);
    }
}
