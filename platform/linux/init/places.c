/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/places.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/linux/init/batch.h"
#include "platform/linux/init/names.h"
#include "platform/linux/init/sys.h"
#include "platform/linux/name_hash.h"

#define PLACES_MAX 64U   /* of one directory between two readings; with more nobody can tell */
#define CHAINS_MAX 256U  /* the same of a directory and those above it */
#define NAMED 32768U     /* on a host that moves directories all the time most names are others */
#define NAMED_FOREIGN 0  /* of all names that are not ASCII */
#define REMOVAL_LOOKS 5U /* however many are waited for: others wait for us */
#define REMOVAL_MS 1

struct directory {
    struct place *places;
    size_t count;
    bool is_moved; /* its places are those of the events that were read last */
    bool is_asked; /* see places_is_new() */
};

/* ---- what is known ---- */

static struct directory *directory_of(const struct places *places, const struct object *key)
{
    const struct objects_entry *entry = objects_find(&places->table, key);

    return entry == NULL ? NULL : entry->value;
}

static struct objects_entry *directory_make(struct places *places, const struct object *key)
{
    struct objects_entry *entry = objects_add(&places->table, key);

    if (entry != NULL && entry->value == NULL) {
        entry->value = calloc(1, sizeof(struct directory));
    }
    return entry == NULL || entry->value == NULL ? NULL : entry;
}

static bool is_same_place(const struct place *place, const struct object *parent, const char *name)
{
    return place->is_top == (parent == NULL) &&
           (parent == NULL || object_same(&place->parent, parent)) &&
           strcmp(place->name, name) == 0;
}

/* @parent: NULL at the top. False: out of memory. */
static bool place_add(struct directory *directory, const struct object *parent, const char *name)
{
    struct place **end = &directory->places;
    size_t len = strlen(name);

    while (*end != NULL) {
        if (is_same_place(*end, parent, name)) {
            return true;
        }
        end = &(*end)->next;
    }
    if (directory->count > PLACES_MAX) {
        return true;
    }
    directory->is_asked = false;
    directory->count++;
    *end = calloc(1, sizeof(**end) + len + 1);
    if (*end == NULL) {
        return false;
    }
    (*end)->is_top = parent == NULL;
    if (parent != NULL) {
        (*end)->parent = *parent;
    }
    memcpy((*end)->name, name, len + 1);
    return true;
}

static bool note_moved(struct places *places, struct objects_entry *entry)
{
    struct directory *directory = entry->value;

    if (directory->is_moved) {
        return true;
    }
    if (places->moved_count == places->moved_room) {
        size_t room = places->moved_room == 0 ? 16 : places->moved_room * 2;
        struct objects_entry **grown =
            realloc(places->moved, room * sizeof(struct objects_entry *));

        if (grown == NULL) {
            return false;
        }
        places->moved = grown;
        places->moved_room = room;
    }
    places->moved[places->moved_count++] = entry;
    directory->is_moved = true;
    return true;
}

/* Where case is ignored a name may be spelled otherwise by now. */
static size_t named_at(const char *name, size_t len)
{
    uint32_t hash;

    if (!name_hash(name, len, &hash)) {
        return NAMED_FOREIGN;
    }
    return NAMED_FOREIGN + 1 + (hash ^ hash >> 16) % (NAMED - 1);
}

static bool move_note(struct places *places, const struct batch_event *event)
{
    const char *const ends[] = {event->from.name, event->to.name};

    if (places->named == NULL) {
        places->named = calloc(NAMED, sizeof(*places->named));
    }
    places->moves++;
    for (size_t i = 0; places->named != NULL && i < 2; i++) {
        places->named[named_at(ends[i], strlen(ends[i]))] = places->moves;
    }
    return places->named != NULL;
}

bool places_moved(const struct places *places, uint64_t moves, const char *path, size_t len)
{
    bool moved;

    if (places->moves == moves) {
        return false;
    }
    moved = places->named[NAMED_FOREIGN] > moves;
    for (size_t at = 0; !moved && at < len;) {
        const char *end = memchr(path + at, '/', len - at);
        const size_t part = end == NULL ? len - at : (size_t)(end - path) - at;
        const size_t named = named_at(path + at, part);

        moved = named == NAMED_FOREIGN || places->named[named] > moves;
        at += part + 1;
    }
    return moved;
}

