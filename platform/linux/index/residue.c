/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The last events of a job that was killed, which its guard could not judge any more. Nobody here
 * knows its rules, so each name that went is a former name. Where the directory of it went as
 * well, the other events say what that was called.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "platform/linux/index/former.h"
#include "platform/linux/index/kept.h"
#include "platform/linux/index/place.h"
#include "platform/linux/init/alias.h"
#include "platform/linux/init/replaced.h"
#include "platform/linux/init/sys.h"

#define WAY_MAX 4096U
#define ROUNDS 3U /* directories that moved in each other's */
/* Of what a rename may have replaced, see replaced.h: more is somebody who links very much. */
#define REPLACED_MAX 512U

/* A directory that was removed, or that moved: where it was. */
struct gone {
    struct gone *next;
    uint64_t fsid;
    struct object key, parent;
    char name[];
};

struct residue {
    const struct held *held;
    struct batch *batch;
    struct gone *gone;
    struct replaced replaced;
    struct batch_name replacing; /* the last name that something was renamed to */
    size_t replaced_count;
};

/* ---- file systems ---- */

/* The one that was asked about last; its store has nothing but directories. */
static struct kept *system_open(uint64_t dev)
{
    static struct kept system;

    if (system.root_count > 0 && system.dev == dev) {
        return &system;
    }
    roots_close(&system);
    store_clear(&system.store);
    system.dev = dev;
    if (dev == 0 || !roots_open(&system)) {
        return NULL;
    }
    for (size_t i = 0; i < system.root_count; i++) {
        const struct root *root = &system.roots[i];
        struct directory *top = store_directory_put(&system.store, &root->top, NULL, root->path);

        if (top == NULL) {
            roots_close(&system);
            return NULL;
        }
        top->refs++; /* for as long as the store */
    }
    return &system;
}

static bool is_mounted(uint64_t dev)
{
    struct mount_table table = {NULL, 0};
    struct cordon_fault fault;
    bool is = mounts_read(&table, &fault) != CORDON_OK;

    for (size_t i = 0; !is && i < table.count; i++) {
        is = table.mounts[i].dev == dev;
    }
    mounts_release(&table);
    return is;
}

void former_systems_close(void)
{
    (void)system_open(0);
}

/* It has a name, or could get one again. */
static bool is_alive(const struct kept *system, const struct object *object)
{
    int fd = object_open(system->roots[0].fd, object, O_PATH);
    struct stat st;
    bool alive = fd >= 0 ? fstat(fd, &st) != 0 || st.st_nlink > 0 : errno != ESTALE;

    if (fd >= 0) {
        (void)close(fd);
    }
    return alive;
}

