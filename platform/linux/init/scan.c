/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The start-time snapshot of what a set's globs deny: one walk in the job's own
 * view, with the caller's rights (what he cannot list, the job cannot open
 * either), carrying the automaton's position from directory to directory. Where
 * there is much to read, two threads do.
 */
#include "platform/linux/init/init.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/linux/init/folders.h"
#include "platform/linux/init/sys.h"
#include "policy/types.h"

/* A walk that is still not done by then would hold up every command. */
#define SCAN_ENTRIES_MAX 8000000U
#define SCAN_DEPTH_MAX 128U
#define SCAN_PIECE (64U * 1024U) /* of a directory, read at once */
/* Another thread costs some 50 us, as many directories more. */
#define SCAN_ALONE 32U

struct scan {
    struct init *init;
    const char *path; /* for messages */
    uint32_t levels;  /* to look at; 0: all */
    const struct dfa *table;
    const uint8_t *access;
    /* Of one walk. */
    struct folders folders;
    pthread_mutex_t lock; /* to do anything but read: what follows, the fault, mounts */
    uint64_t entries;
    enum cordon_err err;
    pthread_t helper;
    bool helped;
};

/* A thread's. */
struct reader {
    struct scan *scan;
    unsigned who;
    struct reader *other;      /* who helps once there is much; NULL: nobody */
    struct folder_item *found; /* in the directory that it reads; owned */
    size_t count, room;
    _Alignas(8) char piece[SCAN_PIECE];
};

/* linux_dirent64 of getdents(2). */
struct entry {
    uint64_t ino;
    int64_t off;
    uint16_t len;
    uint8_t type;
    char name[];
};

enum scan_verdict { SCAN_PASS, SCAN_DENY, SCAN_PROTECT };

static enum scan_verdict scan_decide(const struct scan *scan, const struct dfa_pos *pos)
{
    uint32_t rule = dfa_rule_at(scan->table, pos);

    if (rule == DFA_NO_RULE) {
        return SCAN_PASS;
    }
    if (scan->access[rule] == ACCESS_DENY) {
        return SCAN_DENY;
    }
    return scan->access[rule] == ACCESS_DENY_WRITE ? SCAN_PROTECT : SCAN_PASS;
}

static enum cordon_err give_up(struct scan *scan, enum cordon_err err, const char *remedy,
                               const char *what)
{
    (void)pthread_mutex_lock(&scan->lock);
    (void)fault_set(&scan->init->fault, err, remedy, "%s: %s", scan->path, what);
    (void)pthread_mutex_unlock(&scan->lock);
    return err;
}

/*
 * What could not be opened is passed over only if the job cannot open it either; nor can it,
 * where the server is gone. Anything else, and a match might stay uncovered.
 */
static enum cordon_err unseen(struct scan *scan, const char *name, int code)
{
    enum cordon_err err = CORDON_OK;

    if (!view_is_absent(code) && code != ENOTCONN) {
        (void)pthread_mutex_lock(&scan->lock);
        err = fault_os(&scan->init->fault, code, NULL, "cannot look for denied files at %s", name);
        (void)pthread_mutex_unlock(&scan->lock);
    }
    return err;
}

/* Covers what is behind @fd, which it closes. */
static enum cordon_err scan_cover(struct scan *scan, int fd, const char *name,
                                  enum scan_verdict verdict)
{
    struct init *init = scan->init;
    enum cordon_err err = CORDON_OK;
    struct stat st;

    (void)pthread_mutex_lock(&scan->lock);
    /* Covered already, by an exact rule or another pattern. */
    if (fstat(fd, &st) != 0 || !view_is_private(init, st.st_dev)) {
        err = verdict == SCAN_DENY ? mask_object(init, fd, false) : mask_read_only(init, fd, name);
    }
    if (err != CORDON_OK) {
        fault_prefix(&init->fault, "%s", name);
    }
    (void)pthread_mutex_unlock(&scan->lock);
    (void)close(fd);
    return err;
}

/* To be called as the caller. */
static enum cordon_err scan_apply(struct scan *scan, int dir, const char *name,
                                  enum scan_verdict verdict)
{
    /* A match on a symbolic link denies what it leads to. */
    int fd = sys_openat2(dir, name, O_PATH, RESOLVE_NO_MAGICLINKS);
    enum cordon_err err;

    if (fd < 0) {
        return unseen(scan, name, errno); /* gone again, dangling, or out of the caller's reach */
    }
    identity_as_setup(scan->init);
    err = scan_cover(scan, fd, name, verdict);
    identity_as_caller(scan->init);
    return err;
}

/* To be read, too. */
static enum cordon_err reader_keep(struct reader *reader, const char *name,
                                   const struct dfa_pos *pos, uint32_t level)
{
    struct folder_item item = {.name = strdup(name), .pos = *pos, .level = level};

    if (reader->count == reader->room) {
        size_t room = reader->room == 0 ? 64 : 2 * reader->room;
        struct folder_item *found = reallocarray(reader->found, room, sizeof(*found));

        if (found != NULL) {
            reader->found = found;
            reader->room = room;
        }
    }
    if (item.name == NULL || reader->count == reader->room) {
        free(item.name);
        return give_up(reader->scan, CORDON_E_NOMEM, NULL, "out of memory");
    }
    reader->found[reader->count++] = item;
    return CORDON_OK;
}

