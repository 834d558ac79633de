/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The start-time snapshot of what a set's globs deny: one walk in the job's own
 * view, with the caller's rights (what he cannot list, the job cannot open
 * either), carrying the automaton's position from directory to directory.
 */
#include "platform/linux/init/init.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "platform/linux/init/sys.h"
#include "policy/types.h"

/* A walk that is still not done by then would hold up every command. */
#define SCAN_ENTRIES_MAX 8000000U
#define SCAN_DEPTH_MAX 128U

struct scan {
    struct init *init;
    const char *path; /* for messages */
    uint32_t levels;  /* to look at; 0: all */
    const struct dfa *table;
    const uint8_t *access;
    uint64_t entries;
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

/*
 * What could not be opened is passed over only if the job cannot open it either; nor can it,
 * where the server is gone. Anything else, and a match might stay uncovered.
 */
static enum cordon_err unseen(struct scan *scan, const char *name, int code)
{
    if (view_is_absent(code) || code == ENOTCONN) {
        return CORDON_OK;
    }
    return fault_os(&scan->init->fault, code, NULL, "cannot look for denied files at %s", name);
}

static enum cordon_err scan_apply(struct scan *scan, int dir, const char *name,
                                  enum scan_verdict verdict)
{
    struct init *init = scan->init;
    enum cordon_err err;
    struct stat st;
    int code;
    int fd;

    /* A match on a symbolic link denies what it leads to. */
    identity_as_caller(init);
    fd = sys_openat2(dir, name, O_PATH, RESOLVE_NO_MAGICLINKS);
    code = errno;
    identity_as_setup(init);
    if (fd < 0) {
        return unseen(scan, name, code); /* gone again, dangling, or out of the caller's reach */
    }
    if (fstat(fd, &st) == 0 && view_is_private(init, st.st_dev)) {
        (void)close(fd);
        return CORDON_OK; /* covered already, by an exact rule or another pattern */
    }
    err = verdict == SCAN_DENY ? mask_object(init, fd, false) : mask_read_only(init, fd, name);
    (void)close(fd);
    if (err != CORDON_OK) {
        fault_prefix(&init->fault, "%s", name);
    }
    return err;
}

static enum cordon_err scan_directory(struct scan *scan, int fd, const struct dfa_pos *pos,
                                      uint32_t level);

/* Opens a subdirectory to walk it; *ret_fd is -1 if it is not to be walked. */
static enum cordon_err scan_open(struct scan *scan, int dir, const char *name, int *ret_fd)
{
    struct stat st;
    int code;
    int fd;

    identity_as_caller(scan->init);
    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    code = errno;
    identity_as_setup(scan->init);
    *ret_fd = -1;
    if (fd < 0) {
        return unseen(scan, name, code);
    }
    if (fstat(fd, &st) != 0) {
        code = errno;
        (void)close(fd);
        return unseen(scan, name, code);
    }
    if (view_is_private(scan->init, st.st_dev)) {
        (void)close(fd);
        return CORDON_OK;
    }
    *ret_fd = fd;
    return CORDON_OK;
}

static enum cordon_err scan_entry(struct scan *scan, int dir, const struct dirent *entry,
                                  const struct dfa_pos *parent, uint32_t level)
{
    struct dfa_pos pos = *parent;
    enum scan_verdict verdict;
    enum cordon_err err = CORDON_OK;
    int fd;

    if (++scan->entries > SCAN_ENTRIES_MAX) {
        return fault_set(&scan->init->fault, CORDON_E_LIMIT,
                         "set glob_scan_max_depth, or give the pattern a deeper fixed directory",
                         "%s: more than %u files to look at for a deny pattern", scan->path,
                         SCAN_ENTRIES_MAX);
    }
    dfa_feed(scan->table, &pos, "/", 1);
    dfa_feed(scan->table, &pos, entry->d_name, strlen(entry->d_name));
    verdict = scan_decide(scan, &pos);
    if (verdict != SCAN_PASS) {
        err = scan_apply(scan, dir, entry->d_name, verdict);
    }
    if (err != CORDON_OK || verdict == SCAN_DENY || dfa_settled(scan->table, &pos)) {
        return err;
    }
    if (entry->d_type != DT_DIR && entry->d_type != DT_UNKNOWN) {
        return CORDON_OK;
    }
    err = scan_open(scan, dir, entry->d_name, &fd);
    return fd < 0 ? err : scan_directory(scan, fd, &pos, level + 1);
}

/* Walks the directory @fd, which it closes; @level counts from 1. */
static enum cordon_err scan_directory(struct scan *scan, int fd, const struct dfa_pos *pos,
                                      uint32_t level)
{
    enum cordon_err err = CORDON_OK;
    const struct dirent *entry;
    DIR *dir;

    if (scan->levels != 0 && level > scan->levels) {
        (void)close(fd);
        return CORDON_OK;
    }
    dir = level > SCAN_DEPTH_MAX ? NULL : fdopendir(fd);
    if (dir == NULL) {
        (void)close(fd);
        return fault_set(&scan->init->fault, CORDON_E_LIMIT, "set glob_scan_max_depth",
                         "%s: directories too deep for a deny pattern", scan->path);
    }
    while (err == CORDON_OK && (errno = 0, entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            err = scan_entry(scan, dirfd(dir), entry, pos, level);
        }
    }
    if (err == CORDON_OK && errno != 0) {
        err = unseen(scan, scan->path, errno);
    }
    (void)closedir(dir);
    return err;
}

/* Walks from @path, which the patterns spell @spelled; its name goes to @ret_name if that is asked.
 */
static enum cordon_err scan_from(struct scan *scan, const char *path, const char *spelled,
                                 char *ret_name)
{
    struct init *init = scan->init;
    struct dfa_pos pos;
    int code;
    int fd;

    identity_as_caller(init);
    fd = sys_openat2(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK, RESOLVE_NO_MAGICLINKS);
    code = errno;
    identity_as_setup(init);
    if (fd < 0) {
        return unseen(scan, path, code);
    }
    if (ret_name != NULL && view_name(init, fd, ret_name, PATH_MAX) != CORDON_OK) {
        (void)close(fd);
        return init->fault.err;
    }
    dfa_start(scan->table, &pos);
    if (strcmp(spelled, "/") != 0) {
        dfa_feed(scan->table, &pos, spelled, strlen(spelled));
    }
    return scan_directory(scan, fd, &pos, 1);
}

/* What the patterns say about @path itself, which they spell @spelled. */
static enum cordon_err scan_named(struct scan *scan, const char *path, const char *spelled)
{
    enum scan_verdict verdict;
    struct dfa_pos pos;

    dfa_start(scan->table, &pos);
    dfa_feed(scan->table, &pos, spelled, strlen(spelled));
    verdict = scan_decide(scan, &pos);
    return verdict == SCAN_PASS ? CORDON_OK : scan_apply(scan, AT_FDCWD, path, verdict);
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
                         .access = order_access(init->order, set)};
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
