/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A mask is an empty object that nobody may open, bound over what is denied. Its source
 * is ours: a tmpfs of its own, so that binding many stays linear (a source on
 * the mount that carries the masks makes the kernel look at all of them each
 * time), made read-only, so that its owner cannot open it up again.
 */
#include "platform/linux/init/init.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "platform/base/strbuf.h"
#include "platform/linux/init/sys.h"
#include "platform/linux/without.h"

#define MASK_ATTR (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

/* How whatever is masked, held or made read-only gets its cover. */
static int lay_over(int tree, int fd)
{
    return without(LAYER_MASK) ? 0 : sys_move_mount(tree, fd, "", MOVE_MOUNT_T_EMPTY_PATH);
}

static int tmpfs_tree(const char *mode, unsigned attr)
{
    int context = sys_fsopen("tmpfs");
    int tree = -1;

    if (context >= 0 && sys_fsconfig(context, FSCONFIG_SET_STRING, "mode", mode) == 0 &&
        sys_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL) == 0) {
        tree = sys_fsmount(context, attr);
    }
    if (context >= 0) {
        (void)close(context);
    }
    return tree;
}

enum cordon_err mask_prepare(struct init *init, const char *path)
{
    struct mount_attr attr = {.attr_set = MASK_ATTR};
    /* Where the guard decides, and tells of it, it must be asked: modes would answer before. */
    mode_t mode = init->clone < 0 ? 0 : 0444;
    mode_t mask = umask(0);
    int tree = tmpfs_tree("0700", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    struct stat st;
    int file = -1;

    if (tree >= 0 && sys_move_mount(tree, AT_FDCWD, path, 0) == 0 &&
        mkdirat(tree, "dir", mode) == 0) {
        file = openat(tree, "file", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    }
    (void)umask(mask);
    if (file < 0 || close(file) != 0 || sys_mount_setattr(tree, 0, &attr) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot make the source of the masks");
    }
    if (fstat(tree, &st) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot look at the source of the masks");
    }
    view_add_private(init, st.st_dev);
    init->mask_dev = st.st_dev;
    init->mask_dir = openat(tree, "dir", O_PATH | O_DIRECTORY | O_CLOEXEC);
    init->mask_file = openat(tree, "file", O_PATH | O_CLOEXEC);
    (void)close(tree);
    if (init->mask_dir < 0 || init->mask_file < 0) {
        return fault_os(&init->fault, errno, NULL, "cannot open the source of the masks");
    }
    return CORDON_OK;
}

/* A mask with room for what a later step grants below it. */
static int open_mask(struct init *init)
{
    struct stat st;
    /* Open to its owner until the view is sealed, so that mount points can be made in it. */
    int tree = tmpfs_tree("0711", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);

    if (tree < 0 || fstat(tree, &st) != 0) {
        return -1;
    }
    if (init->open_mask_count == INIT_PRIVATE_MAX || init->private_count == INIT_PRIVATE_MAX) {
        (void)close(tree);
        errno = E2BIG;
        return -1;
    }
    view_add_private(init, st.st_dev);
    init->open_mask[init->open_mask_count++] = tree;
    return tree;
}

enum cordon_err mask_object(struct init *init, int fd, bool open)
{
    struct stat st;
    int source;

    if (fstat(fd, &st) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot look at a denied object");
    }
    if (open && S_ISDIR(st.st_mode)) {
        source = open_mask(init);
    } else {
        source = sys_open_tree(S_ISDIR(st.st_mode) ? init->mask_dir : init->mask_file, "",
                               OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
    }
    if (source < 0 || lay_over(source, fd) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot cover a denied object");
    }
    if (!open || !S_ISDIR(st.st_mode)) {
        (void)close(source);
    }
    init->masked++;
    return CORDON_OK;
}

enum cordon_err mask_mount(struct init *init, int fd)
{
    /* What it is cannot be asked; a mount point is one or the other. */
    const int sources[] = {init->mask_dir, init->mask_file};

    for (size_t i = 0; i < 2; i++) {
        int source =
            sys_open_tree(sources[i], "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH);
        bool done = source >= 0 && lay_over(source, fd) == 0;

        if (source >= 0) {
            (void)close(source);
        }
        if (done) {
            return CORDON_OK;
        }
    }
    return fault_os(&init->fault, errno, NULL, "cannot hide a mount that refuses root");
}

enum cordon_err mask_read_only(struct init *init, int fd, const char *path)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};
    int tree =
        sys_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH);

    if (tree < 0 || sys_mount_setattr(tree, AT_RECURSIVE, &attr) != 0 || lay_over(tree, fd) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot make %s read-only", path);
    }
    (void)close(tree);
    return CORDON_OK;
}

/*
 * What the caller cannot rename needs no holding. Asked of the directory above itself: its owner
 * may let himself in later, and those above that tell nothing. An access list shows as group bits.
 */
static bool is_movable(const struct init *init, const char *path)
{
    struct strbuf parent = STRBUF_INIT;
    const char *slash = strrchr(path, '/');
    struct stat st;
    bool movable;

    strbuf_add(&parent, path, slash == path ? 1 : (size_t)(slash - path));
    movable = parent.failed || stat(parent.data, &st) != 0 ||
              st.st_uid == init->order->identity.uid || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0;
    strbuf_deinit(&parent);
    return movable;
}

/* What a managed rule names is covered also where the caller does not get now: he may later. */
static int step_open(const struct init *init, uint32_t set, const char *path, bool follow)
{
    int fd = view_open(init, path, follow);

    if (fd < 0 && errno == EACCES && set == ORDER_SET_MANAGED) {
        fd = sys_openat2(AT_FDCWD, path, O_PATH | (follow ? 0 : O_NOFOLLOW), RESOLVE_NO_MAGICLINKS);
    }
    return fd;
}

/* The top of a mount cannot be renamed either. */
static bool is_mount(int fd)
{
    int up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    uint64_t here;
    uint64_t there;
    bool mount =
        up >= 0 && sys_mount_id(fd, &here) == 0 && sys_mount_id(up, &there) == 0 && here != there;

    if (up >= 0) {
        (void)close(up);
    }
    return mount;
}

/* Binds the directory @path onto itself. */
static enum cordon_err hold(struct init *init, uint32_t set, const char *path)
{
    int fd = step_open(init, set, path, true);
    int tree = -1;

