/* SPDX-License-Identifier: Apache-2.0 */
/* How a snapshot's walk reads directories: by two threads, where there is much to read. */
#include "platform/linux/init/scan.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/linux/init/sys.h"

/* A walk that is still not done by then would hold up every command. */
#define SCAN_ENTRIES_MAX 8000000U
#define SCAN_DEPTH_MAX 128U
#define SCAN_PIECE (64U * 1024U) /* of a directory, read at once */
/* Another thread costs some 50 us, as much as so many names; a directory to open costs some more.
 */
#define SCAN_ALONE 256U
#define SCAN_OPEN 8U
/* Of a directory's own so many are kept in mind; those are read before the rest of it is. */
#define SCAN_FOUND 1024U
/* A name of one byte, its NUL, and what is in front of it, rounded up. */
#define ENTRY_BYTES_MIN 24U

/* A thread's. */
struct reader {
    struct scan *scan;
    unsigned who;
    struct reader *other; /* who helps once there is much; NULL: nobody, or it does */
    uint64_t names;       /* that it has read; until then */
    struct barren_list barren_list;
    uint64_t dev; /* of the last directory that was opened, and whether times say something there */
    bool tells;
    /* In the directory that it reads. */
    struct folder_item found[1 + SCAN_FOUND + SCAN_PIECE / ENTRY_BYTES_MIN];
    size_t count;
    bool barren; /* nothing yet that another walk would have to find */
    _Alignas(8) char piece[SCAN_PIECE];
};

/* To be read, too. */
static enum cordon_err reader_keep(struct reader *reader, const char *name,
                                   const struct dfa_pos *pos, uint32_t level)
{
    struct folder_item item = {.name = strdup(name), .pos = *pos, .level = level};

    if (item.name == NULL) {
        return scan_give_up(reader->scan, CORDON_E_NOMEM, NULL, "out of memory");
    }
    reader->found[reader->count++] = item;
    return CORDON_OK;
}