static bool has_name(const struct kept *system, const struct former *former)
{
    static struct strbuf below = STRBUF_INIT;
    struct object object;
    bool has = false;

    for (size_t i = 0; !has && i < system->root_count; i++) {
        const struct root *root = &system->roots[i];
        int fd = -1;

        if (path_is_below(former->path, root->path)) {
            path_move(former->path, root->path, ".", &below);
            fd = sys_openat2(root->fd, strbuf_text(&below), O_PATH | O_NOFOLLOW,
                             RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
        }
        if (fd >= 0) {
            has = object_of(fd, "", &object) && object_same(&object, &former->object);
            (void)close(fd);
        }
    }
    return has;
}

bool former_is_over(const struct former *former)
{
    const struct kept *system = system_open(former->dev);

    return system != NULL && (!is_alive(system, &former->object) ||
                              (former->path[0] != '\0' && has_name(system, former)));
}

/* ---- names ---- */

/* From a name up to the file system's root. */
struct way {
    const char *name[WAY_MAX];           /* innermost first */
    const struct object *above[WAY_MAX]; /* the directory that name is in */
    size_t count;
    const char *top; /* path of the last of those */
};

/* False: it is too deep. */
static bool way_add(struct way *way, const char *name, const struct object *above)
{
    if (way->count == WAY_MAX) {
        return false;
    }
    way->name[way->count] = name;
    way->above[way->count++] = above;
    return true;
}

/* Where the events say that directory @key was. */
static const struct gone *gone_find(const struct residue *residue, const struct object *key)
{
    const struct gone *gone = residue->gone;

    while (gone != NULL && !object_same(&gone->key, key)) {
        gone = gone->next;
    }
    return gone;
}

/* False: nobody can tell. */
static bool way_find(const struct residue *residue, struct kept *system,
                     const struct batch_name *name, struct way *way)
{
    const struct object *key = &name->directory;
    const struct directory *directory;
    struct directory *found;
    bool ok;

    way->count = 0;
    ok = way_add(way, name->name, key);
    while (ok && place_find(system, key, &found) != PLACE_SEEN) {
        const struct gone *gone = gone_find(residue, key);

        key = gone == NULL ? NULL : &gone->parent;
        ok = gone != NULL && way_add(way, gone->name, key);
    }
    for (directory = found; ok && directory->parent != NULL; directory = directory->parent) {
        ok = way_add(way, directory->name, &directory->parent->key);
    }
    way->top = ok ? directory->name : NULL;
    return ok;
}

/* What the first @count of @way are below of is called @above. */
static void way_write(const struct way *way, size_t count, const char *above, struct strbuf *path)
{
    path->len = 0;
    strbuf_puts(path, strcmp(above, "/") == 0 ? "" : above);
    while (count-- > 0) {
        strbuf_add(path, "/", 1);
        strbuf_puts(path, way->name[count]);
    }
}

/* Several paths, each with its NUL. */
struct texts {
    const struct way *way;
    size_t count; /* of the way, below the directory in question */
    struct strbuf all;
};

static void text_take(void *context, const char *above)
{
    static struct strbuf path = STRBUF_INIT;
    struct texts *texts = context;

    way_write(texts->way, texts->count, above, &path);
    strbuf_add(&texts->all, *above == '\0' ? "" : strbuf_text(&path),
               *above == '\0' ? 1 : path.len + 1);
}

static void add(const struct residue *residue, const struct former *former)
{
    struct former whole = *former;
    const struct kept *system = system_open(whole.dev); /* again: room may have been made */

    whole.uid = residue->held->uid;
    if (strlen(whole.path) >= RECORD_PATH_MAX) {
        whole.path = "";
    }
    if (system == NULL || is_alive(system, &whole.object)) {
        former_add(&whole);
    }
}

/* @former had, whatever its path, the name @name, and those below former names of directories. */
static void name_add(const struct residue *residue, const struct batch_name *name,
                     struct former *former)
{
    static struct texts texts = {.all = STRBUF_INIT};
    static struct way way;
    struct kept *system = system_open(former->dev);

    texts.way = &way;
    texts.all.len = 0;
    former->path = "";
    if (system == NULL || !way_find(residue, system, name, &way)) {
        add(residue, former);
        return;
    }
    texts.count = way.count;
    text_take(&texts, way.top);
    for (size_t i = 0; i < way.count; i++) {
        texts.count = i + 1;
        former_each(system->dev, way.above[i], text_take, &texts);
    }
    if (texts.all.failed) {
        former_mark(residue->held->uid);
        return;
    }
    for (size_t at = 0; at < texts.all.len; at += strlen(texts.all.data + at) + 1) {
        former->path = texts.all.data + at;
        add(residue, former);
    }
}

/* ---- events ---- */

static void replaced_add(struct residue *residue, uint64_t dev, const struct object *object)
{
    struct former former = {.dev = dev, .object = *object};

    if (residue->replaced_count++ < REPLACED_MAX) {
        name_add(residue, &residue->replacing, &former);
    }
}

/* What had the name that @event, a rename, gave away; see replaced.h. */
static void rename_replaced(struct residue *residue, uint64_t dev, const struct batch_event *event)
{
    struct object object;
    size_t at = 0;

    residue->replacing = event->to; /* the batch does not move any more */
    if (batch_count_follows(residue->batch, event->thread)) {
        if (!replaced_expect(&residue->replaced, event->thread)) {
            former_mark(residue->held->uid);
        }
        return;
    }
    while (batch_count_before(residue->batch, event->thread, &at, &object)) {
        replaced_add(residue, dev, &object);
    }
}

static void event_take(struct residue *residue, uint64_t dev, const struct batch_event *event)
{
    struct former former = {
        .dev = dev, .object = event->target, .is_directory = event->is_directory};
    bool expected = replaced_take(&residue->replaced, event->thread);

    if (event->is_count && expected && residue->replacing.name != NULL) {
        replaced_add(residue, dev, &event->target);
    }
    if (event->is_rename || event->is_removal) {
        name_add(residue, &event->from, &former);
    }
    if (event->is_rename && !event->is_directory) {
        rename_replaced(residue, dev, event);
    }
}

static uint64_t dev_of(const struct held *held, uint64_t fsid)
{
    for (size_t i = 0; i < held->system_count; i++) {
        if (held->systems[i].fsid == fsid) {
            return held->systems[i].dev;
        }
    }
    return 0;
}

static void directory_take(struct residue *residue, const struct gone *gone)
{
    const struct batch_name name = {.directory = gone->parent, .name = gone->name};
    struct former former = {
        .dev = dev_of(residue->held, gone->fsid), .object = gone->key, .is_directory = true};

    if (system_open(former.dev) != NULL) {
        name_add(residue, &name, &former);
    }
}

/*
 * Directories first, whose former names those of others begin with. Events are merged, so that
 * their order means nothing.
 */
static bool directories_take(struct residue *residue)
{
    struct batch_event event;

    while (batch_next_place(residue->batch, &event)) {
        size_t len = strlen(event.from.name);
        struct gone *gone;

        if (!event.is_rename && !event.is_removal) {
            continue;
        }
        gone = malloc(sizeof(*gone) + len + 1);
        if (gone == NULL) {
            return false;
        }
        *gone = (struct gone){.next = residue->gone,
                              .fsid = event.fsid,
                              .key = event.target,
                              .parent = event.from.directory};
        memcpy(gone->name, event.from.name, len + 1);
        residue->gone = gone;
    }
    for (unsigned i = 0; i < ROUNDS; i++) {
        for (const struct gone *gone = residue->gone; gone != NULL; gone = gone->next) {
            directory_take(residue, gone);
        }
    }
    return true;
}

static void gone_forget(struct residue *residue)
{
    while (residue->gone != NULL) {
        struct gone *next = residue->gone->next;

        free(residue->gone);
        residue->gone = next;
    }
}

/* False: something is lost. */
static bool events_take(struct residue *residue)
{
    struct batch_event event;
    bool ok = directories_take(residue);

    while (ok && batch_next(residue->batch, &event)) {
        uint64_t dev = dev_of(residue->held, event.fsid);

        if (event.target.len == 0 || (!event.is_rename && !event.is_removal && !event.is_count)) {
            continue;
        }
        ok = dev != 0 && (system_open(dev) != NULL || !is_mounted(dev));
        if (ok && system_open(dev) != NULL) {
            event_take(residue, dev, &event);
        }
    }
    return ok && !batch_is_lost(residue->batch);
}

void residue_take(const struct held *held)
{
    struct residue residue = {.held = held, .batch = batch_new()};

    if (residue.batch == NULL || !batch_adopt(residue.batch, held->fds[HELD_BATCH]) ||
        !batch_read(residue.batch, held->fds[HELD_EVENTS]) || !events_take(&residue)) {
        former_mark(held->uid);
    }
    if (residue.replaced_count > REPLACED_MAX) {
        (void)fprintf(stderr, "cordon-index: job of user %u: %zu files may have been replaced\n",
                      held->uid, residue.replaced_count);
    }
    gone_forget(&residue);
    free(residue.replaced.threads);
    batch_free(residue.batch);
    former_systems_close();
}
