/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/batch.h"

#include <errno.h>
#include <linux/fanotify.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define READ_AT_ONCE (64U * 1024U)
#define PAGE 4096U
/* Of a shared batch: first struct batch_words; what is not used is a hole. */
#define SHARED_HEAD PAGE
#define SHARED_ROOM (1024UL * 1024 * 1024)
#define SHARED_KEPT (1024UL * 1024)

/*
 * Behind its end a shared batch is zero, so that an heir finds the end, also that of what was
 * being read into it.
 */
struct batch {
    char *bytes;
    size_t len, room;
    struct batch_words *words; /* NULL: not shared */
    size_t next;               /* offset of the next event */
    size_t placed;             /* ... of the next that batch_next_place() looks at */
    bool lost;
};

struct batch *batch_new(void)
{
    return calloc(1, sizeof(struct batch));
}

void batch_free(struct batch *batch)
{
    if (batch != NULL && batch->words != NULL) {
        (void)munmap(batch->words, SHARED_HEAD + SHARED_ROOM);
    } else if (batch != NULL) {
        free(batch->bytes);
    }
    free(batch);
}

bool batch_is_lost(const struct batch *batch)
{
    return batch->lost;
}

static void look_over(struct batch *batch, size_t from, size_t end)
{
    while (from < end) {
        struct fanotify_event_metadata event;

        memcpy(&event, batch->bytes + from, sizeof(event));
        if (event.vers != FANOTIFY_METADATA_VERSION || event.event_len < sizeof(event) ||
            event.event_len > end - from || (event.mask & FAN_Q_OVERFLOW) != 0) {
            batch->lost = true;
            return;
        }
        from += event.event_len;
    }
}

/* ---- shared ---- */

/* Bytes of whole events from the start. */
static size_t events_len(const char *bytes, size_t room)
{
    size_t len = 0;

    while (room - len >= sizeof(struct fanotify_event_metadata)) {
        struct fanotify_event_metadata event;

        memcpy(&event, bytes + len, sizeof(event));
        if (event.vers != FANOTIFY_METADATA_VERSION || event.event_len < sizeof(event) ||
            event.event_len > room - len) {
            break;
        }
        len += event.event_len;
    }
    return len;
}

