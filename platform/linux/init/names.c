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

/* ---- names ---- */

/* The name in the view, if the chain leads to the top of @mount. */
static bool chain_path(const struct chain *chain, const struct names_mount *mount, const char *name,
                       struct strbuf *path)
{
    size_t top = 0;

    while (top < chain->count && !object_same(chain->key[top], &mount->top)) {
        top++;
    }
    if (top == chain->count) {
        return false;
    }
    path->len = 0;
    strbuf_puts(path, strcmp(mount->path, "/") == 0 ? "" : mount->path);
    while (top-- > 0) {
        strbuf_add(path, "/", 1);
        strbuf_puts(path, chain->place[top]->name);
    }
    strbuf_add(path, "/", *name == '\0' ? 0 : 1);
    strbuf_puts(path, name);
    return true;
}

/*
 * Every name that @name in a directory has in the view, or has had since the events before.
 * A place that nobody can name any more counts as denied; one outside the view as none.
 */
struct spelled {
    const struct names *names;
    uint64_t fsid;
    const char *name;
    struct strbuf *paths;
    size_t count, room;
    bool denied;        /* one of them is, or nobody can tell */
    bool lost, outside; /* one of the places */
    bool failed;        /* out of memory */
};

/* False: out of memory. */
static bool spelled_add(struct spelled *spelled, const struct strbuf *path)
{
    struct strbuf *added;

    for (size_t i = 0; i < spelled->count; i++) {
        if (strcmp(spelled->paths[i].data, path->data) == 0) {
            return true;
        }
    }
    if (spelled->count == spelled->room) {
        size_t room = spelled->room == 0 ? 4 : spelled->room * 2;
        struct strbuf *grown = realloc(spelled->paths, room * sizeof(*grown));

        if (grown == NULL) {
            return false;
        }
        memset(grown + spelled->room, 0, (room - spelled->room) * sizeof(*grown));
        spelled->paths = grown;
        spelled->room = room;
    }
    added = &spelled->paths[spelled->count++];
    added->len = 0;
    strbuf_add(added, path->data, path->len);
    return !added->failed;
}

static void chain_judge(void *context, enum places_found found, const struct chain *chain)
{
    static struct strbuf path = STRBUF_INIT;
    struct spelled *spelled = context;
    const struct names *names = spelled->names;
    bool seen = false;

    for (size_t i = 0; found == PLACES_FOUND && i < names->mount_count; i++) {
        if (names->mounts[i].fsid == spelled->fsid &&
            chain_path(chain, &names->mounts[i], spelled->name, &path)) {
            seen = true;
            spelled->failed = spelled->failed || path.failed || !spelled_add(spelled, &path);
        }
    }
    spelled->lost = spelled->lost || found == PLACES_GONE;
    spelled->outside = spelled->outside || (found != PLACES_GONE && !seen);
}

/* False: out of memory. */
static bool name_judge(struct names *names, uint64_t fsid, const struct object *directory,
                       const char *name, struct spelled *spelled)
{
    *spelled = (struct spelled){
        .names = names, .fsid = fsid, .name = name, .paths = spelled->paths, .room = spelled->room};
    places_each(names, fsid, directory, chain_judge, spelled);
    spelled->denied = spelled->lost;
    for (size_t i = 0; !spelled->failed && !spelled->denied && i < spelled->count; i++) {
        const struct strbuf *path = &spelled->paths[i];

        spelled->denied = verdict_by_name(names->watch, path->data, path->len).denied;
    }
    return !spelled->failed;
}

/*
 * In a directory that once was denied and now is elsewhere: what comes into that is denied as well.
 * Where it is denied, rules say what is below it, and may open some of that again.
 */
static bool is_inherited(struct names *names, uint64_t fsid, const struct object *directory,
                         bool *ret_inherited)
{
    static struct spelled above;

    *ret_inherited = false;
    if (objects_find(&names->denied, directory) == NULL) {
        return true;
    }
    if (!name_judge(names, fsid, directory, "", &above)) {
        return false;
    }
    *ret_inherited = !above.denied;
    return true;
}

/* ---- events ---- */

