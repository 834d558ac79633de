/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The administrator's files. What is read is only believed when nobody but
 * their owner could have put it there: every directory and every link on the
 * way is looked at, from the root on, one component at a time.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "platform/host.h"
#include "platform/posix/file.h"
#include "platform/posix/managed.h"

#define LINKS_MAX 40
#define DEPTH_MAX 64
#define REMEDY "make it root's own and writable by root alone (chown root:root, chmod go-w)"

static const struct {
    enum policy_layer layer;
    const char *path;
    bool directory;
} places_table[] = {
    {LAYER_MANAGED_CODEX, "/etc/codex/requirements.toml", false},
    {LAYER_MANAGED, "/etc/cordon/requirements.toml", false},
    {LAYER_MANAGED, "/etc/cordon/requirements.d", true},
};
#define PLACE_COUNT (sizeof(places_table) / sizeof(places_table[0]))

/* A walk down a path: the open directories so far, and what is still to go. */
struct walk {
    const struct managed_places *places;
    const char *shown; /* the path as the fault names it */
    int dirs[DEPTH_MAX];
    size_t depth;
    int links;
    char rest[2 * PATH_MAX];
};

/* True if access control lists may let others in: the mode's group bits cannot tell. */
static bool has_acl(int fd)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return getxattr(path, "system.posix_acl_access", NULL, 0) >= 0;
}

static enum cordon_err check_owner(const struct walk *walk, int fd, const struct stat *st,
                                   struct cordon_fault *fault)
{
    const bool link = S_ISLNK(st->st_mode);
    const bool others = !link && (st->st_mode & S_IWOTH) != 0;
    const bool group = !link && (st->st_mode & S_IWGRP) != 0 && (st->st_gid != 0 || has_acl(fd));

    if (st->st_uid != walk->places->owner || others || group) {
        return fault_set(fault, CORDON_E_DENIED, REMEDY,
                         "%s: it, or a directory or link on the way to it, %s", walk->shown,
                         st->st_uid != walk->places->owner ? "belongs to someone else than root"
                                                           : "may be changed by others than root");
    }
    return CORDON_OK;
}

static void walk_close(struct walk *walk)
{
    while (walk->depth > 0) {
        (void)close(walk->dirs[--walk->depth]);
    }
}

static enum cordon_err walk_push(struct walk *walk, int fd, struct cordon_fault *fault)
{
    if (walk->depth == DEPTH_MAX) {
        (void)close(fd);
        return fault_set(fault, CORDON_E_LIMIT, NULL, "%s: too deep", walk->shown);
    }
    walk->dirs[walk->depth++] = fd;
    return CORDON_OK;
}

/* Starts over at the root that all managed paths count from. */
static enum cordon_err walk_root(struct walk *walk, struct cordon_fault *fault)
{
    const char *root = walk->places->root[0] == '\0' ? "/" : walk->places->root;
    struct stat st;
    int fd;

    walk_close(walk);
    fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0) {
        host_close(fd);
        return fault_os(fault, errno, NULL, "%s: its root cannot be opened", walk->shown);
    }
    if (check_owner(walk, fd, &st, fault) != CORDON_OK) {
        (void)close(fd);
        return CORDON_E_DENIED;
    }
    return walk_push(walk, fd, fault);
}

/* Replaces the link @fd by what it says, in front of the rest of the path. */
static enum cordon_err walk_link(struct walk *walk, int fd, struct cordon_fault *fault)
{
    char target[PATH_MAX];
    char rest[2 * PATH_MAX];
    ssize_t len = readlinkat(fd, "", target, sizeof(target) - 1);
    int used;

    if (len <= 0 || ++walk->links > LINKS_MAX) {
        return fault_set(fault, CORDON_E_DENIED, NULL, "%s: a loop of links", walk->shown);
    }
    target[len] = '\0';
    used = snprintf(rest, sizeof(rest), "%s/%s", target, walk->rest);
    if (used < 0 || (size_t)used >= sizeof(rest)) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "%s: too long", walk->shown);
    }
    memcpy(walk->rest, rest, (size_t)used + 1);
    return target[0] == '/' ? walk_root(walk, fault) : CORDON_OK;
}

