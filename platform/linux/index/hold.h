/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What cordon-index holds of each job until that is gone, and its conversation with the guards:
 * see INDEX_HOLD in wire.h, and record.h.
 *
 * A guard that begins must know what all others saw before. So it is answered when each of them
 * has nothing left to read or to tell, or has said that it told.
 */
#ifndef CORDON_LINUX_INDEX_HOLD_H
#define CORDON_LINUX_INDEX_HOLD_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "platform/linux/index/wire.h"

#define HOLD_MAX 1024U

struct held {
    int fds[HELD_COUNT]; /* HELD_DECIDE may be -1 */
    uint32_t uid;
    uint32_t system_count;
    struct index_system systems[INDEX_SYSTEMS_MAX];
    bool is_answered;
    uint64_t turn; /* before that: the others were asked; 0: not yet */
    uint64_t done; /* after: told all that it saw before that turn */
};

/* The thread that closes. False: none can be had; then nothing is held. */
bool hold_init(void);
/* Takes all of @fds over. */
void hold_add(const struct index_request *request, const int *fds, size_t count);
/* One entry for each job; at most HOLD_MAX. */
size_t hold_polls(struct pollfd *polls);
/* As poll(2) filled them in: hears guards, lets go of jobs that ended. */
void hold_check(const struct pollfd *polls, size_t count);
/* Answers those that were there before the last hold_check(). */
void hold_answer(void);
/* Somebody has not been answered, and the others have not been asked. */
bool hold_is_new(void);

/* ---- main.c ---- */
/*
 * To a high number. If we are killed, the kernel ends what has the highest first (since 4.4). The
 * end of a group waits for every open that is being decided (closer.h), and who decides may be
 * waiting for our answer: he must hear before that there will be none.
 */
int index_raise_fd(int fd);
void index_reply_send(int to, const struct index_reply *reply, int fd);

#endif
