/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What cordon-index holds of each job until all of that is gone, and its conversation with the
 * guards: see INDEX_HOLD in wire.h, and record.h.
 *
 * A guard that begins must know what all others saw before. So it is answered when each of them
 * has nothing left to read or to tell, or has said that it told; and of a job that is gone, when
 * an heir (heir.h) has read what was left.
 */
#ifndef CORDON_LINUX_INDEX_HOLD_H
#define CORDON_LINUX_INDEX_HOLD_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "platform/linux/index/wire.h"

#define HOLD_MAX 1024U
#define HOLD_POLLS (2 * HOLD_MAX)

struct held {
    int fds[HELD_COUNT]; /* once there is an heir, HELD_LIFE and HELD_INIT are that one's */
    uint32_t uid;
    pid_t heir; /* 0: none yet */
    unsigned heirs;
    bool is_quiet; /* nobody is there to say more on HELD_LIFE */
    bool is_answered;
    pid_t init;     /* the job's pid 1, as the host sees it */
    bool is_parked; /* made ahead of time, and had not begun when this was looked at last */
    uint64_t turn;  /* before that: the others were asked; 0: not yet */
    uint64_t done;  /* after: told all that it saw before that turn */
};

/* Takes all of @pass over. After closer_start(). */
void hold_add(const struct index_request *request, const struct pass *pass);
/* At most HOLD_POLLS entries. */
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
/* @fd: -1 if none comes with it. */
void index_reply_send(int to, struct index_reply *reply, int fd);

#endif
