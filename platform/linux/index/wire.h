/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What cordon-index is asked and answers, and what it holds. A question is one datagram on a
 * socket that every job's init shares, with one descriptor: a socket of the
 * asker's own, on which the answer comes as one datagram. So no asker can hold
 * up another, and nobody can read what was meant for somebody else.
 *
 * The answer's descriptor is a sealed memfd: struct index_head, then the
 * objects with several names. Names are as the file system has them, from its
 * own root: which of them a job can reach, and how they are spelled there, its
 * mount table says.
 */
#ifndef CORDON_LINUX_INDEX_WIRE_H
#define CORDON_LINUX_INDEX_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/strbuf.h"
#include "platform/linux/init/objects.h"
#include "platform/linux/pass.h"

#define INDEX_MAGIC 0x58444e49U
#define INDEX_BYTES_MAX (1024U * 1024U * 1024U)

enum index_want {
    INDEX_ASK,
    /*
     * To hold what a guard has until the job is gone, and to begin a conversation with that guard:
     * see record.h. Closing the last descriptor of a group takes the kernel some 20 ms, which the
     * end of the job would wait for. Descriptors: enum index_held.
     */
    INDEX_HOLD,
    /* From the supervisor, before all else: the memory of former names, see former.h. */
    INDEX_STORE
};

enum index_held {
    HELD_LIFE,   /* a socket, to the guard */
    HELD_INIT,   /* pidfd of the job's pid 1: when that is gone, all of the job are */
    HELD_DECIDE, /* the groups */
    HELD_EVENTS,
    HELD_BATCH,   /* what the guard read of HELD_EVENTS: see batch_share() */
    HELD_ORDER,   /* by what it judges names */
    HELD_OWN,     /* ... its tables: struct order_head's ORDER_SET_OWN */
    HELD_MANAGED, /* ... and ORDER_SET_MANAGED */
    HELD_COUNT
};
_Static_assert(HELD_COUNT <= PASS_MAX, "all of them are passed at once");

struct index_request {
    uint32_t magic;
    uint32_t want;  /* enum index_want */
    uint64_t dev;   /* INDEX_ASK: of the file system, as mountinfo has it */
    uint32_t uid;   /* INDEX_HOLD: whose job */
    uint32_t ahead; /* INDEX_HOLD: it is made ahead of time; begun.h says that it begins */
};

enum index_status {
    INDEX_OK = 0,
    INDEX_UNKEPT, /* the file system does not tell of names, or cannot be seen in full */
    INDEX_FAILED,
    INDEX_FULL /* INDEX_HOLD: former names of this user's were lost, there were too many */
};

struct index_reply {
    uint32_t magic;
    uint32_t status;   /* enum index_status */
    uint32_t fds;      /* that come with it: 0 or, with INDEX_OK only, 1 */
    uint64_t build_us; /* that this answer had to wait for a walk; 0: none was needed */
};

struct index_head {
    uint32_t magic;
    uint32_t objects;
    uint64_t size; /* of the whole block */
};

/* Making a block; errors are the buffer's. */
void index_begin(struct strbuf *out);
/* An object; its names follow. Returns what index_object_end() wants. */
size_t index_object_begin(struct strbuf *out, const struct object *object);
void index_name_add(struct strbuf *out, const char *name);
void index_object_end(struct strbuf *out, size_t at);

/* Reading one. */
struct index_cursor {
    const char *at, *end;
    uint32_t left;
};
struct index_entry {
    struct object object;
    const char *names; /* one after the other, each NUL-terminated */
    uint32_t name_count;
};
/* False: no such block. */
bool index_open(const void *block, size_t len, struct index_cursor *ret_cursor);
/* False: that was all, or the block is damaged: then `left` is not 0. */
bool index_next(struct index_cursor *cursor, struct index_entry *ret_entry);

#endif
