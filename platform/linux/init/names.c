/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/names.h"

#include <errno.h>
#include <linux/fanotify.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "platform/linux/init/batch.h"
#include "platform/linux/init/sys.h"

#define DEPTH_MAX 16384U

/* Where a directory is: in a parent under a name, or at the top of what can be seen. */
struct directory {
    bool is_top;
    struct object parent;
    char name[]; /* NUL-terminated */
};

static bool directory_put(struct names *names, const struct object *key,
                          const struct object *parent, const char *name)
{
    size_t len = strlen(name);
    struct objects_entry *entry = objects_add(&names->directories, key);
    struct directory *directory = malloc(sizeof(*directory) + len + 1);

    if (entry == NULL || directory == NULL) {
        free(directory);
        return false;
    }
    directory->is_top = parent == NULL;
    if (parent != NULL) {
        directory->parent = *parent;
    }
    memcpy(directory->name, name, len + 1);
    free(entry->value);
    entry->value = directory;
    return true;
}

/* ---- where a directory is now, asked of the file system ---- */

enum found { FOUND, OUTSIDE, GONE, AGAIN };

struct above {
    struct object parent;
    char name[NAME_MAX + 1];
};

/* One step up from @fd, to @up, within its mount. */
static enum found step_to(const struct watch *watch, int fd, int up, const struct object *self,
                          struct above *ret)
{
    char again[NAME_MAX + 1];
    uint64_t here;
    uint64_t there;

    if (!name_last(watch, fd, up, ret->name) || sys_mount_id(fd, &here) != 0 ||
        sys_mount_id(up, &there) != 0 || here != there || !object_of(up, "", &ret->parent) ||
        object_same(&ret->parent, self)) {
        return GONE; /* the mount's own root: nothing above is seen */
    }
    /* Name and parent belong together if the name is the same afterwards. */
    return name_last(watch, fd, up, again) && strcmp(ret->name, again) == 0 ? FOUND : AGAIN;
}

static enum found step_up(const struct watch *watch, int fd, const struct object *self,
                          struct above *ret)
{
    enum found found = AGAIN;

    while (found == AGAIN) {
        int up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (up < 0) {
            return OUTSIDE; /* not below the root of this mount */
        }
        found = step_to(watch, fd, up, self, ret);
        (void)close(up);
    }
    return found;
}

static enum found directory_look(struct names *names, const struct names_mount *mount,
                                 const struct object *key)
{
    struct above above = {.name = ""};
    int fd = object_open(mount->fd, key, O_PATH | O_DIRECTORY);
    enum found found;

    if (fd < 0) {
        return GONE;
    }
    found = step_up(names->watch, fd, key, &above);
    (void)close(fd);
    if (found == OUTSIDE) {
        return OUTSIDE;
    }
    return directory_put(names, key, found == FOUND ? &above.parent : NULL, above.name) ? FOUND
                                                                                        : GONE;
}

static enum found directory_find(struct names *names, uint64_t fsid, const struct object *key)
{
    enum found best = GONE;

    for (size_t i = 0; i < names->mount_count; i++) {
        enum found found =
            names->mounts[i].fsid != fsid ? GONE : directory_look(names, &names->mounts[i], key);

        if (found == FOUND) {
            return FOUND;
        }
        best = found == OUTSIDE ? OUTSIDE : best;
    }
    return best;
}

/*
 * Where @key was when the present event happened. What the file system says is
 * of now: a later event that moved or removed it tells where it was before.
 */
static enum found directory_at(struct names *names, uint64_t fsid, const struct object *key,
                               const struct directory **ret_directory)
{
    struct objects_entry *entry = objects_find(&names->directories, key);
    enum found found = FOUND;

    if (entry == NULL || entry->value == NULL) {
        struct object parent;
        const char *name;

        found = directory_find(names, fsid, key);
        if (!batch_read(names->batch, names->watch->events)) {
            return GONE;
        }
        if (batch_place(names->batch, key, &parent, &name)) {
            found = directory_put(names, key, &parent, name) ? FOUND : GONE;
        }
        entry = objects_find(&names->directories, key);
    }
    if (found == FOUND && (entry == NULL || entry->value == NULL)) {
        found = GONE;
    }
    *ret_directory = found == FOUND ? entry->value : NULL;
    return found;
}

/* ---- names ---- */

struct chain {
    const char *name[DEPTH_MAX];
    struct object key[DEPTH_MAX];
    size_t count;
};

