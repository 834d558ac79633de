/* SPDX-License-Identifier: Apache-2.0 */
/* Walks in the unwatched clone, as root: every file that has a denied name now. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/linux/init/names.h"
#include "platform/linux/init/sys.h"
#include "policy/types.h"

/* Where a directory is, and where it was, as far as each table has read its name. */
struct walk_place {
    struct dfa_pos pos[2][ORDER_SET_COUNT];
    bool respelled; /* something at, above or below it has other names as well */
};

struct walk {
    struct names *names;
    const char *name[2]; /* of the directory that the walk began at, or NULL; none: all is denied */
    uint64_t mount;      /* of that directory, in the clone */
    struct strbuf path;  /* below it; begins with '/' if not empty */
    bool failed;
};

static void place_feed(const struct walk *walk, struct walk_place *place, const char *text,
                       size_t len)
{
    for (uint32_t i = 0; i < 2 && walk->name[i] != NULL; i++) {
        for (uint32_t set = 0; set < ORDER_SET_COUNT; set++) {
            dfa_feed(walk->names->watch->init->table[set], &place->pos[i][set], text, len);
        }
    }
}

static struct walk_place place_begin(const struct walk *walk)
{
    const struct init *init = walk->names->watch->init;
    struct walk_place place;

    memset(&place, 0, sizeof(place));
    for (uint32_t i = 0; i < 2 && walk->name[i] != NULL; i++) {
        for (uint32_t set = 0; set < ORDER_SET_COUNT; set++) {
            dfa_start(init->table[set], &place.pos[i][set]);
            if (walk->name[i][1] != '\0') {
                dfa_feed(init->table[set], &place.pos[i][set], walk->name[i],
                         strlen(walk->name[i]));
            }
        }
    }
    return place;
}

/* The walk's place in full, under the name that the walk began with; NULL: out of memory. */
static const char *full_name(const struct walk *walk, uint32_t which)
{
    static struct strbuf full = STRBUF_INIT;

    full.len = 0;
    strbuf_puts(&full, walk->name[which][1] == '\0' && walk->path.len > 0 ? "" : walk->name[which]);
    strbuf_add(&full, strbuf_text(&walk->path), walk->path.len);
    return full.failed ? NULL : full.data;
}

/* The same under the spellings of links and bind mounts; there are few, so whole names do. */
static bool is_denied_elsewhere(const struct walk *walk)
{
    bool denied = false;

    for (uint32_t i = 0; !denied && i < 2 && walk->name[i] != NULL; i++) {
        const char *name = full_name(walk, i);

        denied = name == NULL || verdict_by_name(walk->names->watch, name, strlen(name)).denied;
    }
    return denied;
}

/* Asked of directories: below most there are no other names. */
static bool is_respelled(const struct walk *walk)
{
    bool respelled = false;

    for (uint32_t i = 0; !respelled && i < 2 && walk->name[i] != NULL; i++) {
        const char *name = full_name(walk, i);

        respelled = name == NULL || verdict_is_respelled(walk->names->watch, name);
    }
    return respelled;
}

static bool is_denied(const struct walk *walk, const struct walk_place *place)
{
    const struct init *init = walk->names->watch->init;

    if (walk->name[0] == NULL) {
        return true;
    }
    for (uint32_t i = 0; i < 2 && walk->name[i] != NULL; i++) {
        for (uint32_t set = 0; set < ORDER_SET_COUNT; set++) {
            uint32_t rule = dfa_rule_at(init->table[set], &place->pos[i][set]);

            if (rule != DFA_NO_RULE && order_access(init->order, set)[rule] == ACCESS_DENY) {
                return true;
            }
        }
    }
    return place->respelled && is_denied_elsewhere(walk);
}

/* Nothing below can be denied: the tables are done with it, and with its other spellings. */
static bool is_hopeless(const struct walk *walk, const struct walk_place *place)
{
    bool hopeless = true;

    for (uint32_t i = 0; hopeless && i < 2 && walk->name[i] != NULL; i++) {
        for (uint32_t set = 0; hopeless && set < ORDER_SET_COUNT; set++) {
            hopeless = dfa_settled(walk->names->watch->init->table[set], &place->pos[i][set]);
        }
        if (hopeless && place->respelled) {
            const char *name = full_name(walk, i);

            hopeless = name != NULL && verdict_is_hopeless(walk->names->watch, name);
        }
    }
    return hopeless;
}

static void walk_directory(struct walk *walk, int fd, const struct walk_place *place);

/* Another mount is another walk's. */
static bool is_elsewhere(struct walk *walk, int fd)
{
    uint64_t mount;

    if (sys_mount_id(fd, &mount) != 0) {
        walk->failed = true;
        return true;
    }
    return mount != walk->mount;
}

