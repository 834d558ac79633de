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
#include "platform/linux/init/spelled.h"
#include "platform/linux/init/sys.h"

#define WAITS_MAX 256U /* for renames of the job, in one names_drain() */

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
    if (!spelled_find(names, fsid, directory, "", &above)) {
        return false;
    }
    *ret_inherited = !above.denied;
    return true;
}

/*
 * What @event is about came into such a directory, or left one: it may have come there with one
 * above, and have left before anybody looked.
 */
static bool is_inheriting(struct names *names, const struct batch_event *event, bool *ret_inherited)
{
    return is_inherited(names, event->fsid, &event->from.directory, ret_inherited) &&
           (*ret_inherited || !event->is_rename ||
            is_inherited(names, event->fsid, &event->to.directory, ret_inherited));
}

/* ---- events ---- */

/* Tells of what @at says for the jobs to come: of its own names those that matter, if @own. */
static bool tell(struct names *names, const struct batch_event *event, const struct spelled *at,
                 bool own)
{
    bool ok = (!at->lost && !at->overflow) || former_tell(names, event, "");

    for (size_t i = 0; ok && own && i < at->count; i++) {
        const struct strbuf *path = &at->paths[i].text;

        if (verdict_by_name(names->watch, path->data, path->len).denied ||
            (event->is_directory && !verdict_is_hopeless(names->watch, path->data))) {
            ok = former_tell_at(names, event, at->paths[i].mount, path->data);
        }
    }
    for (size_t i = 0; ok && i < at->former_count; i++) {
        if (former_matters(names, event, strbuf_text(&at->formers[i].text))) {
            ok = former_tell(names, event, strbuf_text(&at->formers[i].text));
        }
    }
    return ok;
}

/*
 * What was below a directory that an earlier job moved is known from a look there (former.c), but
 * for what had left it by then, and is still told of.
 */
static bool judge_formers(struct names *names, const struct batch_event *event,
                          const struct spelled *at)
{
    bool ok = true;

    for (size_t i = 0; ok && names->is_behind && i < at->former_count; i++) {
        ok = !at->formers[i].is_earlier ||
             former_judge(names, event, strbuf_text(&at->formers[i].text));
    }
    return ok;
}

/* A file: what came into a directory that moved was not there when that had its former names. */
static bool tell_if_denied(struct names *names, const struct batch_event *event,
                           const struct spelled *at)
{
    return judge_formers(names, event, at) &&
           ((!at->denied && objects_find(&names->denied, &event->target) == NULL) ||
            tell(names, event, at, at->denied));
}