/* @key and everything above it, innermost first. */
static enum found chain_make(struct names *names, uint64_t fsid, const struct object *key,
                             struct chain *chain)
{
    const struct directory *directory = NULL;
    struct object at = *key;

    for (chain->count = 0; chain->count < DEPTH_MAX; chain->count++) {
        enum found found = directory_at(names, fsid, &at, &directory);

        if (found != FOUND) {
            return found;
        }
        chain->key[chain->count] = at;
        chain->name[chain->count] = directory->name;
        if (directory->is_top) {
            chain->count++;
            return FOUND;
        }
        at = directory->parent;
    }
    return GONE;
}

/* The name in the view, if the chain leads to the top of @mount. */
static bool chain_path(const struct chain *chain, const struct names_mount *mount, const char *name,
                       struct strbuf *path)
{
    size_t top = 0;

    while (top < chain->count && !object_same(&chain->key[top], &mount->top)) {
        top++;
    }
    if (top == chain->count) {
        return false;
    }
    path->len = 0;
    strbuf_puts(path, strcmp(mount->path, "/") == 0 ? "" : mount->path);
    while (top-- > 0) {
        strbuf_add(path, "/", 1);
        strbuf_puts(path, chain->name[top]);
    }
    strbuf_add(path, "/", *name == '\0' ? 0 : 1);
    strbuf_puts(path, name);
    return true;
}

/* Every name that @name in directory @event->dir has in the view. */
struct spelled {
    struct strbuf path; /* the first of them */
    bool denied, known;
};

/* False: out of memory. */
static bool name_judge(struct names *names, uint64_t fsid, const struct batch_name *at,
                       struct spelled *ret)
{
    static struct chain chain;
    static struct strbuf path = STRBUF_INIT;
    enum found found = chain_make(names, fsid, &at->directory, &chain);

    ret->known = false;
    /* A place that nobody can name any more counts as denied; one outside the view as none. */
    ret->denied = found == GONE;
    for (size_t i = 0; found == FOUND && i < names->mount_count; i++) {
        if (names->mounts[i].fsid != fsid ||
            !chain_path(&chain, &names->mounts[i], at->name, &path)) {
            continue;
        }
        ret->denied = ret->denied || verdict_by_name(names->watch, path.data, path.len).denied;
        if (!ret->known) {
            ret->known = true;
            ret->path.len = 0;
            strbuf_add(&ret->path, path.data, path.len);
        }
    }
    return !path.failed && !ret->path.failed;
}

/* ---- events ---- */

/* What was below may have had, or has now, denied names. */
static bool directory_moved(struct names *names, const struct batch_event *event,
                            const struct spelled *from, const struct spelled *to)
{
    int code = ESTALE;
    int fd = -1;

    for (size_t i = 0; fd < 0 && i < names->mount_count; i++) {
        if (names->mounts[i].fsid == event->fsid) {
            fd = object_open(names->mounts[i].fd, &event->target,
                             O_RDONLY | O_DIRECTORY | O_NONBLOCK);
            code = errno;
        }
    }
    if (fd < 0) {
        /* Removed since: what left it before that has events of its own. */
        return code == ESTALE || code == ENOENT;
    }
    return walk_add(names, fd, from->known ? from->path.data : to->path.data,
                    to->known ? to->path.data : NULL);
}

/* What had the name before @event, a rename to a denied one, has had a denied name. */
static bool deny_replaced(struct names *names, const struct batch_event *event)
{
    struct object object;
    size_t at = 0;

    if (!batch_count_follows(names->batch, event->thread)) {
        while (batch_count_before(names->batch, event->thread, &at, &object)) {
            if (!names_denied(names, &object)) {
                return false;
            }
        }
    }
    return replaced_expect(&names->replaced, event->thread);
}

static bool rename_take(struct names *names, const struct batch_event *event)
{
    static struct spelled from;
    static struct spelled to;
    bool ok = true;

    if (!name_judge(names, event->fsid, &event->from, &from) ||
        !name_judge(names, event->fsid, &event->to, &to)) {
        return false;
    }
    if (!event->is_directory) {
        return ((!from.denied && !to.denied) || names_denied(names, &event->target)) &&
               (!to.denied || deny_replaced(names, event));
    }
    if ((from.known || to.known) &&
        (from.denied || to.denied || !from.known || !to.known ||
         !verdict_same_below(names->watch, from.path.data, to.path.data))) {
        ok = directory_moved(names, event, &from, &to);
    }
    return ok && directory_put(names, &event->target, &event->to.directory, event->to.name);
}

