/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel takes long for is done by a thread, beside the set-up. */
#ifndef CORDON_LINUX_INIT_BESIDE_H
#define CORDON_LINUX_INIT_BESIDE_H

#include <pthread.h>
#include <stdbool.h>

#include "platform/base/err.h"

struct beside {
    void (*work)(struct cordon_fault *fault);
    pthread_t thread;
    bool runs;                 /* in a thread that nobody has waited for */
    struct cordon_fault fault; /* its own until beside_end() */
};

/* Does @work in a thread. False: there is none to be had, and nothing is done. */
CORDON_MUST_USE bool beside_try(struct beside *beside, void (*work)(struct cordon_fault *fault));
/* Does @work; where no thread is to be had, before it returns. */
void beside_begin(struct beside *beside, void (*work)(struct cordon_fault *fault));
/* It is done, and there is no thread of it. @fault: what it filled, if anything. */
CORDON_MUST_USE enum cordon_err beside_end(struct beside *beside, struct cordon_fault *fault);

#endif