static bool event_note(struct places *places, const struct batch_event *event)
{
    struct objects_entry *entry = directory_make(places, &event->target);

    if (event->is_rename && !move_note(places, event)) {
        return false;
    }
    return entry != NULL && place_add(entry->value, &event->from.directory, event->from.name) &&
           (!event->is_rename || place_add(entry->value, &event->to.directory, event->to.name)) &&
           ((!event->is_rename && !event->is_removal) || note_moved(places, entry));
}

/* What could not be noted once is missing for good. */
bool places_read(struct names *names)
{
    struct places *places = &names->places;
    struct batch_event event;

    places->failed = places->failed || !batch_read(names->batch, names->watch->events);
    while (!places->failed && batch_next_place(names->batch, &event)) {
        places->failed = !event_note(places, &event);
    }
    places->failed = places->failed || batch_is_lost(names->batch);
    return !places->failed;
}

void places_settle(struct names *names)
{
    names->places.awaited = 0;
    while (names->places.moved_count > 0) {
        struct directory *directory = names->places.moved[--names->places.moved_count]->value;

        while (directory->places != NULL) {
            struct place *next = directory->places->next;

            free(directory->places);
            directory->places = next;
        }
        *directory = (struct directory){.count = 0};
    }
}

bool places_is_new(struct names *names, const struct object *key)
{
    struct directory *directory = directory_of(&names->places, key);
    bool is_new = directory == NULL || !directory->is_asked;

    if (directory != NULL) {
        directory->is_asked = true;
    }
    return is_new;
}

/* ---- where a directory is now, asked of the file system ---- */

struct above {
    bool is_top; /* the mount's own root: nothing above is seen */
    struct object parent;
    char name[NAME_MAX + 1];
};

/* One step up from @fd, to @up, within its mount. *ret_again: it moved meanwhile. */
static enum places_found step_to(const struct watch *watch, int fd, int up,
                                 const struct object *self, struct above *ret, bool *ret_again)
{
    char again[NAME_MAX + 1];
    uint64_t here;
    uint64_t there;

    *ret_again = false;
    *ret = (struct above){.name = ""};
    if (sys_mount_id(fd, &here) != 0 || sys_mount_id(up, &there) != 0 ||
        !object_of(up, "", &ret->parent)) {
        return PLACES_GONE;
    }
    ret->is_top = here != there || object_same(&ret->parent, self);
    if (ret->is_top) {
        return PLACES_FOUND;
    }
    if (!name_last(watch, fd, up, ret->name) || !name_last(watch, fd, up, again)) {
        return PLACES_GONE;
    }
    /* Name and parent belong together if the name is the same afterwards. */
    *ret_again = strcmp(ret->name, again) != 0;
    settle_below(up);
    return PLACES_FOUND;
}

static enum places_found step_up(const struct watch *watch, int fd, const struct object *self,
                                 struct above *ret)
{
    enum places_found found = PLACES_GONE;
    bool again = true;

    while (again) {
        int up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

        if (up < 0) {
            /* ENOENT: not below the root of this mount. */
            return errno == ENOENT ? PLACES_OUTSIDE : PLACES_GONE;
        }
        found = step_to(watch, fd, up, self, ret, &again);
        (void)close(up);
    }
    return found;
}

static enum places_found directory_look(const struct names *names, const struct names_mount *mount,
                                        const struct object *key, struct above *ret,
                                        bool *ret_removed)
{
    int fd = object_open(mount->fd, key, O_PATH | O_DIRECTORY);
    enum places_found found;

    *ret_removed = fd < 0 && errno == ESTALE;
    if (fd < 0) {
        return PLACES_GONE;
    }
    found = step_up(names->watch, fd, key, ret);
    (void)close(fd);
    return found;
}

static enum places_found directory_find(const struct names *names, uint64_t fsid,
                                        const struct object *key, struct above *ret,
                                        bool *ret_removed)
{
    bool asked = false;
    bool failed = false;

    *ret_removed = false;
    for (size_t i = 0; i < names->mount_count; i++) {
        enum places_found found;

        if (names->mounts[i].fsid != fsid) {
            continue;
        }
        found = directory_look(names, &names->mounts[i], key, ret, ret_removed);
        if (found == PLACES_FOUND) {
            return PLACES_FOUND;
        }
        asked = true;
        failed = failed || found == PLACES_GONE;
    }
    /* What one mount does not say may be that it lies there. */
    return asked && !failed ? PLACES_OUTSIDE : PLACES_GONE;
}