/* Moves the next component of walk->rest to ret_name; false at the end. */
static bool walk_component(struct walk *walk, char ret_name[NAME_MAX + 1])
{
    const char *from = walk->rest + strspn(walk->rest, "/");
    size_t len = strcspn(from, "/");

    if (len == 0 || len > NAME_MAX) {
        return false;
    }
    memcpy(ret_name, from, len);
    ret_name[len] = '\0';
    memmove(walk->rest, from + len, strlen(from + len) + 1);
    return true;
}

static bool walk_at_end(const struct walk *walk)
{
    return walk->rest[strspn(walk->rest, "/")] == '\0';
}

static enum cordon_err missing(const struct walk *walk, struct cordon_fault *fault)
{
    if (errno != ENOENT && errno != ENOTDIR) {
        return fault_os(fault, errno, NULL, "%s: cannot be reached", walk->shown);
    }
    return walk->links == 0 ? CORDON_E_NOT_FOUND
                            : fault_set(fault, CORDON_E_DENIED, "remove or repair the link",
                                        "%s: a link that leads nowhere", walk->shown);
}

/* One component on; *ret_fd is set (O_PATH) when it was the last and no link. */
static enum cordon_err walk_step(struct walk *walk, const char *name, int *ret_fd,
                                 struct cordon_fault *fault)
{
    enum cordon_err err;
    struct stat st;
    int fd;

    if (strcmp(name, ".") == 0) {
        return CORDON_OK;
    }
    if (strcmp(name, "..") == 0) {
        if (walk->depth > 1) {
            (void)close(walk->dirs[--walk->depth]);
        }
        return CORDON_OK;
    }
    fd = openat(walk->dirs[walk->depth - 1], name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return missing(walk, fault);
    }
    err = fstat(fd, &st) == 0 ? check_owner(walk, fd, &st, fault)
                              : fault_os(fault, errno, NULL, "%s", walk->shown);
    if (err == CORDON_OK && S_ISLNK(st.st_mode)) {
        err = walk_link(walk, fd, fault);
    } else if (err == CORDON_OK && walk_at_end(walk)) {
        *ret_fd = fd;
        return CORDON_OK;
    } else if (err == CORDON_OK && S_ISDIR(st.st_mode)) {
        return walk_push(walk, fd, fault);
    } else if (err == CORDON_OK) {
        errno = ENOTDIR;
        err = missing(walk, fault);
    }
    (void)close(fd);
    return err;
}

enum cordon_err managed_find(const struct managed_places *places, const char *path, int *ret_fd,
                             struct cordon_fault *fault)
{
    struct walk walk = {.places = places, .shown = path};
    char name[NAME_MAX + 1];
    enum cordon_err err;
    int fd = -1;

    if (strlen(path) >= sizeof(walk.rest)) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "%s: too long", path);
    }
    memcpy(walk.rest, path, strlen(path) + 1);
    err = walk_root(&walk, fault);
    while (err == CORDON_OK && fd < 0 && walk_component(&walk, name)) {
        err = walk_step(&walk, name, &fd, fault);
    }
    walk_close(&walk);
    if (err == CORDON_OK && fd < 0) {
        return fault_set(fault, CORDON_E_DENIED, NULL, "%s: not a regular file", path);
    }
    *ret_fd = fd;
    return err;
}

