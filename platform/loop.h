/* SPDX-License-Identifier: Apache-2.0 */
/* The event loop: descriptors, timers, what this process is told from outside. */
#ifndef CORDON_PLATFORM_LOOP_H
#define CORDON_PLATFORM_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/base/err.h"

struct loop;
struct loop_source; /* a descriptor, a timer or a signal; may free itself while it is called */

enum loop_event { LOOP_READ = 1, LOOP_WRITE = 2 };
typedef void loop_fn(void *context, unsigned events);

CORDON_MUST_USE enum cordon_err loop_new(struct loop **ret_loop);
void loop_free(struct loop *loop); /* after its sources */

/* Until loop_stop(). */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);

/* Calls @fn as long as @fd is ready for @events. The descriptor stays the caller's. */
CORDON_MUST_USE enum cordon_err loop_watch(struct loop *loop, int fd, unsigned events, loop_fn *fn,
                                           void *context, struct loop_source **ret_source);
/* Changes what a descriptor's source waits for; nothing (0) is allowed. */
CORDON_MUST_USE enum cordon_err loop_watch_for(struct loop_source *source, unsigned events);

/* Calls @fn once, @delay_ms from now, unless the source is freed before. */
CORDON_MUST_USE enum cordon_err loop_after(struct loop *loop, uint64_t delay_ms, loop_fn *fn,
                                           void *context, struct loop_source **ret_source);
/* The same every @interval_ms, until the source is freed; nothing can fail on the way. */
CORDON_MUST_USE enum cordon_err loop_every(struct loop *loop, uint64_t interval_ms, loop_fn *fn,
                                           void *context, struct loop_source **ret_source);
/* What whoever runs this process says to it: signals, or what stands for them. */
enum loop_signal {
    LOOP_TERM,      /* to stop */
    LOOP_INTERRUPT, /* from the terminal: to stop */
    LOOP_RELOAD,    /* to read its files again */
    LOOP_SIGNALS
};
CORDON_MUST_USE enum cordon_err loop_on_signal(struct loop *loop, enum loop_signal which,
                                               loop_fn *fn, void *context,
                                               struct loop_source **ret_source);
void loop_source_free(struct loop_source *source); /* NULL is allowed */

#endif
