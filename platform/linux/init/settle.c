/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel changes a name first and tells of it later. So a file's name alone does not say what
 * it was called when it was opened: whoever is renaming it, or a directory above it, is waited for,
 * and then the events tell. A directory is locked from before a rename in it until that was told.
 *
 * Most directories stay where they are: one that was found where it is, with all above it, is so
 * until a move is told of that may be of one of them. So long only those who rename in
 * it are waited for.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/linux/init/names.h"
#include "platform/linux/init/sys.h"

#define TRIES_MAX 1000U /* some 10 ms, should somebody rename what has such a name all the time */
#define SLOTS 256U
#define SLOT_PATH_MAX 16384U
#define CHUNK 2048U /* of a path, looked up at once */
#define PIECE 512U  /* ... while each directory on the way is */
/* No file system has names of that length; it is looked for with the directory locked. */
#define LONG_NAME 600U

/* A directory that was found in its place. */
struct settled {
    char *path;
    size_t len;
    struct object object; /* no descriptor: what is removed has to be gone */
    uint64_t moves;       /* until then */
};

/* ---- paths, however long ---- */

/* NUL-terminates the @len bytes at @path, at most CHUNK, in @text. */
static void cut_off(char text[CHUNK + 1], const char *path, size_t len)
{
    memcpy(text, path, len);
    text[len] = '\0';
}

/* The last "/" of the first @most bytes, and one more, of @path. */
static size_t cut_at(const char *path, size_t most)
{
    while (most > 0 && path[most] != '/') {
        most--;
    }
    return most;
}