static bool event_take(struct names *names, const struct batch_event *event)
{
    static struct spelled at;
    bool expected = replaced_take(&names->replaced, event->thread);

    if (event->is_rename) {
        return rename_take(names, event);
    }
    if (!event->is_name) {
        return !event->is_count || !expected || names_denied(names, &event->target);
    }
    if (event->is_creation) {
        older_created(names, &event->target);
    }
    if (!name_judge(names, event->fsid, &event->from, &at) ||
        (at.denied && !names_denied(names, &event->target))) {
        return false;
    }
    /* Removed: where it was last is where it stays for events that name it still. */
    return !event->is_directory ||
           directory_put(names, &event->target, &event->from.directory, event->from.name);
}

/* Looking a directory up reads ahead, which moves the batch's memory. */
static bool names_keep(struct batch_name *at, char room[NAME_MAX + 1])
{
    if (at->name != NULL) {
        if (snprintf(room, NAME_MAX + 1, "%s", at->name) > NAME_MAX) {
            return false;
        }
        at->name = room;
    }
    return true;
}

bool names_denied(struct names *names, const struct object *object)
{
    return objects_add(&names->denied, object) != NULL;
}

bool names_drain(struct names *names)
{
    static char from[NAME_MAX + 1];
    static char to[NAME_MAX + 1];
    struct batch_event event;

    if (!batch_read(names->batch, names->watch->events)) {
        return false;
    }
    while (batch_next(names->batch, &event)) {
        if (!names_keep(&event.from, from) || !names_keep(&event.to, to) ||
            !event_take(names, &event)) {
            return false;
        }
    }
    return !batch_is_lost(names->batch);
}

bool names_deny(struct names *names, int fd)
{
    struct object object;
    struct stat st;
    bool several;

    if (fstat(fd, &st) != 0 || st.st_dev == names->watch->init->mask_dev) {
        return true;
    }
    several = S_ISREG(st.st_mode) && st.st_nlink > 1;
    if (several && !older_known(names, fd)) {
        return true;
    }
    if (!several && names->denied.count == 0) {
        return false;
    }
    if (!object_of(fd, "", &object) || (several && !older_renew(names, &object))) {
        return true;
    }
    return objects_find(&names->denied, &object) != NULL;
}

static bool tells_names(const struct mount_entry *mount)
{
    return mount->watched && !mount->unwritten && !mount->nameless;
}

/*
 * Is every name below @mount one below another mount as well? Directories that are held are such:
 * once the host has moved one, its path of the start would be a name that nothing has.
 */
static bool is_told_above(const struct watch *watch, const struct mount_entry *mount)
{
    const struct mount_entry *above = mounts_same_above(&watch->mounts, mount);

    return above != NULL && tells_names(above);
}

static bool mount_look(struct names_mount *mount)
{
    struct statfs fs;

    if (fstatfs(mount->fd, &fs) != 0 || !object_of(mount->fd, "", &mount->top)) {
        return false;
    }
    memcpy(&mount->fsid, &fs.f_fsid, sizeof(mount->fsid));
    return true;
}

enum cordon_err names_init(struct names *names, const struct watch *watch,
                           struct cordon_fault *fault)
{
    memset(names, 0, sizeof(*names));
    names->watch = watch;
    names->batch = batch_new();
    names->mounts = calloc(watch->mounts.count + 1, sizeof(*names->mounts));
    if (names->batch == NULL || names->mounts == NULL || !older_init(names)) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "watched mounts: out of memory");
    }
    for (size_t i = 0; i < watch->mounts.count; i++) {
        const struct mount_entry *shown = &watch->mounts.mounts[i];
        const char *path = shown->path;
        struct names_mount *mount = &names->mounts[names->mount_count];

        if (!tells_names(shown) || is_told_above(watch, shown)) {
            continue;
        }
        *mount = (struct names_mount){.path = path};
        mount->fd = sys_openat2(watch->clone, path[1] == '\0' ? "." : path + 1,
                                O_RDONLY | O_DIRECTORY | O_NONBLOCK,
                                RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS);
        if (mount->fd < 0 && (errno == ENOTDIR || errno == ENOENT)) {
            continue; /* a file on its own, or a place of the view alone */
        }
        mount->fd = watch_raise_fd(mount->fd);
        if (mount->fd < 0 || !mount_look(mount)) {
            return fault_os(fault, errno, NULL, "cannot identify the file system of %s", path);
        }
        names->mount_count++;
    }
    return CORDON_OK;
}

void names_close(struct names *names)
{
    for (size_t i = 0; i < names->mount_count; i++) {
        (void)close(names->mounts[i].fd);
    }
}
