/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts of a process's namespace, as proc(5) tells of them in mountinfo. */
#ifndef CORDON_LINUX_INIT_MOUNTS_H
#define CORDON_LINUX_INIT_MOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"

struct mount_entry {
    char *path;     /* mount point */
    char *root;     /* the mount's root as the file system has it */
    uint64_t id;    /* as mountinfo and statx have it */
    uint64_t dev;   /* of the file system, as mountinfo has it; sub-volumes share it */
    bool watched;   /* something of a rule may lie on it */
    bool unwritten; /* a pseudo file system: no name in it can be moved or linked */
    bool nameless;  /* the file system does not tell of names that come and go */
    bool read_only;
    bool dated; /* a directory's date changes with each name in it: fstype.h */
};

struct mount_table {
    struct mount_entry *mounts; /* in the kernel's order */
    size_t count;
};

/* Adds this process's mounts to @ret_table. */
CORDON_MUST_USE enum cordon_err mounts_read(struct mount_table *ret_table,
                                            struct cordon_fault *fault);

void mounts_release(struct mount_table *table);

/* The mount that @path lies on and those below it are `watched`. */
void mounts_choose(struct mount_table *table, const char *path);
/* So are all that show a file system of @chosen's: a hard link made earlier may be anywhere. */
void mounts_choose_same(struct mount_table *table, const struct mount_table *chosen);

/* The mount that @path, free of links, lies on: the last of the deepest. NULL: none. */
const struct mount_entry *mounts_of(const struct mount_table *table, const char *path);
/*
 * The mount of the directory above, if @mount shows there what would be there without it: then it
 * lies on a name of that one and goes where that goes. NULL: it does not.
 */
const struct mount_entry *mounts_same_above(const struct mount_table *table,
                                            const struct mount_entry *mount);
/* NULL: no such mount. */
const struct mount_entry *mounts_find(const struct mount_table *table, uint64_t id);

/* Its root, O_PATH. -1 with errno; ENOENT: another mount covers it, so nobody reaches it. */
int mount_open(const struct mount_entry *mount);

#endif
