/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/exempt.h"

#include <errno.h>
#include <linux/fanotify.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "platform/linux/init/names.h"
#include "platform/linux/init/sys.h"
#include "platform/linux/name_hash.h"

#ifndef FAN_MARK_EVICTABLE
/* Since Linux 5.19: a file need not stay in memory for its mark. */
#define FAN_MARK_EVICTABLE 0x200
#endif
#define EXEMPT_MAX 4096U
#define WAY_MAX 1024U
/* Of an access list its mask shows as the group's rights. */
#define OTHERS_WRITE (S_IWGRP | S_IWOTH)

void exempt_begin(struct names *names)
{
    struct exempt *exempt = &names->exempt;
    void *usual =
        mmap(NULL, sizeof(struct usual), PROT_READ | PROT_WRITE, MAP_SHARED, INIT_FD_USUAL, 0);

    exempt->may = names->watch->init->order->identity.uid != 0;
    exempt->usual = usual == MAP_FAILED ? NULL : usual;
}

/* ---- sets by hash ---- */

static void add(uint64_t bits[EXEMPT_BITS / 64], uint64_t hash)
{
    bits[hash / 64 % (EXEMPT_BITS / 64)] |= 1ULL << (hash % 64);
}

static bool has(const uint64_t bits[EXEMPT_BITS / 64], uint64_t hash)
{
    return (bits[hash / 64 % (EXEMPT_BITS / 64)] >> (hash % 64) & 1) != 0;
}

/* False: it may be a spelling of any other. */
static bool hash_of(const char *name, size_t len, uint64_t *ret_hash)
{
    uint32_t hash;
    const bool one = name_hash(name, len, &hash);

    *ret_hash = one ? hash ^ hash >> 16 : 0;
    return one;
}

/* ---- what may be exempt ---- */

static bool is_roots(const struct stat *st)
{
    return st->st_uid == 0 && (st->st_mode & OTHERS_WRITE) == 0;
}

/* Each directory above @name is root's. */
static bool way_is_roots(const struct watch *watch, const struct strbuf *name)
{
    char way[WAY_MAX];
    struct stat st;
    bool is = name->len < sizeof(way) && fstat(watch->root, &st) == 0 && is_roots(&st);

    (void)snprintf(way, sizeof(way), "%s", name->data);
    for (char *slash = strchr(way + 1, '/'); is && slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        is = fstatat(watch->root, way + 1, &st, AT_SYMLINK_NOFOLLOW) == 0 && is_roots(&st);
        *slash = '/';
    }
    return is;
}

/* Events tell of all that happens to @name, on each mount on the way. */
static bool way_is_told(const struct watch *watch, const struct strbuf *name)
{
    bool told = true;

    for (size_t i = 0; told && i < watch->mounts.count; i++) {
        const struct mount_entry *mount = &watch->mounts.mounts[i];

        /* On one that is not watched no rule is about a name, whatever that becomes. */
        told = !mount->watched || mount->unwritten || (mount->dated && !mount->nameless) ||
               !path_is_below(name->data, mount->path);
    }
    return told;
}

static bool note(struct exempt *exempt, int fd, const struct strbuf *name)
{
    struct object object;
    uint64_t hash;

    for (size_t at = 1; at < name->len;) {
        const char *end = memchr(name->data + at, '/', name->len - at);
        const size_t len = end == NULL ? name->len - at : (size_t)(end - name->data) - at;

        if (!hash_of(name->data + at, len, &hash)) {
            return false;
        }
        add(exempt->named, hash);
        at += len + 1;
    }
    if (!object_of(fd, "", &object)) {
        return false;
    }
    add(exempt->objects, object_hash(&object));
    return true;
}

static bool mark(const struct watch *watch, int fd)
{
    char link[16];

    (void)snprintf(link, sizeof(link), "%d", fd);
    return sys_fanotify_mark_in(watch->decide,
                                FAN_MARK_ADD | FAN_MARK_IGNORED_MASK | FAN_MARK_EVICTABLE,
                                FAN_OPEN_PERM, watch->links, link) == 0;
}

