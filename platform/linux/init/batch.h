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

/* The next event of @thread's is one of a link count. */
bool batch_count_follows(const struct batch *batch, int32_t thread);
/* Those of @thread that were taken already, from offset *at on, which begins as 0; false: no more.
 */
bool batch_count_before(const struct batch *batch, int32_t thread, size_t *at,
                        struct object *ret_target);

#endif
