/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/backend.h"
#include "platform/linux/init/sys.h"
#include "platform/linux/name_hash.h"
#include "platform/linux/telling.h"

#define LINKS_MAX 40U /* as the kernel follows in one path */
#define DEPTH_MAX 256U
#define EVENTS_BYTES 65536U
#define WHOLE 0U          /* as a sight's name: the object itself */
#define FOREIGN 1U        /* ... a name that is not all ASCII */
#define WATCHES_MAX 2048U /* of one process; a quarter of what a small machine has for a user */

#define DIRECTORY_EVENTS                                                                           \
    (IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB | IN_DELETE_SELF |            \
     IN_MOVE_SELF | IN_ONLYDIR | IN_DONT_FOLLOW)

/* A name in a directory. */
struct sight {
    int wd;
    uint32_t name; /* hashed: a name that is taken for another only costs a look */
};

/* The path that was walked last, free of links; most start as the one before did. */
struct trail {
    char path[PATH_MAX];
    size_t ends[DEPTH_MAX];     /* of each component */
    uint64_t mounts[DEPTH_MAX]; /* ... its mount's number */
    int wds[DEPTH_MAX];         /* of the directory that each lies in */
    size_t count;               /* components */
    size_t known;               /* wds */
    bool stopped;               /* nothing is below the last one */
};

struct witness {
    struct witness *next;
    struct sight *sights;
    size_t count, room;
    size_t watches; /* that it asked for */
    bool sorted, broken;
    struct trail trail;
};

static struct {
    int fd; /* -1: there is none */
    bool tried;
    struct witness *first;
    size_t watches; /* of all of them */
} queue = {.fd = -1};

/* ---- what happened ---- */

static int sight_order(const void *a, const void *b)
{
    const struct sight *x = a;
    const struct sight *y = b;

    return x->wd != y->wd ? (x->wd > y->wd) - (x->wd < y->wd)
                          : (x->name > y->name) - (x->name < y->name);
}

