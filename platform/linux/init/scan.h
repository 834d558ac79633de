/* SPDX-License-Identifier: Apache-2.0 */
/* One start-time snapshot of what a set's globs deny; of scan.c and scan_read.c alone. */
#ifndef CORDON_LINUX_INIT_SCAN_H
#define CORDON_LINUX_INIT_SCAN_H

#include <pthread.h>

#include "platform/linux/init/barren.h"
#include "platform/linux/init/folders.h"
#include "platform/linux/init/init.h"

struct scan {
    struct init *init;
    const char *path; /* for messages */
    uint32_t levels;  /* to look at; 0: all */
    const struct dfa *table;
    const uint8_t *access;
    struct barren *barren; /* what need not be read; NULL: all must */
    uint64_t entries;      /* atomic */
    pthread_mutex_t lock;  /* to do anything but read: what follows, the fault, mounts */
    /* Of one walk. */
    struct folders folders;
    enum cordon_err err;
    int *linked; /* directories to be made read-only at its end, open until then; owned */
    size_t linked_count, linked_room;
    pthread_t helper;
    bool helped;
};

enum scan_verdict { SCAN_PASS, SCAN_DENY, SCAN_PROTECT };

/* What the patterns say about the name that ends at @pos. */
enum scan_verdict scan_decide(const struct scan *scan, const struct dfa_pos *pos);
/*
 * Covers what @name leads to, which may be a link; to be called as the caller. @walking: there is a
 * walk, whose end comes with scan_linked().
 */
CORDON_MUST_USE enum cordon_err scan_apply(struct scan *scan, int dir, const char *name,
                                           enum scan_verdict verdict, bool walking);
/* Once nothing more is found: what links led to, in the end; the result of the walk. */
CORDON_MUST_USE enum cordon_err scan_linked(struct scan *scan);
/* @name could not be looked at, for the errno @code. */
CORDON_MUST_USE enum cordon_err scan_unseen(struct scan *scan, const char *name, int code);
CORDON_MUST_USE enum cordon_err scan_give_up(struct scan *scan, enum cordon_err err,
                                             const char *remedy, const char *what);

/* scan_read.c: walks the directory @fd, which it takes, with @pos at the end of its name; as the
 * caller. */
CORDON_MUST_USE enum cordon_err scan_walk(struct scan *scan, int fd, const struct dfa_pos *pos);

#endif
