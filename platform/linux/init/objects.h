/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects by file handle (name_to_handle_at(2)), which holds the inode and its
 * generation: a number that is used again is another object. File systems are
 * not told apart; generations are random enough for that.
 */
#ifndef CORDON_LINUX_INIT_OBJECTS_H
#define CORDON_LINUX_INIT_OBJECTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OBJECT_BYTES_MAX 128U /* MAX_HANDLE_SZ */

struct object {
    uint32_t len;
    int32_t type;
    uint8_t bytes[OBJECT_BYTES_MAX];
};

/* Of the file behind @dir and @name ("": @dir itself); links are not followed. */
bool object_of(int dir, const char *name, struct object *ret_object);
/* ... and its mount, as mountinfo numbers it; -1: not told. */
bool object_on(int dir, const char *name, struct object *ret_object, int *ret_mount);
bool object_same(const struct object *a, const struct object *b);
uint64_t object_hash(const struct object *object);
/* An O_PATH or readable descriptor on the mount of @mount; -1: errno. */
int object_open(int mount, const struct object *object, int flags);

/* What is kept of an object; @value is the keeper's. */
struct objects_entry {
    struct object key;
    void *value;
};
struct objects {
    struct objects_entry **table; /* open addressing */
    size_t count, room;
};
/* NULL: not there. */
struct objects_entry *objects_find(const struct objects *objects, const struct object *key);
/* The entry, made if need be; NULL: out of memory. */
struct objects_entry *objects_add(struct objects *objects, const struct object *key);

#endif
