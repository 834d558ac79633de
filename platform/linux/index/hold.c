/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/index/hold.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/index/closer.h"
#include "platform/linux/index/former.h"
#include "platform/linux/index/heir.h"
#include "platform/linux/init/batch.h"

/*
 * There is a limit on groups: 128 where nobody raised it, see linux_fanotify_groups().
 * When jobs end faster than the kernel closes, the first group of new ones is not held: their end
 * waits, as without us.
 */
#define CLOSING_MAX 48U
#define HEIRS_MAX 3U

static struct held holding[HOLD_MAX];
static size_t held_count;
static uint64_t turns;

/* What the next one has to know of @held, should we be killed. */
static void live(const struct held *held)
{
    former_live((size_t)(held - holding), held->is_parked ? FORMER_NOBODY : held->uid, held_count);
}

/* proc(5), fdinfo. Not positive: nobody can tell, or it is gone already. */
static pid_t pid_behind(int pidfd)
{
    char path[40];
    char line[128];
    int pid = -1;
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", pidfd);
    file = fopen(path, "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (sscanf(line, "Pid: %d", &pid) == 1) {
            break;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return pid;
}

void hold_add(const struct index_request *request, const struct pass *pass)
{
    struct held *held = &holding[held_count];
    const pid_t init = pass->count == HELD_COUNT ? pid_behind(pass->fds[HELD_INIT]) : 0;

    if (held_count == HOLD_MAX || init <= 0) {
        /* Quick: the job still holds them. Its guard hears that nobody answers. */
        pass_close(pass);
        return;
    }
    *held = (struct held){.uid = request->uid, .init = init, .is_parked = request->ahead != 0};
    memcpy(held->fds, pass->fds, sizeof(held->fds));
    held->fds[HELD_LIFE] = index_raise_fd(held->fds[HELD_LIFE]);
    if (closer_count() > CLOSING_MAX) {
        (void)close(held->fds[HELD_DECIDE]);
        held->fds[HELD_DECIDE] = -1;
    }
    held_count++;
    live(held);
}

size_t hold_polls(struct pollfd *polls)
{
    for (size_t i = 0; i < held_count; i++) {
        const struct held *held = &holding[i];

        polls[2 * i] =
            (struct pollfd){.fd = held->is_quiet ? -1 : held->fds[HELD_LIFE], .events = POLLIN};
        polls[2 * i + 1] = (struct pollfd){.fd = held->fds[HELD_INIT], .events = POLLIN};
    }
    return 2 * held_count;
}

/* ---- what guards say ---- */

static const char damaged[] = "a message was damaged";

static void message_take(struct held *held, const struct record_message *message, size_t len)
{
    const char *at = message->record;
    struct former former;

    if (len < RECORD_MESSAGE_HEAD || message->magic != INDEX_MAGIC) {
        former_mark(held->uid, damaged);
    } else if (message->kind == RECORD_DONE) {
        held->done = message->turn > held->done ? message->turn : held->done;
    } else if (message->kind == RECORD_TELL &&
               record_get(&at, (const char *)message + len, &former)) {
        former.uid = held->uid;
        former_add(&former);
    } else {
        former_mark(held->uid, damaged);
    }
}

/* All that was sent. */
static void hear(struct held *held)
{
    static struct record_message message;
    ssize_t len;

    while ((len = recv(held->fds[HELD_LIFE], &message, sizeof(message), MSG_DONTWAIT)) > 0 ||
           (len < 0 && errno == EINTR)) {
        if (len > 0) {
            message_take(held, &message, (size_t)len);
        }
    }
    held->is_quiet = len == 0 || errno != EAGAIN;
}

/* In this order: the guard says that it is busy before it reads, and that it is not once it told.
 */
static bool is_idle(const struct held *held)
{
    struct pollfd events = {.fd = held->fds[HELD_EVENTS], .events = POLLIN};

    return held->heir == 0 && poll(&events, 1, 0) == 0 && !batch_is_busy(held->fds[HELD_BATCH]);
}

/* Who asked while it was parked waits for nothing of it: he sees for himself what comes. */
static void look_whether_begun(struct held *held)
{
    if (held->is_parked && former_has_begun(held->init)) {
        held->is_parked = false;
        held->done = turns;
    }
}

/* A job whose guard has no answer yet has not begun, nor one that waits for its command. */
static bool has_begun(const struct held *held)
{
    return held->is_answered && !held->is_parked;
}

/* ---- the end ---- */

static void let_go(size_t at)
{
    struct held *held = &holding[at];

    for (size_t i = 0; i < HELD_COUNT; i++) {
        if (i != HELD_DECIDE && i != HELD_EVENTS) {
            (void)close(held->fds[i]);
        }
    }
    if (held->fds[HELD_DECIDE] >= 0) {
        closer_take(held->fds[HELD_DECIDE]);
    }
    closer_take(held->fds[HELD_EVENTS]);
    /* Also of one that had its command before it could tell that it was made ahead. */
    former_is_taken_in(held->init);
    *held = holding[--held_count];
    live(held);
}

/* True: it is there, and the job stays held until it is gone. */
static bool heir_follows(struct held *held)
{
    struct heir heir;

    if (held->heirs == HEIRS_MAX || !heir_start(held, &heir)) {
        former_mark(held->uid, "what a guard left could not be taken in");
        return false;
    }
    (void)close(held->fds[HELD_LIFE]);
    (void)close(held->fds[HELD_INIT]);
    held->fds[HELD_LIFE] = heir.life;
    held->fds[HELD_INIT] = heir.pidfd;
    held->heir = heir.pid;
    held->heirs++;
    held->is_quiet = false;
    return true;
}

/* An heir is gone. Whoever killed it, what it had read is there for the next one. */
static bool has_failed(const struct held *held)
{
    int status = -1;

    if (waitpid(held->heir, &status, 0) == held->heir && status == 0) {
        return false;
    }
    (void)fprintf(stderr, "cordon-index: the heir of a guard ended with status %#x\n",
                  (unsigned)status);
    return true;
}

/* The job's pid 1 is gone, and with it all that was in it; or an heir. */
static void is_gone(size_t at)
{
    struct held *held = &holding[at];
    bool left;

    look_whether_begun(held);
    left = held->heir > 0 ? has_failed(held) : has_begun(held) && !is_idle(held);
    if (!left || !heir_follows(held)) {
        let_go(at);
    }
}

void hold_check(const struct pollfd *polls, size_t count)
{
    /* From the end: what takes the place of one that goes was looked at already. */
    for (size_t i = count / 2; i-- > 0;) {
        /* What was said last is there by the time that its sender is gone. */
        if (polls[2 * i].revents != 0 || (polls[2 * i + 1].revents != 0 && !holding[i].is_quiet)) {
            hear(&holding[i]);
        }
        if (polls[2 * i + 1].revents != 0) {
            is_gone(i);
        }
    }
}

/* ---- what they are told ---- */

static void others_ask(struct held *held)
{
    const struct record_message message = {
        .magic = INDEX_MAGIC, .kind = RECORD_ASK, .turn = turns + 1};

    for (size_t i = 0; i < held_count; i++) {
        look_whether_begun(&holding[i]);
    }
    held->turn = ++turns;
    for (size_t i = 0; i < held_count; i++) {
        struct held *other = &holding[i];

        if (!has_begun(other)) {
            continue;
        }
        if (is_idle(other)) {
            hear(other);
            other->done = turns;
        } else if (other->heir == 0) {
            (void)send(other->fds[HELD_LIFE], &message, RECORD_MESSAGE_HEAD,
                       MSG_DONTWAIT | MSG_NOSIGNAL);
        }
    }
}

static bool others_done(const struct held *held)
{
    for (size_t i = 0; i < held_count; i++) {
        if (has_begun(&holding[i]) && holding[i].done < held->turn) {
            return false;
        }
    }
    return true;
}

/* All are asked for before any is answered: asking hears what others wait for as well. */
void hold_answer(void)
{
    for (size_t i = 0; i < held_count; i++) {
        if (!holding[i].is_answered && holding[i].turn == 0) {
            others_ask(&holding[i]);
        }
    }
    for (size_t i = 0; i < held_count; i++) {
        struct held *held = &holding[i];
        struct index_reply reply = {.magic = INDEX_MAGIC};
        int fd = -1;

        if (!held->is_answered && others_done(held)) {
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