/* A readable descriptor of what the O_PATH descriptor @fd is; @fd is closed. */
static enum cordon_err reopen(int fd, int flags, const char *shown, int *ret_fd,
                              struct cordon_fault *fault)
{
    char path[64];
    struct stat st;
    enum cordon_err err = CORDON_OK;
    int opened = -1;

    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    /* The kind is known before it is opened: a device or FIFO would act on that. */
    if (fstat(fd, &st) != 0 || (!S_ISREG(st.st_mode) && (flags & O_DIRECTORY) == 0)) {
        err = fault_set(fault, CORDON_E_DENIED, NULL, "%s: not a regular file", shown);
    } else {
        opened = open(path, flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        err = opened < 0 ? fault_os(fault, errno, NULL, "%s: cannot be opened", shown) : CORDON_OK;
    }
    (void)close(fd);
    *ret_fd = opened;
    return err;
}

enum cordon_err managed_open(const struct managed_places *places, const char *path, int *ret_fd,
                             struct cordon_fault *fault)
{
    int fd = -1;
    enum cordon_err err = managed_find(places, path, &fd, fault);

    return err == CORDON_OK ? reopen(fd, 0, path, ret_fd, fault) : err;
}

static enum cordon_err add_file(struct managed_files *files, enum policy_layer layer,
                                const char *path, int fd, struct cordon_fault *fault)
{
    struct managed_file *item = &files->items[files->count];
    enum cordon_err err = file_size(fd, path, POLICY_FILE_MAX, &item->len, fault);

    if (err != CORDON_OK) {
        return err;
    }
    item->layer = layer;
    item->path = strdup(path);
    item->text = malloc(item->len + 1);
    files->count++;
    if (item->path == NULL || item->text == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "%s: out of memory", path);
    }
    return file_fill(fd, path, item->text, item->len, fault);
}

static enum cordon_err read_one(const struct managed_places *places, enum policy_layer layer,
                                const char *path, struct managed_files *files,
                                struct cordon_fault *fault)
{
    enum cordon_err err;
    int fd = -1;

    err = managed_open(places, path, &fd, fault);
    if (err == CORDON_E_NOT_FOUND) {
        return CORDON_OK;
    }
    if (err == CORDON_OK && files->count == MANAGED_FILES_MAX) {
        (void)close(fd);
        return fault_set(fault, CORDON_E_LIMIT, NULL, "%s: more than %u managed files", path,
                         MANAGED_FILES_MAX);
    }
    if (err == CORDON_OK) {
        err = add_file(files, layer, path, fd, fault);
        (void)close(fd);
    }
    return err;
}

static int is_toml(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".toml") == 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static enum cordon_err read_directory(const struct managed_places *places, enum policy_layer layer,
                                      const char *path, struct managed_files *files,
                                      struct cordon_fault *fault)
{
    char real[64];
    struct dirent **names = NULL;
    enum cordon_err err;
    int count;
    int fd = -1;

    err = managed_find(places, path, &fd, fault);
    if (err != CORDON_OK) {
        return err == CORDON_E_NOT_FOUND ? CORDON_OK : err;
    }
    err = reopen(fd, O_DIRECTORY, path, &fd, fault);
    if (err != CORDON_OK) {
        return err;
    }
    (void)snprintf(real, sizeof(real), "/proc/self/fd/%d", fd);
    count = scandir(real, &names, is_toml, by_bytes);
    if (count < 0) {
        err = fault_os(fault, errno, NULL, "%s: cannot be listed", path);
    }
    for (int i = 0; i < count; i++) {
        char full[PATH_MAX];

        (void)snprintf(full, sizeof(full), "%s/%s", path, names[i]->d_name);
        free(names[i]);
        err = err == CORDON_OK ? read_one(places, layer, full, files, fault) : err;
    }
    free(names);
    (void)close(fd);
    return err;
}

enum cordon_err managed_read(const struct managed_places *places, struct managed_files *ret_files,
                             struct cordon_fault *fault)
{
    struct managed_files files = {calloc(MANAGED_FILES_MAX, sizeof(struct managed_file)), 0};
    enum cordon_err err = CORDON_OK;

    if (files.items == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "managed policy: out of memory");
    }
    for (size_t i = 0; err == CORDON_OK && i < PLACE_COUNT; i++) {
        err = (places_table[i].directory ? read_directory : read_one)(
            places, places_table[i].layer, places_table[i].path, &files, fault);
    }
    if (err != CORDON_OK) {
        managed_files_deinit(&files);
        return err;
    }
    *ret_files = files;
    return CORDON_OK;
}

