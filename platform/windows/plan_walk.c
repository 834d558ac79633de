/* SPDX-License-Identifier: Apache-2.0 */
/* One walk: a queue of directories, so that every place is first reached by a shortest way. */
#include <string.h>

#include "platform/windows/plan_scan.h"

static enum cordon_err refuse(const struct win_walk *walk, enum cordon_err err, const char *what)
{
    static const char remedy[] = "narrow the pattern, or set glob_scan_max_depth";
    struct strbuf text = STRBUF_INIT;

    plan_rule_text(walk->rule, &text);
    (void)fault_set(walk->scan->fault, err, remedy, "%s: %s", what, strbuf_text(&text));
    strbuf_deinit(&text);
    return err;
}

/* What follows "/UNC/" in a pattern, where it names a share alone. */
static bool is_bare_share(const char *rest)
{
    const char *share = strchr(rest, '/');

    return share != NULL && strchr(share + 1, '/') == NULL;
}

const char *win_native(const char *path, struct arena *arena)
{
    const char *start = path + (path[0] == '/');
    char *copy;

    if (path[0] == '\\' && path[1] == '\\') {
        copy = arena_strdup(arena, path);
    } else if (strncmp(path, "/UNC/", 5) == 0) {
        copy = arena_printf(arena, "\\\\%s%s", path + 5, is_bare_share(path + 5) ? "\\" : "");
    } else if (plan_is_drive(start)) {
        copy = arena_printf(arena, "%s%s", start, start[2] == '\0' ? "\\" : "");
    } else {
        return strcmp(path, "/") == 0 ? "" : path;
    }
    for (char *at = copy; at != NULL && *at != '\0'; at++) {
        *at = *at == '/' ? '\\' : *at;
    }
    return copy;
}

static enum cordon_err enqueue(struct win_walk *walk, const struct win_place *place)
{
    struct win_place *wider =
        arena_widen(walk->scan->arena, walk->queue, walk->count, &walk->size, sizeof(*wider));

    if (wider == NULL) {
        return win_scan_no_memory(walk->scan);
    }
    walk->queue = wider;
    walk->queue[walk->count++] = *place;
    return CORDON_OK;
}

static enum cordon_err charge(struct win_walk *walk)
{
    const struct plan_windows_facts *facts = walk->scan->facts;

    if (walk->scan->looked == facts->scan_entries) {
        return refuse(walk, CORDON_E_LIMIT, "the scan for this rule meets too many names");
    }
    walk->scan->looked++;
    if (facts->tree->is_late(facts->tree->context)) {
        return refuse(walk, CORDON_E_TIMEOUT, "the scan for this rule takes too long");
    }
    return CORDON_OK;
}

/* Separators in a name would move what it matches to another place. */
static bool is_name(const char *name)
{
    return name[0] != '\0' && strpbrk(name, "/\\") == NULL && strcmp(name, ".") != 0 &&
           strcmp(name, "..") != 0;
}

/* The canonical path of @name in @above, or where its link leads. */
static const char *canonical_of(const struct win_walk *walk, const struct win_entry *entry)
{
    struct arena *arena = walk->scan->arena;
    const char *above = walk->above->canonical;
    size_t len = strlen(above);

    if (entry->link && entry->target != NULL) {
        return arena_strdup(arena, entry->target);
    }
    if (len == 0) {
        return arena_printf(arena, "%s\\", entry->name);
    }
    return arena_printf(arena, "%s%s%s", above, above[len - 1] == '\\' ? "" : "\\", entry->name);
}

static enum cordon_err take(struct win_walk *walk, const struct win_entry *entry)
{
    struct win_place at = {.depth = walk->above->depth + 1};
    const char *above = walk->above->path;
    enum cordon_err err = charge(walk);

    if (err != CORDON_OK) {
        return err;
    }
    if (!is_name(entry->name)) {
        return refuse(walk, CORDON_E_INVALID, "the scan for this rule meets a name that is none");
    }
    at.path = arena_printf(walk->scan->arena, "%s%s%s", above,
                           above[strlen(above) - 1] == '/' ? "" : "/", entry->name);
    at.canonical = canonical_of(walk, entry);
    if (at.path == NULL || at.canonical == NULL) {
        return win_scan_no_memory(walk->scan);
    }
    if (walk->look(walk, walk->above, &at, entry, &at.mark) && walk->err == CORDON_OK) {
        return enqueue(walk, &at);
    }
    return walk->err;
}

static enum cordon_err visit(void *context, const struct win_entry *entry)
{
    struct win_walk *walk = context;

    walk->err = take(walk, entry);
    return walk->err;
}

/* What the tree itself says of @err, for the rule it was asked for. */
static enum cordon_err tree_error(struct win_walk *walk, enum cordon_err err)
{
    struct strbuf text = STRBUF_INIT;

    if (err == CORDON_E_DENIED) {
        *walk->cut |= WIN_CUT_DENIED;
    }
    if (err == CORDON_OK || err == CORDON_E_DENIED || err == CORDON_E_NOT_FOUND) {
        return CORDON_OK;
    }
    plan_rule_text(walk->rule, &text);
    fault_prefix(walk->scan->fault, "scanning for %s", strbuf_text(&text));
    strbuf_deinit(&text);
    return err;
}

static enum cordon_err list(struct win_walk *walk, const char *path)
{
    const struct win_tree *tree = walk->scan->facts->tree;
    enum cordon_err err = tree->list(tree->context, path, visit, walk, walk->scan->fault);

    return walk->err != CORDON_OK ? walk->err : tree_error(walk, err);
}

enum cordon_err win_walk_start(struct win_walk *walk, const char *path, struct win_place *ret_place,
                               struct win_entry *ret_entry)
{
    const struct win_tree *tree = walk->scan->facts->tree;
    const char *native = win_native(path, walk->scan->arena);
    enum cordon_err err;

    *ret_place = (struct win_place){.path = path, .canonical = ""};
    *ret_entry = (struct win_entry){.object = PLAN_DIRECTORY};
    if (native == NULL) {
        return win_scan_no_memory(walk->scan);
    }
    if (native[0] == '\0') {
        return CORDON_OK;
    }
    err = charge(walk);
    if (err != CORDON_OK) {
        return err;
    }
    err = tree->look(tree->context, native, walk->scan->arena, ret_entry, walk->scan->fault);
    ret_place->canonical = ret_entry->target;
    if (err != CORDON_OK) {
        ret_entry->object = PLAN_MISSING;
    }
    return tree_error(walk, err);
}

enum cordon_err win_walk_run(struct win_walk *walk, const struct win_place *start)
{
    enum cordon_err err = enqueue(walk, start);

    while (err == CORDON_OK && walk->next < walk->count) {
        /* A copy: the queue may move while names are added to it. */
        const struct win_place above = walk->queue[walk->next++];
        const char *native = win_native(above.path, walk->scan->arena);

        walk->above = &above;
        err = native == NULL ? win_scan_no_memory(walk->scan) : list(walk, native);
    }
    walk->above = NULL;
    return err;
}
