/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/init.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "platform/linux/init/barren.h"
#include "platform/linux/init/sys.h"

bool view_is_private(const struct init *init, uint64_t dev)
{
    for (uint32_t i = 0; i < init->private_count; i++) {
        if (init->private_dev[i] == dev) {
            return true;
        }
    }
    return false;
}

void view_add_private(struct init *init, uint64_t dev)
{
    if (init->private_count < INIT_PRIVATE_MAX) {
        init->private_dev[init->private_count++] = dev;
    }
}

int view_open(const struct init *init, const char *path, bool follow)
{
    int code;
    int fd;

    identity_as_caller(init);
    fd = sys_openat2(AT_FDCWD, path, O_PATH | (follow ? 0 : O_NOFOLLOW), RESOLVE_NO_MAGICLINKS);
    code = errno;
    identity_as_setup(init);
    errno = code;
    return fd;
}

bool view_is_absent(int code)
{
    return code == ENOENT || code == ENOTDIR || code == EACCES || code == ELOOP ||
           code == ENAMETOOLONG;
}

enum cordon_err view_name(struct init *init, int fd, char *ret_name, size_t size)
{
    char link[64];
    ssize_t len;

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    len = readlink(link, ret_name, size - 1);
    if (len <= 0) {
        return fault_set(&init->fault, CORDON_E_OS, NULL, "cannot name the object of a rule");
    }
    ret_name[len] = '\0';
    return CORDON_OK;
}

enum cordon_err view_own(struct init *init)
{
    const bool own_users = (init->order->flags & ORDER_USER_NS) != 0;

    return unshare(CLONE_NEWNS | CLONE_NEWUTS) == 0
               ? CORDON_OK
               : fault_os(&init->fault, errno,
                          own_users ? "install and start the cordon service, which does not count "
                                      "among the user's namespaces"
                                    : NULL,
                          "cannot make the namespaces of the job");
}

enum cordon_err view_prepare(struct init *init)
{
    enum cordon_err err = mounts_read(&init->host, &init->fault);

    return err == CORDON_OK ? alias_find(&init->host, &init->aliases, &init->fault) : err;
}

/*
 * The object that the supervisor saw, under the name that it read off the
 * descriptor: a name that leads elsewhere by now is an attack or bad luck.
 */
static enum cordon_err object_open(struct init *init, const char *path, uint64_t dev, uint64_t ino,
                                   int *ret_fd)
{
    struct stat st;
    int fd;

    identity_as_caller(init);
    fd = sys_openat2(AT_FDCWD, path, O_PATH, RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
    if (fd < 0 || fstat(fd, &st) != 0) {
        int code = errno;

        identity_as_setup(init);
        return fault_os(&init->fault, code, NULL, "cannot open %s", path);
    }
    identity_as_setup(init);
    if (st.st_dev != dev || st.st_ino != ino) {
        (void)close(fd);
        return fault_set(&init->fault, CORDON_E_STATE, "try again",
                         "%s was replaced while the sandbox was set up", path);
    }
    *ret_fd = fd;
    return CORDON_OK;
}

static enum cordon_err source_take(struct init *init, const struct order_step *step, int *ret_tree)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID};
    const char *path = order_text(init->order, step->text);
    enum cordon_err err;
    int fd = -1;
    int tree;

    err = object_open(init, path, step->dev, step->ino, &fd);
    if (err != CORDON_OK) {
        return err;
    }
    tree =
        sys_open_tree(fd, "", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_EMPTY_PATH);
    (void)close(fd);
    if (step->op == ORDER_GRANT_READ) {
        attr.attr_set |= MOUNT_ATTR_RDONLY;
    }
    /* A node that a rule names below /dev is meant to be used as a device. */
    if (strncmp(path, "/dev/", 5) != 0 && strcmp(path, "/dev") != 0) {
        attr.attr_set |= MOUNT_ATTR_NODEV;
    }
    if (tree < 0 || sys_mount_setattr(tree, AT_RECURSIVE, &attr) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot take %s into the view", path);
    }
    *ret_tree = tree;
    return CORDON_OK;
}

static bool is_grant(const struct order_step *step)
{
    return step->op == ORDER_GRANT_READ || step->op == ORDER_GRANT_WRITE;
}