/* A descriptor to walk below; -1 with errno. */
static int directory_open(const struct names *names, const struct batch_event *event)
{
    int fd = -1;

    errno = ESTALE;
    for (size_t i = 0; fd < 0 && i < names->mount_count; i++) {
        if (names->mounts[i].fsid == event->fsid) {
            fd = object_open(names->mounts[i].fd, &event->target,
                             O_RDONLY | O_DIRECTORY | O_NONBLOCK);
        }
    }
    return fd;
}

/* Adds what is denied below if it is at @path or at @other; without @path: all. */
static bool directory_walk(struct names *names, const struct batch_event *event, const char *path,
                           const char *other)
{
    int fd = directory_open(names, event);

    /* Removed since: what left it before that has events of its own. */
    return fd >= 0 ? walk_add(names, fd, path, other) : errno == ESTALE || errno == ENOENT;
}

/* Is all below it judged alike at all of its places? */
static bool is_same_below(const struct names *names, const struct spelled *at)
{
    bool same = !at->denied && !at->outside;

    for (size_t i = 1; same && i < at->count; i++) {
        same = verdict_same_below(names->watch, at->paths[0].data, at->paths[i].data);
    }
    return same;
}

/* What was below may have had, or has now, denied names. */
static bool directory_moved(struct names *names, const struct batch_event *event)
{
    static struct spelled at;
    bool inherited;
    bool ok = true;

    if (!is_inherited(names, event->fsid, &event->to.directory, &inherited)) {
        return false;
    }
    if (!inherited && !places_is_new(names, &event->target)) {
        return true;
    }
    if (!name_judge(names, event->fsid, &event->target, "", &at)) {
        return false;
    }
    if (inherited || at.lost) {
        return directory_walk(names, event, NULL, NULL);
    }
    if (is_same_below(names, &at)) {
        return true;
    }
    for (size_t i = 0; ok && i < at.count; i += 2) {
        ok = directory_walk(names, event, at.paths[i].data,
                            i + 1 < at.count ? at.paths[i + 1].data : NULL);
    }
    return ok;
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
    bool inherited;

    if (event->is_directory) {
        return directory_moved(names, event);
    }
    if (!name_judge(names, event->fsid, &event->from.directory, event->from.name, &from) ||
        !name_judge(names, event->fsid, &event->to.directory, event->to.name, &to) ||
        !is_inherited(names, event->fsid, &event->to.directory, &inherited)) {
        return false;
    }
    return ((!from.denied && !to.denied && !inherited) || names_denied(names, &event->target)) &&
           (!to.denied || deny_replaced(names, event));
}

static bool event_take(struct names *names, const struct batch_event *event)
{
    static struct spelled at;
    bool expected = replaced_take(&names->replaced, event->thread);
    bool inherited = false;

    if (event->is_rename) {
        return rename_take(names, event);
    }
    if (!event->is_name) {
        return !event->is_count || !expected || names_denied(names, &event->target);
    }
    if (event->is_creation) {
        older_created(names, &event->target);
    }
    if (!name_judge(names, event->fsid, &event->from.directory, event->from.name, &at) ||
        (event->is_creation &&
         !is_inherited(names, event->fsid, &event->from.directory, &inherited))) {
        return false;
    }
    return (!at.denied && !inherited) || names_denied(names, &event->target);
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

    if (!places_read(names)) {
        return false;
    }
    while (batch_next(names->batch, &event)) {
        if (!names_keep(&event.from, from) || !names_keep(&event.to, to) ||
            !event_take(names, &event)) {
            return false;
        }
    }
    places_settle(names);
    return !batch_is_lost(names->batch);
}

bool names_deny(struct names *names, int fd, const struct stat *st)
{
    bool several = S_ISREG(st->st_mode) && st->st_nlink > 1;
    struct object object;

    if (st->st_dev == names->watch->init->mask_dev) {
        return true;
    }
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

bool names_are_told(const struct names *names, int fd)
{
    const struct mount_entry *mount = NULL;
    uint64_t id;

    if (sys_mount_id(fd, &id) == 0) {
        mount = mounts_find(&names->watch->mounts, id);
    }
    return mount != NULL && tells_names(mount);
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
