/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/init.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "platform/linux/init/sys.h"

/* The host's own nodes, bound one by one: numbers as in devices.txt of the kernel. */
static const struct {
    const char *path;
    unsigned major, minor;
} nodes[] = {
    {"/dev/null", 1, 3},   {"/dev/zero", 1, 5},    {"/dev/full", 1, 7},
    {"/dev/random", 1, 8}, {"/dev/urandom", 1, 9}, {"/dev/tty", 5, 0},
};
#define NODE_COUNT (sizeof(nodes) / sizeof(nodes[0]))

static const struct {
    const char *name, *target;
} links[] = {
    {"/dev/fd", "/proc/self/fd"},       {"/dev/stdin", "/proc/self/fd/0"},
    {"/dev/stdout", "/proc/self/fd/1"}, {"/dev/stderr", "/proc/self/fd/2"},
    {"/dev/ptmx", "pts/ptmx"},
};

static const struct filesystem {
    const char *type, *path;
    const char *const options[5]; /* key, value, ... */
    unsigned attr;
} filesystems[] = {
    {"tmpfs", "/dev", {"mode", "0755", "size", "4m"}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC},
    {"devpts",
     "/dev/pts",
     {"mode", "0620", "ptmxmode", "0666"},
     MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC},
    {"tmpfs", "/dev/shm", {"mode", "1777"}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV},
    {"proc", "/proc", {NULL}, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC},
};

#define FILESYSTEM_COUNT (sizeof(filesystems) / sizeof(filesystems[0]))

/* Sysctls and their like belong to root: without capabilities he could still write to them. */
static unsigned filesystem_attr(const struct init *init, const struct filesystem *fs)
{
    bool closed = strcmp(fs->type, "proc") == 0 && init->order->identity.uid == 0;

    return fs->attr | (closed ? MOUNT_ATTR_RDONLY : 0);
}

static enum cordon_err filesystem_make(struct init *init, const struct filesystem *fs,
                                       int *ret_tree)
{
    struct stat st;
    int context = sys_fsopen(fs->type);
    int tree = -1;

    for (size_t i = 0; context >= 0 && fs->options[i] != NULL; i += 2) {
        if (sys_fsconfig(context, FSCONFIG_SET_STRING, fs->options[i], fs->options[i + 1]) != 0) {
            return fault_os(&init->fault, errno, NULL, "option %s of %s", fs->options[i], fs->type);
        }
    }
    if (context >= 0 && sys_fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL) == 0) {
        tree = sys_fsmount(context, filesystem_attr(init, fs));
    }
    if (tree < 0 || fstat(tree, &st) != 0) {
        return fault_os(&init->fault, errno,
                        "in a container, run it so that /proc is fully visible, or use the service",
                        "cannot make a fresh %s for %s", fs->type, fs->path);
    }
    view_add_private(init, st.st_dev);
    (void)close(context);
    *ret_tree = tree;
    return CORDON_OK;
}

static enum cordon_err filesystem_mount(struct init *init, size_t i)
{
    const char *path = filesystems[i].path;

    /* Exists unless the view began empty, or lies in the /dev just made. */
    if (mkdir(path, 0755) != 0 && errno != EEXIST) {
        return fault_os(&init->fault, errno, NULL, "cannot make %s", path);
    }
    /* Nobody gets at what is covered, and nobody waits for its end. */
    if (strcmp(path, "/dev/shm") == 0 && mask_prepare(init, path) != CORDON_OK) {
        return init->fault.err;
    }
    if (sys_move_mount(init->filesystem[i], AT_FDCWD, path, 0) != 0) {
        return fault_os(&init->fault, errno, NULL, "cannot mount %s", path);
    }
    (void)close(init->filesystem[i]);
    return CORDON_OK;
}

/*
 * A process file system may be made in a user namespace while one is in sight that nothing covers:
 * the host's, which a view without its root does not have.
 */
enum cordon_err device_collect(struct init *init)
{
    for (size_t i = 0; i < FILESYSTEM_COUNT; i++) {
        if (filesystem_make(init, &filesystems[i], &init->filesystem[i]) != CORDON_OK) {
            return init->fault.err;
        }
    }
    for (size_t i = 0; i < NODE_COUNT; i++) {
        struct stat st;
        int fd = sys_open_tree(AT_FDCWD, nodes[i].path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

        if (fd < 0 || fstat(fd, &st) != 0) {
            return fault_os(&init->fault, errno, NULL, "cannot take %s", nodes[i].path);
        }
        if (!S_ISCHR(st.st_mode) || st.st_rdev != makedev(nodes[i].major, nodes[i].minor)) {
            return fault_set(&init->fault, CORDON_E_DENIED, "repair the host's /dev",
                             "%s is not the device of that name", nodes[i].path);
        }
        init->device[i] = fd;
    }
    return CORDON_OK;
}

static enum cordon_err device_nodes(struct init *init)
{
    for (size_t i = 0; i < NODE_COUNT; i++) {
        int fd = open(nodes[i].path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);

        if (fd < 0 || close(fd) != 0 ||
            sys_move_mount(init->device[i], AT_FDCWD, nodes[i].path, 0) != 0) {
            return fault_os(&init->fault, errno, NULL, "cannot bind %s", nodes[i].path);
        }
        (void)close(init->device[i]);
    }
    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        if (symlink(links[i].target, links[i].name) != 0) {
            return fault_os(&init->fault, errno, NULL, "cannot link %s", links[i].name);
        }
    }
    return CORDON_OK;
}

enum cordon_err device_mount(struct init *init)
{
    mode_t mask = umask(0);
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < FILESYSTEM_COUNT; i++) {
        err = filesystem_mount(init, i);
    }
    if (err == CORDON_OK) {
        err = device_nodes(init);
    }
    (void)umask(mask);
    return err;
}
