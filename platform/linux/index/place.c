/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/index/place.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "platform/linux/init/sys.h"

#define DEPTH_MAX 65536U
#define TRIES_MAX 64U

struct step {
    struct object key;
    char name[NAME_MAX + 1]; /* in the directory above */
};

/* The links below /proc/self/fd end at PATH_MAX; names do not. */
static bool name_by_link(int fd, char ret_name[NAME_MAX + 1])
{
    char link[32];
    char text[PATH_MAX];
    ssize_t len;
    const char *slash;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, text, sizeof(text) - 1);
    if (len <= 0) {
        return false;
    }
    text[len] = '\0';
    slash = strrchr(text, '/');
    return slash != NULL && slash[1] != '\0' &&
           snprintf(ret_name, NAME_MAX + 1, "%s", slash + 1) <= NAME_MAX;
}

static bool name_by_search(int up, const struct object *key, char ret_name[NAME_MAX + 1])
{
    int fd = openat(up, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    const struct dirent *entry;
    struct object found;
    bool is = false;

    if (dir == NULL && fd >= 0) {
        (void)close(fd);
    }
    while (dir != NULL && !is && (entry = readdir(dir)) != NULL) {
        is = (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) &&
             strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
             object_of(up, entry->d_name, &found) && object_same(&found, key) &&
             snprintf(ret_name, NAME_MAX + 1, "%s", entry->d_name) <= NAME_MAX;
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
    return is;
}

enum up { UP_FOUND, UP_NONE, UP_MISSED, UP_BROKEN };

static bool is_removed(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && st.st_nlink == 0;
}

/* One step up from directory @step->key. UP_MISSED: it was moved while we looked. */
static enum up step_up(const struct kept *kept, struct step *step, struct object *ret_parent)
{
    int fd = roots_directory(kept, &step->key);
    int up = fd < 0 ? -1 : openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct object found;
    bool above = up >= 0 && object_of(up, "", ret_parent) && !object_same(ret_parent, &step->key);
    bool named = above && ((name_by_link(fd, step->name) && object_of(up, step->name, &found) &&
                            object_same(&found, &step->key)) ||
                           name_by_search(up, &step->key, step->name));
    const enum up result = named ? UP_FOUND : above && !is_removed(fd) ? UP_MISSED : UP_NONE;

    if (up >= 0) {
        (void)close(up);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return result;
}

static enum place steps_put(struct kept *kept, const struct step *steps, size_t count,
                            struct directory **directory)
{
    for (size_t i = count; i-- > 0;) {
        *directory = store_directory_put(&kept->store, &steps[i].key, *directory, steps[i].name);
        if (*directory == NULL) {
            return PLACE_BROKEN;
        }
        (*directory)->moved = false;
    }
    return PLACE_SEEN;
}

/* What leads from @key to a directory whose place is known. */
struct way {
    struct step *steps;
    size_t count, room;
};

static bool way_grow(struct way *way)
{
    struct step *grown;

    if (way->count < way->room) {
        return true;
    }
    grown = realloc(way->steps, (way->room * 2 + 16) * sizeof(*grown));
    if (grown == NULL) {
        return false;
    }
    way->steps = grown;
    way->room = way->room * 2 + 16;
    return true;
}

/* UP_FOUND: *ret_directory is known, and the way leads there. */
static enum up way_find(struct kept *kept, const struct object *key, struct way *way,
                        struct directory **ret_directory)
{
    struct object at = *key;

    for (way->count = 0;; way->count++) {
        struct directory *known = store_directory(&kept->store, &at);
        enum up up;

        if (known != NULL && !known->moved) {
            *ret_directory = known;
            return UP_FOUND;
        }
        if (!way_grow(way)) {
            return UP_BROKEN;
        }
        way->steps[way->count].key = at;
        up = way->count == DEPTH_MAX ? UP_NONE : step_up(kept, &way->steps[way->count], &at);
        if (up != UP_FOUND) {
            return up;
        }
    }
}

enum place place_find(struct kept *kept, const struct object *key, struct directory **ret_directory)
{
    static struct way way; /* kept: most are short */
    enum up up = UP_MISSED;

    /* What moved need not be @key, of which there would be an event: it may be one above it. */
    for (unsigned i = 0; up == UP_MISSED && i < TRIES_MAX; i++) {
        up = way_find(kept, key, &way, ret_directory);
    }
    if (up == UP_FOUND) {
        return steps_put(kept, way.steps, way.count, ret_directory);
    }
    return up == UP_NONE ? PLACE_OUTSIDE : PLACE_BROKEN;
}