static void walk_below(struct walk *walk, int dir, const char *name, const struct walk_place *place)
{
    int fd = openat(dir, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int again = -1;

    if (fd >= 0 && !is_elsewhere(walk, fd)) {
        again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NONBLOCK);
        walk->failed = walk->failed || again < 0;
    } else if (fd < 0) {
        /* Gone, or no directory after all. Anything else is a place we cannot vouch for. */
        walk->failed = walk->failed || (errno != ENOENT && errno != ENOTDIR && errno != ELOOP);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    if (again >= 0) {
        walk_directory(walk, again, place);
    }
}

/* A file that is gone again has told so by an event. */
static bool entry_found(struct names *names, int dir, const char *name)
{
    struct object object;

    if (names->found != NULL) {
        return names->found(names->context, dir, name);
    }
    return object_of(dir, name, &object) ? names_denied(names, &object)
                                         : errno == ENOENT || errno == ESTALE;
}

static void walk_entry(struct walk *walk, int dir, const struct dirent *entry,
                       const struct walk_place *above)
{
    size_t len = walk->path.len;
    struct walk_place place = *above;
    bool denied;

    strbuf_add(&walk->path, "/", 1);
    strbuf_puts(&walk->path, entry->d_name);
    if (walk->path.failed) {
        walk->failed = true;
        return;
    }
    place_feed(walk, &place, walk->path.data + len, walk->path.len - len);
    denied = is_denied(walk, &place);
    walk->failed = walk->failed || (denied && !entry_found(walk->names, dir, entry->d_name));
    if ((entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) &&
        (denied || !is_hopeless(walk, &place))) {
        place.respelled = place.respelled && is_respelled(walk);
        walk_below(walk, dir, entry->d_name, &place);
    }
    walk->path.len = len;
    walk->path.data[len] = '\0';
}

static void walk_directory(struct walk *walk, int fd, const struct walk_place *place)
{
    DIR *dir = fdopendir(fd);
    const struct dirent *entry;

    if (dir == NULL) {
        (void)close(fd);
        walk->failed = true;
        return;
    }
    while (!walk->failed && (errno = 0, entry = readdir(dir)) != NULL) {
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            walk_entry(walk, dirfd(dir), entry, place);
        }
    }
    walk->failed = walk->failed || (errno != 0 && errno != ENOENT); /* removed while it was read */
    (void)closedir(dir);
}

bool walk_add(struct names *names, int fd, const char *path, const char *other)
{
    struct walk walk = {.names = names, .name = {path, other}, .path = STRBUF_INIT};
    struct object object;
    struct walk_place place;
    struct stat st;

    place = place_begin(&walk);
    place.respelled = is_respelled(&walk);
    if (fstat(fd, &st) != 0 || sys_mount_id(fd, &walk.mount) != 0) {
        (void)close(fd);
        return false;
    }
    if (is_denied(&walk, &place) &&
        (!object_of(fd, "", &object) || !names_denied(names, &object))) {
        walk.failed = true;
    }
    if (S_ISDIR(st.st_mode)) {
        walk_directory(&walk, fd, &place);
    } else {
        (void)close(fd);
    }
    strbuf_deinit(&walk.path);
    return !walk.failed;
}

/* Opens @path in the clone; -1: it is not there; -2: nobody can say. */
static int clone_open(const struct watch *watch, const char *path)
{
    struct stat st;
    int fd = sys_openat2(watch->clone, path[1] == '\0' ? "." : path + 1, O_PATH,
                         RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
    int again;

    if (fd < 0) {
        return errno == ENOENT || errno == ENOTDIR || errno == ELOOP ? -1 : -2;
    }
    if (fstat(fd, &st) != 0 || !S_ISDIR(st.st_mode)) {
        return fd;
    }
    again = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    (void)close(fd);
    return again < 0 ? -2 : again;
}

static bool walk_from(struct names *names, const char *path)
{
    int fd = clone_open(names->watch, path);

    return fd == -1 || (fd >= 0 && walk_add(names, fd, path, NULL));
}

bool walk_device(struct names *names, uint64_t dev)
{
    const struct watch *watch = names->watch;
    const struct mount_table *host = &watch->init->host;
    bool ok = true;

    for (size_t i = 0; ok && i < watch->root_count; i++) {
        const struct mount_entry *home = mounts_of(host, watch->roots[i]);

        if (home != NULL && home->dev == dev) {
            ok = walk_from(names, watch->roots[i]);
        }
        /* And where that file system is mounted again below. */
        for (size_t k = 0; ok && k < host->count; k++) {
            const struct mount_entry *mount = &host->mounts[k];

            if (mount != home && mount->dev == dev && path_is_below(mount->path, watch->roots[i])) {
                ok = walk_from(names, mount->path);
            }
        }
    }
    return ok;
}