static bool forget(struct names *names)
{
    struct exempt *exempt = &names->exempt;

    *exempt = (struct exempt){.may = exempt->may, .usual = exempt->usual};
    return sys_fanotify_mark_in(names->watch->decide, FAN_MARK_FLUSH, 0, names->watch->links,
                                ".") == 0;
}

/* ---- what jobs open ---- */

static bool is_usual(const struct usual *usual, uint32_t count, const struct strbuf *name)
{
    bool found = false;

    for (uint32_t i = 0; !found && i < count; i++) {
        found = __atomic_load_n(&usual->files[i].len, __ATOMIC_ACQUIRE) == name->len &&
                memcmp(usual->files[i].path, name->data, name->len) == 0;
    }
    return found;
}

static void usual_add(struct usual *usual, const struct strbuf *name)
{
    uint32_t at = usual == NULL ? USUAL_FILES : __atomic_load_n(&usual->given, __ATOMIC_RELAXED);

    if (at >= USUAL_FILES || name->len > USUAL_PATH_MAX || is_usual(usual, at, name)) {
        return;
    }
    at = __atomic_fetch_add(&usual->given, 1, __ATOMIC_RELAXED);
    if (at < USUAL_FILES) {
        memcpy(usual->files[at].path, name->data, name->len);
        __atomic_store_n(&usual->files[at].len, (uint32_t)name->len, __ATOMIC_RELEASE);
    }
}

bool exempt_usual(const struct names *names, unsigned *at, char ret_path[USUAL_PATH_MAX + 1])
{
    const struct usual *usual = names->exempt.usual;

    for (; usual != NULL && *at < USUAL_FILES; ++*at) {
        const uint32_t len = __atomic_load_n(&usual->files[*at].len, __ATOMIC_ACQUIRE);

        if (len > 0 && len <= USUAL_PATH_MAX) {
            memcpy(ret_path, usual->files[(*at)++].path, len);
            ret_path[len] = '\0';
            return true;
        }
    }
    return false;
}

/* ---- exempt ---- */

void exempt_take(struct names *names, int fd, const struct strbuf *name, const struct stat *st,
                 bool is_asked)
{
    struct exempt *exempt = &names->exempt;

    if (!exempt->may || !S_ISREG(st->st_mode) || st->st_nlink != 1 || !is_roots(st) ||
        !names_are_told(names, fd) || !way_is_told(names->watch, name) ||
        !way_is_roots(names->watch, name)) {
        return;
    }
    if (exempt->count == EXEMPT_MAX && !forget(names)) {
        _exit(1);
    }
    /* Noted first: what happens to it after it was judged is told by events that are read later. */
    if (!note(exempt, fd, name)) {
        return;
    }
    exempt->count++;
    if (!mark(names->watch, fd)) {
        exempt->may = errno != EINVAL && errno != EPERM;
    } else if (is_asked) {
        usual_add(exempt->usual, name);
    }
}

static bool is_on_way(const struct exempt *exempt, const char *name)
{
    uint64_t hash;

    return !hash_of(name, strlen(name), &hash) || has(exempt->named, hash);
}

static bool concerns(const struct exempt *exempt, const struct batch_event *event)
{
    if (event->is_rename && event->is_directory) {
        return is_on_way(exempt, event->from.name) || is_on_way(exempt, event->to.name);
    }
    return (event->is_rename || event->is_creation || event->is_count) &&
           has(exempt->objects, object_hash(&event->target));
}

bool exempt_denied(struct names *names, const struct object *object)
{
    const struct exempt *exempt = &names->exempt;

    return exempt->count == 0 || !has(exempt->objects, object_hash(object)) || forget(names);
}

bool exempt_hear(struct names *names, const struct batch_event *event)
{
    return names->exempt.count == 0 || !concerns(&names->exempt, event) || forget(names);
}
