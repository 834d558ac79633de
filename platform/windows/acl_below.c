/* SPDX-License-Identifier: Apache-2.0 */
/* The walk below a container: handles only, from parent to child. */
#include <stdlib.h>
#include <string.h>

#include "platform/windows/acl.h"

/* One container being listed. */
struct level {
    api_handle handle;
    size_t path_len; /* of its path */
    uint32_t index;  /* of the next name */
};

struct tree {
    struct acl *acl;
    struct acl_walk *walk;
    struct cordon_fault *fault;
    struct level *levels;
    uint32_t depth;  /* levels in use */
    char *path;      /* API_PATH_MAX bytes */
    uint32_t looked; /* objects */
};

static enum cordon_err check_bounds(struct tree *tree)
{
    struct acl_walk *walk = tree->walk;

    if (++tree->looked > walk->objects) {
        return fault_set(tree->fault, CORDON_E_LIMIT, "deny a smaller folder",
                         "more than %u objects at %s", (unsigned)walk->objects, tree->path);
    }
    if (tree->acl->api->now_ms(tree->acl->api->self) > walk->deadline_ms) {
        return fault_set(tree->fault, CORDON_E_TIMEOUT, "deny a smaller folder",
                         "looking below took too long at %s", tree->path);
    }
    return CORDON_OK;
}

static bool append_name(struct tree *tree, const char *name)
{
    const size_t at = tree->levels[tree->depth - 1].path_len;
    const size_t len = strlen(name);

    if (at + 1 + len >= API_PATH_MAX) {
        return false;
    }
    tree->path[at] = '\\';
    memcpy(tree->path + at + 1, name, len + 1);
    return true;
}

/* Makes the container behind @handle the next level; takes @handle over in any case. */
static enum cordon_err descend(struct tree *tree, api_handle handle)
{
    if (tree->depth > tree->walk->depth) {
        (void)tree->acl->api->close(tree->acl->api->self, handle);
        return fault_set(tree->fault, CORDON_E_LIMIT, "deny a smaller folder",
                         "more than %u levels at %s", (unsigned)tree->walk->depth, tree->path);
    }
    tree->levels[tree->depth++] = (struct level){.handle = handle, .path_len = strlen(tree->path)};
    return CORDON_OK;
}

/* An object that was opened; takes @handle over. */
static enum cordon_err look(struct tree *tree, api_handle handle)
{
    struct acl *acl = tree->acl;
    struct api_info info;
    bool below = true;
    const uint32_t code = acl->api->info(acl->api->self, tree->walk->object, handle, &info);
    enum cordon_err err = code == API_OK
                              ? CORDON_OK
                              : api_fault(tree->fault, code, NULL, "looking at %s", tree->path);

    if (err == CORDON_OK) {
        err = acl_read(acl, handle, tree->path, &acl->before, tree->fault);
    }
    if (err == CORDON_OK) {
        err = tree->walk->visit(tree->walk->context, tree->path, &info, &acl->before, &below);
    }
    if (err == CORDON_OK && info.container && !info.reparse && below) {
        return descend(tree, handle);
    }
    (void)acl->api->close(acl->api->self, handle);
    return err;
}

/* The next name of the innermost level, or the end of that level. */
static enum cordon_err step(struct tree *tree)
{
    const struct api *api = tree->acl->api;
    struct level *level = &tree->levels[tree->depth - 1];
    char name[API_NAME_MAX];
    struct api_open how = {.object = tree->walk->object,
                           .parent = level->handle,
                           .name = name,
                           .access = acl_access(ACL_LIST, tree->walk->object)};
    api_handle handle;
    enum cordon_err err;
    uint32_t code = api->next(api->self, tree->walk->object, level->handle, level->index, name);

    tree->path[level->path_len] = '\0';
    level->index++;
    if (code == API_NO_MORE_FILES) {
        tree->depth--;
        (void)api->close(api->self, level->handle);
        return CORDON_OK;
    }
    if (code != API_OK) {
        return api_fault(tree->fault, code, NULL, "listing %s", tree->path);
    }
    if (!append_name(tree, name)) {
        return fault_set(tree->fault, CORDON_E_LIMIT, NULL, "too long a path below %s", tree->path);
    }
    err = check_bounds(tree);
    if (err != CORDON_OK) {
        return err;
    }
    code = api->open(api->self, &how, &handle);
    if (api_is_absent(code)) {
        return CORDON_OK;
    }
    return code == API_OK ? look(tree, handle)
                          : api_fault(tree->fault, code, NULL, "opening %s", tree->path);
}

/* The same object, open for listing: an empty name is the parent itself. */
static enum cordon_err start(struct tree *tree, api_handle handle)
{
    const struct api *api = tree->acl->api;
    const struct api_open how = {.object = tree->walk->object,
                                 .parent = handle,
                                 .name = "",
                                 .access = acl_access(ACL_LIST, tree->walk->object)};
    api_handle first;
    const uint32_t code = api->open(api->self, &how, &first);

    return code == API_OK ? descend(tree, first)
                          : api_fault(tree->fault, code, NULL, "opening %s to list it", tree->path);
}

enum cordon_err acl_below(struct acl *acl, struct acl_walk *walk, api_handle handle,
                          const char *path, struct cordon_fault *fault)
{
    struct tree tree = {.acl = acl, .walk = walk, .fault = fault};
    const size_t len = strlen(path);
    enum cordon_err err;

    if (len >= API_PATH_MAX) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "too long a path to look below: %s", path);
    }
    tree.levels = calloc((size_t)walk->depth + 1, sizeof(*tree.levels));
    tree.path = malloc(API_PATH_MAX);
    if (tree.levels == NULL || tree.path == NULL) {
        err = fault_set(fault, CORDON_E_NOMEM, NULL, "no memory to look below %s", path);
    } else {
        memcpy(tree.path, path, len + 1);
        err = start(&tree, handle);
    }
    while (err == CORDON_OK && tree.depth > 0) {
        err = step(&tree);
    }
    while (tree.depth > 0) {
        (void)acl->api->close(acl->api->self, tree.levels[--tree.depth].handle);
    }
    free(tree.levels);
    free(tree.path);
    return err;
}
