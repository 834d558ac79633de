/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The start-time snapshot of what a set's globs deny: one walk in the job's own
 * view, with the caller's rights (what he cannot list, the job cannot open
 * either), carrying the automaton's position from directory to directory.
 */
#include "platform/linux/init/scan.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/linux/init/sys.h"
#include "policy/types.h"

enum scan_verdict scan_decide(const struct scan *scan, const struct dfa_pos *pos)
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

enum cordon_err scan_give_up(struct scan *scan, enum cordon_err err, const char *remedy,
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
enum cordon_err scan_unseen(struct scan *scan, const char *name, int code)
{
    enum cordon_err err = CORDON_OK;

    if (!view_is_absent(code) && code != ENOTCONN) {
        (void)pthread_mutex_lock(&scan->lock);
        err = fault_os(&scan->init->fault, code, NULL, "cannot look for denied files at %s", name);
        (void)pthread_mutex_unlock(&scan->lock);
    }
    return err;
}

/* In the same mount, too: each has a cover of its own. */
static bool is_same(int one, int other)
{
    struct stat a;
    struct stat b;
    uint64_t here;
    uint64_t there;

    return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
           a.st_ino == b.st_ino && sys_mount_id(one, &here) == 0 &&
           sys_mount_id(other, &there) == 0 && here == there;
}

/*
 * A directory that a link leads to may be one that is being read, or above it: covered now,
 * whatever is found there yet would be covered below the cover. At the end it takes all that along.
 */
static enum cordon_err scan_later(struct scan *scan, int fd)
{
    size_t i = 0;

    while (i < scan->linked_count && !is_same(scan->linked[i], fd)) {
        i++;
    }
    if (i < scan->linked_count) {
        (void)close(fd);
        return CORDON_OK;
    }
    if (scan->linked_count == scan->linked_room) {
        size_t room = scan->linked_room == 0 ? 64 : 2 * scan->linked_room;
        int *linked = reallocarray(scan->linked, room, sizeof(*linked));

        if (linked == NULL) {
            (void)close(fd);
            return fault_set(&scan->init->fault, CORDON_E_NOMEM, NULL, "out of memory");
        }
        scan->linked = linked;
        scan->linked_room = room;
    }
    scan->linked[scan->linked_count++] = fd;
    return CORDON_OK;
}

/* Covers what is behind @fd, which it takes. */
static enum cordon_err scan_cover(struct scan *scan, int fd, const char *name,
                                  enum scan_verdict verdict, bool linked)
{
    struct init *init = scan->init;
    enum cordon_err err = CORDON_OK;
    struct stat st;

    if (fstat(fd, &st) != 0) {
        err = fault_os(&init->fault, errno, NULL, "cannot look at it");
    } else if (view_is_private(init, st.st_dev)) {
        err = CORDON_OK; /* covered already, by an exact rule or another pattern */
    } else if (verdict == SCAN_DENY) {
        err = mask_object(init, fd, false);
    } else if (linked && S_ISDIR(st.st_mode)) {
        return scan_later(scan, fd);
    } else {
        err = mask_read_only(init, fd, name);
    }
    (void)close(fd);
    return err;
}

/* Opens what @name leads to; whether that is by a link is told of what is to be read-only. */
static int scan_open(int dir, const char *name, enum scan_verdict verdict, bool *ret_linked)
{
    struct stat st;
    int fd = -1;

    *ret_linked = false;
    if (verdict == SCAN_PROTECT) {
        fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || (fstat(fd, &st) == 0 && !S_ISLNK(st.st_mode))) {
            return fd;
        }
        (void)close(fd);
        *ret_linked = true;
    }
    return sys_openat2(dir, name, O_PATH, RESOLVE_NO_MAGICLINKS);
}

/*
 * A match on a symbolic link denies what it leads to. What is opened lies on top, and nobody else
 * lays anything over it before this has.
 */
enum cordon_err scan_apply(struct scan *scan, int dir, const char *name, enum scan_verdict verdict,
                           bool walking)
{
    enum cordon_err err = CORDON_OK;
    bool linked;
    int code = 0;
    int fd;

    (void)pthread_mutex_lock(&scan->lock);
    fd = scan_open(dir, name, verdict, &linked);
    if (fd < 0) {
        code = errno; /* gone again, dangling, or out of the caller's reach */
    } else {
        identity_as_setup(scan->init);
        err = scan_cover(scan, fd, name, verdict, linked && walking);
        identity_as_caller(scan->init);
    }
    if (err != CORDON_OK) {
        fault_prefix(&scan->init->fault, "%s", name);
    }
    (void)pthread_mutex_unlock(&scan->lock);
    return code == 0 ? err : scan_unseen(scan, name, code);
}

enum cordon_err scan_linked(struct scan *scan)
{
    enum cordon_err err = scan->err;

    identity_as_setup(scan->init);
    for (size_t i = 0; i < scan->linked_count; i++) {
        if (err == CORDON_OK) {
            err = mask_read_only(scan->init, scan->linked[i], scan->path);
        }
        (void)close(scan->linked[i]);
    }
    identity_as_caller(scan->init);
    free(scan->linked);
    scan->linked = NULL;
    scan->linked_count = scan->linked_room = 0;
    return err;
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
        err = scan_unseen(scan, path, errno);
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
        err = scan_apply(scan, AT_FDCWD, path, verdict, false);
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

/* What a managed rule denies rests on nothing that the caller could write. */
static struct scan scan_begin(struct init *init, const char *path, uint32_t set)
{
    return (struct scan){.init = init,
                         .path = path,
                         .table = init->table[set],
                         .access = order_access(init->order, set),
                         .barren = set == ORDER_SET_OWN ? init->barren : NULL,
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
