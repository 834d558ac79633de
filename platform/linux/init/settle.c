/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel changes a name first and tells of it later. So a file's name alone does not say what
 * it was called when it was opened: whoever is renaming it, or a directory above it, is waited for,
 * and then the events tell. A directory is locked from before a rename in it until that was told.
 *
 * Most directories stay where they are: one that was found where it is, with all above it, is so
 * until a move is told of that may be of one of them. So long only those who rename in it are
 * waited for, and what is deeper is looked for from there.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/linux/init/names.h"
#include "platform/linux/init/sys.h"
#include "platform/linux/name_hash.h"

#define TRIES_MAX 1000U /* some 10 ms, should somebody rename what has such a name all the time */
#define SLOTS 1024U
#define SLOT_PATH_MAX 16384U
#define ALIKE_MAX 16U
#define NEAR 8U
#define SLOT_LONG 3800U /* what is directly below may have a name that no link has room for */
#define CHUNK 3400U     /* of a path, looked up at once: with LONG_NAME less than PATH_MAX */
#define PIECE 2048U     /* ... while each directory on the way is */
/* No file system has names of that length; it is looked for with the directory locked. */
#define LONG_NAME 600U

/* Of a directory: its handle and its mount. No descriptor: what is removed has to be gone. */
struct identity {
    struct object object;
    int mount;
};

/* A directory that was found in its place. */
struct settled {
    struct identity identity;
    uint64_t moves; /* until then */
    uint32_t hash;  /* of its path */
    size_t len;
    char path[]; /* no NUL */
};

/* Directories that were found on one way, the innermost first. */
struct found {
    struct {
        size_t len; /* of its path */
        struct identity identity;
    } items[SLOTS];
    size_t count;
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

/* No directory that comes after it has the same. */
static __attribute__((noinline)) bool identify(int base, const char *path, size_t len,
                                               struct identity *ret)
{
    const int at = approach(base, &path, &len);
    char text[CHUNK + 1];
    bool found = at >= 0;

