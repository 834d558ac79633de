/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/golden/disk.h"

#include <stdio.h>
#include <string.h>

#include "platform/windows/path.h"

#define LINKS_MAX 16

static bool is_root(const char *path)
{
    return strlen(path) == 3 && path[1] == ':';
}

/* "C:\" of "C:\a", "C:\a" of "C:\a\b". */
static char *parent_of(const struct disk *tree, const char *path)
{
    const char *last = strrchr(path, '\\');

    return arena_strndup(tree->arena, path, (size_t)(last - path) + (last == path + 2));
}

const struct disk_node *disk_at(const struct disk *tree, const char *path)
{
    const char *key = win_fold(path, strlen(path), tree->arena);

    for (size_t i = 0; i < tree->count; i++) {
        if (strcmp(tree->nodes[i].key, key) == 0) {
            return &tree->nodes[i];
        }
    }
    return NULL;
}

/* The directory that @path lies in, in whatever case it is there. */
static size_t parent_index(struct disk *tree, const char *path)
{
    const char *above = parent_of(tree, path);
    const struct disk_node *there = disk_at(tree, above);

    return (size_t)((there != NULL ? there : disk_add(tree, above, PLAN_DIRECTORY)) - tree->nodes);
}

struct disk_node *disk_add(struct disk *tree, const char *path, enum plan_object object)
{
    const struct disk_node *old = disk_at(tree, path);
    struct disk_node *node;
    size_t parent;

    if (old != NULL && strcmp(old->path, path) == 0) {
        node = &tree->nodes[old - tree->nodes];
        node->object = object;
        return node;
    }
    parent = is_root(path) ? tree->count : parent_index(tree, path);
    if (tree->count == DISK_NODES_MAX) {
        return NULL;
    }
    node = &tree->nodes[tree->count++];
    *node = (struct disk_node){.path = arena_strdup(tree->arena, path),
                               .key = win_fold(path, strlen(path), tree->arena),
                               .parent = parent,
                               .object = object};
    return node;
}

/* @path with the first link in it replaced; NULL: there is none. */
static const char *follow_one(const struct disk *tree, const char *path)
{
    for (size_t len = 3; len <= strlen(path); len++) {
        const struct disk_node *node;

        if (path[len] != '\\' && path[len] != '\0') {
            continue;
        }
        node = disk_at(tree, arena_strndup(tree->arena, path, len));
        if (node != NULL && node->target != NULL) {
            size_t end = strlen(node->target);

            return arena_printf(tree->arena, "%.*s%s", (int)(end - (node->target[end - 1] == '\\')),
                                node->target, path + len);
        }
    }
    return NULL;
}

const char *disk_resolve(const struct disk *tree, const char *path)
{
    for (int links = 0; links < LINKS_MAX; links++) {
        const char *next = follow_one(tree, path);

        if (next == NULL) {
            const struct disk_node *node =
                disk_at(tree, strlen(path) == 2 ? arena_printf(tree->arena, "%s\\", path) : path);

            return node == NULL ? NULL : node->path;
        }
        path = next;
    }
    return NULL;
}

const struct disk_node *disk_find(const struct disk *tree, const char *path)
{
    const char *resolved = disk_resolve(tree, path);

    return resolved == NULL ? NULL : disk_at(tree, resolved);
}

static enum cordon_err visit_one(const struct disk *tree, size_t index, win_visit *visit,
                                 void *visit_context)
{
    const struct disk_node *node = &tree->nodes[index];
    const struct disk_node *leads = node->target == NULL ? node : disk_find(tree, node->path);
    struct win_entry entry = {.name = strrchr(node->path, '\\') + 1,
                              .object = leads == NULL ? PLAN_MISSING : leads->object,
                              .link = node->target != NULL};

    if (is_root(node->path)) {
        entry.name = arena_strndup(tree->arena, node->path, 2);
    }
    if (leads != NULL) {
        entry.target = entry.link ? leads->path : NULL;
        entry.volume = (unsigned char)leads->path[0];
        entry.file = (uint64_t)(leads - tree->nodes) + 1;
    }
    return visit(visit_context, &entry);
}