static bool is_dots(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* @above: after the '/' of the directory @dir, which is on @level. */
static enum cordon_err scan_entry(struct reader *reader, int dir, const struct sys_entry *entry,
                                  const struct dfa_pos *above, uint32_t level)
{
    struct scan *scan = reader->scan;
    struct dfa_pos pos = *above;
    enum scan_verdict verdict;
    enum cordon_err err = CORDON_OK;
    bool leads;

    dfa_feed(scan->table, &pos, entry->name, strlen(entry->name));
    verdict = scan_decide(scan, &pos);
    if (verdict != SCAN_PASS) {
        err = scan_apply(scan, dir, entry->name, verdict, true);
    }
    leads = verdict != SCAN_DENY && (entry->type == DT_DIR || entry->type == DT_UNKNOWN) &&
            !dfa_settled(scan->table, &pos);
    reader->barren = reader->barren && verdict == SCAN_PASS && !leads;
    return err == CORDON_OK && leads && level != scan->levels
               ? reader_keep(reader, entry->name, &pos, level + 1)
               : err;
}

static enum cordon_err scan_count(struct scan *scan, uint64_t entries)
{
    return __atomic_add_fetch(&scan->entries, entries, __ATOMIC_RELAXED) > SCAN_ENTRIES_MAX
               ? scan_give_up(
                     scan, CORDON_E_LIMIT,
                     "set glob_scan_max_depth, or give the pattern a deeper fixed directory",
                     "more than 8 million files to look at for a deny pattern")
               : CORDON_OK;
}

/* Reads the next piece of the directory @fd; *ret_len as getdents(2) has it. */
static enum cordon_err scan_piece(struct reader *reader, int fd, const struct dfa_pos *above,
                                  uint32_t level, long *ret_len)
{
    struct scan *scan = reader->scan;
    const long len = syscall(SYS_getdents64, fd, reader->piece, sizeof(reader->piece));
    enum cordon_err err = CORDON_OK;
    uint64_t entries = 0;

    *ret_len = len;
    if (len < 0) {
        return scan_unseen(scan, scan->path, errno);
    }
    for (long at = 0; err == CORDON_OK && at < len;) {
        const struct sys_entry *entry = (const void *)(reader->piece + at);

        if (!is_dots(entry->name)) {
            err = scan_entry(reader, fd, entry, above, level);
            entries++;
        }
        at += entry->len;
    }
    reader->names += entries;
    return err == CORDON_OK ? scan_count(scan, entries) : err;
}

static uint64_t place_dev(const struct sys_place *place)
{
    return makedev(place->dev_major, place->dev_minor);
}

/* Whether another walk may pass the directory @fd over, if nothing is found in it. */
static bool may_be_barren(struct reader *reader, int fd, const struct sys_place *place)
{
    if (reader->scan->barren == NULL) {
        return false;
    }
    if (reader->dev != place_dev(place)) {
        reader->tells = barren_tells(fd);
        reader->dev = place_dev(place);
    }
    return reader->tells;
}

/* It was read, and there is nothing in it now either; on the file system that it was found on. */
static bool is_barren(struct reader *reader, const struct folder_item *item)
{
    struct scan *scan = reader->scan;
    struct sys_place place;

    return scan->barren != NULL && reader->tells && barren_any(scan->barren) &&
           sys_place_in(item->in->fd, item->name, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, &place) ==
               0 &&
           place_dev(&place) == reader->dev && barren_has(scan->barren, &item->pos, &place);
}

/*
 * Reads the directory until its end, or until much was found; @pos is at the end of its name.
 * @place: it is read from its beginning, and was this before.
 */
static enum cordon_err scan_directory(struct reader *reader, struct folder *folder,
                                      const struct dfa_pos *pos, uint32_t level,
                                      const struct sys_place *place)
{
    struct scan *scan = reader->scan;
    struct dfa_pos above = *pos;
    enum cordon_err err;
    size_t rest; /* the directory itself is among what is to be read, or it is not */
    long len;

    /* The first to be added is the last to be read. */
    reader->found[0] = (struct folder_item){.pos = *pos, .level = level};
    reader->count = 1;
    reader->barren = place != NULL;
    dfa_feed(scan->table, &above, "/", 1);
    do {
        err = scan_piece(reader, folder->fd, &above, level, &len);
    } while (err == CORDON_OK && len > 0 && reader->count <= SCAN_FOUND);
    if (err == CORDON_OK && len == 0 && reader->barren) {
        barren_found(scan->barren, &reader->barren_list, pos, place);
    }
    rest = err == CORDON_OK && len > 0 ? 0 : 1;
    if (folders_add(&scan->folders, reader->who, folder, reader->found + rest,
                    reader->count - rest) != CORDON_OK) {
        err = scan_give_up(scan, CORDON_E_NOMEM, NULL, "out of memory");
    }
    return err;
}

/* Opens what is to be read, *ret_place what it is before; *ret_folder is NULL if it is not. */
static enum cordon_err scan_open(struct scan *scan, const struct folder_item *item,
                                 struct folder **ret_folder, struct sys_place *ret_place)
{
    int fd = openat(item->in->fd, item->name,
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    enum cordon_err err = CORDON_OK;

    *ret_folder = NULL;
    if (fd < 0 || sys_place_in(fd, "", AT_EMPTY_PATH, ret_place) != 0) {
        err = scan_unseen(scan, item->name, errno);
    } else if (view_is_private(scan->init, place_dev(ret_place))) {
        err = CORDON_OK;
    } else if (item->level > SCAN_DEPTH_MAX) {
        err = scan_give_up(scan, CORDON_E_LIMIT, "set glob_scan_max_depth",
                           "directories too deep for a deny pattern");
    } else {
        *ret_folder = folder_new(fd);
        return *ret_folder != NULL ? CORDON_OK
                                   : scan_give_up(scan, CORDON_E_NOMEM, NULL, "out of memory");
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return err;
}

static enum cordon_err scan_item(struct reader *reader, const struct folder_item *item)
{
    struct scan *scan = reader->scan;
    struct folder *folder = NULL;
    struct sys_place place;
    enum cordon_err err;

    if (item->name == NULL) {
        return scan_directory(reader, item->in, &item->pos, item->level, NULL);
    }
    if (is_barren(reader, item)) {
        return CORDON_OK;
    }
    err = scan_open(scan, item, &folder, &place);
    if (folder != NULL) {
        err = scan_directory(reader, folder, &item->pos, item->level,
                             may_be_barren(reader, folder->fd, &place) ? &place : NULL);
        folder_release(folder);
    }
    return err;
}

static void *reader_run(void *context);

/* Once there is much to read, @reader has a thread beside it, if there can be one. */
static void reader_help(struct reader *reader)
{
    struct reader *other = reader->other;
    struct scan *scan = reader->scan;

    reader->names += SCAN_OPEN;
    if (other == NULL || reader->names < SCAN_ALONE) {
        return;
    }
    reader->other = NULL;
    other->dev = reader->dev;
    other->tells = reader->tells;
    folders_join(&scan->folders);
    scan->helped = pthread_create(&scan->helper, NULL, reader_run, other) == 0;
    if (!scan->helped) {
        folders_leave(&scan->folders);
    }
}

/* Reads what it gets until nothing is left, or one fails. */
static void *reader_run(void *context)
{
    struct reader *reader = context;
    struct scan *scan = reader->scan;
    struct folder_item item;

    while (folders_next(&scan->folders, reader->who, &item)) {
        enum cordon_err err = scan_item(reader, &item);

        reader_help(reader);
        folder_item_free(&item);
        if (err != CORDON_OK) {
            (void)pthread_mutex_lock(&scan->lock);
            scan->err = err;
            (void)pthread_mutex_unlock(&scan->lock);
            folders_end(&scan->folders);
        }
    }
    return NULL;
}

/* Where the walk begins. */
static enum cordon_err scan_top(struct reader *reader, struct folder *top,
                                const struct dfa_pos *pos)
{
    struct sys_place place;
    const bool known = sys_place_in(top->fd, "", AT_EMPTY_PATH, &place) == 0;

    return scan_directory(reader, top, pos, 1,
                          known && may_be_barren(reader, top->fd, &place) ? &place : NULL);
}

enum cordon_err scan_walk(struct scan *scan, int fd, const struct dfa_pos *pos)
{
    static struct reader readers[FOLDERS_THREADS];
    struct folder *top = folder_new(fd);

    for (unsigned who = 0; who < FOLDERS_THREADS; who++) {
        struct reader *reader = &readers[who];

        reader->scan = scan;
        reader->who = who;
        reader->other = who == 0 ? &readers[1] : NULL;
        reader->names = 0;
        reader->dev = 0;
        reader->tells = false;
    }
    folders_init(&scan->folders);
    scan->helped = false;
    scan->err = top == NULL ? scan_give_up(scan, CORDON_E_NOMEM, NULL, "out of memory")
                            : scan_top(&readers[0], top, pos);
    if (top != NULL) {
        folder_release(top);
    }
    if (scan->err != CORDON_OK) {
        folders_end(&scan->folders);
    }
    (void)reader_run(&readers[0]);
    if (scan->helped) {
        (void)pthread_join(scan->helper, NULL);
    }
    for (unsigned who = 0; scan->barren != NULL && who < FOLDERS_THREADS; who++) {
        barren_join(scan->barren, &readers[who].barren_list);
    }
    folders_deinit(&scan->folders);
    return scan_linked(scan);
}
