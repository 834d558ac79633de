/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "platform/linux/fstype.h"
#include "platform/linux/init/alias.h"
#include "platform/linux/init/mounts.h"
#include "platform/linux/init/sys.h"

/* Names in these are the kernel's: nobody renames or links there (proc(5), mountinfo). */
static const char *const pseudo[] = {
    "proc",   "sysfs",    "cgroup",     "cgroup2",     "devpts",     "debugfs", "tracefs",
    "pstore", "efivarfs", "securityfs", "binfmt_misc", "selinuxfs",  "fusectl", "bpf",
    "mqueue", "configfs", "nsfs",       "smackfs",     "rpc_pipefs", "autofs",
};

static bool is_pseudo(const char *type)
{
    for (size_t i = 0; i < sizeof(pseudo) / sizeof(pseudo[0]); i++) {
        if (strcmp(type, pseudo[i]) == 0) {
            return true;
        }
    }
    return false;
}

/*
 * The server behind these may be slow, dead or the user's own; nothing is asked of them
 * that the job did not ask for. They tell of no names: their handles mean nothing, or other
 * machines change them. And they may ask about an open while its directory is locked.
 */
static const char *const remote[] = {"9p",   "ceph",  "nfs",    "nfs4", "cifs",  "smb3",
                                     "gfs2", "ocfs2", "lustre", "afs",  "vboxsf"};

static bool is_remote(const char *type)
{
    bool found = strncmp(type, "fuse", 4) == 0;

    for (size_t i = 0; !found && i < sizeof(remote) / sizeof(remote[0]); i++) {
        found = strcmp(type, remote[i]) == 0;
    }
    return found;
}

/* In place: mountinfo writes blanks and backslashes as three octal digits. */
static void unescape(char *text)
{
    char *out = text;

    for (; *text != '\0'; out++) {
        if (text[0] == '\\' && text[1] >= '0' && text[1] <= '3' && text[2] != '\0' &&
            text[3] != '\0') {
            *out = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + (text[3] - '0'));
            text += 4;
        } else {
            *out = *text++;
        }
    }
    *out = '\0';
}

/* "36 35 98:0 /root /point options [optional...] - type source options" */
static bool parse_line(char *line, struct mount_entry *mount)
{
    unsigned long id;
    unsigned major;
    unsigned minor;
    int used = 0;
    char *root;
    char *path;
    const char *options;
    char *type;
    char *rest = NULL;

    if (sscanf(line, "%lu %*u %u:%u %n", &id, &major, &minor, &used) < 3 || used == 0) {
        return false;
    }
    type = strstr(line, " - ");
    root = strtok_r(line + used, " ", &rest);
    path = strtok_r(NULL, " ", &rest);
    options = strtok_r(NULL, " ", &rest);
    if (root == NULL || path == NULL || options == NULL || type == NULL) {
        return false;
    }
    unescape(root);
    unescape(path);
    type += 3;
    type[strcspn(type, " \n")] = '\0';
    mount->id = id;
    mount->dev = makedev(major, minor);
    mount->unwritten = is_pseudo(type);
    mount->nameless = is_remote(type);
    mount->dated = fstype_tells(type);
    mount->read_only = strncmp(options, "ro", 2) == 0;
    mount->root = strdup(root);
    mount->path = strdup(path);
    return mount->root != NULL && mount->path != NULL;
}

static enum cordon_err add_line(struct mount_table *table, char *line, struct cordon_fault *fault)
{
    struct mount_entry mount = {.path = NULL};
    struct mount_entry *grown;

    if (!parse_line(line, &mount)) {
        return fault_set(fault, CORDON_E_OS, NULL, "cannot read the mount table");
    }
    grown = realloc(table->mounts, (table->count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "mount table: out of memory");
    }
    table->mounts = grown;
    table->mounts[table->count++] = mount;
    return CORDON_OK;
}

enum cordon_err mounts_read(struct mount_table *ret_table, struct cordon_fault *fault)
{
    FILE *file = fopen("/proc/self/mountinfo", "re");
    enum cordon_err err = CORDON_OK;
    char *line = NULL;
    size_t size = 0;

    if (file == NULL) {
        return fault_os(fault, errno, NULL, "cannot read the mount table");
    }
    while (err == CORDON_OK && getline(&line, &size, file) > 0) {
        err = add_line(ret_table, line, fault);
    }
    /* A table cut short would leave mounts unwatched and bind mounts unknown. */
    if (err == CORDON_OK && !feof(file)) {
        err = fault_os(fault, errno, NULL, "cannot read the mount table");
    }
    free(line);
    (void)fclose(file);
    return err;
}

void mounts_release(struct mount_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->mounts[i].path);
        free(table->mounts[i].root);
    }
    free(table->mounts);
    *table = (struct mount_table){NULL, 0};
}

const struct mount_entry *mounts_of(const struct mount_table *table, const char *path)
{
    const struct mount_entry *best = NULL;

    for (size_t i = 0; i < table->count; i++) {
        const struct mount_entry *mount = &table->mounts[i];

        if (path_is_below(path, mount->path) &&
            (best == NULL || strlen(mount->path) >= strlen(best->path))) {
            best = mount;
        }
    }
    return best;
}

const struct mount_entry *mounts_same_above(const struct mount_table *table,
                                            const struct mount_entry *mount)
{
    const char *slash = strrchr(mount->path, '/');
    size_t len = (size_t)(slash - mount->path);
    const struct mount_entry *above = NULL;
    char *parent = strcmp(mount->path, "/") == 0 ? NULL : strdup(len == 0 ? "/" : mount->path);
    const char *below;
    size_t root;

    if (parent != NULL) {
        parent[len == 0 ? 1 : len] = '\0';
        above = mounts_of(table, parent);
        free(parent);
    }
    if (above == NULL || above->dev != mount->dev) {
        return NULL;
    }
    below = mount->path + (strcmp(above->path, "/") == 0 ? 0 : strlen(above->path));
    root = strcmp(above->root, "/") == 0 ? 0 : strlen(above->root);
    return strncmp(mount->root, above->root, root) == 0 && strcmp(mount->root + root, below) == 0
               ? above
               : NULL;
}

void mounts_choose(struct mount_table *table, const char *path)
{
    const struct mount_entry *home = mounts_of(table, path);

    for (size_t i = 0; i < table->count; i++) {
        struct mount_entry *mount = &table->mounts[i];

        mount->watched = mount->watched || mount == home || path_is_below(mount->path, path);
    }
}

void mounts_choose_same(struct mount_table *table, const struct mount_table *chosen)
{
    for (size_t i = 0; i < table->count; i++) {
        struct mount_entry *mount = &table->mounts[i];

        for (size_t k = 0; k < chosen->count && !mount->watched; k++) {
            mount->watched = chosen->mounts[k].watched && chosen->mounts[k].dev == mount->dev;
        }
    }
}

const struct mount_entry *mounts_find(const struct mount_table *table, uint64_t id)
{
    for (size_t i = 0; i < table->count; i++) {
        if (table->mounts[i].id == id) {
            return &table->mounts[i];
        }
    }
    return NULL;
}

int mount_open(const struct mount_entry *mount)
{
    int fd = open(mount->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    uint64_t id = 0;
    int code = 0;

    if (fd < 0) {
        return -1;
    }
    if (sys_mount_id(fd, &id) != 0) {
        code = errno == ENOENT ? EIO : errno;
    } else if (id != mount->id) {
        code = ENOENT;
    }
    if (code != 0) {
        (void)close(fd);
        errno = code;
        return -1;
    }
    return fd;
}
