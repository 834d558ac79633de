/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Former names, from one job to the next: see index/record.h. A name that a guard saw go is told
 * before anything else is answered. Those that earlier guards told of are read when a job begins,
 * and each is one more name of its object, to be judged as any other.
 *
 * A directory that moved takes what is below along. So what has a former name below a name of such
 * a directory had one below each name as well that the directory had lost before: who told of it
 * may have known but that one.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/index/record.h"
#include "platform/linux/init/index_ask.h"
#include "platform/linux/init/names.h"
#include "platform/linux/init/sys.h"

#define PATHS_MAX 256U /* of one object; with more nobody can tell */

#define TURN_NOW UINT64_MAX

/* A name of a directory that has former ones; entries with the same text or object are alike. */
struct alike {
    char *path;
    const struct object *object; /* of a record */
    uint64_t dev;
    uint64_t turn; /* TURN_NOW: it has that name */
};

struct load {
    struct names *names;
    struct former *records;
    size_t count, room;
    struct alike *alike; /* by device and path */
    size_t alike_count;
    bool failed;
};

/* Every former name of one object. */
struct paths {
    char *text[PATHS_MAX];
    size_t count;
    bool overflow;
    bool failed;
};

/* ---- telling ---- */

/* -1 with errno: there is no such object, or nobody can open it. */
static int target_open(const struct names *names, uint64_t dev, const struct object *object,
                       int flags)
{
    int fd = -1;

    errno = ESTALE;
    for (size_t i = 0; fd < 0 && i < names->mount_count; i++) {
        if (names->mounts[i].dev == dev) {
            fd = object_open(names->mounts[i].fd, object, flags);
        }
    }
    return fd;
}

static bool is_gone(const struct names *names, uint64_t dev, const struct object *object)
{
    int fd = target_open(names, dev, object, O_PATH);
    struct stat st;
    bool gone = fd < 0 ? errno == ESTALE : fstat(fd, &st) == 0 && st.st_nlink == 0;

    if (fd >= 0) {
        (void)close(fd);
    }
    return gone;
}

