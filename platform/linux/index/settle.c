/* SPDX-License-Identifier: Apache-2.0 */
/* From events to what is true now. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "platform/linux/index/kept.h"
#include "platform/linux/index/place.h"
#include "platform/linux/init/sys.h"

#define ROUNDS_MAX 8U

struct dirty {
    struct node node;
    struct object directory;
    char text[];
};

static bool dirty_add(struct kept *kept, const struct object *directory, const char *text)
{
    size_t len = strlen(text);
    uint64_t hash = object_hash(directory);
    struct node *node;
    struct dirty *dirty;

    for (size_t i = 0; i < len; i++) {
        hash = (hash ^ (uint8_t)text[i]) * 1099511628211ULL;
    }
    for (node = table_first(&kept->dirty, hash); node != NULL; node = node->next) {
        dirty = (struct dirty *)(void *)node;
        if (object_same(&dirty->directory, directory) && strcmp(dirty->text, text) == 0) {
            return true;
        }
    }
    dirty = malloc(sizeof(*dirty) + len + 1);
    if (dirty == NULL || !table_add(&kept->dirty, &dirty->node, hash)) {
        free(dirty);
        return false;
    }
    dirty->directory = *directory;
    memcpy(dirty->text, text, len + 1);
    return true;
}

/* What goes away matters only if it is known. */
static bool dirty_known(struct kept *kept, const struct batch_name *at)
{
    const struct directory *directory = store_directory(&kept->store, &at->directory);

    return directory == NULL || store_name(&kept->store, directory, at->name) == NULL ||
           dirty_add(kept, &at->directory, at->name);
}

static bool directory_renamed(struct kept *kept, const struct object *key)
{
    struct directory *directory = store_directory(&kept->store, key);
    struct moved *moved;

    if (directory == NULL && !kept->building) {
        return true; /* below it no file with several names is known, and so none is there */
    }
    if (directory != NULL) {
        directory->moved = true;
    }
    moved = malloc(sizeof(*moved));
    if (moved == NULL) {
        return false;
    }
    *moved = (struct moved){kept->moved, *key};
    kept->moved = moved;
    return true;
}

static bool event_take(struct kept *kept, const struct batch_event *event)
{
    if (event->is_directory) {
        return !event->is_rename || directory_renamed(kept, &event->target);
    }
    if (event->is_rename) {
        return dirty_known(kept, &event->from) &&
               dirty_add(kept, &event->to.directory, event->to.name);
    }
    return event->is_creation ? dirty_add(kept, &event->from.directory, event->from.name)
                              : dirty_known(kept, &event->from);
}

bool settle_drain(struct kept *kept)
{
    struct batch_event event;

    if (!batch_read(kept->batch, kept->group)) {
        return false;
    }
    while (batch_next(kept->batch, &event)) {
        if (!event_take(kept, &event)) {
            return false;
        }
    }
    return !batch_is_lost(kept->batch);
}

/* ---- names ---- */

static bool name_gone(struct kept *kept, const struct dirty *dirty)
{
    const struct directory *directory = store_directory(&kept->store, &dirty->directory);
    struct name *name = directory == NULL ? NULL : store_name(&kept->store, directory, dirty->text);

    if (name != NULL) {
        store_name_drop(&kept->store, name);
    }
    return true;
}

static bool is_gone(int code)
{
    return code == ENOENT || code == ESTALE || code == ENOTDIR;
}

/* A file with several names is there. */
static bool name_is(struct kept *kept, const struct dirty *dirty, const struct object *key)
{
    struct directory *directory = NULL;
    enum place place = place_find(kept, &dirty->directory, &directory);
    struct file *file;

    if (place != PLACE_SEEN) {
        return place == PLACE_OUTSIDE; /* nobody reaches it under that name */
    }
    file = store_name_put(&kept->store, directory, dirty->text, key);
    /* The walk may have passed its other name when that was the only one. */
    if (file != NULL && kept->building && file->sure) {
        file->sure = false;
        kept->store.unsure++;
    }
    return file != NULL;
}

/* Its only name, as far as the link count goes: of use only if it is known. */
static bool is_same(const struct kept *kept, const struct dirty *dirty, const struct object *key)
{
    const struct directory *directory = store_directory(&kept->store, &dirty->directory);
    const struct name *name =
        directory == NULL ? NULL : store_name(&kept->store, directory, dirty->text);

    return name != NULL && object_same(&name->file->key, key);
}

static bool name_look(struct kept *kept, const struct dirty *dirty, int fd)
{
    struct object key;
    struct stat st;

    if (fstatat(fd, dirty->text, &st, AT_SYMLINK_NOFOLLOW) != 0) {
        return is_gone(errno) && name_gone(kept, dirty);
    }
    if (!S_ISREG(st.st_mode)) {
        return name_gone(kept, dirty);
    }
    if (st.st_nlink < 2 && store_directory(&kept->store, &dirty->directory) == NULL) {
        return true;
    }
    if (!object_of(fd, dirty->text, &key)) {
        return is_gone(errno) && name_gone(kept, dirty);
    }
    if (st.st_nlink > 1 || is_same(kept, dirty, &key)) {
        return name_is(kept, dirty, &key);
    }
    return name_gone(kept, dirty);
}