    if (fd < 0) {
        return view_is_absent(errno)
                   ? CORDON_OK
                   : fault_os(&init->fault, errno, NULL, "cannot look for %s", path);
    }
    if (is_movable(init, path) && !is_mount(fd)) {
        tree = sys_open_tree(fd, "",
                             OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH);
        if (tree < 0 || lay_over(tree, fd) != 0) {
            return fault_os(&init->fault, errno, NULL, "cannot hold %s in its place", path);
        }
        (void)close(tree);
    }
    (void)close(fd);
    return CORDON_OK;
}

/* The directories of the first @len bytes of @path, from the top: what is bound covers what lay
 * below. They come sorted: what the one before has in common with @path is held already. */
static enum cordon_err hold_path(struct init *init, const char *path, size_t len)
{
    static char held[PATH_MAX];
    enum cordon_err err = CORDON_OK;
    char part[PATH_MAX];
    size_t same = 0;

    if (len >= sizeof(part)) {
        return CORDON_OK; /* nobody can open that */
    }
    while (same < len && held[same] == path[same]) {
        same++;
    }
    for (size_t end = 2; err == CORDON_OK && end <= len; end++) {
        bool known = end < same || (end == same && (held[end] == '\0' || held[end] == '/'));

        if ((end == len || path[end] == '/') && !known) {
            memcpy(part, path, end);
            part[end] = '\0';
            err = hold(init, ORDER_SET_MANAGED, part);
        }
    }
    memcpy(held, path, len);
    held[len] = '\0';
    return err;
}

/* The real name of @path; @path itself where nobody gets; none if there is nothing. */
static enum cordon_err hold_name(struct init *init, const char *path, char ret_name[PATH_MAX])
{
    int fd = step_open(init, ORDER_SET_MANAGED, path, true);
    enum cordon_err err = CORDON_OK;

    (void)snprintf(ret_name, PATH_MAX, "%s", path);
    if (fd >= 0) {
        err = view_name(init, fd, ret_name, PATH_MAX);
        (void)close(fd);
    } else if (errno == ENOENT || errno == ENOTDIR) {
        ret_name[0] = '\0';
    } else if (!view_is_absent(errno)) {
        err = fault_os(&init->fault, errno, NULL, "cannot look for %s", path);
    }
    return err;
}

/* Above what a managed rule denies: a later job would find it under another name. */
static enum cordon_err hold_above(struct init *init, const char *path)
{
    char name[PATH_MAX];
    enum cordon_err err = hold_name(init, path, name);
    const char *slash = strrchr(name, '/');

    return err != CORDON_OK || slash == NULL ? err : hold_path(init, name, (size_t)(slash - name));
}

enum cordon_err mask_pin(struct init *init, const struct order_step *step)
{
    const char *path = order_text(init->order, step->text);
    char name[PATH_MAX];
    enum cordon_err err;

    if (step->set == ORDER_SET_OWN) {
        return hold(init, step->set, path);
    }
    err = hold_name(init, path, name);
    /* What is absent may appear below those that are there. */
    return err != CORDON_OK
               ? err
               : hold_path(init, *name == '\0' ? path : name, strlen(*name == '\0' ? path : name));
}

/* Does to what is at @path what the step says; its name goes to @ret_name, or @path if it is
 * absent. */
static enum cordon_err mask_at(struct init *init, const struct order_step *step, const char *path,
                               bool open, char ret_name[PATH_MAX])
{
    bool link = (step->flags & ORDER_STEP_LINK) != 0;
    enum cordon_err err = step->set == ORDER_SET_MANAGED && step->op == ORDER_MASK
                              ? hold_above(init, path)
                              : CORDON_OK;
    int fd = err != CORDON_OK ? -1 : step_open(init, step->set, path, !link);

    (void)snprintf(ret_name, PATH_MAX, "%s", path);
    if (err != CORDON_OK) {
        return err;
    }
    if (fd < 0) {
        return view_is_absent(errno)
                   ? CORDON_OK
                   : fault_os(&init->fault, errno, NULL, "cannot look for %s", path);
    }
    err = view_name(init, fd, ret_name, PATH_MAX);
    if (err == CORDON_OK) {
        err = step->op == ORDER_MASK ? mask_object(init, fd, open) : mask_read_only(init, fd, path);
    }
    (void)close(fd);
    if (err != CORDON_OK) {
        fault_prefix(&init->fault, "%s", path);
    }
    return err;
}

enum cordon_err mask_step(struct init *init, const struct order_step *step)
{
    static struct strbuf other = STRBUF_INIT;
    char name[PATH_MAX];
    char ignored[PATH_MAX];
    enum cordon_err err = mask_at(init, step, order_text(init->order, step->text),
                                  (step->flags & ORDER_STEP_OPEN) != 0, name);

    for (size_t i = 0; err == CORDON_OK && i < init->aliases.count; i++) {
        if (alias_move(&init->aliases.items[i], name, &other)) {
            err = other.failed ? fault_set(&init->fault, CORDON_E_NOMEM, NULL, "out of memory")
                               : mask_at(init, step, other.data, false, ignored);
        }
    }
    return err;
}