static enum cordon_err list(void *context, const char *path, win_visit *visit, void *visit_context,
                            struct cordon_fault *fault)
{
    struct disk *tree = context;
    const struct disk_node *node = path[0] == '\0' ? NULL : disk_find(tree, path);
    enum cordon_err err = CORDON_OK;

    tree->listed++;
    if (path[0] != '\0' && (node == NULL || node->object != PLAN_DIRECTORY)) {
        return CORDON_E_NOT_FOUND;
    }
    if (node != NULL && node->unlisted) {
        return CORDON_E_DENIED;
    }
    if (node != NULL && node->broken) {
        return fault_set(fault, CORDON_E_OS, NULL, "cannot list %s: data error", path);
    }
    for (size_t i = 0; err == CORDON_OK && i < tree->count; i++) {
        bool root = tree->nodes[i].parent == i;

        if (node == NULL ? root : (!root && &tree->nodes[tree->nodes[i].parent] == node)) {
            err = visit_one(tree, i, visit, visit_context);
        }
    }
    return err;
}

static enum cordon_err look(void *context, const char *path, struct arena *arena,
                            struct win_entry *ret_entry, struct cordon_fault *fault)
{
    struct disk *tree = context;
    const struct disk_node *node = disk_find(tree, path);

    if (node == NULL) {
        return CORDON_E_NOT_FOUND;
    }
    *ret_entry = (struct win_entry){.object = node->object,
                                    .target = arena_strdup(arena, node->path),
                                    .volume = (unsigned char)node->path[0],
                                    .file = (uint64_t)(node - tree->nodes) + 1};
    return ret_entry->target == NULL ? fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory")
                                     : CORDON_OK;
}

static bool is_late(void *context)
{
    struct disk *tree = context;

    tree->asked++;
    return tree->late_after != 0 && tree->asked > tree->late_after;
}

void disk_init(struct disk *tree, struct arena *arena)
{
    memset(tree, 0, sizeof(*tree));
    tree->arena = arena;
    tree->nodes = arena_array(arena, DISK_NODES_MAX, sizeof(*tree->nodes));
    tree->tree = (struct win_tree){.context = tree, .list = list, .look = look, .is_late = is_late};
    tree->facts = (struct plan_windows_facts){.tree = &tree->tree,
                                              .scan_entries = 10000,
                                              .private_dirs = tree->private_dirs,
                                              .system_dirs = tree->system_dirs};
}

/* Of what is missing: its longest existing parent resolved, with the rest appended. */
static const char *resolve_missing(const struct disk *tree, const char *path)
{
    const char *above = parent_of(tree, path);
    const char *there = is_root(above) ? above : disk_resolve(tree, above);

    there = there == NULL ? resolve_missing(tree, above) : there;
    return arena_printf(tree->arena, "%s%s%s", there, is_root(there) ? "" : "\\",
                        strrchr(path, '\\') + 1);
}

void disk_look_up(const struct disk *tree, const char *pattern, struct plan_fact *fact)
{
    char *path = arena_strdup(tree->arena, pattern + 1);
    const struct disk_node *node;
    const struct disk_node *leads;

    if (strlen(path) < 4 || path[1] != ':') {
        fact->object = PLAN_DIRECTORY;
        return;
    }
    for (char *at = path; *at != '\0'; at++) {
        *at = *at == '/' ? '\\' : *at;
    }
    node = disk_at(tree, path);
    leads = disk_find(tree, path);
    fact->link = node != NULL && node->target != NULL;
    fact->object = leads == NULL ? PLAN_MISSING : leads->object;
    fact->resolved = leads == NULL ? NULL : leads->path;
    if (leads == NULL && !fact->link) {
        fact->resolved = resolve_missing(tree, path);
    }
}