/* The first one that does not come before @wanted. */
static const struct sight *sights_from(struct witness *witness, struct sight wanted)
{
    size_t low = 0;
    size_t high = witness->count;

    if (witness->count > 0 && !witness->sorted) {
        qsort(witness->sights, witness->count, sizeof(*witness->sights), sight_order);
        witness->sorted = true;
    }
    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (sight_order(&witness->sights[middle], &wanted) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < witness->count ? &witness->sights[low] : NULL;
}

static bool has_watch(struct witness *witness, int wd)
{
    const struct sight *sight = sights_from(witness, (struct sight){wd, WHOLE});

    return sight != NULL && sight->wd == wd;
}

static bool has_sight(struct witness *witness, struct sight wanted)
{
    const struct sight *sight = sights_from(witness, wanted);

    return sight != NULL && sight_order(sight, &wanted) == 0;
}

/* Where case is ignored the event has another spelling than the rule. */
static uint32_t sight_name(const char *name, size_t len)
{
    uint32_t hash;

    if (!name_hash(name, len, &hash)) {
        return FOREIGN;
    }
    return hash <= FOREIGN ? FOREIGN + 1 : hash;
}

static void break_all(void)
{
    for (struct witness *witness = queue.first; witness != NULL; witness = witness->next) {
        witness->broken = true;
    }
}

static bool concerns(struct witness *witness, struct sight sight)
{
    if (sight.name == WHOLE || sight.name == FOREIGN) {
        return has_watch(witness, sight.wd);
    }
    return has_sight(witness, sight) || has_sight(witness, (struct sight){sight.wd, FOREIGN});
}

static void take_event(const struct inotify_event *event)
{
    const struct sight sight = {
        event->wd, event->len == 0 ? WHOLE : sight_name(event->name, strlen(event->name))};

    if ((event->mask & IN_Q_OVERFLOW) != 0) {
        break_all();
        return;
    }
    for (struct witness *witness = queue.first; witness != NULL; witness = witness->next) {
        witness->broken = witness->broken || concerns(witness, sight);
    }
}

/* Takes in all that is told so far. */
static void refresh(void)
{
    static _Alignas(struct inotify_event) char events[EVENTS_BYTES];
    ssize_t len;

    while ((len = read(queue.fd, events, sizeof(events))) > 0) {
        for (char *at = events; at < events + len;) {
            const struct inotify_event *event = (const void *)at;

            take_event(event);
            at += sizeof(*event) + event->len;
        }
    }
    if (len < 0 && errno != EAGAIN) {
        break_all();
    }
    if (linux_mounts_changed()) {
        break_all();
        telling_read();
    }
}

/* ---- what is watched ---- */

static void sight_add(struct witness *witness, int wd, uint32_t name)
{
    if (witness->count == witness->room) {
        const size_t room = witness->room == 0 ? 64 : witness->room * 2;
        struct sight *grown = realloc(witness->sights, room * sizeof(*grown));

        if (grown == NULL) {
            witness->broken = true;
            return;
        }
        witness->sights = grown;
        witness->room = room;
    }
    witness->sights[witness->count++] = (struct sight){wd, name};
    witness->sorted = false;
}

/* The mount of the trail's directory; 0, which is none, before Linux 5.8. */
static uint64_t mount_of(const struct trail *trail)
{
    struct sys_place root;

    if (trail->count > 0) {
        return trail->mounts[trail->count - 1];
    }
    return sys_place_at("/", 0, &root) == 0 ? root.mount_id : 0;
}

/* The trail's directory; -1: nothing in it can be looked up, or the witness is broken. */
static int watch_directory(struct witness *witness)
{
    struct trail *trail = &witness->trail;
    const char *path = trail->count == 0 ? "/" : trail->path;
    int wd;

    if (trail->known > trail->count) {
        return trail->wds[trail->count];
    }
    if (!telling_has(mount_of(trail)) || queue.watches == WATCHES_MAX) {
        witness->broken = true;
        return -1;
    }
    wd = inotify_add_watch(queue.fd, path, DIRECTORY_EVENTS);
    /* That its owner lets us in is told where its own name is watched. */
    witness->broken =
        witness->broken || (wd < 0 && (errno != EACCES || trail->count == 0 ||
                                       faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0));
    if (wd >= 0) {
        trail->wds[trail->count] = wd;
        trail->known = trail->count + 1;
        witness->watches++;
        queue.watches++;
    }
    return wd;
}

/* ---- the walk ---- */

/* Goes back to what @path has in common with the trail. Its rest; NULL: nothing is left to see. */
static const char *trail_share(struct trail *trail, const char *path)
{
    size_t count = 0;
    size_t end = 0;

    while (count < trail->count) {
        const size_t next = trail->ends[count];

        if (strncmp(path + end, trail->path + end, next - end) != 0 ||
            (path[next] != '/' && path[next] != '\0')) {
            break;
        }
        end = next;
        count++;
    }
    if (trail->stopped && count == trail->count) {
        return NULL;
    }
    trail->stopped = false;
    trail->count = count;
    trail->path[end] = '\0';
    return path + end;
}

static void trail_up(struct trail *trail)
{
    if (trail->count > 0) {
        trail->count--;
        trail->path[trail->count == 0 ? 0 : trail->ends[trail->count - 1]] = '\0';
    }
}

static bool trail_add(struct trail *trail, const char *name, size_t len)
{
    const size_t end = trail->count == 0 ? 0 : trail->ends[trail->count - 1];

    if (trail->count == DEPTH_MAX - 1 || end + 1 + len >= sizeof(trail->path)) {
        return false;
    }
    trail->path[end] = '/';
    memcpy(trail->path + end + 1, name, len);
    trail->path[end + 1 + len] = '\0';
    trail->ends[trail->count++] = end + 1 + len;
    trail->known = trail->known > trail->count ? trail->count : trail->known;
    return true;
}

/* Puts what the trail's link says before the rest of the way. */
static bool link_follow(struct trail *trail, char rest[2 * PATH_MAX])
{
    char target[2 * PATH_MAX];
    const ssize_t len = readlink(trail->path, target, PATH_MAX);
    const size_t rest_len = strlen(rest);

    if (len <= 0 || len >= PATH_MAX || (size_t)len + rest_len >= sizeof(target)) {
        return false;
    }
    trail_up(trail);
    if (target[0] == '/') {
        trail->count = 0;
        trail->path[0] = '\0';
    }
    memcpy(target + len, rest, rest_len + 1);
    memcpy(rest, target, (size_t)len + rest_len + 1);
    return true;
}

/* One more component. False: the way ends here. */
static bool step(struct witness *witness, const char *name, size_t len, char rest[2 * PATH_MAX],
                 unsigned *links)
{
    struct trail *trail = &witness->trail;
    const int wd = watch_directory(witness);
    struct sys_place place = {.mount_id = 0};

    if (wd < 0) {
        return false;
    }
    sight_add(witness, wd, sight_name(name, len));
    if (!trail_add(trail, name, len)) {
        witness->broken = true;
        return false;
    }
    if (sys_place_at(trail->path, AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT, &place) != 0) {
        witness->broken =
            witness->broken || (errno != ENOENT && errno != EACCES && errno != ENOTDIR);
        return false;
    }
    trail->mounts[trail->count - 1] = place.mount_id;
    if ((place.attributes & SYS_PLACE_ENCRYPTED) != 0 && S_ISDIR(place.mode)) {
        /* Its names come and go with its key, untold; and a watch would keep them. */
        witness->broken = true;
    }
    if (S_ISLNK(place.mode)) {
        witness->broken = witness->broken || ++*links > LINKS_MAX || !link_follow(trail, rest);
        return !witness->broken;
    }
    return S_ISDIR(place.mode);
}

static void walk(struct witness *witness, const char *from)
{
    struct trail *trail = &witness->trail;
    char rest[2 * PATH_MAX];
    char name[NAME_MAX + 1];
    unsigned links = 0;
    bool more = true;

    memcpy(rest, from, strlen(from) + 1);
    while (more && !witness->broken) {
        const size_t skipped = strspn(rest, "/");
        const size_t len = strcspn(rest + skipped, "/");

        if (len == 0) {
            return;
        }
        if (len > NAME_MAX) {
            witness->broken = true; /* no such name anywhere; not worth a rule of its own */
            return;
        }
        memcpy(name, rest + skipped, len);
        name[len] = '\0';
        memmove(rest, rest + skipped + len, strlen(rest + skipped + len) + 1);
        if (strcmp(name, "..") == 0) {
            trail_up(trail);
        } else if (strcmp(name, ".") != 0) {
            more = step(witness, name, len, rest, &links);
        }
    }
    trail->stopped = true;
}

void witness_name(struct witness *witness, const char *path)
{
    const char *rest;

    if (witness == NULL || witness->broken) {
        return;
    }
    if (path[0] != '/' || strlen(path) >= PATH_MAX) {
        witness->broken = true;
        return;
    }
    rest = trail_share(&witness->trail, path);
    if (rest != NULL) {
        walk(witness, rest);
    }
}

void witness_object(struct witness *witness, int fd)
{
    uint64_t mount;

    if (witness != NULL) {
        witness->broken = witness->broken || sys_mount_id(fd, &mount) != 0 || !telling_has(mount);
    }
}

/* ---- witnesses ---- */

/*
 * A process that ends lets go of its descriptors from the highest to the lowest, and of this one
 * after a grace period of the kernel (15 ms), while whoever waits for the end of another does not
 * learn of it. So it gets the lowest number, that of the standard input, which a worker has no use
 * for.
 */
static int queue_open(void)
{
    const int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    const int lowest = fd <= STDIN_FILENO ? fd : dup3(fd, STDIN_FILENO, O_CLOEXEC);

    if (fd > STDIN_FILENO) {
        (void)close(fd);
    }
    return lowest;
}

struct witness *witness_new(void)
{
    struct witness *witness;

    if (!queue.tried) {
        queue.tried = true;
        queue.fd = queue_open();
        (void)linux_mounts_changed();
        telling_read();
    }
    witness = queue.fd < 0 ? NULL : calloc(1, sizeof(*witness));
    if (witness != NULL) {
        refresh();
        witness->next = queue.first;
        queue.first = witness;
    }
    return witness;
}

static bool is_watched_by_others(int wd)
{
    for (struct witness *witness = queue.first; witness != NULL; witness = witness->next) {
        if (has_watch(witness, wd)) {
            return true;
        }
    }
    return false;
}

void witness_free(struct witness *witness)
{
    struct witness **link = &queue.first;

    if (witness == NULL) {
        return;
    }
    while (*link != witness) {
        link = &(*link)->next;
    }
    *link = witness->next;
    queue.watches -= witness->watches;
    (void)has_watch(witness, 0); /* sorted */
    for (size_t i = 0; i < witness->count; i++) {
        const int wd = witness->sights[i].wd;

        if ((i == 0 || witness->sights[i - 1].wd != wd) && !is_watched_by_others(wd)) {
            (void)inotify_rm_watch(queue.fd, wd);
        }
    }
    free(witness->sights);
    free(witness);
}

bool witness_holds(struct witness *witness)
{
    refresh();
    return !witness->broken;
}
