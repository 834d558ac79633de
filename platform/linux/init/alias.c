/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/alias.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool path_is_below(const char *path, const char *above)
{
    size_t len = strcmp(above, "/") == 0 ? 0 : strlen(above);

    return strncmp(path, above, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

void path_move(const char *path, const char *from, const char *to, struct strbuf *ret_path)
{
    const char *rest = path + (strcmp(from, "/") == 0 ? 0 : strlen(from));

    rest = strcmp(rest, "/") == 0 ? "" : rest;
    ret_path->len = 0;
    strbuf_puts(ret_path, strcmp(to, "/") == 0 && *rest != '\0' ? "" : to);
    strbuf_puts(ret_path, rest);
}

bool alias_move(const struct alias *alias, const char *path, struct strbuf *ret_path)
{
    if (path_is_below(path, alias->spelled)) {
        path_move(path, alias->spelled, alias->real, ret_path);
    } else if (path_is_below(alias->spelled, path)) {
        ret_path->len = 0;
        strbuf_puts(ret_path, alias->real);
    } else {
        return false;
    }
    return true;
}

/* Somebody can reach something by it. What cannot be opened may be so for the job alone. */
static bool is_exposed(const struct mount_entry *mount)
{
    int fd = mount_open(mount);
    int code = errno;

    if (fd >= 0) {
        (void)close(fd);
    }
    return fd >= 0 || code != ENOENT;
}

static bool is_twice(const struct mount_table *table, const struct mount_entry *mount)
{
    for (size_t i = 0; i < table->count; i++) {
        if (&table->mounts[i] != mount && table->mounts[i].dev == mount->dev) {
            return !mount->unwritten;
        }
    }
    return false;
}

static bool add(struct alias_list *list, const char *real, const char *spelled)
{
    struct alias *grown = realloc(list->items, (list->count + 1) * sizeof(*grown));

    if (grown == NULL) {
        return false;
    }
    list->items = grown;
    grown[list->count] = (struct alias){strdup(real), strdup(spelled)};
    return grown[list->count].real != NULL && grown[list->count++].spelled != NULL;
}

/* The part of the file system that both show, as each of them names it. */
static bool add_pair(struct alias_list *list, const struct mount_entry *mount,
                     const struct mount_entry *other)
{
    const char *root = path_is_below(mount->root, other->root) ? mount->root : other->root;
    struct strbuf real = STRBUF_INIT;
    struct strbuf spelled = STRBUF_INIT;
    bool ok = true;

    if (path_is_below(root, mount->root) && path_is_below(root, other->root)) {
        path_move(root, mount->root, mount->path, &real);
        path_move(root, other->root, other->path, &spelled);
        ok = !real.failed && !spelled.failed &&
             (strcmp(real.data, spelled.data) == 0 || add(list, real.data, spelled.data));
    }
    strbuf_deinit(&real);
    strbuf_deinit(&spelled);
    return ok;
}

enum cordon_err alias_find(const struct mount_table *table, struct alias_list *ret_list,
                           struct cordon_fault *fault)
{
    bool *exposed = calloc(table->count + 1, sizeof(*exposed));
    bool ok = exposed != NULL;

    for (size_t i = 0; ok && i < table->count; i++) {
        exposed[i] = is_twice(table, &table->mounts[i]) && is_exposed(&table->mounts[i]);
    }
    for (size_t i = 0; ok && i < table->count; i++) {
        for (size_t k = 0; ok && exposed[i] && k < table->count; k++) {
            ok = i == k || !exposed[k] || table->mounts[i].dev != table->mounts[k].dev ||
                 add_pair(ret_list, &table->mounts[i], &table->mounts[k]);
        }
    }
    free(exposed);
    return ok ? CORDON_OK : fault_set(fault, CORDON_E_NOMEM, NULL, "bind mounts: out of memory");
}