static bool message_send(const struct names *names, struct record_message *message, size_t len)
{
    ssize_t sent;

    message->magic = INDEX_MAGIC;
    do {
        sent = send(names->watch->life, message, RECORD_MESSAGE_HEAD + len, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
    /* Nobody there: whoever comes next knows that this job ran, and what that means. */
    return sent >= 0 || errno == EPIPE || errno == ECONNRESET;
}

static uint64_t dev_of(const struct names *names, uint64_t fsid)
{
    for (size_t i = 0; i < names->mount_count; i++) {
        if (names->mounts[i].fsid == fsid) {
            return names->mounts[i].dev;
        }
    }
    return 0;
}

bool former_tell(struct names *names, const struct batch_event *event,
                 const struct names_mount *mount, const char *path)
{
    static struct strbuf rooted = STRBUF_INIT;
    static struct record_message message = {.kind = RECORD_TELL};
    struct former former = {.dev = dev_of(names, event->fsid),
                            .is_directory = event->is_directory,
                            .object = event->target,
                            .path = ""};

    if (names->watch->life < 0 || former.dev == 0 || is_gone(names, former.dev, &former.object)) {
        return true;
    }
    if (mount != NULL) {
        path_move(path, mount->path, mount->root, &rooted);
        if (rooted.failed) {
            return false;
        }
        former.path = rooted.len < RECORD_PATH_MAX ? rooted.data : "";
    }
    record_put(message.record, &former);
    return message_send(names, &message, record_size(&former));
}

void former_hear(struct names *names)
{
    static struct record_message message;
    ssize_t len = recv(names->watch->life, &message, sizeof(message), MSG_DONTWAIT);

    if (len < (ssize_t)RECORD_MESSAGE_HEAD || message.kind != RECORD_ASK) {
        return;
    }
    message.kind = RECORD_DONE;
    if (!names_drain(names) || !message_send(names, &message, 0)) {
        _exit(1);
    }
}

/* ---- names of directories that moved ---- */

static int alike_order(uint64_t dev, const char *path, size_t len, const struct alike *other)
{
    int order;

    if (dev != other->dev) {
        return dev < other->dev ? -1 : 1;
    }
    order = strncmp(path, other->path, len);
    return order != 0 || other->path[len] == '\0' ? order : -1;
}

static int alike_compare(const void *a, const void *b)
{
    const struct alike *one = a;

    return alike_order(one->dev, one->path, strlen(one->path), b);
}

static void alike_add(struct load *load, const struct former *record, const char *path,
                      uint64_t turn)
{
    struct alike *alike = &load->alike[load->alike_count];

    *alike = (struct alike){strdup(path), &record->object, record->dev, turn};
    load->failed = load->failed || alike->path == NULL;
    load->alike_count += alike->path != NULL;
}

/* Where a directory is now; *context: the record, then its place in the list. */
struct now {
    struct load *load;
    const struct former *record;
    struct strbuf path; /* from the file system's root; empty: nowhere that we see */
};

static void now_take(void *context, enum places_found found, const struct chain *chain)
{
    static struct strbuf path = STRBUF_INIT;
    struct now *now = context;
    const struct names *names = now->load->names;

    for (size_t i = 0; found == PLACES_FOUND && now->path.len == 0 && i < names->mount_count; i++) {
        const struct names_mount *mount = &names->mounts[i];

        if (mount->dev == now->record->dev && names_path(chain, mount, "", &path)) {
            path_move(path.len == 0 ? "/" : path.data, mount->path, mount->root, &now->path);
            now->load->failed = now->load->failed || path.failed || now->path.failed;
        }
    }
}

static bool fsid_of(const struct names *names, uint64_t dev, uint64_t *ret_fsid)
{
    for (size_t i = 0; i < names->mount_count; i++) {
        if (names->mounts[i].dev == dev) {
            *ret_fsid = names->mounts[i].fsid;
            return true;
        }
    }
    return false;
}

static void alike_find(struct load *load)
{
    static struct now now = {.path = STRBUF_INIT};
    uint64_t fsid;

    load->alike = calloc(2 * load->count + 1, sizeof(*load->alike));
    load->failed = load->failed || load->alike == NULL;
    for (size_t i = 0; !load->failed && i < load->count; i++) {
        const struct former *record = &load->records[i];

        if (!record->is_directory || !fsid_of(load->names, record->dev, &fsid)) {
            continue;
        }
        if (record->path[0] != '\0') {
            alike_add(load, record, record->path, record->turn);
        }
        if (objects_find(&load->names->former, &record->object) == NULL) {
            now.load = load;
            now.record = record;
            now.path.len = 0;
            places_each(load->names, fsid, &record->object, now_take, &now);
            if (now.path.len > 0) {
                alike_add(load, record, now.path.data, TURN_NOW);
            }
        }
        load->failed = load->failed || objects_add(&load->names->former, &record->object) == NULL;
    }
    if (!load->failed) {
        qsort(load->alike, load->alike_count, sizeof(*load->alike), alike_compare);
    }
}

static void paths_add(struct paths *paths, const char *above, const char *below)
{
    static struct strbuf text = STRBUF_INIT;

    text.len = 0;
    strbuf_puts(&text, above);
    strbuf_puts(&text, below);
    for (size_t i = 0; i < paths->count; i++) {
        if (strcmp(paths->text[i], strbuf_text(&text)) == 0) {
            return;
        }
    }
    paths->overflow =
        paths->overflow || paths->count == PATHS_MAX || text.len > 4 * RECORD_PATH_MAX;
    if (!paths->overflow) {
        paths->text[paths->count] = text.failed ? NULL : strdup(text.data);
        paths->failed = paths->failed || paths->text[paths->count] == NULL;
        paths->count += paths->text[paths->count] != NULL;
    }
}

/* The names below each other name that the directory which entry @at is of had lost by @turn. */
static void paths_respell(const struct load *load, struct paths *paths, size_t at, uint64_t turn,
                          const char *below)
{
    for (size_t i = 0; i < load->alike_count; i++) {
        if (i != at && load->alike[i].turn <= turn &&
            object_same(load->alike[i].object, load->alike[at].object)) {
            paths_add(paths, load->alike[i].path, below);
        }
    }
}

/* The first entry that is called the @len bytes at @path; alike_count: none. */
static size_t alike_first(const struct load *load, uint64_t dev, const char *path, size_t len)
{
    size_t low = 0;
    size_t high = load->alike_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (alike_order(dev, path, len, &load->alike[middle]) > 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void paths_find(const struct load *load, const struct former *record, struct paths *paths)
{
    paths_add(paths, record->path, "");
    for (size_t i = 0; !paths->failed && !paths->overflow && i < paths->count; i++) {
        const char *text = paths->text[i];

        for (size_t len = strlen(text); len-- > 1;) {
            size_t at =
                text[len] == '/' ? alike_first(load, record->dev, text, len) : load->alike_count;

            for (; at < load->alike_count &&
                   alike_order(record->dev, text, len, &load->alike[at]) == 0;
                 at++) {
                paths_respell(load, paths, at, record->turn, text + len);
            }
        }
    }
}

/* ---- judging ---- */

/* What is said of an object that is called @path from the root of file system @dev. */
static bool path_judge(struct load *load, const struct former *record, const char *path)
{
    const struct mount_table *host = &load->names->watch->init->host;
    static struct strbuf name = STRBUF_INIT;
    const struct watch *watch = load->names->watch;
    bool ok = true;

    for (size_t i = 0; ok && i < host->count; i++) {
        const struct mount_entry *mount = &host->mounts[i];

        if (mount->dev != record->dev || !path_is_below(path, mount->root)) {
            continue;
        }
        path_move(path, mount->root, mount->path, &name);
        if (name.failed) {
            return false;
        }
        if (!record->is_directory) {
            ok = !verdict_by_name(watch, name.data, name.len).denied ||
                 names_denied(load->names, &record->object);
        } else if (!verdict_is_hopeless(watch, name.data) ||
                   verdict_by_name(watch, name.data, name.len).denied) {
            int fd = target_open(load->names, record->dev, &record->object,
                                 O_RDONLY | O_DIRECTORY | O_NONBLOCK);

            ok = fd >= 0 ? walk_add(load->names, fd, name.data, NULL) : errno == ESTALE;
        }
    }
    return ok;
}

/* Nobody can tell what it was called. */
static bool deny(struct load *load, const struct former *record)
{
    int fd;

    if (!names_denied(load->names, &record->object) || !record->is_directory) {
        return record->is_directory ? false
                                    : objects_find(&load->names->denied, &record->object) != NULL;
    }
    fd =
        target_open(load->names, record->dev, &record->object, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
    return fd >= 0 ? walk_add(load->names, fd, NULL, NULL) : errno == ESTALE;
}

static bool record_judge(struct load *load, const struct former *record)
{
    struct paths paths = {.count = 0};
    bool ok = true;

    if (record->path[0] == '\0') {
        return deny(load, record);
    }
    paths_find(load, record, &paths);
    if (paths.overflow) {
        ok = deny(load, record);
    }
    for (size_t i = 0; i < paths.count; i++) {
        ok = ok && !paths.failed && path_judge(load, record, paths.text[i]);
        free(paths.text[i]);
    }
    return ok && !paths.failed;
}

/* ---- reading ---- */

static bool records_read(struct load *load, const char *at, const char *end)
{
    struct former former;

    while (at < end) {
        uint64_t fsid;

        if (!record_get(&at, end, &former)) {
            return false;
        }
        if (!fsid_of(load->names, former.dev, &fsid)) {
            continue;
        }
        if (load->count == load->room) {
            size_t room = load->room == 0 ? 64 : load->room * 2;
            struct former *grown = realloc(load->records, room * sizeof(*grown));

            if (grown == NULL) {
                return false;
            }
            load->records = grown;
            load->room = room;
        }
        load->records[load->count++] = former;
    }
    return true;
}

static bool records_take(struct names *names, const char *block, size_t len)
{
    struct load load = {.names = names};
    bool ok = records_read(&load, block, block + len);

    if (ok) {
        alike_find(&load);
    }
    for (size_t i = 0; ok && !load.failed && i < load.count; i++) {
        ok = record_judge(&load, &load.records[i]);
    }
    for (size_t i = 0; i < load.alike_count; i++) {
        free(load.alike[i].path);
    }
    free(load.alike);
    free(load.records);
    return ok && !load.failed;
}

bool former_begin(struct names *names, bool *ret_full)
{
    struct index_reply reply;
    bool ok = false;
    struct stat st;
    void *block;
    int fd;

    *ret_full = false;
    if (names->watch->life < 0) {
        return !names->is_written;
    }
    fd = index_receive(names->watch->life, &reply);
    *ret_full = reply.status == INDEX_FULL && names->is_written;
    if (fd < 0) {
        return reply.status == INDEX_OK || !names->is_written || *ret_full;
    }
    if (fstat(fd, &st) == 0 && st.st_size > 0) {
        block = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (block != MAP_FAILED) {
            ok = records_take(names, block, (size_t)st.st_size);
            (void)munmap(block, (size_t)st.st_size);
        }
    }
    (void)close(fd);
    return ok;
}
