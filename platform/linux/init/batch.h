/* SPDX-License-Identifier: Apache-2.0 */
/* The events of group B, read ahead and taken one by one. */
#ifndef CORDON_LINUX_INIT_BATCH_H
#define CORDON_LINUX_INIT_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/linux/init/objects.h"

struct batch;

/* The first words of a shared one, see batch_share(). */
struct batch_words {
    uint32_t busy;    /* its reader may have read what it has not told of */
    uint32_t learned; /* names went that were there when all was set up: see names_have_gone() */
    uint32_t begun;   /* by pid 1 of the job: there is a command, so what is read is told of */
};

struct batch_name {
    struct object directory;
    const char *name; /* in the batch's memory; good until the next batch_read() */
};
/* A link count changes without a name: link, unlink, and a rename that replaces the file. */
struct batch_event {
    bool is_rename, is_directory;
    bool is_name;     /* created or removed */
    bool is_count;    /* the link count of @target, a file */
    int32_t thread;   /* who did it; 0: somebody outside of the job */
    bool is_creation; /* a file, link or directory was made; perhaps removed as well */
    bool is_removal;
    uint64_t fsid;
    struct batch_name from; /* of a creation or removal: the name */
    struct batch_name to;   /* of a rename */
    struct object target;
};

struct batch *batch_new(void);
/*
 * From here on what is read lies in @fd, a memfd that nobody else has but cordon-index, and of its
 * words pid 1: should this process be killed, another takes that over, and what is in it already is
 * the batch's. Before anything is read. False: errno.
 */
bool batch_share(struct batch *batch, int fd);
/* Those of @fd, for as long as this process runs; before anybody shares it. NULL: errno. */
struct batch_words *batch_words_of(int fd);
/* NULL: not shared. */
const struct batch_words *batch_words(const struct batch *batch);
/* All that was read is taken, and told of. @learned as above. */
void batch_rest(struct batch *batch, bool learned);
/* Not so, of another process's. */
bool batch_is_busy(int fd);
void batch_free(struct batch *batch);
/* Appends all that is queued. False: out of memory, or the queue overflowed. */
bool batch_read(struct batch *batch, int group);
/* The next event; false: there is none, and the memory was given back. */
bool batch_next(struct batch *batch, struct batch_event *ret_event);
/* Something queued could not be understood. */
bool batch_is_lost(const struct batch *batch);
/*
 * The next event that tells where a directory is or was, of all that was read since the last time;
 * batch_next() gives it as well. False: there is none.
 */
bool batch_next_place(struct batch *batch, struct batch_event *ret_event);

/* There is a next event of @thread's. */
bool batch_follows(const struct batch *batch, int32_t thread);

/*
 * Where else than in its thread's next event, see replaced.h, it may be told what a rename
 * replaced: before it, if the next event is another, or the file had moved before, so that events
 * of it were merged; and behind it under another number of its thread, if it has none under its
 * own: that of who says "moved itself" of the renamed file. An heir sees that.
 */
struct batch_search {
    size_t at, until, taken;
    int32_t thread; /* up to @taken */
    int32_t mover;  /* from there on */
};
/* Of @rename, which was taken last. */
void batch_search(const struct batch *batch, const struct batch_event *rename, bool renumbered,
                  struct batch_search *ret_search);
/* One of them; false: no more. Nothing is to be read in between. */
bool batch_found(const struct batch *batch, struct batch_search *search, struct object *ret_target);

#endif