static enum cordon_err sources_take(struct init *init)
{
    const struct order_step *steps = order_steps(init->order);
    size_t count = 0;

    for (uint32_t i = 0; i < init->order->step_count; i++) {
        enum cordon_err err;

        if (!is_grant(&steps[i])) {
            continue;
        }
        if (count == INIT_GRANTS_MAX) {
            return fault_set(&init->fault, CORDON_E_LIMIT, NULL, "too many grants");
        }
        err = source_take(init, &steps[i], &init->source[count]);
        if (err != CORDON_OK) {
            return err;
        }
        count++;
    }
    return CORDON_OK;
}

static int empty_root(struct init *init)
{
    struct stat st;
    int context = sys_fsopen("tmpfs");
    int tree = -1;

    if (context >= 0 && sys_fsconfig(context, FSCONFIG_SET_STRING, "mode", "0755") == 0 &&
        sys_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL) == 0) {
        tree = sys_fsmount(context, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
    }
    if (tree >= 0 && fstat(tree, &st) == 0) {
        view_add_private(init, st.st_dev);
    }
    return tree;
}

static int root_tree(struct init *init)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOSUID};
    int tree;

    if ((init->order->flags & (ORDER_ROOT_READABLE | ORDER_ROOT_WRITABLE)) == 0) {
        return empty_root(init);
    }
    if ((init->order->flags & ORDER_ROOT_WRITABLE) == 0) {
        attr.attr_set |= MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV;
    }
    tree = sys_open_tree(AT_FDCWD, "/", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE);
    if (tree >= 0 && sys_mount_setattr(tree, AT_RECURSIVE, &attr) != 0) {
        return -1;
    }
    return tree;
}

enum cordon_err view_enter(struct init *init)
{
    enum cordon_err err;
    int tree;

    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot make the mount view private");
    }
    err = sources_take(init);
    if (err == CORDON_OK) {
        err = device_collect(init);
    }
    if (err != CORDON_OK) {
        return err;
    }
    tree = root_tree(init);
    /* On top of the old root, then swapped with it: no directory is needed for either. */
    if (tree < 0 || sys_move_mount(tree, AT_FDCWD, "/", 0) != 0 || fchdir(tree) != 0 ||
        sys_pivot_root(".", ".") != 0 || chdir("/") != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot make the view the root");
    }
    (void)close(tree);
    leave_begin();
    err = device_mount(init);
    return err == CORDON_OK ? leave_sight(init) : err;
}

/* Opens or makes the next directory of a mount point; only the view's own trees grow. */
static int mount_point_step(struct init *init, int dir, const char *name, bool leaf_file)
{
    struct stat st;
    int fd = openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);

    if (fd >= 0 || errno != ENOENT) {
        return fd;
    }
    if (fstat(dir, &st) != 0 || !view_is_private(init, st.st_dev)) {
        errno = EROFS;
        return -1;
    }
    if (leaf_file) {
        fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
        if (fd < 0 || close(fd) != 0) {
            return -1;
        }
    } else if (mkdirat(dir, name, st.st_mode & 0755) != 0) {
        /* As closed as its parent: what lies beside a reopened path stays unlisted. */
        return -1;
    }
    return openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

/* O_PATH of @path in the view, its missing components made; links are refused. */
static int mount_point(struct init *init, const char *path, bool file)
{
    int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    mode_t mask = umask(0);

    while (dir >= 0 && *path != '\0') {
        char name[256];
        const char *start = path + strspn(path, "/");
        size_t len = strcspn(start, "/");
        int next;

        if (len == 0) {
            break;
        }
        if (len >= sizeof(name)) {
            errno = ENAMETOOLONG;
            next = -1;
        } else {
            memcpy(name, start, len);
            name[len] = '\0';
            path = start + len;
            next = mount_point_step(init, dir, name, file && path[strspn(path, "/")] == '\0');
        }
        (void)close(dir);
        dir = next;
    }
    (void)umask(mask);
    return dir;
}

static enum cordon_err grant_apply(struct init *init, const struct order_step *step, int tree)
{
    const char *path = order_text(init->order, step->text);
    struct stat source;
    int target;