static bool has_places(const struct names *names, const struct object *key)
{
    const struct directory *directory = directory_of(&names->places, key);

    return directory != NULL && directory->places != NULL;
}

/*
 * A directory that was removed has its place from that event, which comes after all that happened
 * in it, and may be about to: nothing is left of it by then whose lock could be waited for. None
 * comes for an empty one that a rename replaced.
 */
static bool removal_await(struct names *names, const struct object *key)
{
    unsigned *awaited = &names->places.awaited;
    bool sound = true;

    while (sound && !has_places(names, key) && *awaited < REMOVAL_LOOKS) {
        (void)poll(NULL, 0, REMOVAL_MS);
        sound = places_read(names);
        ++*awaited;
    }
    return sound;
}

/*
 * What the file system says is of now. Where @key was when what was read so far happened, a move
 * that is read after that tells: whoever made it is waited for.
 */
static enum places_found directory_ask(struct names *names, uint64_t fsid, const struct object *key)
{
    struct above above;
    bool removed;
    enum places_found found = directory_find(names, fsid, key, &above, &removed);
    struct objects_entry *entry;

    if (!places_read(names) || (removed && !removal_await(names, key))) {
        return PLACES_GONE;
    }
    if (has_places(names, key)) {
        return PLACES_FOUND;
    }
    if (found != PLACES_FOUND) {
        return found;
    }
    entry = directory_make(&names->places, key);
    return entry != NULL && place_add(entry->value, above.is_top ? NULL : &above.parent, above.name)
               ? PLACES_FOUND
               : PLACES_GONE;
}

/* ---- the way up ---- */

static enum places_found chain_add(struct names *names, uint64_t fsid, const struct object *key,
                                   struct chain *chain)
{
    struct directory *directory = directory_of(&names->places, key);

    if (directory == NULL || directory->places == NULL) {
        enum places_found found = directory_ask(names, fsid, key);

        if (found != PLACES_FOUND) {
            return found;
        }
        directory = directory_of(&names->places, key);
    }
    if (directory->count > PLACES_MAX || chain->count == PLACES_DEPTH_MAX) {
        return PLACES_GONE;
    }
    chain->key[chain->count] = key;
    chain->place[chain->count++] = directory->places;
    chain->is_forked = chain->is_forked || directory->count > 1;
    return PLACES_FOUND;
}

/* Places of different times may lead in a circle; then none of it ever was. */
static bool is_circle(const struct chain *chain, const struct object *key)
{
    for (size_t i = 0; chain->is_forked && i < chain->count; i++) {
        if (object_same(chain->key[i], key)) {
            return true;
        }
    }
    return false;
}

static enum places_found chain_climb(struct names *names, uint64_t fsid, struct chain *chain)
{
    enum places_found found = PLACES_FOUND;

    while (found == PLACES_FOUND && !chain->place[chain->count - 1]->is_top) {
        const struct object *up = &chain->place[chain->count - 1]->parent;

        found = is_circle(chain, up) ? PLACES_OUTSIDE : chain_add(names, fsid, up, chain);
    }
    return found;
}

/* The uppermost directory that has one more place goes there. */
static bool chain_turn(struct chain *chain)
{
    while (chain->count > 0 && chain->place[chain->count - 1]->next == NULL) {
        chain->count--;
    }
    if (chain->count > 0) {
        chain->place[chain->count - 1] = chain->place[chain->count - 1]->next;
    }
    return chain->count > 0;
}

void places_each(struct names *names, uint64_t fsid, const struct object *key,
                 void (*take)(void *context, enum places_found found, const struct chain *chain),
                 void *context)
{
    static struct chain chain;
    enum places_found found;
    size_t ways = 0;

    chain.count = 0;
    chain.is_forked = false;
    found = chain_add(names, fsid, key, &chain);
    do {
        if (found == PLACES_FOUND) {
            found = ++ways > CHAINS_MAX ? PLACES_GONE : chain_climb(names, fsid, &chain);
        }
        take(context, found, &chain);
        if (ways > CHAINS_MAX) {
            return;
        }
        found = PLACES_FOUND;
    } while (chain_turn(&chain));
}
