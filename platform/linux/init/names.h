/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What group B tells: names that come and go on the watched file systems. From
 * it the guard keeps the objects that ever had a denied name since the job
 * began; they stay denied under every other name.
 *
 * Events name a directory by its handle and come later than what they tell of:
 * a name is judged at every place where its directory may have been, see places.h.
 */
#ifndef CORDON_LINUX_INIT_NAMES_H
#define CORDON_LINUX_INIT_NAMES_H

#include <sys/stat.h>

#include "platform/linux/init/batch.h"
#include "platform/linux/init/exempt.h"
#include "platform/linux/init/objects.h"
#include "platform/linux/init/places.h"
#include "platform/linux/init/replaced.h"
#include "platform/linux/init/watch.h"

/* A mount of the view, as its counterpart in the unwatched clone shows it. */
struct names_mount {
    const char *path; /* in the view */
    const char *root; /* the same directory as the file system has it */
    int fd;           /* ... in the clone */
    uint64_t fsid;
    uint64_t dev; /* as mountinfo has it */
    struct object top;
};

/* Former names of one directory, from the file system's root; "": nobody can tell. */
struct former_list {
    struct former_list *next;
    bool is_earlier; /* it moved in an earlier job */
    char path[];
};

struct names_index {
    uint64_t dev;     /* as mountinfo has it */
    bool links_alone; /* of files that had one name, `denied` holds none */
};

struct names {
    const struct watch *watch;
    struct names_mount *mounts;
    size_t mount_count;
    struct places places;
    struct objects denied; /* value: unused */
    struct batch *batch;
    struct replaced replaced;
    unsigned waits;              /* in this names_drain() */
    struct exempt exempt;        /* for the guard alone */
    struct names_index *indexed; /* file systems of which `denied` knows the time before */
    size_t indexed_count;
    /* Instead of `denied`, where there is no guard: what a walk finds. False: it cannot go on. */
    bool (*found)(void *context, int dir, const char *name);
    void *context;
    uint64_t *linked;      /* a bit by hash for each file that may have got a name since */
    struct objects former; /* directories that have former names; value: struct former_list */
    size_t known_first;    /* how much was known before the first event was taken in */
    bool is_behind; /* events may be older than what former_take() found below such directories */
};

/* Before the marks are made. CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err names_init(struct names *names, const struct watch *watch,
                                           struct cordon_fault *fault);

/* Takes in every event queued so far. False: something was lost, nothing can be decided. */
bool names_drain(struct names *names);

/*
 * The file behind @fd, of which @st is what was before the last names_drain(), is a mask, or has or
 * had a denied name; looked up in the index if it has several names.
 */
bool names_deny(struct names *names, int fd, const struct stat *st);

/* Events tell of the names on the mount of @fd. */
bool names_are_told(const struct names *names, int fd);

/* The descriptors, for a process that does not use them. */
void names_close(struct names *names);

/* From here on the object is denied. False: out of memory. */
bool names_denied(struct names *names, const struct object *object);

/* ---- older.c ---- */
bool older_init(struct names *names);
/* An event tells of a new name for @object: the first it has, or one more. */
void older_created(struct names *names, const struct object *object);
/* `denied` has what the names from before say about files like @fd. False: nobody can tell. */
bool older_known(struct names *names, int fd);
/* ... and also what they say about @object, should it have got a name since. */
bool older_renew(struct names *names, const struct object *object);

/* ---- former.c: for the guard and its heir ---- */
/*
 * What guards of earlier jobs saw, as the answer to guard_start()'s question: objects with former
 * names are denied as these say. *ret_full: some were lost. False: nobody can tell.
 */
bool former_begin(struct names *names, bool *ret_full);
/* The same of @records, a memfd of records; -1: there are none. False: nobody can tell. */
bool former_take(struct names *names, int records);
/* This guard saw names go that were there when it had those. */
bool names_have_gone(const struct names *names);
/*
 * What @event is about no longer has the name @path from its file system's root, or may not have it
 * any more; "": nobody can tell what name. Tells cordon-index, unless the object is gone. False:
 * nobody hears it, or no memory.
 */
bool former_tell(struct names *names, const struct batch_event *event, const char *path);
/* The same of @path on @mount. */
bool former_tell_at(struct names *names, const struct batch_event *event,
                    const struct names_mount *mount, const char *path);
/* That name, or one below it if it is a directory, is denied, or might be. */
bool former_matters(struct names *names, const struct batch_event *event, const char *path);
/*
 * Takes in one more former name of what @event is about, which has left a directory that an earlier
 * job moved. What came there later has none, but nobody can tell.
 */
bool former_judge(struct names *names, const struct batch_event *event, const char *path);
/* Answers cordon-index, which asks on behalf of another guard. */
void former_hear(struct names *names);

/* ---- settle.c: for the guard alone ---- */
/*
 * The name of @fd, and names_drain(): all is known that had been done before to that or to a
 * directory in it. False: nobody can name it.
 */
bool settle_name(struct names *names, int fd, struct strbuf *ret_name);
/* Waits until all is told that was being renamed in directory @fd. */
void settle_below(int fd);

/* ---- guard.c ---- */
/* Two children of init: the guard and the keeper, see there. */
CORDON_MUST_USE enum cordon_err guard_start(struct names *names, struct watch *watch);

/* ---- walk.c ---- */
/* Adds what is denied of @fd (closed) and below it if it were at @path or at @other, which may be
 * NULL; without @path: all. */
bool walk_add(struct names *names, int fd, const char *path, const char *other);
/* Adds what is denied on file system @dev below the watched prefixes. */
bool walk_device(struct names *names, uint64_t dev);

#endif
