/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/index/store.h"

#include <stdlib.h>
#include <string.h>

#include "platform/linux/index/wire.h"

#define DEPTH_MAX 65536U

static uint64_t name_hash(const struct directory *directory, const char *text)
{
    uint64_t hash = directory->node.hash;

    for (; *text != '\0'; text++) {
        hash = (hash ^ (uint8_t)*text) * 1099511628211ULL;
    }
    return hash ^ (hash >> 32);
}

struct directory *store_directory(const struct store *store, const struct object *key)
{
    struct node *node = table_first(&store->directories, object_hash(key));

    while (node != NULL && !object_same(&((struct directory *)(void *)node)->key, key)) {
        node = node->next;
    }
    return (struct directory *)(void *)node;
}

struct file *store_file(const struct store *store, const struct object *key)
{
    struct node *node = table_first(&store->files, object_hash(key));

    while (node != NULL && !object_same(&((struct file *)(void *)node)->key, key)) {
        node = node->next;
    }
    return (struct file *)(void *)node;
}

struct name *store_name(const struct store *store, const struct directory *directory,
                        const char *text)
{
    struct node *node = table_first(&store->names, name_hash(directory, text));

    for (; node != NULL; node = node->next) {
        struct name *name = (struct name *)(void *)node;

        if (name->directory == directory && strcmp(name->text, text) == 0) {
            return name;
        }
    }
    return NULL;
}

static void directory_unref(struct store *store, struct directory *directory)
{
    while (directory != NULL && --directory->refs == 0) {
        struct directory *parent = directory->parent;

        table_remove(&store->directories, &directory->node);
        free(directory->name);
        free(directory);
        directory = parent;
    }
}

static struct directory *directory_new(struct store *store, const struct object *key)
{
    struct directory *directory = calloc(1, sizeof(*directory));

    if (directory == NULL || !table_add(&store->directories, &directory->node, object_hash(key))) {
        free(directory);
        return NULL;
    }
    directory->key = *key;
    return directory;
}

struct directory *store_directory_put(struct store *store, const struct object *key,
                                      struct directory *parent, const char *name)
{
    struct directory *directory = store_directory(store, key);
    char *copy = strdup(name);
    struct directory *before;

    if (directory == NULL && copy != NULL) {
        directory = directory_new(store, key);
    }
    if (copy == NULL || directory == NULL) {
        free(copy);
        return NULL;
    }
    before = directory->parent;
    free(directory->name);
    directory->name = copy;
    directory->parent = parent;
    store->changes++;
    if (parent != NULL) {
        parent->refs++;
    }
    directory_unref(store, before);
    return directory;
}

static struct file *file_new(struct store *store, const struct object *key)
{
    struct file *file = calloc(1, sizeof(*file));

    if (file == NULL || !table_add(&store->files, &file->node, object_hash(key))) {
        free(file);
        return NULL;
    }
    file->key = *key;
    store->unsure++;
    return file;
}

static struct name *name_new(struct store *store, struct directory *directory, const char *text)
{
    size_t len = strlen(text);
    struct name *name = calloc(1, sizeof(*name) + len + 1);

    if (name == NULL || !table_add(&store->names, &name->node, name_hash(directory, text))) {
        free(name);
        return NULL;
    }
    memcpy(name->text, text, len + 1);
    name->directory = directory;
    directory->refs++;
    return name;
}

static void file_leave(struct store *store, struct name *name)
{
    struct file *file = name->file;
    struct name **link = &file->names;

    while (*link != name) {
        link = &(*link)->other;
    }
    *link = name->other;
    file->touched = true;
    if (--file->count == 0) {
        store->unsure -= file->sure ? 0 : 1;
        table_remove(&store->files, &file->node);
        free(file);
    }
}

void store_name_drop(struct store *store, struct name *name)
{
    file_leave(store, name);
    table_remove(&store->names, &name->node);
    directory_unref(store, name->directory);
    free(name);
    store->changes++;
}

struct file *store_name_put(struct store *store, struct directory *directory, const char *text,
                            const struct object *key)
{
    struct file *file = store_file(store, key);
    struct name *name = store_name(store, directory, text);

    if (file != NULL) {
        file->touched = true;
    }
    if (name != NULL && name->file == file) {
        return file;
    }
    if (file == NULL) {
        file = file_new(store, key);
    }
    if (file != NULL && name != NULL) {
        file_leave(store, name);
    } else if (file != NULL) {
        name = name_new(store, directory, text);
    }
    if (file == NULL || name == NULL) {
        return NULL;
    }
    name->file = file;
    name->other = file->names;
    file->names = name;
    file->count++;
    file->touched = true;
    store->changes++;
    return file;
}

/* Components from the innermost out, each as it is; @ret is turned round by the caller. */
static const struct directory *climb(const struct name *name, struct strbuf *ret)
{
    const struct directory *at = name->directory;
    size_t levels = 0;

    for (; at->parent != NULL && levels < DEPTH_MAX; at = at->parent, levels++) {
        strbuf_add(ret, "/", 1);
        strbuf_puts(ret, at->name);
    }
    return at->parent == NULL ? at : NULL;
}

bool store_path(const struct name *name, struct strbuf *ret_path)
{
    static struct strbuf up = STRBUF_INIT;
    const struct directory *top;
    size_t end;

    up.len = 0;
    top = climb(name, &up);
    if (top == NULL || up.failed) {
        return false;
    }
    ret_path->len = 0;
    strbuf_puts(ret_path, strcmp(top->name, "/") == 0 ? "" : top->name);
    end = up.len;
    for (size_t at = end; at-- > 0;) {
        if (up.data[at] == '/') {
            strbuf_add(ret_path, up.data + at, end - at);
            end = at;
        }
    }
    strbuf_add(ret_path, "/", 1);
    strbuf_puts(ret_path, name->text);
    return !ret_path->failed;
}

static bool file_write(const struct file *file, struct strbuf *out)
{
    static struct strbuf path = STRBUF_INIT;
    size_t at = index_object_begin(out, &file->key);
    bool ok = true;

    for (const struct name *name = file->names; ok && name != NULL; name = name->other) {
        ok = store_path(name, &path);
        if (ok) {
            index_name_add(out, path.data);
        }
    }
    index_object_end(out, at);
    return ok;
}

bool store_write(const struct store *store, struct strbuf *out)
{
    bool ok = true;

    index_begin(out);
    for (size_t i = 0; i < store->files.room; i++) {
        for (struct node *node = store->files.slots[i]; ok && node != NULL; node = node->next) {
            const struct file *file = (const struct file *)(const void *)node;

            ok = file->count < 2 || file_write(file, out);
        }
    }
    return ok && !out->failed;
}

static void node_free(struct node *node)
{
    free(node);
}

static void directory_free(struct node *node)
{
    free(((struct directory *)(void *)node)->name);
    free(node);
}

void store_clear(struct store *store)
{
    table_clear(&store->names, node_free);
    table_clear(&store->files, node_free);
    table_clear(&store->directories, directory_free);
    store->changes++;
    store->unsure = 0;
}
