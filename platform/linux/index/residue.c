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

#define GONE_DEPTH_MAX 64U
/* Of what a rename may have replaced, see replaced.h: more is somebody who links very much. */
#define REPLACED_MAX 512U

/* A directory that was removed, or that moved: where it was. */
struct gone {
    struct gone *next;
    struct object key, parent;
    char name[];
};

struct residue {
    const struct held *held;
    uint64_t turn; /* events are merged, so their order means nothing */
    struct batch *batch;
    struct gone *gone;
    struct replaced replaced;
    struct strbuf replacing; /* the last path that something was renamed to */
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

static bool directory_path(const struct directory *directory, struct strbuf *path)
{
    const struct directory *chain[GONE_DEPTH_MAX * 16];
    size_t count = 0;

    while (directory->parent != NULL && count < sizeof(chain) / sizeof(chain[0])) {
        chain[count++] = directory;
        directory = directory->parent;
    }
    if (directory->parent != NULL) {
        return false;
    }
    strbuf_puts(path, strcmp(directory->name, "/") == 0 ? "" : directory->name);
    while (count-- > 0) {
        strbuf_add(path, "/", 1);
        strbuf_puts(path, chain[count]->name);
    }
    return true;
}

/* Appends where directory @key is, or was; false: nobody can tell. */
static bool place_add(const struct residue *residue, struct kept *system, const struct object *key,
                      struct strbuf *path)
{
    const struct gone *chain[GONE_DEPTH_MAX];
    struct directory *directory;
    size_t count = 0;

    while (place_find(system, key, &directory) != PLACE_SEEN) {
        const struct gone *gone = residue->gone;

        while (gone != NULL && !object_same(&gone->key, key)) {
            gone = gone->next;
        }
        if (gone == NULL || count == GONE_DEPTH_MAX) {
            return false;
        }
        chain[count++] = gone;
        key = &gone->parent;
    }
    if (!directory_path(directory, path)) {
        return false;
    }
    while (count-- > 0) {
        strbuf_add(path, "/", 1);
        strbuf_puts(path, chain[count]->name);
    }
    return true;
}

/* "": nobody can tell. */
static const char *name_text(const struct residue *residue, struct kept *system,
                             const struct batch_name *name, struct strbuf *path)
{
    path->len = 0;
    if (!place_add(residue, system, &name->directory, path)) {
        return "";
    }
    strbuf_add(path, "/", 1);
    strbuf_puts(path, name->name);
    return path->failed || path->len >= RECORD_PATH_MAX ? "" : path->data;
}

static void add(const struct residue *residue, const struct kept *system,
                const struct former *former)
{
    struct former whole = *former;

    whole.uid = residue->held->uid;
    whole.turn = residue->turn;
    whole.dev = system->dev;
    if (is_alive(system, &whole.object)) {
        former_add(&whole);
    }
}

/* ---- events ---- */

static void replaced_add(struct residue *residue, const struct kept *system,
                         const struct object *object)
{
    const struct former former = {.object = *object, .path = strbuf_text(&residue->replacing)};

    if (residue->replaced_count++ < REPLACED_MAX) {
        add(residue, system, &former);
    }
}

/* What had the name that @event, a rename, gave away; see replaced.h. */
static void rename_replaced(struct residue *residue, struct kept *system,
                            const struct batch_event *event)
{
    struct strbuf path = STRBUF_INIT;
    const char *text = name_text(residue, system, &event->to, &path);
    struct object object;
    size_t at = 0;

    residue->replacing.len = 0;
    strbuf_puts(&residue->replacing, text);
    strbuf_deinit(&path);
    if (batch_count_follows(residue->batch, event->thread)) {
        if (!replaced_expect(&residue->replaced, event->thread)) {
            former_mark(residue->held->uid);
        }
        return;
    }
    while (batch_count_before(residue->batch, event->thread, &at, &object)) {
        replaced_add(residue, system, &object);
    }
}

static void event_take(struct residue *residue, struct kept *system,
                       const struct batch_event *event)
{
    static struct strbuf path = STRBUF_INIT;
    struct former former = {.object = event->target, .is_directory = event->is_directory};
    bool expected = replaced_take(&residue->replaced, event->thread);

    if (event->is_count && expected) {
        replaced_add(residue, system, &event->target);
    }
    if (event->is_rename || event->is_removal) {
        former.path = name_text(residue, system, &event->from, &path);
        add(residue, system, &former);
    }
    if (event->is_rename && !event->is_directory) {
        rename_replaced(residue, system, event);
    }
}

static bool gone_note(struct residue *residue)
{
    struct batch_event event;

    while (batch_next_place(residue->batch, &event)) {
        size_t len = strlen(event.from.name);
        struct gone *gone = malloc(sizeof(*gone) + len + 1);

        if (gone == NULL) {
            return false;
        }
        gone->next = residue->gone;
        gone->key = event.target;
        gone->parent = event.from.directory;
        memcpy(gone->name, event.from.name, len + 1);
        residue->gone = gone;
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

static uint64_t dev_of(const struct held *held, uint64_t fsid)
{
    for (size_t i = 0; i < held->system_count; i++) {
        if (held->systems[i].fsid == fsid) {
            return held->systems[i].dev;
        }
    }
    return 0;
}

/* False: something is lost. */
static bool events_take(struct residue *residue)
{
    struct batch_event event;
    bool ok = gone_note(residue);

    while (ok && batch_next(residue->batch, &event)) {
        struct kept *system = system_open(dev_of(residue->held, event.fsid));

        if (event.target.len > 0 && (event.is_rename || event.is_removal || event.is_count)) {
            ok = system != NULL;
        }
        if (ok && system != NULL && event.target.len > 0) {
            event_take(residue, system, &event);
        }
    }
    return ok && !batch_is_lost(residue->batch);
}

void residue_take(const struct held *held)
{
    struct residue residue = {
        .held = held, .turn = former_turn(), .batch = batch_new(), .replacing = STRBUF_INIT};

    if (residue.batch == NULL || !batch_adopt(residue.batch, held->fds[HELD_BATCH]) ||
        !batch_read(residue.batch, held->fds[HELD_EVENTS]) || !events_take(&residue)) {
        former_mark(held->uid);
    }
    if (residue.replaced_count > REPLACED_MAX) {
        (void)fprintf(stderr, "cordon-index: job of user %u: %zu files may have been replaced\n",
                      held->uid, residue.replaced_count);
    }
    gone_forget(&residue);
    strbuf_deinit(&residue.replacing);
    free(residue.replaced.threads);
    batch_free(residue.batch);
    former_systems_close();
}
