/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/init/batch.h"

#include <linux/fanotify.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/support/check.h"

#define EVENTS_AT 4096 /* where the first one lies */

/* What a reader left. */
static int left_behind(unsigned count)
{
    const struct fanotify_event_metadata event = {.event_len = sizeof(event),
                                                  .metadata_len = sizeof(event),
                                                  .vers = FANOTIFY_METADATA_VERSION,
                                                  .mask = FAN_ATTRIB};
    int fd = memfd_create("batch", MFD_CLOEXEC);
    const uint32_t busy = 1;

    CHECK(fd >= 0 && pwrite(fd, &busy, sizeof(busy), 0) == (ssize_t)sizeof(busy));
    for (unsigned i = 0; i < count; i++) {
        CHECK(pwrite(fd, &event, sizeof(event), (off_t)(EVENTS_AT + i * sizeof(event))) ==
              (ssize_t)sizeof(event));
    }
    return fd;
}

static unsigned count_next(struct batch *batch)
{
    struct batch_event event;
    unsigned count = 0;

    while (batch_next(batch, &event)) {
        count++;
    }
    return count;
}

TEST(an_heir_finds_what_was_read_and_not_taken)
{
    int fd = left_behind(3);
    struct batch *batch = batch_new();
    char first[8];

    CHECK(batch != NULL && batch_is_busy(fd));
    CHECK(batch_share(batch, fd));
    CHECK(count_next(batch) == 3 && !batch_is_lost(batch));
    /* The next heir finds nothing, once this one says so. */
    CHECK(batch_is_busy(fd));
    batch_rest(batch, true);
    CHECK(!batch_is_busy(fd) && batch_words(batch)->learned == 1);
    batch_rest(batch, false);
    CHECK(!batch_is_busy(fd) && batch_words(batch)->learned == 0);
    CHECK(pread(fd, first, sizeof(first), EVENTS_AT) == (ssize_t)sizeof(first));
    CHECK(memcmp(first, "\0\0\0\0\0\0\0", sizeof(first)) == 0);
    batch_free(batch);
    batch = batch_new();
    CHECK(batch != NULL && batch_share(batch, fd) && count_next(batch) == 0);
    batch_free(batch);
    (void)close(fd);
}

TEST(a_lost_event_is_noticed)
{
    int fd = left_behind(2);
    const uint64_t mask = FAN_Q_OVERFLOW;
    struct batch *batch = batch_new();

    CHECK(pwrite(fd, &mask, sizeof(mask),
                 EVENTS_AT + (off_t)sizeof(struct fanotify_event_metadata) +
                     (off_t)offsetof(struct fanotify_event_metadata, mask)) ==
          (ssize_t)sizeof(mask));
    CHECK(batch != NULL && batch_share(batch, fd) && batch_is_lost(batch));
    batch_free(batch);
    (void)close(fd);
}

TEST(who_never_began_is_not_busy)
{
    int fd = memfd_create("batch", MFD_CLOEXEC);

    CHECK(fd >= 0 && !batch_is_busy(fd));
    CHECK(batch_is_busy(-1)); /* nobody can tell */
    (void)close(fd);
}

/* ---- what a rename replaced ---- */

/* An event as the kernel writes it; files and directories are known by one byte. */
struct told {
    uint64_t mask;
    int32_t thread;
    char target;
};

static size_t put_part(char *bytes, uint8_t type, char object, const char *name)
{
    const uint32_t size = 1;
    const struct fanotify_event_info_header head = {
        .info_type = type, .len = (uint16_t)(20 + size + (name == NULL ? 0 : strlen(name) + 1))};

    memset(bytes, 0, head.len);
    memcpy(bytes, &head, sizeof(head));
    memcpy(bytes + 12, &size, sizeof(size));
    bytes[20] = object;
    if (name != NULL) {
        memcpy(bytes + 21, name, strlen(name));
    }
    return head.len;
}

static size_t put_event(char *bytes, const struct told *told)
{
    struct fanotify_event_metadata event = {.metadata_len = sizeof(event),
                                            .vers = FANOTIFY_METADATA_VERSION,
                                            .mask = told->mask,
                                            .pid = told->thread};
    size_t len = sizeof(event);

    if ((told->mask & FAN_RENAME) != 0) {
        len += put_part(bytes + len, FAN_EVENT_INFO_TYPE_OLD_DFID_NAME, 'D', "from");
        len += put_part(bytes + len, FAN_EVENT_INFO_TYPE_NEW_DFID_NAME, 'D', "to");
    }
    len += put_part(bytes + len, FAN_EVENT_INFO_TYPE_FID, told->target, NULL);
    event.event_len = (uint32_t)len;
    memcpy(bytes, &event, sizeof(event));
    return len;
}