static bool is_dots(const char *name)
{
    return name[0] == '.' && (name[1] == '\0' || (name[1] == '.' && name[2] == '\0'));
}

/* @above: after the '/' of the directory @dir, which is on @level. */
static enum cordon_err scan_entry(struct reader *reader, int dir, const struct entry *entry,
                                  const struct dfa_pos *above, uint32_t level)
{
    struct scan *scan = reader->scan;
    struct dfa_pos pos = *above;
    enum scan_verdict verdict;
    enum cordon_err err = CORDON_OK;

    dfa_feed(scan->table, &pos, entry->name, strlen(entry->name));
    verdict = scan_decide(scan, &pos);
    if (verdict != SCAN_PASS) {
        err = scan_apply(scan, dir, entry->name, verdict);
    }
    if (err != CORDON_OK || verdict == SCAN_DENY ||
        (entry->type != DT_DIR && entry->type != DT_UNKNOWN) || level == scan->levels ||
        dfa_settled(scan->table, &pos)) {
        return err;
    }
    if (level == SCAN_DEPTH_MAX) {
        return give_up(scan, CORDON_E_LIMIT, "set glob_scan_max_depth",
                       "directories too deep for a deny pattern");
    }
    return reader_keep(reader, entry->name, &pos, level + 1);
}

static enum cordon_err scan_count(struct scan *scan, uint64_t entries)
{
    bool many;

    (void)pthread_mutex_lock(&scan->lock);
    scan->entries += entries;
    many = scan->entries > SCAN_ENTRIES_MAX;
    (void)pthread_mutex_unlock(&scan->lock);
    return many ? give_up(scan, CORDON_E_LIMIT,
                          "set glob_scan_max_depth, or give the pattern a deeper fixed directory",
                          "more than 8 million files to look at for a deny pattern")
                : CORDON_OK;
}

/* Reads the directory @fd, which it takes; @pos is at the end of its name. */
static enum cordon_err scan_directory(struct reader *reader, int fd, const struct dfa_pos *pos,
                                      uint32_t level)
{
    struct scan *scan = reader->scan;
    struct dfa_pos above = *pos;
    enum cordon_err err = CORDON_OK;
    uint64_t entries = 0;
    long len = 0;

    reader->count = 0;
    dfa_feed(scan->table, &above, "/", 1);
    while (err == CORDON_OK &&
           (len = syscall(SYS_getdents64, fd, reader->piece, sizeof(reader->piece))) > 0) {
        for (long at = 0; err == CORDON_OK && at < len;) {
            const struct entry *entry = (const void *)(reader->piece + at);

            if (!is_dots(entry->name)) {
                err = scan_entry(reader, fd, entry, &above, level);
                entries++;
            }
            at += entry->len;
        }
        if (err == CORDON_OK) {
            err = scan_count(scan, entries);
            entries = 0;
        }
    }
    if (err == CORDON_OK && len < 0) {
        err = unseen(scan, scan->path, errno);
    }
    if (folders_add(&scan->folders, reader->who, fd, reader->found, reader->count) != CORDON_OK) {
        err = give_up(scan, CORDON_E_NOMEM, NULL, "out of memory");
    }
    return err;
}

static enum cordon_err scan_item(struct reader *reader, struct folder_item *item)
{
    struct scan *scan = reader->scan;
    int fd = openat(item->in->fd, item->name,
                    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    enum cordon_err err = CORDON_OK;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0) {
        err = unseen(scan, item->name, errno);
    } else if (!view_is_private(scan->init, st.st_dev)) {
        err = scan_directory(reader, fd, &item->pos, item->level);
        fd = -1;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return err;
}

static void *reader_run(void *context);

/* Has a thread of its own for @reader, if there can be one. */
static void reader_help(struct reader *reader)
{
    struct scan *scan = reader->scan;

    folders_join(&scan->folders);
    scan->helped = pthread_create(&scan->helper, NULL, reader_run, reader) == 0;
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
    unsigned read = 0;

    while (folders_next(&scan->folders, reader->who, &item)) {
        enum cordon_err err = scan_item(reader, &item);

        if (++read == SCAN_ALONE && reader->other != NULL) {
            reader_help(reader->other);
        }
        folders_done(&scan->folders, &item);
        if (err != CORDON_OK) {
            (void)pthread_mutex_lock(&scan->lock);
            scan->err = err;
            (void)pthread_mutex_unlock(&scan->lock);
            folders_end(&scan->folders);
        }
    }
    free(reader->found);
    return NULL;
}

static enum cordon_err scan_walk(struct scan *scan, int fd, const struct dfa_pos *pos)
{
    static struct reader readers[FOLDERS_THREADS];

