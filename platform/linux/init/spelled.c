/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/spelled.h"

#include <stdlib.h>
#include <string.h>

#define FORMERS_MAX 256U

/* "@above/…/@name" along the chain, of which the first @top are below @above. */
static void path_make(const struct chain *chain, size_t top, const char *above, const char *name,
                      struct strbuf *path)
{
    path->len = 0;
    strbuf_puts(path, strcmp(above, "/") == 0 ? "" : above);
    while (top-- > 0) {
        strbuf_add(path, "/", 1);
        strbuf_puts(path, chain->place[top]->name);
    }
    strbuf_add(path, "/", *name == '\0' ? 0 : 1);
    strbuf_puts(path, name);
}

/* The name in the view, if the chain leads to the top of @mount. */
static bool chain_path(const struct chain *chain, const struct names_mount *mount, const char *name,
                       struct strbuf *path)
{
    size_t top = 0;

    while (top < chain->count && !object_same(chain->key[top], &mount->top)) {
        top++;
    }
    if (top < chain->count) {
        path_make(chain, top, mount->path, name, path);
    }
    return top < chain->count;
}

/* False: out of memory. */
static bool path_add(struct spelled *spelled, const struct strbuf *path,
                     const struct names_mount *mount)
{
    struct spelled_path *added;

    for (size_t i = 0; i < spelled->count; i++) {
        if (strcmp(spelled->paths[i].text.data, path->data) == 0) {
            return true;
        }
    }
    if (spelled->count == spelled->room) {
        size_t room = spelled->room == 0 ? 4 : spelled->room * 2;
        struct spelled_path *grown = realloc(spelled->paths, room * sizeof(*grown));

        if (grown == NULL) {
            return false;
        }
        memset(grown + spelled->room, 0, (room - spelled->room) * sizeof(*grown));
        spelled->paths = grown;
        spelled->room = room;
    }
    added = &spelled->paths[spelled->count++];
    added->mount = mount;
    added->text.len = 0;
    strbuf_add(&added->text, path->data, path->len);
    return !added->text.failed;
}

/* False: out of memory. */
static bool former_add(struct spelled *spelled, const struct strbuf *path, bool is_earlier)
{
    struct spelled_former *added;

    for (size_t i = 0; i < spelled->former_count; i++) {
        struct spelled_former *known = &spelled->formers[i];

        if (strcmp(strbuf_text(&known->text), strbuf_text(path)) == 0) {
            known->is_earlier = known->is_earlier || is_earlier;
            return true;
        }
    }
    spelled->overflow = spelled->overflow || spelled->former_count == FORMERS_MAX;
    if (spelled->overflow) {
        return true;
    }
    if (spelled->former_count == spelled->former_room) {
        size_t room = spelled->former_room == 0 ? 4 : spelled->former_room * 2;
        struct spelled_former *grown = realloc(spelled->formers, room * sizeof(*grown));

        if (grown == NULL) {
            return false;
        }
        memset(grown + spelled->former_room, 0, (room - spelled->former_room) * sizeof(*grown));
        spelled->formers = grown;
        spelled->former_room = room;
    }
    added = &spelled->formers[spelled->former_count++];
    added->is_earlier = is_earlier;
    added->text.len = 0;
    strbuf_add(&added->text, strbuf_text(path), path->len);
    return !added->text.failed;
}

/* What the chain would be called if one of its directories had a former name. */
static bool formers_find(struct spelled *spelled, const struct chain *chain)
{
    const struct objects *former = &spelled->names->former;
    static struct strbuf path = STRBUF_INIT;
    bool ok = true;

    for (size_t i = 0; former->count > 0 && ok && i < chain->count; i++) {
        const struct objects_entry *entry = objects_find(former, chain->key[i]);
        const struct former_list *list = entry == NULL ? NULL : entry->value;

        for (; ok && list != NULL; list = list->next) {
            path.len = 0;
            if (list->path[0] != '\0') {
                path_make(chain, i, list->path, spelled->name, &path);
            }
            ok = !path.failed && former_add(spelled, &path, list->is_earlier);
        }
    }
    return ok;
}

static void chain_take(void *context, enum places_found found, const struct chain *chain)
{
    static struct strbuf path = STRBUF_INIT;
    struct spelled *spelled = context;
    const struct names *names = spelled->names;
    bool seen = false;

    for (size_t i = 0; found == PLACES_FOUND && i < names->mount_count; i++) {
        if (names->mounts[i].fsid == spelled->fsid &&
            chain_path(chain, &names->mounts[i], spelled->name, &path)) {
            seen = true;
            spelled->failed =
                spelled->failed || path.failed || !path_add(spelled, &path, &names->mounts[i]);
        }
    }
    spelled->failed = spelled->failed || !formers_find(spelled, chain);
    spelled->lost = spelled->lost || found == PLACES_GONE;
    spelled->outside = spelled->outside || (found != PLACES_GONE && !seen);
}

bool spelled_find(struct names *names, uint64_t fsid, const struct object *directory,
                  const char *name, struct spelled *spelled)
{
    *spelled = (struct spelled){.names = names,
                                .fsid = fsid,
                                .name = name,
                                .paths = spelled->paths,
                                .room = spelled->room,
                                .formers = spelled->formers,
                                .former_room = spelled->former_room};
    places_each(names, fsid, directory, chain_take, spelled);
    spelled->denied = spelled->lost;
    for (size_t i = 0; !spelled->failed && !spelled->denied && i < spelled->count; i++) {
        const struct strbuf *path = &spelled->paths[i].text;

        spelled->denied = verdict_by_name(names->watch, path->data, path->len).denied;
    }
    return !spelled->failed;
}
