/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The index of one file system. What is watched, and why that suffices:
 *
 * One fanotify group has a mark on the whole file system, made before the walk,
 * for names that come, go or move. An event is queued before the system call
 * that causes it returns, so what was done before a question was asked can be
 * read from the queue when it is answered. But events are merged, which loses
 * their order; so they only tell *where to look again*: each name in one is
 * looked up anew (settle.c), and what the file system then says is kept.
 *
 * A file gets a second name only by link(2), which is told with the new name.
 * If the older name is not known, the names that are known are fewer than the
 * file's links: then, and when anything is lost, all is walked again.
 *
 * Between questions no descriptor of the file system is held, so that it can be
 * unmounted; the mark goes with it, and a file system without our mark is not
 * the one that was indexed.
 */
#ifndef CORDON_LINUX_INDEX_KEPT_H
#define CORDON_LINUX_INDEX_KEPT_H

#include "platform/linux/index/store.h"
#include "platform/linux/index/wire.h"
#include "platform/linux/init/batch.h"

/* A mount of the file system, cloned for us: nothing is mounted below it. */
struct root {
    int tree;
    int fd;     /* its directory, open for reading: open_by_handle_at(2) takes no other */
    char *path; /* from the file system's root */
    struct object top;
};

/* A directory that was renamed. */
struct moved {
    struct moved *next;
    struct object key;
};

struct kept {
    uint64_t dev; /* as mountinfo has it */
    int group;
    struct batch *batch;
    bool built, building;
    struct store store;
    struct table dirty;  /* names to be looked up again; settle.c */
    struct moved *moved; /* directories that were renamed */
    struct root *roots;  /* while it is worked on */
    size_t root_count;
    char *seen;       /* the roots' paths at the walk, unless one is "/" */
    int answer;       /* memfd; -1: none yet */
    uint64_t changes; /* of the store, when that was made */
    uint64_t walked;  /* regular files, by the last walk */
    uint64_t stop_us; /* a walk ends then: somebody may move directories in front of it */
};

/* NULL with *ret_status: not a file system that can be kept, or no memory. */
struct kept *kept_new(uint64_t dev, enum index_status *ret_status);
void kept_free(struct kept *kept);
/* The mark is still there, and so the file system. */
bool kept_is_alive(const struct kept *kept);
/* @ret_fd is the kept's own. */
enum index_status kept_ask(struct kept *kept, int *ret_fd, uint64_t *ret_build_us);
/* Takes in what is queued, so that it does not pile up. */
void kept_idle(struct kept *kept);

uint64_t kept_now_us(void);

/* ---- roots.c ---- */
/* False: no mount of it can be seen, or not all of it that is shown. */
bool roots_open(struct kept *kept);
void roots_close(struct kept *kept);
/* Their paths, each with its NUL; NULL: out of memory. An empty string: the whole is seen. */
char *roots_text(const struct kept *kept);
/* An O_PATH descriptor of directory @key; -1. */
int roots_directory(const struct kept *kept, const struct object *key);

/* ---- walk.c ---- */
/* Adds each file with several names below @fd (closed), which is @at. */
bool walk_below(struct kept *kept, int fd, struct directory *at, bool sure);

/* ---- settle.c ---- */
/* Reads the queue. False: something was lost, or no memory. */
bool settle_drain(struct kept *kept);
/* Looks up again what events named. False: it has to be walked again. */
bool settle(struct kept *kept);
/* Directories moved while they were walked: what they hold may have been missed. */
bool settle_moved_walk(struct kept *kept);
void settle_forget(struct kept *kept);

#endif
