/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "platform/linux/init/watch.h"

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
static bool parse_line(char *line, struct watch_mount *mount)
{
    unsigned long id;
    unsigned major;
    unsigned minor;
    int used = 0;
    char *root;
    char *path;
    char *type;
    char *rest = NULL;

    if (sscanf(line, "%lu %*u %u:%u %n", &id, &major, &minor, &used) < 3 || used == 0) {
        return false;
    }
    type = strstr(line, " - ");
    root = strtok_r(line + used, " ", &rest);
    path = strtok_r(NULL, " ", &rest);
    if (root == NULL || path == NULL || type == NULL) {
        return false;
    }
    unescape(root);
    unescape(path);
    type += 3;
    type[strcspn(type, " \n")] = '\0';
    mount->id = id;
    mount->dev = makedev(major, minor);
    mount->unwritten = is_pseudo(type);
    mount->root = strdup(root);
    mount->path = strdup(path);
    return mount->root != NULL && mount->path != NULL;
}

static enum cordon_err add_line(struct watch *watch, char *line)
{
    struct watch_mount mount = {NULL, NULL, 0, 0, false, false};
    struct watch_mount *grown;

    if (!parse_line(line, &mount)) {
        return fault_set(&watch->init->fault, CORDON_E_OS, NULL, "cannot read the mount table");
    }
    grown = realloc(watch->mounts, (watch->mount_count + 1) * sizeof(*grown));
    if (grown == NULL) {
        return fault_set(&watch->init->fault, CORDON_E_NOMEM, NULL, "mount table: out of memory");
    }
    watch->mounts = grown;
    watch->mounts[watch->mount_count++] = mount;
    return CORDON_OK;
}

enum cordon_err mounts_read(struct watch *watch)
{
    FILE *table = fopen("/proc/self/mountinfo", "re");
    enum cordon_err err = CORDON_OK;
    char *line = NULL;
    size_t size = 0;

    if (table == NULL) {
        return fault_os(&watch->init->fault, errno, NULL, "cannot read the mount table");
    }
    while (err == CORDON_OK && getline(&line, &size, table) > 0) {
        err = add_line(watch, line);
    }
    free(line);
    (void)fclose(table);
    return err;
}

bool watch_is_below(const char *path, const char *above)
{
    size_t len = strcmp(above, "/") == 0 ? 0 : strlen(above);

    return strncmp(path, above, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* The mount of the host that @path lies on, or would but for a mask: the last of the deepest. */
static const struct watch_mount *mount_of(const struct watch *watch, const char *path)
{
    const struct watch_mount *best = NULL;

    for (size_t i = 0; i < watch->mount_count; i++) {
        const struct watch_mount *mount = &watch->mounts[i];

        if (watch_is_below(path, mount->path) && !view_is_private(watch->init, mount->dev) &&
            (best == NULL || strlen(mount->path) >= strlen(best->path))) {
            best = mount;
        }
    }
    return best;
}

/*
 * A mount is watched when it lies below a prefix, and when it shows the file
 * system of one: a hard link made earlier may be anywhere on that.
 */
void mounts_choose(struct watch *watch)
{
    for (size_t i = 0; i < watch->prefix_count; i++) {
        const char *real = watch->prefixes[i].real;
        const struct watch_mount *home = mount_of(watch, real);

        for (size_t k = 0; k < watch->mount_count; k++) {
            struct watch_mount *mount = &watch->mounts[k];

            if (watch_is_below(mount->path, real) || (home != NULL && mount->dev == home->dev)) {
                mount->watched = !view_is_private(watch->init, mount->dev);
            }
        }
        if (strcmp(real, "/") == 0) {
            break; /* that was all of them */
        }
    }
}

bool watch_is_mount(const struct watch *watch, uint64_t dev)
{
    for (size_t i = 0; i < watch->mount_count; i++) {
        if (watch->mounts[i].dev == dev) {
            return true;
        }
    }
    return false;
}