bool batch_share(struct batch *batch, int fd)
{
    char *map = MAP_FAILED;

    if (ftruncate(fd, (off_t)(SHARED_HEAD + SHARED_ROOM)) == 0) {
        map = mmap(NULL, SHARED_HEAD + SHARED_ROOM, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    }
    if (map == MAP_FAILED) {
        return false;
    }
    batch->words = (struct batch_words *)(void *)map;
    batch->bytes = map + SHARED_HEAD;
    batch->room = SHARED_ROOM;
    batch->len = events_len(batch->bytes, batch->room);
    look_over(batch, 0, batch->len);
    return true;
}

static bool is_empty(int group)
{
    int queued = -1;

    return ioctl(group, FIONREAD, &queued) == 0 && queued == 0;
}

/*
 * Memory for what is read next, before it leaves the queue: a reader that is killed while memory is
 * found for it would lose it.
 */
static void shared_touch(const struct batch *batch)
{
    for (size_t at = 0; at < READ_AT_ONCE; at += PAGE) {
        *(volatile char *)(batch->bytes + batch->len + at) = '\0';
    }
    *(volatile char *)(batch->bytes + batch->len + READ_AT_ONCE - 1) = '\0';
}

static void shared_empty(struct batch *batch)
{
    size_t len = batch->len;

    if (len == 0) {
        return;
    }
    /* At once there is nothing; then, in whatever order, the rest goes. */
    *(volatile uint32_t *)(void *)batch->bytes = 0;
    /* Of much, the memory is given back. */
    if (len > SHARED_KEPT &&
        madvise(batch->bytes + SHARED_KEPT, SHARED_ROOM - SHARED_KEPT, MADV_REMOVE) == 0) {
        len = SHARED_KEPT;
    }
    memset(batch->bytes, 0, len);
}

struct batch_words *batch_words_of(int fd)
{
    void *map = ftruncate(fd, SHARED_HEAD) == 0
                    ? mmap(NULL, SHARED_HEAD, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                    : MAP_FAILED;

    return map == MAP_FAILED ? NULL : map;
}

const struct batch_words *batch_words(const struct batch *batch)
{
    return batch->words;
}

static void word_set(uint32_t *word, uint32_t value)
{
    __atomic_store_n(word, value, __ATOMIC_SEQ_CST);
}

void batch_rest(struct batch *batch, bool learned)
{
    if (batch->words != NULL) {
        word_set(&batch->words->learned, learned);
        word_set(&batch->words->busy, 0);
    }
}

bool batch_is_busy(int fd)
{
    uint32_t busy = 1;
    ssize_t len = pread(fd, &busy, sizeof(busy), 0);

    /* Nothing is there before the guard begins. */
    return len != 0 && (len != (ssize_t)sizeof(busy) || busy != 0);
}

/* ---- reading ---- */

/* Room for READ_AT_ONCE more. */
static bool grow(struct batch *batch)
{
    size_t room = batch->room == 0 ? READ_AT_ONCE : batch->room * 2;
    char *bytes = batch->words == NULL ? realloc(batch->bytes, room) : NULL;

    if (bytes == NULL) {
        return false;
    }
    batch->bytes = bytes;
    batch->room = room;
    return true;
}

/* All was taken. */
static void empty(struct batch *batch)
{
    if (batch->words != NULL) {
        shared_empty(batch);
    } else if (batch->room > 16 * READ_AT_ONCE) {
        free(batch->bytes);
        batch->bytes = NULL;
        batch->room = 0;
    }
    batch->next = 0;
    batch->len = 0;
    batch->placed = 0;
}

bool batch_read(struct batch *batch, int group)
{
    if (batch->words != NULL) {
        word_set(&batch->words->busy, 1);
    }
    for (;;) {
        ssize_t len;

        while (batch->room - batch->len < READ_AT_ONCE) {
            if (!grow(batch)) {
                batch->lost = true;
                return false;
            }
        }
        if (batch->words != NULL) {
            if (is_empty(group)) {
                return !batch->lost;
            }
            shared_touch(batch);
        }
        len = read(group, batch->bytes + batch->len, READ_AT_ONCE);
        if (len < 0 && errno == EINTR) {
            continue;
        }
        if (len <= 0) {
            batch->lost = batch->lost || len == 0 || errno != EAGAIN;
            return !batch->lost;
        }
        look_over(batch, batch->len, batch->len + (size_t)len);
        batch->len += (size_t)len;
        if (batch->lost) {
            return false;
        }
    }
}

/* "struct file_handle", then for a name NUL-terminated bytes. */
static bool parse_info(const char *info, size_t len, uint64_t *ret_fsid, struct object *ret_object,
                       const char **ret_name)
{
    const size_t head = sizeof(struct fanotify_event_info_fid);
    uint32_t bytes;

    if (len < head + 8) {
        return false;
    }
    memcpy(ret_fsid, info + offsetof(struct fanotify_event_info_fid, fsid), sizeof(*ret_fsid));
    memcpy(&bytes, info + head, sizeof(bytes));
    if (bytes > OBJECT_BYTES_MAX || len < head + 8 + bytes) {
        return false;
    }
    ret_object->len = bytes;
    memcpy(&ret_object->type, info + head + 4, sizeof(ret_object->type));
    memcpy(ret_object->bytes, info + head + 8, bytes);
    if (ret_name != NULL) {
        *ret_name = info + head + 8 + bytes;
        return memchr(*ret_name, '\0', len - head - 8 - bytes) != NULL;
    }
    return true;
}

static bool parse_part(const struct fanotify_event_info_header *head, const char *info,
                       struct batch_event *event)
{
    switch (head->info_type) {
    case FAN_EVENT_INFO_TYPE_FID:
        return parse_info(info, head->len, &event->fsid, &event->target, NULL);
    case FAN_EVENT_INFO_TYPE_DFID_NAME:
    case FAN_EVENT_INFO_TYPE_OLD_DFID_NAME:
        return parse_info(info, head->len, &event->fsid, &event->from.directory, &event->from.name);
    case FAN_EVENT_INFO_TYPE_NEW_DFID_NAME:
        return parse_info(info, head->len, &event->fsid, &event->to.directory, &event->to.name);
    default:
        return true; /* of a later kernel */
    }
}

/* With a name it is another attribute. */
static bool is_count(const struct fanotify_event_metadata *event)
{
    return (event->mask & FAN_ATTRIB) != 0 &&
           (event->mask & (FAN_ONDIR | FAN_CREATE | FAN_DELETE | FAN_RENAME)) == 0;
}

static bool parse_event(const char *bytes, const struct fanotify_event_metadata *meta,
                        struct batch_event *event)
{
    memset(event, 0, sizeof(*event));
    event->is_rename = (meta->mask & FAN_RENAME) != 0;
    event->is_creation = (meta->mask & FAN_CREATE) != 0;
    event->is_removal = (meta->mask & FAN_DELETE) != 0;
    event->is_directory = (meta->mask & FAN_ONDIR) != 0;
    event->is_name = (meta->mask & (FAN_CREATE | FAN_DELETE)) != 0;
    event->thread = meta->pid;
    for (size_t at = meta->metadata_len; at < meta->event_len;) {
        struct fanotify_event_info_header head;

        if (meta->event_len - at < sizeof(head)) {
            return false;
        }
        memcpy(&head, bytes + at, sizeof(head));
        if (head.len < sizeof(head) || head.len > meta->event_len - at ||
            !parse_part(&head, bytes + at, event)) {
            return false;
        }
        at += head.len;
    }
    event->is_count = is_count(meta) && event->from.name == NULL && event->target.len > 0;
    return (!event->is_rename && !event->is_name) ||
           (event->from.name != NULL && event->target.len > 0 &&
            (!event->is_rename || event->to.name != NULL));
}

bool batch_next(struct batch *batch, struct batch_event *ret_event)
{
    struct fanotify_event_metadata meta;

    if (batch->lost || batch->next == batch->len) {
        if (!batch->lost) {
            empty(batch);
        }
        return false;
    }
    memcpy(&meta, batch->bytes + batch->next, sizeof(meta));
    batch->lost = !parse_event(batch->bytes + batch->next, &meta, ret_event);
    batch->next += meta.event_len;
    return !batch->lost;
}

bool batch_next_place(struct batch *batch, struct batch_event *ret_event)
{
    bool found = false;

    while (!found && !batch->lost && batch->placed < batch->len) {
        const char *bytes = batch->bytes + batch->placed;
        struct fanotify_event_metadata meta;

        memcpy(&meta, bytes, sizeof(meta));
        batch->placed += meta.event_len;
        found = (meta.mask & FAN_ONDIR) != 0 &&
                (meta.mask & (FAN_CREATE | FAN_DELETE | FAN_RENAME)) != 0;
        batch->lost = found && !parse_event(bytes, &meta, ret_event);
    }
    return found && !batch->lost;
}

/* Offset of the next event of @thread's; the batch's end: there is none. */
static size_t next_of(const struct batch *batch, int32_t thread)
{
    size_t at = batch->next;

    while (at < batch->len) {
        struct fanotify_event_metadata meta;

        memcpy(&meta, batch->bytes + at, sizeof(meta));
        if (meta.pid == thread) {
            break;
        }
        at += meta.event_len;
    }
    return at;
}

static bool is_count_at(const struct batch *batch, size_t at, struct object *ret_target)
{
    struct fanotify_event_metadata meta;
    struct batch_event event;

    memcpy(&meta, batch->bytes + at, sizeof(meta));
    if (!is_count(&meta) || !parse_event(batch->bytes + at, &meta, &event) || !event.is_count) {
        return false;
    }
    *ret_target = event.target;
    return true;
}

/* Offset of the first "moved itself" of @target from @at on, before @until; @until: there is none.
 */
static size_t moved_itself(const struct batch *batch, const struct object *target, size_t at,
                           size_t until, int32_t *ret_thread)
{
    while (at < until) {
        struct fanotify_event_metadata meta;
        struct batch_event event;

        memcpy(&meta, batch->bytes + at, sizeof(meta));
        if ((meta.mask & FAN_MOVE_SELF) != 0 && parse_event(batch->bytes + at, &meta, &event) &&
            object_same(&event.target, target)) {
            *ret_thread = meta.pid;
            break;
        }
        at += meta.event_len;
    }
    return at;
}

bool batch_follows(const struct batch *batch, int32_t thread)
{
    return next_of(batch, thread) < batch->len;
}

void batch_search(const struct batch *batch, const struct batch_event *rename, bool renumbered,
                  struct batch_search *ret_search)
{
    const size_t next = next_of(batch, rename->thread);
    struct object ignored;
    int32_t mover = 0;
    const bool moved = moved_itself(batch, &rename->target, 0, batch->next, &mover) < batch->next;
    const bool counted = next < batch->len && is_count_at(batch, next, &ignored);

    *ret_search = (struct batch_search){.at = counted && !moved ? batch->next : 0,
                                        .taken = batch->next,
                                        .until = batch->next,
                                        .thread = rename->thread};
    if (renumbered && next == batch->len) {
        const size_t end =
            moved_itself(batch, &rename->target, batch->next, batch->len, &ret_search->mover);

        ret_search->until = end < batch->len ? end : batch->next;
    }
}

bool batch_found(const struct batch *batch, struct batch_search *search, struct object *ret_target)
{
    while (search->at < search->until) {
        const size_t at = search->at;
        const int32_t thread = at < search->taken ? search->thread : search->mover;
        struct fanotify_event_metadata meta;

        memcpy(&meta, batch->bytes + at, sizeof(meta));
        search->at += meta.event_len;
        if (meta.pid == thread && is_count_at(batch, at, ret_target)) {
            return true;
        }
    }
    return false;
}
