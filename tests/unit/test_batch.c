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

TEST_MAIN()
