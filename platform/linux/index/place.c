/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/index/place.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/linux/init/sys.h"

#define DEPTH_MAX 65536U

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

/* One step up from directory @step->key. */
static bool step_up(const struct kept *kept, struct step *step, struct object *ret_parent)
{
    int fd = roots_directory(kept, &step->key);
    int up = fd < 0 ? -1 : openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    struct object found;
    bool ok = up >= 0 && object_of(up, "", ret_parent) && !object_same(ret_parent, &step->key);

    if (ok && !(name_by_link(fd, step->name) && object_of(up, step->name, &found) &&
                object_same(&found, &step->key))) {
        ok = name_by_search(up, &step->key, step->name);
    }
    if (up >= 0) {
        (void)close(up);
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return ok;
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

enum place place_find(struct kept *kept, const struct object *key, struct directory **ret_directory)
{
    static struct step *steps; /* kept: most are short */
    static size_t room;
    struct object at = *key;
    size_t count = 0;

    for (;;) {
        struct directory *known = store_directory(&kept->store, &at);

        if (known != NULL && !known->moved) {
            *ret_directory = known;
            return steps_put(kept, steps, count, ret_directory);
        }
        if (count == room) {
            struct step *grown = realloc(steps, (room * 2 + 16) * sizeof(*grown));

            if (grown == NULL) {
                return PLACE_BROKEN;
            }
            steps = grown;
            room = room * 2 + 16;
        }
        steps[count].key = at;
        if (count == DEPTH_MAX || !step_up(kept, &steps[count], &at)) {
            return PLACE_OUTSIDE;
        }
        count++;
    }
}
