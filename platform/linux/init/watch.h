/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decisions at each access, by fanotify. Group A (`decide`) asks about each open
 * on the job's own mounts that a rule may concern, but for exempt.h; group B (`events`)
 * tells of names that come and go on their file systems. The guard answers A
 * after it has read all of B.
 *
 * Nothing here may open a file on a watched mount: the opener would wait for
 * its own answer. Walks go through `clone`, a copy of the host's tree taken
 * before anything was masked or watched, where nobody watches.
 */
#ifndef CORDON_LINUX_INIT_WATCH_H
#define CORDON_LINUX_INIT_WATCH_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/strbuf.h"
#include "platform/linux/init/alias.h"
#include "platform/linux/init/init.h"
#include "platform/linux/init/mounts.h"

#define WATCH_FD_BASE 64 /* above enum order_init_fd: init closes those when the command comes */

/* A rule's spelling of a directory that symbolic links lead elsewhere. */
struct watch_prefix {
    char *real;
    const char *spelled;
    uint32_t set;
};

struct watch {
    struct init *init;
    int decide;                    /* group A */
    int events;                    /* group B */
    int clone;                     /* of the host's tree, detached */
    int proc;                      /* a /proc of the job that nobody watches, detached */
    int root;                      /* of the view */
    int life;                      /* to cordon-index: see index/record.h; -1 */
    int batch;                     /* memfd that the guard's batch lies in, for cordon-index */
    int finish;                    /* to init: when that says so, or is gone, the guard ends */
    int index;                     /* to ask cordon-index on */
    int links;                     /* /proc/self/fd of whoever uses it; opened by the guard */
    struct mount_table mounts;     /* of the view */
    struct watch_prefix *prefixes; /* once the mounts are chosen: the spellings that differ */
    size_t prefix_count;
    const char **roots; /* the prefixes' real directories, none below another */
    size_t root_count;
};

/* Before the old root goes: the clone. Nothing to do without an ORDER_WATCH. */
CORDON_MUST_USE enum cordon_err watch_prepare(struct init *init);
/* When the view is whole, and can still be masked: groups, marks, guard, keeper. */
CORDON_MUST_USE enum cordon_err watch_start(struct init *init);

/* Waits until the guard, if there is one, answers: no command starts before. */
CORDON_MUST_USE enum cordon_err watch_ready(struct init *init);

/* ---- files.c ---- */
/* The same file under a number that init does not close; @fd is closed, -1 stays -1. */
int watch_raise_fd(int fd);

/* ---- rules.c ---- */
/* The order and the tables of @fds, by their ORDER_SET_*; they must not change afterwards. */
CORDON_MUST_USE enum cordon_err rules_load(struct init *init, int order,
                                           const int tables[ORDER_SET_COUNT]);
/* For who waits for a command: the tables are in reach, so its first verdicts wait for no pages. */
void rules_touch(const struct init *init);
/*
 * Fills in prefixes, roots and mounts, of which those are `watched` that a rule may be about. Looks
 * directories up as the caller, if it may change to that.
 */
CORDON_MUST_USE enum cordon_err rules_find(struct watch *watch);

/* ---- program.c ---- */
/* Instead of groups and a guard: tells the kernel's program of the job, its mounts and links. */
CORDON_MUST_USE enum cordon_err program_start(const struct watch *watch);

/* ---- name.c: for the guard alone ---- */
/* The name of the file behind @fd in the view, however long. False: nobody can name it. */
bool name_of(const struct watch *watch, int fd, struct strbuf *ret_name);
/* The same if a link below /proc has room for it. */
bool name_by_link(const struct watch *watch, int fd, struct strbuf *ret_name);
/* Appends "/NAME" of directory @fd as seen from @up, which is not far above. False: none. */
bool name_from(const struct watch *watch, int fd, int up, struct strbuf *ret_name);
/* The last component of the name of directory @fd, whose parent is @up; false: it has none. */
bool name_last(const struct watch *watch, int fd, int up, char ret_name[NAME_MAX + 1]);

/* ---- verdict.c: by name ---- */
struct verdict {
    bool denied;
    uint32_t set;  /* of the rule; ORDER_SET_COUNT: none in particular */
    uint32_t rule; /* ORDER_NO_RULE: by object, or what could not be named */
};
/* What both tables say about @path, under every other name that mounts and links give it. */
struct verdict verdict_by_name(const struct watch *watch, const char *path, size_t len);
/* Something at, above or below @path has other names as well. */
bool verdict_is_respelled(const struct watch *watch, const char *path);
/* Neither that nor anything below it can be denied, under any of its names. */
bool verdict_is_hopeless(const struct watch *watch, const char *path);
/* No name below both directories is judged differently. */
bool verdict_same_below(const struct watch *watch, const char *one, const char *other);

/* ---- violation.c ---- */
struct denial {
    const char *path;
    size_t path_len;
    struct verdict why;
    uint16_t operation; /* enum ipc_operation */
    int pid;            /* in the job; 0: unknown */
};
/* In the guard, before INIT_FD_TALLY is closed. False: denials could not be counted. */
bool violation_prepare(const struct watch *watch);
/* Never blocks: what does not fit is counted, and the count goes with the next record. */
void violation_report(const struct denial *denial);

#endif
