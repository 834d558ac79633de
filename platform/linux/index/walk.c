/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One walk over a clone of the file system. Only files with several names are
 * kept, and of the directories those that lead to one. Levels are an array and
 * not a recursion: a tree may be deeper than a stack.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "platform/linux/index/kept.h"
#include "platform/linux/init/sys.h"

#define READ_AT_ONCE (256U * 1024U)

struct level {
    int fd;
    struct directory *known; /* NULL: no file with several names was found here or below yet */
    struct strbuf below;     /* names of directories, each with its NUL */
    size_t next;             /* of those */
    char *name;
};

struct walk {
    struct kept *kept;
    struct level *levels;
    size_t count, room;
    size_t known; /* so many of the outermost are known */
    bool sure;
};

static bool level_push(struct walk *walk, int fd, const char *name)
{
    if (walk->count == walk->room) {
        size_t room = walk->room == 0 ? 64 : walk->room * 2;
        struct level *grown = realloc(walk->levels, room * sizeof(*grown));

        if (grown == NULL) {
            (void)close(fd);
            return false;
        }
        walk->levels = grown;
        walk->room = room;
    }
    walk->levels[walk->count++] =
        (struct level){.fd = fd, .below = STRBUF_INIT, .name = strdup(name)};
    return walk->levels[walk->count - 1].name != NULL;
}

static void level_pop(struct walk *walk)
{
    struct level *level = &walk->levels[--walk->count];

    (void)close(level->fd);
    strbuf_deinit(&level->below);
    free(level->name);
    if (walk->known > walk->count) {
        walk->known = walk->count;
    }
}

/* The innermost directory and all above are in the store from here on. */
static bool levels_know(struct walk *walk)
{
    for (; walk->known < walk->count; walk->known++) {
        struct level *level = &walk->levels[walk->known];
        struct directory *up = walk->known == 0 ? NULL : walk->levels[walk->known - 1].known;
        struct object key;

        if (!object_of(level->fd, "", &key)) {
            return false;
        }
        level->known = store_directory_put(&walk->kept->store, &key, up, level->name);
        if (level->known == NULL) {
            return false;
        }
    }
    return true;
}

static bool file_look(struct walk *walk, int fd, const char *name)
{
    struct object key;
    struct file *file;
    struct stat st;

    walk->kept->walked++;
    /* What is gone again has told so by an event. */
    if (fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno == ENOENT || errno == ESTALE;
    }
    if (!S_ISREG(st.st_mode) || st.st_nlink < 2) {
        return true;
    }
    if (!object_of(fd, name, &key)) {
        return errno == ENOENT || errno == ESTALE;
    }
    if (!levels_know(walk)) {
        return false;
    }
    file = store_name_put(&walk->kept->store, walk->levels[walk->count - 1].known, name, &key);
    if (file != NULL && walk->sure && !file->sure) {
        file->sure = true;
        walk->kept->store.unsure--;
    }
    return file != NULL;
}

static bool entry_take(struct walk *walk, struct level *level, const struct sys_entry *entry)
{
    if (entry->type == DT_REG) {
        return file_look(walk, level->fd, entry->name);
    }
    if ((entry->type == DT_DIR || entry->type == DT_UNKNOWN) && strcmp(entry->name, ".") != 0 &&
        strcmp(entry->name, "..") != 0) {
        strbuf_add(&level->below, entry->name, strlen(entry->name) + 1);
        /* Of an unknown kind: both are tried. */
        return !level->below.failed &&
               (entry->type == DT_DIR || file_look(walk, level->fd, entry->name));
    }
    return true;
}

/* Reads the innermost directory. */
static bool level_read(struct walk *walk)
{
    static union {
        struct sys_entry first;
        char bytes[READ_AT_ONCE];
    } buffer;
    struct level *level = &walk->levels[walk->count - 1];

    for (;;) {
        long len = syscall(SYS_getdents64, level->fd, buffer.bytes, sizeof(buffer.bytes));

        if (len <= 0) {
            return len == 0 || errno == ENOENT;
        }
        for (long at = 0; at < len;) {
            const struct sys_entry *entry =
                (const struct sys_entry *)(const void *)(buffer.bytes + at);

            if (!entry_take(walk, level, entry)) {
                return false;
            }
            at += entry->len;
        }
    }
}

static bool level_enter(struct walk *walk, const char *name)
{
    int fd = openat(walk->levels[walk->count - 1].fd, name,
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

    if (fd >= 0 && kept_now_us() > walk->kept->stop_us) {
        (void)close(fd);
        return false;
    }
    if (fd < 0) {
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ESTALE;
    }
    return level_push(walk, fd, name) && level_read(walk);
}

static bool levels_walk(struct walk *walk)
{
    while (walk->count > 0) {
        struct level *level = &walk->levels[walk->count - 1];
        const char *name = strbuf_text(&level->below) + level->next;

        if (level->next >= level->below.len) {
            level_pop(walk);
            continue;
        }
        level->next += strlen(name) + 1;
        if (!level_enter(walk, name)) {
            return false;
        }
    }
    return true;
}

bool walk_below(struct kept *kept, int fd, struct directory *at, bool sure)
{
    struct walk walk = {.kept = kept, .sure = sure};
    bool ok = level_push(&walk, fd, at->name);

    if (ok) {
        walk.levels[0].known = at;
        walk.known = 1;
        ok = level_read(&walk) && levels_walk(&walk);
    }
    while (walk.count > 0) {
        level_pop(&walk);
    }
    free(walk.levels);
    return ok;
}
