/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories that a walk has found and not read yet, shared by two threads. Each reads on in
 * what it found last, so that few directories are open at once (no more than the tree is deep, for
 * each), and takes the other's oldest, below which there is most, when it has none of its own.
 */
#ifndef CORDON_LINUX_INIT_FOLDERS_H
#define CORDON_LINUX_INIT_FOLDERS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"
#include "policy/dfa.h"

#define FOLDERS_THREADS 2U

/* An open directory; closed with the last item that is in it. */
struct folder {
    int fd;
    unsigned users; /* atomic */
};

/* One to be read. */
struct folder_item {
    struct folder *in;
    char *name;         /* in there; NULL: that one itself, from where it was left; owned */
    struct dfa_pos pos; /* at the end of its name */
    uint32_t level;     /* 1: where the walk began */
};

struct folders {
    pthread_mutex_t lock;
    pthread_cond_t more;
    struct folder_list {
        struct folder_item *items;
        size_t first, end, room;
    } list[FOLDERS_THREADS];
    unsigned threads, waiting;
    bool ended;
};

void folders_init(struct folders *folders);
/* Also what nobody read. */
void folders_deinit(struct folders *folders);

/* For the directory @fd, which it takes, also on errors; NULL: no memory. To be let go. */
struct folder *folder_new(int fd);
void folder_release(struct folder *folder);

/*
 * Hands over @items, found in @in by thread @who, which takes part; the names with them, also on
 * errors. The last is the first to be read.
 * CORDON_E_NOMEM
 */
CORDON_MUST_USE enum cordon_err folders_add(struct folders *folders, unsigned who,
                                            struct folder *in, struct folder_item *items,
                                            size_t count);
/* The next to be read, once there is one; false: all are read, or the walk was ended. */
bool folders_next(struct folders *folders, unsigned who, struct folder_item *ret_item);
/* What folders_next() gave. */
void folder_item_free(struct folder_item *item);
/* Another thread takes part; it takes none of its own, or is not there after all. */
void folders_join(struct folders *folders);
void folders_leave(struct folders *folders);
/* Nobody gets a further one. */
void folders_end(struct folders *folders);

#endif
