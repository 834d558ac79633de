/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the directories of the watched file systems are, by their handles.
 *
 * The kernel merges equal events of one thread over others in between: a rename
 * to, fro and to again is told as two. So the order of what is read at once means
 * nothing, and while that is taken in, a directory that moved is at every place
 * that one of the events tells of. After that the file system is asked.
 */
#ifndef CORDON_LINUX_INIT_PLACES_H
#define CORDON_LINUX_INIT_PLACES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/linux/init/objects.h"

#define PLACES_DEPTH_MAX 16384U

struct names;

/* In a parent under a name, or at the top of what can be seen. */
struct place {
    struct place *next; /* another one of the same directory */
    bool is_top;
    struct object parent;
    char name[]; /* NUL-terminated */
};

struct places {
    struct objects table; /* value: struct directory */
    struct objects_entry **moved;
    size_t moved_count, moved_room;
    uint64_t moves;   /* of directories, read so far */
    uint64_t *named;  /* by the hash of a name: the last of them from or to such; NULL: none yet */
    unsigned awaited; /* times that a removal was waited for, since places_settle() */
    bool failed;      /* something that was read is lost */
};

/* OUTSIDE: of the view. GONE: nobody can tell. */
enum places_found { PLACES_FOUND, PLACES_OUTSIDE, PLACES_GONE };

/* A directory and all above it, each at one of its places; innermost first. */
struct chain {
    const struct object *key[PLACES_DEPTH_MAX];
    const struct place *place[PLACES_DEPTH_MAX];
    size_t count;
    bool is_forked;
};

/* Reads all events that are queued, and what they tell of directories. False: something was lost.
 */
bool places_read(struct names *names);
/*
 * What @path leads to, or a directory on the way, may be elsewhere than when so many @moves had
 * been read: a directory with such a name moved, anywhere.
 */
bool places_moved(const struct places *places, uint64_t moves, const char *path, size_t len);
/* Once all of them were taken in. */
void places_settle(struct names *names);
/* Directory @key, which moved, was not asked about since places_settle() or a new place of it. */
bool places_is_new(struct names *names, const struct object *key);

/*
 * Calls @take for each way from directory @key to the top of what can be seen; the chain is whole
 * if @found is FOUND. May read events.
 */
void places_each(struct names *names, uint64_t fsid, const struct object *key,
                 void (*take)(void *context, enum places_found found, const struct chain *chain),
                 void *context);

#endif
