/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/beside.h"

#include <stddef.h>

static void *beside_run(void *context)
{
    struct beside *beside = context;

    beside->work(&beside->fault);
    return NULL;
}

bool beside_try(struct beside *beside, void (*work)(struct cordon_fault *fault))
{
    beside->work = work;
    beside->fault.err = CORDON_OK;
    beside->runs = pthread_create(&beside->thread, NULL, beside_run, beside) == 0;
    return beside->runs;
}

void beside_begin(struct beside *beside, void (*work)(struct cordon_fault *fault))
{
    if (!beside_try(beside, work)) {
        work(&beside->fault);
    }
}

enum cordon_err beside_end(struct beside *beside, struct cordon_fault *fault)
{
    if (beside->runs) {
        (void)pthread_join(beside->thread, NULL);
        beside->runs = false;
    }
    if (beside->fault.err != CORDON_OK) {
        *fault = beside->fault;
    }
    return beside->fault.err;
}
