/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop.h on Windows: a completion port as the queue, and for each descriptor a registered wait that
 * posts to it once. A source is told by a number that no other has had, so that what is still in
 * the queue for one that was freed is nobody's.
 */
#include "platform/loop.h"

#include <stdlib.h>
#include <string.h>

#include "platform/windows/io.h"

enum { ARM_READ, ARM_WRITE, ARMS };

/* A wait for one thing, used once. */
struct arm {
    struct loop_source *source;
    HANDLE wait; /* NULL: none */
    unsigned event;
};

struct loop_source {
    struct loop_source *next;
    struct loop *loop;
    ULONG_PTR number;
    loop_fn *fn;
    void *context;
    int fd; /* -1: a timer or a signal */
    unsigned events;
    struct arm arms[ARMS];
    uint64_t due_ms;      /* 0: no timer */
    uint64_t interval_ms; /* 0: once */
    enum loop_signal which;
    bool is_signal;
};

struct loop {
    HANDLE port;
    struct loop_source *sources;
    ULONG_PTR last_number;
    bool stopping;
};

/* Numbers of packets that are no source's. */
#define KEY_SIGNAL 0U

static HANDLE told_port; /* of the one loop that hears of signals */
static LONG told[LOOP_SIGNALS];

void loop_tell(enum loop_signal which)
{
    (void)InterlockedExchange(&told[which], 1);
    if (told_port != NULL) {
        (void)PostQueuedCompletionStatus(told_port, 0, KEY_SIGNAL, NULL);
    }
}

static BOOL WINAPI on_console(DWORD event)
{
    loop_tell(event == CTRL_C_EVENT || event == CTRL_BREAK_EVENT ? LOOP_INTERRUPT : LOOP_TERM);
    return TRUE;
}

enum cordon_err loop_new(struct loop **ret_loop)
{
    struct loop *loop = calloc(1, sizeof(*loop));

    if (loop == NULL) {
        return CORDON_E_NOMEM;
    }
    loop->port = CreateIoCompletionPort(INVALID_HANDLE_VALUE, NULL, 0, 1);
    if (loop->port == NULL) {
        free(loop);
        return CORDON_E_NOMEM;
    }
    *ret_loop = loop;
    return CORDON_OK;
}

void loop_free(struct loop *loop)
{
    if (loop != NULL) {
        if (told_port == loop->port) {
            told_port = NULL;
        }
        (void)CloseHandle(loop->port);
        free(loop);
    }
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
}

/* ---- waits ---- */

static void CALLBACK on_signalled(void *context, BOOLEAN timed_out)
{
    const struct arm *arm = context;

    (void)timed_out;
    (void)PostQueuedCompletionStatus(arm->source->loop->port, arm->event, arm->source->number,
                                     NULL);
}

static void disarm(struct arm *arm)
{
    if (arm->wait != NULL) {
        /* Waits until a callback that runs is over: it looks at the source. */
        (void)UnregisterWaitEx(arm->wait, INVALID_HANDLE_VALUE);
        arm->wait = NULL;
    }
}

static bool arm_one(struct loop_source *source, size_t which, unsigned event)
{
    struct arm *arm = &source->arms[which];
    HANDLE object;

    disarm(arm);
    if ((source->events & event) == 0) {
        return true;
    }
    object = event == LOOP_READ ? io_readable(source->fd) : io_writable(source->fd);
    *arm = (struct arm){source, NULL, event};
    return object != NULL &&
           RegisterWaitForSingleObject(&arm->wait, object, on_signalled, arm, INFINITE,
                                       WT_EXECUTEONLYONCE | WT_EXECUTEINWAITTHREAD);
}

static bool arm_all(struct loop_source *source)
{
    return arm_one(source, ARM_READ, LOOP_READ) && arm_one(source, ARM_WRITE, LOOP_WRITE);
}

/* ---- sources ---- */

static struct loop_source *source_find(const struct loop *loop, ULONG_PTR number)
{
    struct loop_source *source = loop->sources;

    while (source != NULL && source->number != number) {
        source = source->next;
    }
    return source;
}

static enum cordon_err source_add(struct loop *loop, const struct loop_source *model,
                                  struct loop_source **ret_source)
{
    struct loop_source *source = malloc(sizeof(*source));

    if (source == NULL) {
        return CORDON_E_NOMEM;
    }
    *source = *model;
    source->loop = loop;
    source->number = ++loop->last_number;
    source->next = loop->sources;
    loop->sources = source;
    if (source->fd >= 0 && !arm_all(source)) {
        loop_source_free(source);
        return CORDON_E_NOMEM;
    }
    *ret_source = source;
    return CORDON_OK;
}

void loop_source_free(struct loop_source *source)
{
    struct loop_source **link;

    if (source == NULL) {
        return;
    }
    for (size_t i = 0; i < ARMS; i++) {
        disarm(&source->arms[i]);
    }
    link = &source->loop->sources;
    while (*link != source) {
        link = &(*link)->next;
    }
    *link = source->next;
    free(source);
}