/*
 * Where else it may be told what the rename among those replaced, as text, for the guard or
 * an heir; "?" in front: there is no next event of its thread's.
 */
static const char *searched(bool heir, const struct told *told, size_t count)
{
    static char text[16];
    char bytes[1024];
    struct batch *batch = batch_new();
    int fd = memfd_create("batch", MFD_CLOEXEC);
    struct batch_search search;
    struct batch_event event;
    struct object target;
    size_t len = 0;
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        len += put_event(bytes + len, &told[i]);
    }
    CHECK(pwrite(fd, bytes, len, EVENTS_AT) == (ssize_t)len);
    CHECK(batch != NULL && batch_share(batch, fd));
    do {
        CHECK(batch_next(batch, &event));
    } while (!event.is_rename);
    if (!batch_follows(batch, event.thread)) {
        text[at++] = '?';
    }
    batch_search(batch, &event, heir, &search);
    while (batch_found(batch, &search, &target)) {
        text[at++] = (char)target.bytes[0];
    }
    text[at] = '\0';
    batch_free(batch);
    (void)close(fd);
    return text;
}
#define SEARCHED(heir, ...)                                                                        \
    searched(heir, (const struct told[]){__VA_ARGS__},                                             \
             sizeof((const struct told[]){__VA_ARGS__}) / sizeof(struct told))

TEST(what_a_rename_replaced_is_told_by_the_next_event)
{
    CHECK_STR(SEARCHED(false, {FAN_ATTRIB, 5, 'n'}, {FAN_RENAME, 5, 'T'}, {FAN_ATTRIB, 5, 'X'},
                       {FAN_MOVE_SELF, 5, 'T'}),
              "");
    CHECK_STR(SEARCHED(false, {FAN_RENAME, 5, 'T'}, {FAN_MOVE_SELF, 5, 'T'}, {FAN_ATTRIB, 6, 'n'}),
              "");
    CHECK_STR(SEARCHED(false, {FAN_RENAME, 5, 'T'}, {FAN_CREATE, 6, 'n'}), "?");
}

TEST(what_was_merged_seems_to_have_come_before)
{
    CHECK_STR(SEARCHED(false, {FAN_ATTRIB, 5, 'X'}, {FAN_ATTRIB, 6, 'n'}, {FAN_RENAME, 5, 'T'},
                       {FAN_MOVE_SELF, 5, 'T'}),
              "X");
    CHECK_STR(SEARCHED(false, {FAN_ATTRIB | FAN_MOVE_SELF, 5, 'X'}, {FAN_RENAME, 5, 'T'}), "?X");
    /* It moved before: the next event, of another file, proves nothing. */
    CHECK_STR(SEARCHED(false, {FAN_ATTRIB, 5, 'X'}, {FAN_MOVE_SELF, 5, 'T'}, {FAN_RENAME, 5, 'T'},
                       {FAN_ATTRIB, 5, 'n'}),
              "X");
    /* Somebody else moves it later. */
    CHECK_STR(SEARCHED(false, {FAN_ATTRIB, 5, 'X'}, {FAN_MOVE_SELF, 5, 'T'}, {FAN_RENAME, 5, 'T'},
                       {FAN_ATTRIB, 6, 'n'}, {FAN_MOVE_SELF, 6, 'T'}),
              "?X");
    /* The first event of all is no thread's in particular. */
    CHECK_STR(SEARCHED(false, {FAN_ATTRIB, 6, 'n'}, {FAN_MOVE_SELF, 5, 'T'}, {FAN_RENAME, 5, 'T'}),
              "?");
}

/* The guard read the rename, and was ended. */
TEST(an_heir_knows_a_thread_by_what_moved)
{
    CHECK_STR(SEARCHED(true, {FAN_RENAME, 5, 'T'}), "?");
    CHECK_STR(SEARCHED(true, {FAN_RENAME, 5, 'T'}, {FAN_ATTRIB, 119, 'X'}, {FAN_ATTRIB, 7, 'n'},
                       {FAN_MOVE_SELF, 7, 'n'}, {FAN_MOVE_SELF, 119, 'T'}, {FAN_ATTRIB, 119, 'n'}),
              "?X");
    CHECK_STR(
        SEARCHED(true, {FAN_RENAME, 0, 'T'}, {FAN_ATTRIB, 119, 'X'}, {FAN_MOVE_SELF, 119, 'T'}),
        "?X");
    CHECK_STR(SEARCHED(true, {FAN_RENAME, 5, 'T'}, {FAN_ATTRIB, 5, 'X'}, {FAN_MOVE_SELF, 119, 'T'}),
              "");
    CHECK_STR(SEARCHED(false, {FAN_RENAME, 5, 'T'}, {FAN_ATTRIB, 7, 'n'}, {FAN_MOVE_SELF, 7, 'T'}),
              "?");
}

TEST_MAIN()
