/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/tend.h"

#include "broker/supervisor.h"
#include "broker/worker_process.h"

#define SOON_MS 20U /* a worker's first job is being set up by then */
#define REST_MS 3U  /* a short command has ended by then, and its caller has heard of it */
#define LATE_MS 50U

static void on_timer(void *context, unsigned events);

static void disarm(struct tend *tend)
{
    loop_source_free(tend->timer);
    tend->timer = NULL;
    tend->due = false;
}

/* Without memory for the timer nothing is made ahead. */
static void arm(struct supervisor *supervisor, uint64_t delay_ms)
{
    disarm(&supervisor->tend);
    (void)!loop_after(supervisor->loop, delay_ms, on_timer, supervisor, &supervisor->tend.timer);
}

static void arm_new(struct supervisor *supervisor, uint64_t delay_ms)
{
    arm(supervisor, delay_ms);
    supervisor->tend.due = supervisor->tend.timer != NULL;
}

/* For how long it is put off; 0: it is not. */
static uint64_t put_off_ms(struct tend *tend)
{
    const uint64_t now = host_now_ms();
    uint64_t until = tend->waiting > 0 ? UINT64_MAX : tend->rest_ms;

    if (until > now && tend->late_ms == 0) {
        tend->late_ms = now + LATE_MS;
    }
    if (until > tend->late_ms) {
        until = tend->late_ms;
    }
    return until > now ? until - now : 0;
}

void tend_now(void *context, unsigned events)
{
    struct supervisor *supervisor = context;
    struct tend *tend = &supervisor->tend;
    const bool late = tend->late_ms != 0 && host_now_ms() >= tend->late_ms;
    uint32_t again_ms;

    (void)events;
    tend->late_ms = 0;
    disarm(tend);
    again_ms = supervisor->platform->tend();
    if (late || (again_ms != PLATFORM_TEND_MORE && tend->waiting == 0)) {
        worker_ahead_make(supervisor);
    }
    if (again_ms == 0) {
        host_trim(); /* what was made ahead is gone, too */
    } else {
        arm(supervisor, again_ms);
    }
}

static void on_timer(void *context, unsigned events)
{
    struct supervisor *supervisor = context;
    const uint64_t left_ms = put_off_ms(&supervisor->tend);

    if (left_ms > 0) {
        arm(supervisor, left_ms);
    } else {
        tend_now(supervisor, events);
    }
}

void tend_soon(struct supervisor *supervisor)
{
    if (!supervisor->tend.due) {
        arm_new(supervisor, SOON_MS);
    }
}

void tend_hold(struct supervisor *supervisor)
{
    supervisor->tend.waiting++;
}

void tend_go_on(struct supervisor *supervisor)
{
    supervisor->tend.waiting--;
    tend_rest(supervisor);
}

void tend_rest(struct supervisor *supervisor)
{
    supervisor->tend.rest_ms = host_now_ms() + REST_MS;
    arm_new(supervisor, put_off_ms(&supervisor->tend));
}

void tend_gone(struct supervisor *supervisor)
{
    if (supervisor->tend.rest_ms > host_now_ms()) {
        supervisor->tend.rest_ms = 0;
        arm_new(supervisor, 0);
    }
}

void tend_end(struct supervisor *supervisor)
{
    disarm(&supervisor->tend);
}
