/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When what the next job needs is made ahead of time, and what is dead is put away: once nobody
 * waits for a job of his to begin or has just been told of its end, or a little later in any case.
 * It takes a millisecond in which the supervisor hears nobody, and a processor that whoever was
 * told still needs.
 */
#ifndef CORDON_BROKER_TEND_H
#define CORDON_BROKER_TEND_H

#include <stdbool.h>
#include <stdint.h>

struct supervisor;
struct loop_source;

struct tend {
    struct loop_source *timer;
    bool due;         /* @timer was set for something new, and not to come again */
    uint64_t rest_ms; /* until when somebody is on his way */
    uint64_t late_ms; /* when it is not put off any more; 0: it was not put off */
    unsigned waiting; /* jobs that are being set up */
};

/* There is something new to be made, or to be given back one day. */
void tend_soon(struct supervisor *supervisor);
/* A job is being set up for somebody; it runs now, or will not. */
void tend_hold(struct supervisor *supervisor);
void tend_go_on(struct supervisor *supervisor);
/* Somebody was just told something that he goes on with. */
void tend_rest(struct supervisor *supervisor);
/* He, or another, has left. */
void tend_gone(struct supervisor *supervisor);
/* A loop_fn: the platform has something to put away, in any case. */
void tend_now(void *context, unsigned events);
void tend_end(struct supervisor *supervisor);

#endif