    if (found) {
        cut_off(text, path, len);
        found = object_on(at, text, &ret->object, &ret->mount);
    }
    depart(base, at);
    return found;
}

static bool is_same(const struct identity *a, const struct identity *b)
{
    return a->mount == b->mount && object_same(&a->object, &b->object);
}

/* ---- waiting ---- */

/* The directory of the first @len bytes of @path. */
static __attribute__((noinline)) void directory_wait(int base, const char *path, size_t len)
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

/* A way that is gone: @path of its @len bytes below @base, the rest of the @whole. */
struct way {
    int base;
    const char *path;
    size_t len;
    const char *whole;
};

/* The directory of its first @len bytes. */
static void way_find(const struct way *way, size_t len, struct found *found)
{
    const size_t before = (size_t)(way->path - way->whole);

    if (found->count < SLOTS &&
        identify(way->base, way->path, len, &found->items[found->count].identity)) {
        found->items[found->count++].len = len == 0 && before > 0 ? before - 1 : before + len;
    }
}

/*
 * Finds each directory on the way down to that of its @first bytes, and waits there: in the
 * innermost first. A long way is gone in pieces, or each wait would go all of it. False: not all of
 * it was.
 */
static bool way_wait(const struct way *way, size_t first, struct found *found)
{
    size_t len = way->len;
    bool waited = true;

    if (len > PIECE) {
        const size_t cut = cut_at(way->path, PIECE);
        const struct way rest = {.base = directory_open(way->base, way->path, cut),
                                 .path = way->path + cut + 1,
                                 .len = len - cut - 1,
                                 .whole = way->whole};

        waited = rest.base >= 0 && way_wait(&rest, first > cut ? first - cut - 1 : 0, found);
        if (rest.base >= 0) {
            (void)close(rest.base);
        }
        len = cut;
    }
    while (len > first) {
        if (way->path[--len] == '/') {
            way_find(way, len, found);
            directory_wait(way->base, way->path, len);
        }
    }
    if (first == 0) {
        way_find(way, 0, found);
        settle_below(way->base);
    }
    return waited;
}

/* ---- directories that are known to be where they are ---- */

static struct {
    struct settled *slots[SLOTS];
    bool has_long; /* there was one of SLOT_LONG bytes */
} known;

static struct settled **slot_at(uint32_t hash)
{
    return &known.slots[(hash ^ hash >> 16) % SLOTS];
}

static bool slot_is(const struct settled *slot, uint32_t hash, const char *path, size_t len)
{
    return slot != NULL && slot->hash == hash && slot->len == len &&
           memcmp(slot->path, path, len) == 0;
}

static bool slot_has_moved(const struct settled *slot, const struct names *names)
{
    return places_moved(&names->places, slot->moves, slot->path, slot->len);
}

/*
 * The deepest one on the way of the @len bytes at @path, their own included. NULL: none is known.
 * On a long way most may be: what looks like one is compared from the deepest on.
 */
static const struct settled *slot_deepest(const struct names *names, const char *path, size_t len)
{
    const struct settled *alike[ALIKE_MAX];
    uint32_t hash = NAME_HASH_BEGIN;
    size_t count = 0;

    for (size_t i = 0; i <= len; i++) {
        if (i == len || path[i] == '/') {
            const struct settled *slot = *slot_at(hash);

            if (slot != NULL && slot->hash == hash && slot->len == i) {
                alike[count++ % ALIKE_MAX] = slot;
            }
        }
        hash = i < len ? NAME_HASH_STEP(hash, path[i]) : hash;
    }
    for (size_t left = count < ALIKE_MAX ? count : ALIKE_MAX; left > 0; left--) {
        const struct settled *slot = alike[--count % ALIKE_MAX];

        if (memcmp(slot->path, path, slot->len) == 0 && !slot_has_moved(slot, names)) {
            return slot;
        }
    }
    return NULL;
}

static void slot_take(const struct names *names, uint32_t hash, const char *path, size_t len,
                      const struct identity *identity)
{
    struct settled **slot = slot_at(hash);

    if (!slot_is(*slot, hash, path, len)) {
        free(*slot);
        *slot = malloc(sizeof(**slot) + len);
        if (*slot == NULL) {
            return;
        }
        (*slot)->hash = hash;
        (*slot)->len = len;
        memcpy((*slot)->path, path, len);
    }
    (*slot)->identity = *identity;
    (*slot)->moves = names->places.moves;
    known.has_long = known.has_long || len >= SLOT_LONG;
}

/* All that were found on the way of @path. */
static void slots_take(const struct names *names, const char *path, const struct found *found)
{
    uint32_t hash = NAME_HASH_BEGIN;
    size_t at = 0;

    for (size_t i = found->count; i-- > 0 && found->items[i].len <= SLOT_PATH_MAX;) {
        while (at < found->items[i].len) {
            hash = NAME_HASH_STEP(hash, path[at++]);
        }
        slot_take(names, hash, path, at, &found->items[i].identity);
    }
}

/* It is where it was found. */
static bool slot_is_there(const struct settled *slot, const struct names *names)
{
    struct identity now;

    return identify(names->watch->root, slot->path, slot->len, &now) &&
           is_same(&now, &slot->identity);
}

/* One with a long path; NULL: none. */
static const struct settled *slot_of(const struct identity *identity)
{
    for (size_t i = 0; known.has_long && i < SLOTS; i++) {
        const struct settled *slot = known.slots[i];

        if (slot != NULL && slot->len >= SLOT_LONG && is_same(&slot->identity, identity)) {
            return slot;
        }
    }
    return NULL;
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

/*
 * Of a directory not far below one with a long path that is known to be where it was found: who
 * goes up from there to the top takes the longer the deeper it is. False: nothing is said.
 */
static bool name_below_known(const struct names *names, int fd, struct strbuf *ret_name)
{
    const struct settled *slot = NULL;
    struct identity identity;
    int up = fd;

    ret_name->len = 0;
    for (unsigned level = 0; known.has_long && slot == NULL && level < NEAR; level++) {
        const int next = openat(up, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

        depart(fd, up);
        up = next;
        if (up < 0 || !object_on(up, "", &identity.object, &identity.mount)) {
            break;
        }
        slot = slot_of(&identity);
    }
    if (slot != NULL && slot_is_there(slot, names)) {
        strbuf_add(ret_name, "/", 1);
        strbuf_add(ret_name, slot->path, slot->len);
        if (!name_from(names->watch, fd, up, ret_name)) {
            ret_name->len = 0;
        }
    }
    depart(fd, up);
    return ret_name->len > 0 && !ret_name->failed;
}

static bool name_now(const struct names *names, int fd, struct strbuf *ret_name)
{
    return name_by_link(names->watch, fd, ret_name) || name_below_known(names, fd, ret_name) ||
           name_of(names->watch, fd, ret_name);
}

static bool is_still(const struct names *names, int fd, const struct strbuf *name)
{
    static struct strbuf again = STRBUF_INIT;

    return name_now(names, fd, &again) && again.len == name->len &&
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
    static struct found found;
    const char *path = name->data + 1;
    const struct way way = {names->watch->root, path, name->len - 1, path};
    const uint64_t moves = names->places.moves;
    bool waited;
    bool there;

    found.count = 0;
    waited = way_wait(&way, slot == NULL ? 0 : slot->len, &found);
    there = slot == NULL || slot_is_there(slot, names);
    drain(names);
    if (!waited || !there || (slot != NULL && slot_has_moved(slot, names)) ||
        places_moved(&names->places, moves, path, name->len - 1) || !is_still(names, fd, name)) {
        return false;
    }
    slots_take(names, path, &found);
    return true;
}

bool settle_name(struct names *names, int fd, struct strbuf *ret_name)
{
    for (unsigned i = 0; i < TRIES_MAX && name_now(names, fd, ret_name); i++) {
        const size_t len = above_len(ret_name);
        /* Once something moved nothing that was known is relied on. */
        const struct settled *slot = i == 0 ? slot_deepest(names, ret_name->data + 1, len) : NULL;

        if (slot != NULL && slot->len == len) {
            if (settle_known(names, slot, ret_name)) {
                return true;
            }
            slot = NULL;
        }
        if (!names_are_told(names, fd)) {
            drain(names);
            return true;
        }
        if (settle_all(names, slot, fd, ret_name)) {
            return true;
        }
    }
    drain(names); /* whoever is asked about what has no name is not to keep us from that */
    return false;
}
