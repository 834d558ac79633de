/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/index/hold.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/linux/index/closer.h"
#include "platform/linux/index/former.h"
#include "platform/linux/init/batch.h"

/*
 * There is a limit on groups (128, see fanotify(7)). When jobs end faster than the kernel closes,
 * the first group of new ones is not held: their end waits, as without us.
 */
#define CLOSING_MAX 48U

static struct held holding[HOLD_MAX];
static size_t held_count;
static uint64_t turns;

bool hold_init(void)
{
    return closer_start();
}

void hold_add(const struct index_request *request, const int *fds, size_t count)
{
    struct held *held = &holding[held_count];

    if (held_count == HOLD_MAX || count != HELD_COUNT ||
        request->system_count > INDEX_SYSTEMS_MAX) {
        /* Quick: the job still holds them. Its guard hears that nobody answers. */
        for (size_t i = 0; i < count; i++) {
            (void)close(fds[i]);
        }
        return;
    }
    *held = (struct held){.uid = request->uid, .system_count = request->system_count};
    memcpy(held->fds, fds, sizeof(held->fds));
    held->fds[HELD_LIFE] = index_raise_fd(held->fds[HELD_LIFE]);
    memcpy(held->systems, request->systems, sizeof(held->systems));
    if (closer_count() > CLOSING_MAX) {
        (void)close(held->fds[HELD_DECIDE]);
        held->fds[HELD_DECIDE] = -1;
    }
    held_count++;
    former_live(held_count - 1, held->uid, held_count);
}

size_t hold_polls(struct pollfd *polls)
{
    for (size_t i = 0; i < held_count; i++) {
        polls[i] = (struct pollfd){.fd = holding[i].fds[HELD_LIFE], .events = POLLIN};
    }
    return held_count;
}

/* ---- what guards say ---- */

static void message_take(struct held *held, const struct record_message *message, size_t len)
{
    const char *at = message->record;
    struct former former;

    if (len < RECORD_MESSAGE_HEAD || message->magic != INDEX_MAGIC) {
        former_mark(held->uid);
    } else if (message->kind == RECORD_DONE) {
        held->done = message->turn > held->done ? message->turn : held->done;
    } else if (message->kind == RECORD_TELL &&
               record_get(&at, (const char *)message + len, &former)) {
        former.uid = held->uid;
        former_add(&former);
    } else {
        former_mark(held->uid);
    }
}

/* All that was sent. False: nobody is there any more. */
static bool hear(struct held *held)
{
    static struct record_message message;
    ssize_t len;

    while ((len = recv(held->fds[HELD_LIFE], &message, sizeof(message), MSG_DONTWAIT)) > 0 ||
           (len < 0 && errno == EINTR)) {
        if (len > 0) {
            message_take(held, &message, (size_t)len);
        }
    }
    return len < 0 && errno == EAGAIN;
}

void hold_check(const struct pollfd *polls, size_t count)
{
    /* From the end: what takes the place of one that goes was looked at already. */
    for (size_t i = count; i-- > 0;) {
        struct held *held = &holding[i];

        if (polls[i].revents == 0 || hear(held)) {
            continue;
        }
        residue_take(held);
        (void)close(held->fds[HELD_LIFE]);
        (void)close(held->fds[HELD_BATCH]);
        closer_take(held->fds[HELD_DECIDE]);
        closer_take(held->fds[HELD_EVENTS]);
        *held = holding[--held_count];
        former_live(i, held->uid, held_count);
    }
}

/* ---- what they are told ---- */

/* In this order: the guard says that it is busy before it reads, and that it is not once it told.
 */
static bool is_idle(struct held *held)
{
    struct pollfd events = {.fd = held->fds[HELD_EVENTS], .events = POLLIN};

    return poll(&events, 1, 0) == 0 && !batch_is_busy(held->fds[HELD_BATCH]) && hear(held);
}

static void others_ask(struct held *held)
{
    const struct record_message message = {
        .magic = INDEX_MAGIC, .kind = RECORD_ASK, .turn = ++turns};

    held->turn = turns;
    for (size_t i = 0; i < held_count; i++) {
        struct held *other = &holding[i];

        if (!other->is_answered) {
            continue; /* its job has not begun, and it will see for itself what comes */
        }
        if (is_idle(other)) {
            other->done = turns;
        } else {
            (void)send(other->fds[HELD_LIFE], &message, RECORD_MESSAGE_HEAD,
                       MSG_DONTWAIT | MSG_NOSIGNAL);
        }
    }
}

static bool others_done(const struct held *held)
{
    for (size_t i = 0; i < held_count; i++) {
        if (holding[i].is_answered && holding[i].done < held->turn) {
            return false;
        }
    }
    return true;
}

void hold_answer(void)
{
    for (size_t i = 0; i < held_count; i++) {
        struct held *held = &holding[i];
        struct index_reply reply = {.magic = INDEX_MAGIC};
        int fd = -1;

        if (held->is_answered) {
            continue;
        }
        if (held->turn == 0) {
            others_ask(held);
        }
        if (others_done(held)) {
            reply.status = (uint32_t)former_answer(held->uid, &fd);
            index_reply_send(held->fds[HELD_LIFE], &reply, fd);
            held->is_answered = true;
            held->done = turns;
        }
    }
}

bool hold_is_new(void)
{
    for (size_t i = 0; i < held_count; i++) {
        if (!holding[i].is_answered && holding[i].turn == 0) {
            return true;
        }
    }
    return false;
}
