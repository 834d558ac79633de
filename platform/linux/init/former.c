/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Former names, from one job to the next: see index/record.h. A name that a guard saw go is told
 * before anything else is answered. Those that earlier guards told of are read when a job begins,
 * and each is one more name of its object, to be judged as any other.
 *
 * A directory that moved takes what is below along: that is looked through when a job begins, as if
 * the directory had its former name. What leaves it then has had a name below that as well.
 */
#include <errno.h>
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

/* False: out of memory. */
static bool keep(struct names *names, const struct object *directory, const char *path,
                 bool is_earlier)
{
    struct objects_entry *entry = objects_add(&names->former, directory);
    size_t size = strlen(path) + 1;
    struct former_list *list;

    for (list = entry == NULL ? NULL : entry->value; list != NULL; list = list->next) {
        if (strcmp(list->path, path) == 0) {
            list->is_earlier = list->is_earlier || is_earlier;
            return true;
        }
    }
    list = entry == NULL ? NULL : malloc(sizeof(*list) + size);
    if (list == NULL) {
        return false;
    }
    list->next = entry->value;
    list->is_earlier = is_earlier;
    memcpy(list->path, path, size);
    entry->value = list;
    return true;
}

/* No command is there yet: nobody is to hear what the host does. */
static bool is_parked(const struct names *names)
{
    const struct batch_words *words = batch_words(names->batch);

    return words != NULL && __atomic_load_n(&words->begun, __ATOMIC_SEQ_CST) == 0;
}

bool former_tell(struct names *names, const struct batch_event *event, const char *path)
{
    static struct record_message message = {.kind = RECORD_TELL};
    const struct former former = {.dev = dev_of(names, event->fsid),
                                  .is_directory = event->is_directory,
                                  .object = event->target,
                                  .path = strlen(path) < RECORD_PATH_MAX ? path : ""};

    if (names->watch->life < 0 || former.dev == 0 || is_gone(names, former.dev, &former.object)) {
        return true;
    }
    if (former.is_directory && !keep(names, &former.object, former.path, false)) {
        return false;
    }
    if (is_parked(names)) {
        return true;
    }
    record_put(message.record, &former);
    return message_send(names, &message, record_size(&former));
}

bool former_tell_at(struct names *names, const struct batch_event *event,
                    const struct names_mount *mount, const char *path)
{
    static struct strbuf rooted = STRBUF_INIT;

    path_move(path, mount->path, mount->root, &rooted);
    return !rooted.failed && former_tell(names, event, rooted.data);
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

/* ---- judging ---- */

/*
 * Calls @take for each name that the host has for @path from the root of file system @dev, until it
 * says that this was enough. False: out of memory.
 */
static bool path_each(struct names *names, const struct former *former,
                      bool (*take)(struct names *names, const struct former *former,
                                   const struct strbuf *name, bool *ret_ok))
{
    const struct mount_table *host = &names->watch->init->host;
    static struct strbuf name = STRBUF_INIT;
    bool enough = false;
    bool ok = true;

    for (size_t i = 0; ok && !enough && i < host->count; i++) {
        const struct mount_entry *mount = &host->mounts[i];

        if (mount->dev == former->dev && path_is_below(former->path, mount->root)) {
            path_move(former->path, mount->root, mount->path, &name);
            ok = !name.failed;
            enough = ok && take(names, former, &name, &ok);
        }
    }
    return ok;
}

static bool matters(const struct names *names, const struct former *former,
                    const struct strbuf *name)
{
    return verdict_by_name(names->watch, name->data, name->len).denied ||
           (former->is_directory && !verdict_is_hopeless(names->watch, name->data));
}

/* *ret_ok: it does not. */
static bool name_matters(struct names *names, const struct former *former,
                         const struct strbuf *name, bool *ret_ok)
{
    *ret_ok = !matters(names, former, name);
    return !*ret_ok;
}

bool former_matters(struct names *names, const struct batch_event *event, const char *path)
{
    const struct former former = {
        .dev = dev_of(names, event->fsid), .is_directory = event->is_directory, .path = path};

    return path[0] == '\0' || !path_each(names, &former, name_matters);
}

/* What is denied of @former's object and below it if it is at @path; NULL: all. */
static bool object_judge(struct names *names, const struct former *former, const char *path)
{
    int fd;

    if (!former->is_directory) {
        return names_denied(names, &former->object);
    }
    fd = target_open(names, former->dev, &former->object, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
    return fd >= 0 ? walk_add(names, fd, path, NULL) : errno == ESTALE;
}

static bool name_judge(struct names *names, const struct former *former, const struct strbuf *name,
                       bool *ret_ok)
{
    *ret_ok = !matters(names, former, name) || object_judge(names, former, name->data);
    return false;
}

static bool record_take(struct names *names, const struct former *former)
{
    if (former->is_directory && !keep(names, &former->object, former->path, true)) {
        return false;
    }
    return former->path[0] == '\0' ? object_judge(names, former, NULL)
                                   : path_each(names, former, name_judge);
}

bool former_judge(struct names *names, const struct batch_event *event, const char *path)
{
    const struct former former = {.dev = dev_of(names, event->fsid),
                                  .is_directory = event->is_directory,
                                  .object = event->target,
                                  .path = path};

    return record_take(names, &former);
}

/* ---- reading ---- */

static bool is_watched(const struct names *names, uint64_t dev)
{
    for (size_t i = 0; i < names->mount_count; i++) {
        if (names->mounts[i].dev == dev) {
            return true;
        }
    }
    return false;
}

static bool records_take(struct names *names, const char *block, size_t len)
{
    const char *end = block + len;
    struct former former;
    bool ok = true;

    while (ok && block < end) {
        ok = record_get(&block, end, &former) &&
             (!is_watched(names, former.dev) || record_take(names, &former));
    }
    return ok;
}

bool former_take(struct names *names, int records)
{
    bool ok = records < 0;
    struct stat st;
    void *block;

    names->is_behind = true;
    if (!ok && fstat(records, &st) == 0 && st.st_size > 0) {
        block = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, records, 0);
        if (block != MAP_FAILED) {
            ok = records_take(names, block, (size_t)st.st_size);
            (void)munmap(block, (size_t)st.st_size);
        }
    }
    return ok;
}

/* What there is to know of names that went. */
static size_t known(const struct names *names)
{
    return names->denied.count + names->former.count;
}

bool names_have_gone(const struct names *names)
{
    return known(names) != names->known_first;
}

bool former_begin(struct names *names, bool *ret_full)
{
    struct index_reply reply = {.status = INDEX_FAILED};
    int records = names->watch->life < 0 ? -1 : index_receive(names->watch->life, &reply);
    /* Where no file system tells of names it does not matter. */
    const bool matters = names->mount_count > 0 && reply.status != INDEX_FULL;
    bool ok = !matters || (reply.status == INDEX_OK && former_take(names, records));

    *ret_full = reply.status == INDEX_FULL && names->mount_count > 0;
    names->known_first = known(names);
    ok = ok && (!matters || names_drain(names));
    if (records >= 0) {
        (void)close(records);
    }
    return ok;
}