    if (strcmp(path, "/") == 0) {
        return fault_set(&init->fault, CORDON_E_INVALID, NULL, "a grant of / is not a step");
    }
    if (fstat(tree, &source) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot look at %s", path);
    }
    target = mount_point(init, path, !S_ISDIR(source.st_mode));
    if (target < 0 || sys_move_mount(tree, target, "", MOVE_MOUNT_T_EMPTY_PATH) != 0) {
        int code = errno;

        if (target >= 0) {
            (void)close(target);
        }
        return fault_os(&init->fault, code, NULL, "cannot bind %s into the view", path);
    }
    (void)close(target);
    (void)close(tree);
    return CORDON_OK;
}

static enum cordon_err link_apply(struct init *init, const struct order_step *step)
{
    const char *path = order_text(init->order, step->text);
    const char *slash = strrchr(path, '/');
    char parent[PATH_MAX];
    struct stat st;
    int dir;

    if (slash == NULL || (size_t)(slash - path) >= sizeof(parent)) {
        return fault_set(&init->fault, CORDON_E_INVALID, NULL, "bad link %s", path);
    }
    memcpy(parent, path, (size_t)(slash - path));
    parent[slash - path] = '\0';
    dir = mount_point(init, parent, false);
    if (dir < 0 || fstat(dir, &st) != 0 || !view_is_private(init, st.st_dev) ||
        (symlinkat(order_text(init->order, step->aux), dir, slash + 1) != 0 && errno != EEXIST)) {
        int code = errno;

        if (dir >= 0) {
            (void)close(dir);
        }
        return fault_os(&init->fault, code, NULL, "cannot make the link %s in the view", path);
    }
    (void)close(dir);
    return CORDON_OK;
}

enum cordon_err view_apply(struct init *init)
{
    const struct order_step *steps = order_steps(init->order);
    enum cordon_err err = CORDON_OK;
    size_t grants = 0;

    init->barren = barren_begin();
    for (uint32_t i = 0; err == CORDON_OK && i < init->order->step_count; i++) {
        switch ((enum order_op)steps[i].op) {
        case ORDER_GRANT_READ:
        case ORDER_GRANT_WRITE:
            err = grant_apply(init, &steps[i], init->source[grants++]);
            break;
        case ORDER_PROTECT:
        case ORDER_MASK:
            err = mask_step(init, &steps[i]);
            break;
        case ORDER_LINK:
            err = link_apply(init, &steps[i]);
            break;
        case ORDER_SCAN:
            err = scan_step(init, &steps[i]);
            break;
        case ORDER_PIN:
            err = mask_pin(init, &steps[i]);
            break;
        case ORDER_WATCH: /* watch.c, once the view is whole */
        case ORDER_SOCKET:
        case ORDER_OP_COUNT:
            break;
        }
    }
    barren_end(init->barren, err == CORDON_OK);
    init->barren = NULL;
    if (err == CORDON_OK && (init->order->flags & ORDER_FULL_ACCESS) == 0) {
        err = sockets_mask(init);
    }
    return err;
}

static enum cordon_err open_masks_seal(struct init *init)
{
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

    for (uint32_t i = 0; i < init->open_mask_count; i++) {
        int top = openat(init->open_mask[i], ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (top < 0 || fchmod(top, 0111) != 0 || close(top) != 0 ||
            sys_mount_setattr(init->open_mask[i], 0, &attr) != 0) {
            return fault_os(&init->fault, errno, NULL, "cannot make a mask read-only");
        }
        (void)close(init->open_mask[i]);
    }
    return CORDON_OK;
}

enum cordon_err view_seal(struct init *init)
{
    static const char *const own[] = {"/dev", "/"};
    struct mount_attr attr = {.attr_set = MOUNT_ATTR_RDONLY};

    (void)close(init->mask_dir);
    (void)close(init->mask_file);
    if (open_masks_seal(init) != CORDON_OK) {
        return init->fault.err;
    }
    for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
        int fd = open(own[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
        bool keep = i == 1 && (init->order->flags & ORDER_ROOT_WRITABLE) != 0;

        if (fd < 0 || (!keep && sys_mount_setattr(fd, 0, &attr) != 0)) {
            return fault_os(&init->fault, errno, NULL, "cannot make %s read-only", own[i]);
        }
        (void)close(fd);
    }
    return CORDON_OK;
}
