/* SPDX-License-Identifier: Apache-2.0 */
/* The asker's side of cordon-index: see index/wire.h. */
#ifndef CORDON_LINUX_INIT_INDEX_ASK_H
#define CORDON_LINUX_INIT_INDEX_ASK_H

#include "platform/linux/index/wire.h"
#include "platform/linux/init/mounts.h"
#include "platform/linux/init/objects.h"

struct index_question {
    int socket; /* INIT_FD_INDEX, whatever its number is by now */
    uint64_t dev;
    const struct mount_table *host; /* what the names are made absolute with */
    /* One name of one object; all names of an object come one after the other. False: stop. */
    bool (*take)(void *context, const struct object *object, const char *path);
    void *context;
};

/*
 * Every name, below every mount of @question->host, of the files of file system @dev that have
 * more than one, as they are when it is asked, or later. Blocks while the index is built, which
 * takes *ret_build_us.
 *
 * CORDON_E_UNSUPPORTED  there is no index of that file system, or none at all
 * CORDON_E_NOMEM        take() stopped it, or so
 */
CORDON_MUST_USE enum cordon_err index_ask(const struct index_question *question,
                                          uint64_t *ret_build_us);

/*
 * Hands over @fds, without the first, until the job of @uid is gone: its pid 1, that is. What comes
 * on the descriptor returned: see index/record.h. -1: nobody is there to take them.
 */
int index_hold(int socket, uint32_t uid, bool ahead, const int fds[HELD_COUNT]);

/* The memfd of the answer on @from, for which it waits; -1: it brought none. INDEX_FAILED in
 * *ret_reply: there is no answer. */
int index_receive(int from, struct index_reply *ret_reply);

#endif