void managed_files_deinit(struct managed_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->items[i].path);
        free(files->items[i].text);
    }
    free(files->items);
    files->items = NULL;
    files->count = 0;
}

/* The clock of a file system ticks every few milliseconds; some tick more slowly. */
#define SETTLED_MS 100

/* FNV-1a over what changes when a file does. */
static void mix(struct managed_hash *hash, const void *data, size_t len)
{
    const unsigned char *bytes = data;

    for (size_t i = 0; i < len; i++) {
        hash->value = (hash->value ^ bytes[i]) * 0x100000001b3U;
    }
}

void managed_mix(struct managed_hash *hash, const struct stat *st)
{
    uint64_t fields[9] = {0};

    if (st != NULL) {
        const uint64_t found[9] = {st->st_dev,
                                   st->st_ino,
                                   (uint64_t)st->st_size,
                                   (uint64_t)st->st_mtim.tv_sec,
                                   (uint64_t)st->st_mtim.tv_nsec,
                                   (uint64_t)st->st_ctim.tv_sec,
                                   (uint64_t)st->st_ctim.tv_nsec,
                                   st->st_mode,
                                   st->st_uid};
        const uint64_t changed_ms = found[5] * 1000U + found[6] / 1000000U;

        memcpy(fields, found, sizeof(fields));
        hash->newest_ms = changed_ms > hash->newest_ms ? changed_ms : hash->newest_ms;
    }
    mix(hash, fields, sizeof(fields));
}

/* False: it is not there. */
static bool mix_stat(struct managed_hash *hash, int dir, const char *path, int flags,
                     struct stat *ret)
{
    const bool found = fstatat(dir, path, ret, flags) == 0;

    managed_mix(hash, found ? ret : NULL);
    return found;
}

/*
 * The directory that it is in, the name itself, and what that leads to: in this order, as each
 * start looks twice, and mostly nothing is there. False: nothing is.
 */
static bool mix_place(struct managed_hash *hash, const char *path)
{
    char parent[PATH_MAX];
    struct stat st;

    (void)snprintf(parent, sizeof(parent), "%.*s", (int)(strrchr(path, '/') - path), path);
    return mix_stat(hash, AT_FDCWD, parent, AT_SYMLINK_NOFOLLOW, &st) &&
           mix_stat(hash, AT_FDCWD, path, AT_SYMLINK_NOFOLLOW, &st) &&
           (!S_ISLNK(st.st_mode) || mix_stat(hash, AT_FDCWD, path, 0, &st));
}

static void mix_entries(struct managed_hash *hash, const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    struct stat st;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        if (is_toml(entry)) {
            mix(hash, entry->d_name, strlen(entry->d_name));
            (void)mix_stat(hash, dirfd(dir), entry->d_name, 0, &st);
        }
    }
    if (dir != NULL) {
        (void)closedir(dir);
    }
}

uint64_t managed_signature(const struct managed_places *places, bool *ret_settled)
{
    const uint64_t now = host_unix_ms();
    struct managed_hash hash = {0xcbf29ce484222325U, 0};
    char path[PATH_MAX];

    for (size_t i = 0; i < PLACE_COUNT; i++) {
        (void)snprintf(path, sizeof(path), "%s%s", places->root, places_table[i].path);
        if (mix_place(&hash, path) && places_table[i].directory) {
            mix_entries(&hash, path);
        }
    }
    (void)snprintf(path, sizeof(path), "%s%s", places->root, FETCHED_CONFIG);
    (void)mix_place(&hash, path);
    fetched_mix(places, &hash);
    if (ret_settled != NULL) {
        /* A time to come, by a clock that was set back, may be met again. */
        *ret_settled = hash.newest_ms + SETTLED_MS < now;
    }
    return hash.value;
}