enum cordon_err loop_watch(struct loop *loop, int fd, unsigned events, loop_fn *fn, void *context,
                           struct loop_source **ret_source)
{
    const struct loop_source model = {.fd = fd, .events = events, .fn = fn, .context = context};

    return source_add(loop, &model, ret_source);
}

enum cordon_err loop_watch_for(struct loop_source *source, unsigned events)
{
    if (source->events == events) {
        return CORDON_OK;
    }
    source->events = events;
    return arm_all(source) ? CORDON_OK : CORDON_E_NOMEM;
}

static enum cordon_err timer_add(struct loop *loop, uint64_t ms, const struct loop_source *model,
                                 struct loop_source **ret_source)
{
    struct loop_source timer = *model;

    timer.fd = -1;
    timer.due_ms = host_now_ms() + ms;
    timer.due_ms += timer.due_ms == 0 ? 1 : 0;
    return source_add(loop, &timer, ret_source);
}

enum cordon_err loop_after(struct loop *loop, uint64_t delay_ms, loop_fn *fn, void *context,
                           struct loop_source **ret_source)
{
    const struct loop_source model = {.fn = fn, .context = context};

    return timer_add(loop, delay_ms, &model, ret_source);
}

enum cordon_err loop_every(struct loop *loop, uint64_t interval_ms, loop_fn *fn, void *context,
                           struct loop_source **ret_source)
{
    const struct loop_source model = {
        .fn = fn, .context = context, .interval_ms = interval_ms > 0 ? interval_ms : 1};

    return timer_add(loop, interval_ms, &model, ret_source);
}

enum cordon_err loop_on_signal(struct loop *loop, enum loop_signal which, loop_fn *fn,
                               void *context, struct loop_source **ret_source)
{
    const struct loop_source model = {
        .fd = -1, .fn = fn, .context = context, .which = which, .is_signal = true};

    told_port = loop->port;
    (void)SetConsoleCtrlHandler(on_console, TRUE);
    /* One that was told before. */
    (void)PostQueuedCompletionStatus(loop->port, 0, KEY_SIGNAL, NULL);
    return source_add(loop, &model, ret_source);
}

/* ---- the loop itself ---- */

static void on_told(struct loop *loop)
{
    for (int i = 0; i < LOOP_SIGNALS; i++) {
        struct loop_source *source = loop->sources;

        while (source != NULL && !(source->is_signal && source->which == (enum loop_signal)i)) {
            source = source->next;
        }
        if (source != NULL && InterlockedExchange(&told[i], 0) != 0) {
            source->fn(source->context, 0);
        }
    }
}

static void on_ready(struct loop *loop, ULONG_PTR number, unsigned events)
{
    struct loop_source *source = source_find(loop, number);

    if (source == NULL || (source->events & events) == 0) {
        return;
    }
    source->fn(source->context, events);
    source = source_find(loop, number); /* it may have freed itself */
    if (source != NULL && !arm_one(source, events == LOOP_READ ? ARM_READ : ARM_WRITE, events)) {
        /* Without memory to wait again: it is asked once more right away. */
        (void)PostQueuedCompletionStatus(loop->port, events, number, NULL);
    }
}

static struct loop_source *first_due(const struct loop *loop)
{
    struct loop_source *first = NULL;

    for (struct loop_source *source = loop->sources; source != NULL; source = source->next) {
        if (source->due_ms != 0 && (first == NULL || source->due_ms < first->due_ms)) {
            first = source;
        }
    }
    return first;
}

/* How long to wait for a packet, once the timer that is due has been called. */
static DWORD run_timer(struct loop *loop)
{
    struct loop_source *timer = first_due(loop);
    const uint64_t now = host_now_ms();

    if (timer != NULL && timer->due_ms <= now) {
        timer->due_ms = timer->interval_ms == 0 ? 0 : now + timer->interval_ms;
        timer->fn(timer->context, 0);
        timer = first_due(loop);
    }
    if (timer == NULL) {
        return INFINITE;
    }
    return timer->due_ms <= now                     ? 0
           : timer->due_ms - now >= (DWORD)INFINITE ? INFINITE - 1
                                                    : (DWORD)(timer->due_ms - now);
}

void loop_run(struct loop *loop)
{
    loop->stopping = false;
    while (!loop->stopping) {
        const DWORD wait = run_timer(loop);
        ULONG_PTR number = 0;
        OVERLAPPED *none = NULL;
        DWORD events = 0;

        if (loop->stopping ||
            !GetQueuedCompletionStatus(loop->port, &events, &number, &none, wait)) {
            continue;
        }
        if (number == KEY_SIGNAL) {
            on_told(loop);
        } else {
            on_ready(loop, number, events);
        }
    }
}
