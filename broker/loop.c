/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/loop.h"

#include <event2/event.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- its memory ---- */

/*
 * libevent keeps a note of 16 bytes for every descriptor's number that it ever saw, as long as the
 * loop is there. They come when most is busy; each would keep a page of the heap from being given
 * back. So they lie together. Not for threads.
 */
#define NOTES 2048U

union note {
    union note *next; /* of the free ones */
    _Alignas(max_align_t) unsigned char bytes[16];
};

static union note notes[NOTES]; /* takes memory as far as it was used */
static size_t used;
static union note *unused;

static bool is_note(const void *memory)
{
    const uintptr_t at = (uintptr_t)memory;

    return at >= (uintptr_t)notes && at < (uintptr_t)(notes + NOTES);
}

static void *memory_take(size_t size)
{
    union note *note = unused;

    if (size > sizeof(*note) || (note == NULL && used == NOTES)) {
        return malloc(size);
    }
    if (note == NULL) {
        return &notes[used++];
    }
    unused = note->next;
    return note;
}

static void memory_give(void *memory)
{
    union note *note = memory;

    if (!is_note(memory)) {
        free(memory);
        return;
    }
    note->next = unused;
    unused = note;
}

static void *memory_resize(void *memory, size_t size)
{
    void *larger;

    if (!is_note(memory)) {
        return realloc(memory, size);
    }
    if (size <= sizeof(union note)) {
        return memory;
    }
    larger = malloc(size);
    if (larger != NULL) {
        memcpy(larger, memory, sizeof(union note));
        memory_give(memory);
    }
    return larger;
}

/* ---- the loop ---- */

struct loop {
    struct event_base *base;
};

struct loop_source {
    struct event_base *base;
    struct event *event;
    loop_fn *fn;
    void *context;
    unsigned events;
    int fd;
};

enum cordon_err loop_new(struct loop **ret_loop)
{
    struct event_config *config;
    struct loop *loop;

    event_set_mem_functions(memory_take, memory_resize, memory_give); /* again is allowed */
    config = event_config_new();
    loop = calloc(1, sizeof(*loop));

    if (config != NULL) {
        /* Otherwise EVENT_* variables of whoever starts us choose the method. */
        (void)event_config_set_flag(config, EVENT_BASE_FLAG_IGNORE_ENV | EVENT_BASE_FLAG_NOLOCK);
    }
    if (loop != NULL && config != NULL) {
        loop->base = event_base_new_with_config(config);
    }
    if (config != NULL) {
        event_config_free(config);
    }
    if (loop == NULL || loop->base == NULL) {
        free(loop);
        return CORDON_E_NOMEM;
    }
    *ret_loop = loop;
    return CORDON_OK;
}

void loop_free(struct loop *loop)
{
    if (loop != NULL) {
        event_base_free(loop->base);
        free(loop);
    }
}

void loop_run(struct loop *loop)
{
    (void)event_base_loop(loop->base, EVLOOP_NO_EXIT_ON_EMPTY);
}

void loop_stop(struct loop *loop)
{
    (void)event_base_loopbreak(loop->base);
}

static void dispatch(evutil_socket_t fd, short what, void *arg)
{
    const struct loop_source *source = arg;
    unsigned events = 0;

    (void)fd;
    events |= (what & EV_READ) != 0 ? LOOP_READ : 0U;
    events |= (what & EV_WRITE) != 0 ? LOOP_WRITE : 0U;
    source->fn(source->context, events);
}

static short wanted(unsigned events)
{
    short what = EV_PERSIST;

    if ((events & LOOP_READ) != 0) {
        what |= EV_READ;
    }
    if ((events & LOOP_WRITE) != 0) {
        what |= EV_WRITE;
    }
    return what;
}

static enum cordon_err source_new(struct loop *loop, int fd, short what,
                                  const struct loop_source *model, struct loop_source **ret_source)
{
    struct loop_source *source = malloc(sizeof(*source));

    if (source == NULL) {
        return CORDON_E_NOMEM;
    }
    *source = *model;
    source->base = loop->base;
    source->fd = fd;
    source->event = event_new(loop->base, fd, what, dispatch, source);
    if (source->event == NULL) {
        free(source);
        return CORDON_E_NOMEM;
    }
    *ret_source = source;
    return CORDON_OK;
}

static enum cordon_err source_add(struct loop_source *source, const struct timeval *delay,
                                  struct loop_source **ret_source)
{
    if (event_add(source->event, delay) != 0) {
        loop_source_free(source);
        return CORDON_E_NOMEM;
    }
    *ret_source = source;
    return CORDON_OK;
}

enum cordon_err loop_watch(struct loop *loop, int fd, unsigned events, loop_fn *fn, void *context,
                           struct loop_source **ret_source)
{
    const struct loop_source model = {.fn = fn, .context = context, .events = events};
    struct loop_source *source;
    enum cordon_err err = source_new(loop, fd, wanted(events), &model, &source);

    return err == CORDON_OK ? source_add(source, NULL, ret_source) : err;
}

enum cordon_err loop_watch_for(struct loop_source *source, unsigned events)
{
    if (source->events == events) {
        return CORDON_OK;
    }
    (void)event_del(source->event);
    source->events = events;
    if (event_assign(source->event, source->base, source->fd, wanted(events), dispatch, source) !=
        0) {
        return CORDON_E_NOMEM;
    }
    if (events == 0) {
        return CORDON_OK;
    }
    return event_add(source->event, NULL) == 0 ? CORDON_OK : CORDON_E_NOMEM;
}

static enum cordon_err timer_new(struct loop *loop, uint64_t ms, short what,
                                 const struct loop_source *model, struct loop_source **ret_source)
{
    const struct timeval delay = {(time_t)(ms / 1000U), (suseconds_t)(ms % 1000U * 1000U)};
    struct loop_source *source;
    enum cordon_err err = source_new(loop, -1, what, model, &source);

    return err == CORDON_OK ? source_add(source, &delay, ret_source) : err;
}

enum cordon_err loop_after(struct loop *loop, uint64_t delay_ms, loop_fn *fn, void *context,
                           struct loop_source **ret_source)
{
    const struct loop_source model = {.fn = fn, .context = context};

    return timer_new(loop, delay_ms, 0, &model, ret_source);
}

enum cordon_err loop_every(struct loop *loop, uint64_t interval_ms, loop_fn *fn, void *context,
                           struct loop_source **ret_source)
{
    const struct loop_source model = {.fn = fn, .context = context};

    return timer_new(loop, interval_ms, EV_PERSIST, &model, ret_source);
}

enum cordon_err loop_on_signal(struct loop *loop, enum loop_signal which, loop_fn *fn,
                               void *context, struct loop_source **ret_source)
{
    static const int numbers[LOOP_SIGNALS] = {
        [LOOP_TERM] = SIGTERM, [LOOP_INTERRUPT] = SIGINT, [LOOP_RELOAD] = SIGHUP};
    const struct loop_source model = {.fn = fn, .context = context};
    struct loop_source *source;
    enum cordon_err err = source_new(loop, numbers[which], EV_SIGNAL | EV_PERSIST, &model, &source);

    return err == CORDON_OK ? source_add(source, NULL, ret_source) : err;
}

void loop_source_free(struct loop_source *source)
{
    if (source != NULL) {
        event_free(source->event);
        free(source);
    }
}