/* A descriptor to walk below; -1 with errno. */
static int directory_open(const struct names *names, uint64_t fsid, const struct object *directory)
{
    int fd = -1;

    errno = ESTALE;
    for (size_t i = 0; fd < 0 && i < names->mount_count; i++) {
        if (names->mounts[i].fsid == fsid) {
            fd = object_open(names->mounts[i].fd, directory, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
        }
    }
    return fd;
}

/* Adds what is denied below if it is at @path or at @other; without @path: all. */
static bool directory_walk(struct names *names, const struct batch_event *event, const char *path,
                           const char *other)
{
    int fd = directory_open(names, event->fsid, &event->target);

    /* Removed since: what left it before that has events of its own. */
    return fd >= 0 ? walk_add(names, fd, path, other) : errno == ESTALE || errno == ENOENT;
}

/* Is all below it judged alike at all of its places? */
static bool is_same_below(const struct names *names, const struct spelled *at)
{
    bool same = !at->denied && !at->outside;

    for (size_t i = 1; same && i < at->count; i++) {
        same = verdict_same_below(names->watch, at->paths[0].text.data, at->paths[i].text.data);
    }
    return same;
}

/* A directory left one that an earlier job moved, or one below such. */
static bool left_former(struct names *names, const struct batch_event *event)
{
    static struct spelled from;

    return !names->is_behind || names->former.count == 0 ||
           (spelled_find(names, event->fsid, &event->from.directory, event->from.name, &from) &&
            judge_formers(names, event, &from));
}

/* What was below may have had, or has now, denied names. */
static bool directory_moved(struct names *names, const struct batch_event *event)
{
    static struct spelled at;
    bool inherited;
    bool same;
    bool ok = true;

    if (!is_inheriting(names, event, &inherited) || !left_former(names, event)) {
        return false;
    }
    if (!inherited && !places_is_new(names, &event->target)) {
        return true;
    }
    if (!spelled_find(names, event->fsid, &event->target, "", &at)) {
        return false;
    }
    same = !inherited && is_same_below(names, &at);
    if (!tell(names, event, &at, !same)) {
        return false;
    }
    if (inherited || at.lost) {
        return directory_walk(names, event, NULL, NULL);
    }
    if (same) {
        return true;
    }
    for (size_t i = 0; ok && i < at.count; i += 2) {
        ok = directory_walk(names, event, at.paths[i].text.data,
                            i + 1 < at.count ? at.paths[i + 1].text.data : NULL);
    }
    return ok;
}

/* The last name that a rename took away from what may live on under another. */
struct replacing {
    int32_t thread;
    bool is_denied;     /* whatever had it; else if that was denied already */
    struct strbuf path; /* from the file system's root; "": nobody can tell */
};

/* @target was replaced by a rename of @thread. */
static bool replaced_deny(struct names *names, const struct replacing *last,
                          const struct batch_event *event)
{
    const bool known = last->thread == event->thread;

    if (known && !last->is_denied && objects_find(&names->denied, &event->target) == NULL) {
        return true;
    }
    return names_denied(names, &event->target) &&
           former_tell(names, event, known && last->path.len > 0 ? strbuf_text(&last->path) : "");
}

/* The name that @event gives away, @to, was denied to what had it, or may have been. */
static bool replacing_find(struct names *names, const struct batch_event *event,
                           const struct spelled *to, struct replacing *last)
{
    bool found = to->denied;

    *last =
        (struct replacing){.thread = event->thread, .is_denied = to->denied, .path = last->path};
    last->path.len = 0;
    for (size_t i = 0; last->path.len == 0 && i < to->count; i++) {
        const struct strbuf *path = &to->paths[i].text;

        if (verdict_by_name(names->watch, path->data, path->len).denied) {
            path_move(path->data, to->paths[i].mount->path, to->paths[i].mount->root, &last->path);
        }
    }
    for (size_t i = 0; !found && i < to->former_count; i++) {
        const struct spelled_former *former = &to->formers[i];

        if (former_matters(names, event, strbuf_text(&former->text))) {
            found = true;
            last->is_denied = former->is_earlier && names->is_behind;
            strbuf_add(&last->path, strbuf_text(&former->text), former->text.len);
        }
    }
    return found;
}

static bool is_heir(const struct names *names)
{
    return names->watch->decide < 0;
}

/*
 * Reads what the job's rename tells of: all of it, as its directory is locked until then. The guard
 * has both then or neither; one that was ended in between would have left an heir who does not know
 * what was due. Who renames without end, and so that it never is whole, ends his job. What the host
 * does in the moment in which a job ends may have come after that, and an heir's job is over.
 */
static bool rename_wait(struct names *names, const struct batch_event *event)
{
    int fd;

    if (is_heir(names) || event->thread == 0 || batch_follows(names->batch, event->thread)) {
        return true;
    }
    if (names->waits++ == WAITS_MAX) {
        return false;
    }
    fd = directory_open(names, event->fsid, &event->to.directory);
    if (fd >= 0) {
        settle_below(fd);
        (void)close(fd);
    } else if (errno != ESTALE && errno != ENOENT) {
        return false;
    }
    return places_read(names);
}

/* What @event replaced, if it is not what the thread's next event tells. */
static bool deny_searched(struct names *names, const struct batch_event *event,
                          const struct replacing *last)
{
    struct batch_event replaced = {.thread = event->thread, .fsid = event->fsid};
    struct batch_search search;
    bool ok = true;

    batch_search(names->batch, event, is_heir(names), &search);
    while (ok && batch_found(names->batch, &search, &replaced.target)) {
        ok = replaced_deny(names, last, &replaced);
    }
    return ok;
}

static bool deny_replaced(struct names *names, const struct batch_event *event,
                          const struct spelled *to, struct replacing *last)
{
    return !replacing_find(names, event, to, last) ||
           (rename_wait(names, event) && !last->path.failed && deny_searched(names, event, last) &&
            replaced_expect(&names->replaced, event->thread));
}

static bool rename_take(struct names *names, const struct batch_event *event,
                        struct replacing *last)
{
    static struct spelled from;
    static struct spelled to;
    bool inherited;

    if (event->is_directory) {
        return directory_moved(names, event);
    }
    if (!spelled_find(names, event->fsid, &event->from.directory, event->from.name, &from) ||
        !spelled_find(names, event->fsid, &event->to.directory, event->to.name, &to) ||
        !is_inheriting(names, event, &inherited) ||
        (inherited && !names_denied(names, &event->target)) ||
        !tell_if_denied(names, event, &from)) {
        return false;
    }
    return ((!from.denied && !to.denied) || names_denied(names, &event->target)) &&
           deny_replaced(names, event, &to, last);
}

static bool event_take(struct names *names, const struct batch_event *event)
{
    static struct replacing last = {.path = STRBUF_INIT};
    static struct spelled at;
    bool expected = replaced_take(&names->replaced, event->thread);
    bool inherited;

    if (event->is_rename) {
        return rename_take(names, event, &last);
    }
    if (!event->is_name) {
        return !event->is_count || !expected || replaced_deny(names, &last, event);
    }
    if (event->is_creation) {
        older_created(names, &event->target);
    }
    if (!spelled_find(names, event->fsid, &event->from.directory, event->from.name, &at) ||
        !is_inheriting(names, event, &inherited) ||
        (inherited && !names_denied(names, &event->target)) ||
        (event->is_removal && !tell_if_denied(names, event, &at))) {
        return false;
    }
    return !at.denied || names_denied(names, &event->target);
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
    return objects_add(&names->denied, object) != NULL && exempt_denied(names, object);
}

bool names_drain(struct names *names)
{
    static char from[NAME_MAX + 1];
    static char to[NAME_MAX + 1];
    struct batch_event event;

    names->waits = 0;
    if (!places_read(names)) {
        return false;
    }
    while (batch_next(names->batch, &event)) {
        if (!names_keep(&event.from, from) || !names_keep(&event.to, to) ||
            !exempt_hear(names, &event) || !event_take(names, &event)) {
            return false;
        }
    }
    places_settle(names);
    names->is_behind = false;
    batch_rest(names->batch, names_have_gone(names));
    return !batch_is_lost(names->batch) && !names->places.failed;
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
        *mount = (struct names_mount){.path = path, .root = shown->root, .dev = shown->dev};
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