    for (unsigned who = 0; who < FOLDERS_THREADS; who++) {
        struct reader *reader = &readers[who];

        reader->scan = scan;
        reader->who = who;
        reader->other = who == 0 ? &readers[1] : NULL;
        reader->found = NULL;
        reader->count = reader->room = 0;
    }
    folders_init(&scan->folders);
    scan->helped = false;
    scan->err = scan_directory(&readers[0], fd, pos, 1);
    if (scan->err != CORDON_OK) {
        folders_end(&scan->folders);
    }
    (void)reader_run(&readers[0]);
    if (scan->helped) {
        (void)pthread_join(scan->helper, NULL);
    }
    folders_deinit(&scan->folders);
    return scan->err;
}

/* Walks from @path, which the patterns spell @spelled; its name goes to @ret_name if that is asked.
 */
static enum cordon_err scan_from(struct scan *scan, const char *path, const char *spelled,
                                 char *ret_name)
{
    struct init *init = scan->init;
    enum cordon_err err;
    struct dfa_pos pos;
    int fd;

    identity_as_caller(init);
    fd = sys_openat2(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK, RESOLVE_NO_MAGICLINKS);
    if (fd < 0) {
        err = unseen(scan, path, errno);
    } else if (ret_name != NULL && view_name(init, fd, ret_name, PATH_MAX) != CORDON_OK) {
        (void)close(fd);
        err = init->fault.err;
    } else {
        dfa_start(scan->table, &pos);
        if (strcmp(spelled, "/") != 0) {
            dfa_feed(scan->table, &pos, spelled, strlen(spelled));
        }
        err = scan_walk(scan, fd, &pos);
    }
    identity_as_setup(init);
    return err;
}

/* What the patterns say about @path itself, which they spell @spelled. */
static enum cordon_err scan_named(struct scan *scan, const char *path, const char *spelled)
{
    enum cordon_err err = CORDON_OK;
    enum scan_verdict verdict;
    struct dfa_pos pos;

    dfa_start(scan->table, &pos);
    dfa_feed(scan->table, &pos, spelled, strlen(spelled));
    verdict = scan_decide(scan, &pos);
    if (verdict != SCAN_PASS) {
        identity_as_caller(scan->init);
        err = scan_apply(scan, AT_FDCWD, path, verdict);
        identity_as_setup(scan->init);
    }
    return err;
}

static uint32_t levels_between(const char *path, const char *above)
{
    const char *rest = path + (strcmp(above, "/") == 0 ? 0 : strlen(above));
    uint32_t levels = 0;

    for (; *rest != '\0'; rest++) {
        levels += *rest == '/';
    }
    return levels;
}

/* Where else the view shows what the host has at or below @name, which the patterns spell so. */
static enum cordon_err scan_alias(struct scan *scan, const struct alias *alias, const char *name)
{
    static struct strbuf where = STRBUF_INIT;
    static struct strbuf as = STRBUF_INIT;
    uint32_t asked = scan->levels;
    enum cordon_err err;

    if (!alias_move(alias, name, &where)) {
        return CORDON_OK;
    }
    path_move(name, name, scan->path, &as);
    if (!path_is_below(name, alias->spelled)) {
        uint32_t levels = levels_between(alias->spelled, name);

        if (asked != 0 && asked <= levels) {
            return CORDON_OK;
        }
        scan->levels = asked == 0 ? 0 : asked - levels;
        path_move(alias->spelled, name, scan->path, &as);
    }
    if (where.failed || as.failed) {
        return fault_set(&scan->init->fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    err = scan_named(scan, where.data, as.data);
    if (err == CORDON_OK) {
        err = scan_from(scan, where.data, as.data, NULL);
    }
    scan->levels = asked;
    return err;
}

static struct scan scan_begin(struct init *init, const char *path, uint32_t set)
{
    return (struct scan){.init = init,
                         .path = path,
                         .table = init->table[set],
                         .access = order_access(init->order, set),
                         .lock = PTHREAD_MUTEX_INITIALIZER};
}

enum cordon_err scan_step(struct init *init, const struct order_step *step)
{
    const char *path = order_text(init->order, step->text);
    struct scan scan = scan_begin(init, path, step->set);
    char name[PATH_MAX];
    enum cordon_err err;

    scan.levels = step->depth;
    (void)snprintf(name, sizeof(name), "%s", path);
    err = scan_from(&scan, path, path, name);
    for (size_t i = 0; err == CORDON_OK && i < init->aliases.count; i++) {
        err = scan_alias(&scan, &init->aliases.items[i], name);
    }
    return err;
}

enum cordon_err scan_place(struct init *init, const char *path, const char *spelled)
{
    enum cordon_err err = CORDON_OK;

    for (uint32_t set = 0; err == CORDON_OK && set < ORDER_SET_COUNT; set++) {
        struct scan scan = scan_begin(init, path, set);

        err = scan_named(&scan, path, spelled);
        if (err == CORDON_OK) {
            err = scan_from(&scan, path, spelled, NULL);
        }
    }
    return err;
}
