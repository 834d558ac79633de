/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/objects.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Since Linux 6.5, for file systems whose handles cannot be opened again. */
#define HANDLE_FID 0x200

#define TYPE_NUMBER (-1) /* no file system's: those are 1 to 255 */

struct handle {
    uint32_t len;
    int32_t type;
    uint8_t bytes[OBJECT_BYTES_MAX];
};
_Static_assert(sizeof(struct handle) == 8 + OBJECT_BYTES_MAX, "as struct file_handle");

/* File systems without handles have inode numbers all the same. */
static bool object_by_number(int dir, const char *name, struct object *ret_object)
{
    struct stat st;
    uint64_t numbers[2];

    if (fstatat(dir, name, &st, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) != 0) {
        return false;
    }
    numbers[0] = st.st_dev;
    numbers[1] = st.st_ino;
    ret_object->len = sizeof(numbers);
    ret_object->type = TYPE_NUMBER;
    memcpy(ret_object->bytes, numbers, sizeof(numbers));
    return true;
}

bool object_of(int dir, const char *name, struct object *ret_object)
{
    int mount;

    return object_on(dir, name, ret_object, &mount);
}

bool object_on(int dir, const char *name, struct object *ret_object, int *ret_mount)
{
    static int fid = HANDLE_FID;
    struct handle handle = {.len = OBJECT_BYTES_MAX};
    long code = syscall(SYS_name_to_handle_at, dir, name, &handle, ret_mount, AT_EMPTY_PATH | fid);

    if (code != 0 && errno == EINVAL && fid != 0) {
        fid = 0;
        handle.len = OBJECT_BYTES_MAX;
        code = syscall(SYS_name_to_handle_at, dir, name, &handle, ret_mount, AT_EMPTY_PATH);
    }
    if (code != 0 && errno == EOPNOTSUPP) {
        *ret_mount = -1;
        return object_by_number(dir, name, ret_object);
    }
    if (code != 0 || handle.len > OBJECT_BYTES_MAX) {
        return false;
    }
    ret_object->len = handle.len;
    ret_object->type = handle.type;
    memcpy(ret_object->bytes, handle.bytes, handle.len);
    return true;
}

bool object_same(const struct object *a, const struct object *b)
{
    return a->len == b->len && a->type == b->type && memcmp(a->bytes, b->bytes, a->len) == 0;
}

int object_open(int mount, const struct object *object, int flags)
{
    struct handle handle = {.len = object->len, .type = object->type};

    memcpy(handle.bytes, object->bytes, object->len);
    return (int)syscall(SYS_open_by_handle_at, mount, &handle, flags | O_CLOEXEC);
}

/* FNV-1a: the keys are not chosen by anybody, generations are random. */
uint64_t object_hash(const struct object *object)
{
    uint64_t hash = 14695981039346656037ULL;

    for (uint32_t i = 0; i < object->len; i++) {
        hash = (hash ^ object->bytes[i]) * 1099511628211ULL;
    }
    return hash ^ (hash >> 32);
}

static struct objects_entry **slot_of(const struct objects *objects, const struct object *key)
{
    size_t at = (size_t)object_hash(key) & (objects->room - 1);

    while (objects->table[at] != NULL && !object_same(&objects->table[at]->key, key)) {
        at = (at + 1) & (objects->room - 1);
    }
    return &objects->table[at];
}

struct objects_entry *objects_find(const struct objects *objects, const struct object *key)
{
    return objects->count == 0 ? NULL : *slot_of(objects, key);
}

static bool grow(struct objects *objects)
{
    struct objects bigger = {.count = objects->count,
                             .room = objects->room == 0 ? 64 : objects->room * 2};

    bigger.table = calloc(bigger.room, sizeof(struct objects_entry *));
    if (bigger.table == NULL) {
        return false;
    }
    for (size_t i = 0; i < objects->room; i++) {
        if (objects->table[i] != NULL) {
            *slot_of(&bigger, &objects->table[i]->key) = objects->table[i];
        }
    }
    free(objects->table);
    *objects = bigger;
    return true;
}

struct objects_entry *objects_add(struct objects *objects, const struct object *key)
{
    struct objects_entry **slot;

    if (objects->room < 2 * (objects->count + 1) && !grow(objects)) {
        return NULL;
    }
    slot = slot_of(objects, key);
    if (*slot == NULL) {
        *slot = calloc(1, sizeof(**slot));
        if (*slot != NULL) {
            (*slot)->key = *key;
            objects->count++;
        }
    }
    return *slot;
}