/* Apart, as who calls it may call himself. */
static __attribute__((noinline)) int directory_open(int base, const char *path, size_t len)
{
    char text[CHUNK + 1];

    cut_off(text, path, len);
    return openat(base, text, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/*
 * Goes along @path, below @base, until at most CHUNK bytes are left of its @len. The directory that
 * these lead on from, to be given back to depart(); -1: there is none.
 */
static int approach(int base, const char **path, size_t *len)
{
    int at = base;

    while (at >= 0 && *len > CHUNK) {
        const size_t cut = cut_at(*path, CHUNK);
        const int next = directory_open(at, *path, cut);

        if (at != base) {
            (void)close(at);
        }
        at = next;
        *path += cut + 1;
        *len -= cut + 1;
    }
    return at;
}

static void depart(int base, int at)
{
    if (at >= 0 && at != base) {
        (void)close(at);
    }
}

/* By its handle, which no directory has that comes after it. */
static bool identify(int base, const char *path, size_t len, struct object *ret)
{
    const int at = approach(base, &path, &len);
    char text[CHUNK + 1];
    bool found = at >= 0;

    if (found) {
        cut_off(text, path, len);
        found = object_of(at, text, ret);
    }
    depart(base, at);
    return found;
}

/* ---- waiting ---- */

/* The directory of the first @len bytes of @path. */
static void directory_wait(int base, const char *path, size_t len)
{
    const int at = approach(base, &path, &len);
    char text[CHUNK + 1 + LONG_NAME + 1];
    char *name = text + len;
    struct stat st;

    if (at < 0) {
        return;
    }
    memcpy(text, path, len);
    if (len > 0) {
        *name++ = '/';
    }
    memset(name, 'x', LONG_NAME);
    name[LONG_NAME] = '\0';
    (void)fstatat(at, text, &st, AT_SYMLINK_NOFOLLOW);
    depart(base, at);
}

void settle_below(int fd)
{
    directory_wait(fd, "", 0);
}

/*
 * Each directory on the way of the @len bytes at @path, below @base, down to that of the first
 * @known: the innermost first. A long way is gone in pieces, or each wait would go all of it.
 * False: not of all of them.
 */
static bool path_wait(int base, const char *path, size_t known, size_t len)
{
    bool waited = true;

    if (len > PIECE) {
        const size_t cut = cut_at(path, PIECE);
        const int fd = directory_open(base, path, cut);

        waited = fd >= 0 &&
                 path_wait(fd, path + cut + 1, known > cut ? known - cut - 1 : 0, len - cut - 1);
        if (fd >= 0) {
            (void)close(fd);
        }
        len = cut;
    }
    while (len > known) {
        if (path[--len] == '/') {
            directory_wait(base, path, len);
        }
    }
    if (known == 0) {
        settle_below(base);
    }
    return waited;
}

/* ---- directories that are known to be where they are ---- */

#define HASH_BEGIN 2166136261U /* FNV-1a */
#define HASH_STEP(hash, byte) (((hash) ^ (unsigned char)(byte)) * 16777619U)

static struct settled *slot_at(uint32_t hash)
{
    static struct settled slots[SLOTS];

    return &slots[(hash ^ hash >> 16) % SLOTS];
}

static bool slot_is(const struct settled *slot, const char *path, size_t len)
{
    return slot->path != NULL && slot->len == len && memcmp(slot->path, path, len) == 0;
}

/* The deepest one on the way of the @len bytes at @path, their own included. NULL: none is known.
 */
static const struct settled *slot_deepest(const struct names *names, const char *path, size_t len)
{
    const struct settled *deepest = NULL;
    uint32_t hash = HASH_BEGIN;

    for (size_t i = 0; i <= len; i++) {
        if (i == len || path[i] == '/') {
            const struct settled *slot = slot_at(hash);

            if (slot_is(slot, path, i) && !places_moved(&names->places, slot->moves, path, i)) {
                deepest = slot;
            }
        }
        hash = i < len ? HASH_STEP(hash, path[i]) : hash;
    }
    return deepest;
}

static void slot_take(const struct names *names, const char *path, size_t len,
                      const struct object *object)
{
    uint32_t hash = HASH_BEGIN;
    struct settled *slot;

    for (size_t i = 0; i < len; i++) {
        hash = HASH_STEP(hash, path[i]);
    }
    if (len <= SLOT_PATH_MAX) {
        slot = slot_at(hash);
        free(slot->path);
        *slot = (struct settled){.path = strndup(path, len),
                                 .len = len,
                                 .object = *object,
                                 .moves = names->places.moves};
    }
}

/* It is where it was found. */
static bool slot_is_there(const struct settled *slot, const struct names *names)
{
    struct object now;

    return identify(names->watch->root, slot->path, slot->len, &now) &&
           object_same(&now, &slot->object);
}

static bool slot_has_moved(const struct settled *slot, const struct names *names)
{
    return places_moved(&names->places, slot->moves, slot->path, slot->len);
}

/* ---- names ---- */

static void drain(struct names *names)
{
    if (!names_drain(names)) {
        _exit(1);
    }
}

/* Bytes of @name, without the first, that are its directory's. */
static size_t above_len(const struct strbuf *name)
{
    size_t len = name->len;

    while (len > 1 && name->data[len - 1] != '/') {
        len--;
    }
    return len < 2 ? 0 : len - 2;
}

static bool is_still(const struct names *names, int fd, const struct strbuf *name)
{
    static struct strbuf again = STRBUF_INIT;

    return name_of(names->watch, fd, &again) && again.len == name->len &&
           memcmp(again.data, name->data, name->len) == 0;
}

/*
 * The directory of @name is one known to be there. False: nothing is said. It is looked for once it
 * was waited for: should another have been in its place by then, its own move away is told of.
 */
static bool settle_known(struct names *names, const struct settled *slot, const struct strbuf *name)
{
    const uint64_t moves = slot->moves;
    bool there;

    directory_wait(names->watch->root, slot->path, slot->len);
    there = slot_is_there(slot, names);
    drain(names);
    return there && !places_moved(&names->places, moves, name->data + 1, name->len - 1);
}

/* Below @slot, or below the top if that is NULL. False: something moved meanwhile. */
static bool settle_all(struct names *names, const struct settled *slot, int fd,
                       const struct strbuf *name)
{
    const char *path = name->data + 1;
    const size_t len = above_len(name);
    const int root = names->watch->root;
    const uint64_t moves = names->places.moves;
    struct object above;
    const bool found = identify(root, path, len, &above);
    const bool waited = path_wait(root, path, slot == NULL ? 0 : slot->len, name->len - 1);
    const bool there = slot == NULL || slot_is_there(slot, names);

    drain(names);
    if (!waited || !there || (slot != NULL && slot_has_moved(slot, names)) ||
        places_moved(&names->places, moves, path, name->len - 1) || !is_still(names, fd, name)) {
        return false;
    }
    if (found) {
        slot_take(names, path, len, &above);
    }
    return true;
}

bool settle_name(struct names *names, int fd, struct strbuf *ret_name)
{
    for (unsigned i = 0; i < TRIES_MAX && name_of(names->watch, fd, ret_name); i++) {
        const size_t len = above_len(ret_name);
        /* Once something moved nothing that was known is relied on. */
        const struct settled *slot = i == 0 ? slot_deepest(names, ret_name->data + 1, len) : NULL;

        if (slot != NULL && slot->len == len && settle_known(names, slot, ret_name)) {
            return true;
        }
        if (!names_are_told(names, fd)) {
            drain(names);
            return true;
        }
        if (settle_all(names, slot != NULL && slot->len < len ? slot : NULL, fd, ret_name)) {
            return true;
        }
    }
    return false;
}
