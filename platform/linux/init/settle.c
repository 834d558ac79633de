/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel changes a name first and tells of it later. So a file's name alone does not say what
 * it was called when it was opened: whoever is renaming it, or a directory above it, is waited for,
 * and then the events tell. A directory is locked from before a rename in it until that was told.
 *
 * Most directories stay where they are: one that was found where it is, with all above it, is so
 * until a move or a removal is told of that may be of one of them. So long only those who rename in
 * it are waited for.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/linux/init/names.h"
#include "platform/linux/init/sys.h"

#define TRIES_MAX 1000U /* some 10 ms, should somebody rename what has such a name all the time */
#define SLOTS 256U
#define CHUNK 2048U
/* No file system has names of that length; it is looked for with the directory locked. */
#define LONG_NAME 600U

struct identity {
    dev_t dev;
    ino_t ino;
};

/* A directory that was found in its place. */
struct settled {
    char *path;
    size_t len;
    struct identity identity; /* no descriptor: what is removed has to be gone */
    uint64_t moves;           /* until then */
};

/* ---- waiting ---- */

/* The directory of the first @len bytes of @path. */
static void directory_wait(int base, const char *path, size_t len)
{
    char text[CHUNK + 1 + LONG_NAME + 1];
    char *name = text + len;
    struct stat st;

    memcpy(text, path, len);
    if (len > 0) {
        *name++ = '/';
    }
    memset(name, 'x', LONG_NAME);
    name[LONG_NAME] = '\0';
    (void)fstatat(base, text, &st, AT_SYMLINK_NOFOLLOW);
}

void settle_below(int fd)
{
    directory_wait(fd, "", 0);
}

static int directory_open(int base, const char *path, size_t len)
{
    char text[CHUNK + 1];

    if (len > CHUNK) {
        return -1;
    }
    memcpy(text, path, len);
    text[len] = '\0';
    return openat(base, len == 0 ? "." : text, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

/* Of the @len bytes at @path, below @base: the innermost first. False: not of all of them. */
static bool path_wait(int base, const char *path, size_t len)
{
    bool waited = true;

    if (len > CHUNK) {
        size_t cut = CHUNK;
        int fd;

        while (cut > 0 && path[cut] != '/') {
            cut--;
        }
        fd = directory_open(base, path, cut);
        waited = fd >= 0 && path_wait(fd, path + cut + 1, len - cut - 1);
        if (fd >= 0) {
            (void)close(fd);
        }
        len = cut;
    }
    while (len > 0) {
        if (path[--len] == '/') {
            directory_wait(base, path, len);
        }
    }
    settle_below(base);
    return waited;
}

/* ---- directories that are known to be where they are ---- */

static struct settled *slot_of(const char *path, size_t len)
{
    static struct settled slots[SLOTS];
    uint32_t hash = 2166136261U;

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (unsigned char)path[i]) * 16777619U;
    }
    return &slots[(hash ^ hash >> 16) % SLOTS];
}

static bool identify(int fd, struct identity *ret)
{
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0) {
        return false;
    }
    *ret = (struct identity){st.st_dev, st.st_ino};
    return true;
}

static bool slot_is(const struct settled *slot, const char *path, size_t len)
{
    return slot->path != NULL && slot->len == len && memcmp(slot->path, path, len) == 0;
}

static void slot_take(struct settled *slot, const struct names *names, const char *path, size_t len,
                      const struct identity *identity)
{
    free(slot->path);
    *slot = (struct settled){.path = strndup(path, len),
                             .len = len,
                             .identity = *identity,
                             .moves = names->places.moves};
}

/* It is where it was found. */
static bool slot_is_there(const struct settled *slot, const struct names *names)
{
    struct stat st;

    return fstatat(names->watch->root, slot->path, &st, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) == 0 &&
           st.st_dev == slot->identity.dev && st.st_ino == slot->identity.ino;
}

/* ---- names ---- */

static void drain(struct names *names)
{
    if (!names_drain(names)) {
        _exit(1);
    }
}

/* @name may have led elsewhere since so many moves had been read. */
static bool has_moved(const struct names *names, const struct strbuf *name, uint64_t moves)
{
    return places_moved(&names->places, moves, name->data + 1, name->len - 1);
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
 * The directory of @name is one known to be there. False: nothing is said. It is looked for once it
 * was waited for: should another have been in its place by then, its own move away is told of.
 */
static bool settle_known(struct names *names, const struct strbuf *name)
{
    const char *path = name->data + 1;
    size_t len = above_len(name);
    const struct settled *slot = slot_of(path, len);
    bool there;

    if (!slot_is(slot, path, len) || has_moved(names, name, slot->moves)) {
        return false;
    }
    directory_wait(names->watch->root, path, len);
    there = slot_is_there(slot, names);
    drain(names);
    return there && !has_moved(names, name, slot->moves);
}

static bool is_still(const struct names *names, int fd, const struct strbuf *name)
{
    static struct strbuf again = STRBUF_INIT;

    return name_of(names->watch, fd, &again) && again.len == name->len &&
           memcmp(again.data, name->data, name->len) == 0;
}

/* False: something moved meanwhile. */
static bool settle_all(struct names *names, int fd, const struct strbuf *name)
{
    const char *path = name->data + 1;
    size_t len = above_len(name);
    int above = directory_open(names->watch->root, path, len);
    const uint64_t moves = names->places.moves;
    struct identity identity = {0, 0};
    const bool found = identify(above, &identity);
    const bool waited = path_wait(names->watch->root, path, name->len - 1);

    if (above >= 0) {
        (void)close(above);
    }
    drain(names);
    if (!waited || has_moved(names, name, moves) || !is_still(names, fd, name)) {
        return false;
    }
    if (found) {
        slot_take(slot_of(path, len), names, path, len, &identity);
    }
    return true;
}

bool settle_name(struct names *names, int fd, struct strbuf *ret_name)
{
    for (unsigned i = 0; i < TRIES_MAX && name_of(names->watch, fd, ret_name); i++) {
        if (settle_known(names, ret_name)) {
            return true;
        }
        if (!names_are_told(names, fd)) {
            drain(names);
            return true;
        }
        if (settle_all(names, fd, ret_name)) {
            return true;
        }
    }
    return false;
}
