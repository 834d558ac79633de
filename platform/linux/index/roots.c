/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "platform/linux/index/kept.h"
#include "platform/linux/init/alias.h"
#include "platform/linux/init/mounts.h"
#include "platform/linux/init/sys.h"

/* Its mount as it is, without what is mounted below; -1: another mount covers it. */
static int clone_of(const struct mount_entry *mount)
{
    int fd = mount_open(mount);
    int tree = -1;

    if (fd >= 0) {
        tree = sys_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
        (void)close(fd);
    }
    return tree;
}

static bool root_add(struct kept *kept, const struct mount_entry *mount, int tree)
{
    struct root *grown = realloc(kept->roots, (kept->root_count + 1) * sizeof(*grown));
    struct root root = {.tree = tree, .path = strdup(mount->root)};

    root.fd = openat(tree, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (grown != NULL) {
        kept->roots = grown;
    }
    if (grown == NULL || root.fd < 0 || root.path == NULL || !object_of(root.fd, "", &root.top)) {
        (void)close(root.fd);
        (void)close(tree);
        free(root.path);
        return false;
    }
    grown[kept->root_count++] = root;
    return true;
}

static bool is_covered(const struct kept *kept, const char *root)
{
    for (size_t i = 0; i < kept->root_count; i++) {
        if (path_is_below(root, kept->roots[i].path)) {
            return true;
        }
    }
    return false;
}

/* The outermost first: the shortest root that is not seen yet. */
static const struct mount_entry *next_of(const struct kept *kept, struct mount_table *table)
{
    struct mount_entry *best = NULL;

    for (size_t i = 0; i < table->count; i++) {
        struct mount_entry *mount = &table->mounts[i];

        if (mount->dev == kept->dev && !mount->watched && !is_covered(kept, mount->root) &&
            (best == NULL || strlen(mount->root) < strlen(best->root))) {
            best = mount;
        }
    }
    if (best != NULL) {
        best->watched = true; /* here: looked at */
    }
    return best;
}

static bool roots_find(struct kept *kept, struct mount_table *table)
{
    const struct mount_entry *mount;

    while ((mount = next_of(kept, table)) != NULL) {
        int tree = mount->unwritten || mount->nameless ? -1 : clone_of(mount);
        struct stat st;

        if (tree < 0 && (mount->unwritten || mount->nameless || errno != ENOENT)) {
            return false;
        }
        if (tree < 0) {
            continue;
        }
        /* A file on its own: no event tells by which name it is shown. */
        if (fstat(tree, &st) != 0 || !S_ISDIR(st.st_mode)) {
            (void)close(tree);
            return false;
        }
        if (!root_add(kept, mount, tree)) {
            return false;
        }
    }
    return kept->root_count > 0;
}

bool roots_open(struct kept *kept)
{
    struct mount_table table = {NULL, 0};
    struct cordon_fault fault;
    bool ok = true;

    if (kept->root_count == 0) {
        ok = mounts_read(&table, &fault) == CORDON_OK && roots_find(kept, &table);
        mounts_release(&table);
    }
    if (!ok) {
        roots_close(kept);
    }
    return ok;
}

void roots_close(struct kept *kept)
{
    for (size_t i = 0; i < kept->root_count; i++) {
        (void)close(kept->roots[i].fd);
        (void)close(kept->roots[i].tree);
        free(kept->roots[i].path);
    }
    free(kept->roots);
    kept->roots = NULL;
    kept->root_count = 0;
}

char *roots_text(const struct kept *kept)
{
    struct strbuf text = STRBUF_INIT;

    for (size_t i = 0; i < kept->root_count; i++) {
        if (strcmp(kept->roots[i].path, "/") == 0) {
            strbuf_deinit(&text);
            return strdup("");
        }
        strbuf_puts(&text, kept->roots[i].path);
        strbuf_add(&text, "\n", 1);
    }
    return strbuf_steal(&text);
}

int roots_directory(const struct kept *kept, const struct object *key)
{
    return object_open(kept->roots[0].fd, key, O_PATH | O_DIRECTORY);
}