static bool name_settle(struct kept *kept, const struct dirty *dirty)
{
    int fd = roots_directory(kept, &dirty->directory);
    bool ok;

    if (fd < 0) {
        return is_gone(errno) && name_gone(kept, dirty);
    }
    ok = name_look(kept, dirty, fd);
    (void)close(fd);
    return ok;
}

static bool names_settle(struct kept *kept)
{
    bool ok = true;

    for (size_t i = 0; kept->dirty.count > 0 && i < kept->dirty.room; i++) {
        while (ok && kept->dirty.slots[i] != NULL) {
            struct dirty *dirty = (struct dirty *)(void *)kept->dirty.slots[i];

            ok = name_settle(kept, dirty);
            table_remove(&kept->dirty, &dirty->node);
            free(dirty);
        }
    }
    return ok;
}

/* ---- directories ---- */

static bool moved_settle(struct kept *kept)
{
    bool ok = true;

    for (const struct moved *moved = kept->moved; ok && moved != NULL; moved = moved->next) {
        struct directory *directory = store_directory(&kept->store, &moved->key);

        if (directory != NULL && directory->moved) {
            struct directory *found;

            ok = place_find(kept, &moved->key, &found) != PLACE_BROKEN;
        }
        /* Removed, or where nobody sees it: so are the names below it. */
        directory = store_directory(&kept->store, &moved->key);
        if (directory != NULL) {
            directory->moved = false;
        }
    }
    return ok;
}

static void moved_forget(struct kept *kept)
{
    while (kept->moved != NULL) {
        struct moved *next = kept->moved->next;

        free(kept->moved);
        kept->moved = next;
    }
}

bool settle_moved_walk(struct kept *kept)
{
    struct moved *moved = kept->moved;
    bool ok = true;

    kept->moved = NULL;
    while (moved != NULL) {
        struct moved *next = moved->next;
        struct directory *directory;
        enum place place = place_find(kept, &moved->key, &directory);
        int fd = ok ? object_open(kept->roots[0].fd, &moved->key, O_RDONLY | O_DIRECTORY) : -1;

        ok = ok && place != PLACE_BROKEN && (fd >= 0 || is_gone(errno));
        if (fd >= 0 && place == PLACE_SEEN) {
            directory->refs++;
            ok = walk_below(kept, fd, directory, false);
            directory->refs--;
        } else if (fd >= 0) {
            (void)close(fd);
        }
        free(moved);
        moved = next;
    }
    return ok;
}

void settle_forget(struct kept *kept)
{
    for (size_t i = 0; i < kept->dirty.room; i++) {
        while (kept->dirty.slots[i] != NULL) {
            struct node *node = kept->dirty.slots[i];

            table_remove(&kept->dirty, node);
            free(node);
        }
    }
    moved_forget(kept);
}

/* ---- are these all the names? ---- */

static bool file_count(const struct kept *kept, struct file *file)
{
    int fd = object_open(kept->roots[0].fd, &file->key, O_PATH);
    struct stat st;
    bool ok = fd >= 0 && fstat(fd, &st) == 0;

    file->touched = !ok;
    file->links = ok ? st.st_nlink : 0;
    if (fd >= 0) {
        (void)close(fd);
    }
    return !ok || file->count >= file->links;
}

/*
 * Reading a directory waits for whoever changes it: a name that was being
 * removed when the links were counted has its event in the queue afterwards.
 */
static void directory_wait(const struct kept *kept, struct directory *directory, uint64_t round)
{
    char room[1024];
    int fd;

    if (directory->waited == round) {
        return;
    }
    directory->waited = round;
    fd = object_open(kept->roots[0].fd, &directory->key, O_RDONLY | O_DIRECTORY);
    if (fd >= 0) {
        (void)syscall(SYS_getdents64, fd, room, sizeof(room));
        (void)close(fd);
    }
}

enum step { STEP_COUNT, STEP_WAIT, STEP_TRUST };

/* One step for each file that is not sure. False: a name of it is not known. */
static bool unsure_each(struct kept *kept, enum step step, uint64_t round)
{
    bool ok = true;

    for (size_t i = 0; i < kept->store.files.room; i++) {
        for (struct node *node = kept->store.files.slots[i]; ok && node != NULL;
             node = node->next) {
            struct file *file = (struct file *)(void *)node;

            if (file->sure) {
                continue;
            }
            if (step == STEP_COUNT) {
                ok = file_count(kept, file);
            } else if (step == STEP_TRUST && !file->touched && file->count == file->links) {
                file->sure = true;
                kept->store.unsure--;
            }
            for (struct name *name = file->names; step == STEP_WAIT && name != NULL;
                 name = name->other) {
                directory_wait(kept, name->directory, round);
            }
        }
    }
    return ok;
}

static bool events_settle(struct kept *kept)
{
    bool ok = moved_settle(kept) && names_settle(kept);

    if (ok) {
        moved_forget(kept);
    }
    return ok;
}

bool settle(struct kept *kept)
{
    static uint64_t rounds;
    bool ok = settle_drain(kept) && events_settle(kept);

    for (unsigned i = 0; ok && kept->store.unsure > 0 && i < ROUNDS_MAX; i++) {
        rounds++;
        ok = unsure_each(kept, STEP_COUNT, rounds) && unsure_each(kept, STEP_WAIT, rounds) &&
             settle_drain(kept) && events_settle(kept) && unsure_each(kept, STEP_TRUST, rounds);
    }
    return ok && kept->store.unsure == 0;
}
