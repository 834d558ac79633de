/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where directories may have been, from events of this test's own: batch.c and name.c are stood in
 * for. The file system knows one directory, the top; every other is where events say.
 */
#include "platform/linux/init/places.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "platform/linux/init/batch.h"
#include "platform/linux/init/names.h"
#include "tests/support/check.h"

#define EVENTS_MAX 1024U
#define FSID 7U
/* As in places.c: of one directory, and of one with all above it. */
#define PLACES_MOST 64U
#define WAYS_MOST 256U

static struct {
    struct batch_event events[EVENTS_MAX];
    char names[EVENTS_MAX][2][16];
    size_t count, taken;
    unsigned late;  /* so many readings from now on find nothing yet */
    unsigned sound; /* after so many they fail, if fails */
    unsigned readings;
    bool fails, is_lost;
} batch;

static struct {
    size_t found, outside, gone;
    size_t deepest;
    bool twice; /* a way had some directory more than once */
} seen;

/* One for each test: like the guard's, they keep what they have until the end of the process. */
static struct names worlds[16];
static struct names *names = worlds;
static struct watch watch;
static struct names_mount mount;
static struct object top;

/* ---- what is stood in for ---- */

bool batch_read(struct batch *ignored, int group)
{
    (void)ignored;
    (void)group;
    batch.late -= batch.late > 0;
    batch.readings++;
    if (batch.fails && batch.sound > 0) {
        batch.sound--;
        return true;
    }
    return !batch.fails;
}

bool batch_next_place(struct batch *ignored, struct batch_event *ret_event)
{
    (void)ignored;
    if (batch.taken == batch.count || batch.late > 0) {
        return false;
    }
    *ret_event = batch.events[batch.taken++];
    return true;
}

bool batch_is_lost(const struct batch *ignored)
{
    (void)ignored;
    return batch.is_lost;
}

bool name_last(const struct watch *ignored, int fd, int up, char ret_name[NAME_MAX + 1])
{
    (void)ignored;
    (void)fd;
    (void)up;
    ret_name[0] = '\0';
    return false;
}

void settle_below(int fd)
{
    (void)fd;
}

int __wrap_object_open(int at, const struct object *object, int flags);
int __wrap_object_open(int at, const struct object *object, int flags)
{
    (void)at;
    errno = ESTALE;
    return object_same(object, &top) ? open("/", flags | O_CLOEXEC) : -1;
}

/* ---- events ---- */

static void begin(void)
{
    int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    CHECK(fd >= 0 && object_of(fd, "", &top));
    (void)close(fd);
    memset(&batch, 0, sizeof(batch));
    memset(&seen, 0, sizeof(seen));
    CHECK(++names < worlds + sizeof(worlds) / sizeof(worlds[0]));
    mount = (struct names_mount){.path = "/", .fd = -1, .fsid = FSID};
    names->watch = &watch;
    names->mounts = &mount;
    names->mount_count = 1;
}

static struct object directory(uint32_t number)
{
    struct object object = {.len = sizeof(number), .type = 1};

    memcpy(object.bytes, &number, sizeof(number));
    return object;
}

/* @target was in @from and is in @to, each under a name with that number. */
static void renamed(const struct object *target, const struct object *from, unsigned from_name,
                    const struct object *to, unsigned to_name)
{
    struct batch_event *event = &batch.events[batch.count];
    char(*text)[16] = batch.names[batch.count];

    CHECK(batch.count++ < EVENTS_MAX);
    (void)snprintf(text[0], sizeof(text[0]), "n%u", from_name);
    (void)snprintf(text[1], sizeof(text[1]), "n%u", to_name);
    *event = (struct batch_event){.is_rename = true,
                                  .is_directory = true,
                                  .fsid = FSID,
                                  .from = {*from, text[0]},
                                  .to = {*to, text[1]},
                                  .target = *target};
}

/* @target was at @count places in @parent. */
static void at_places(const struct object *target, const struct object *parent, unsigned count)
{
    for (unsigned i = 1; i < count; i++) {
        renamed(target, parent, i - 1, parent, i);
    }
}

static void take(void *context, enum places_found found, const struct chain *chain)
{
    (void)context;
    seen.found += found == PLACES_FOUND;
    seen.outside += found == PLACES_OUTSIDE;
    seen.gone += found == PLACES_GONE;
    seen.deepest = chain->count > seen.deepest ? chain->count : seen.deepest;
    for (size_t i = 0; found == PLACES_FOUND && i < chain->count; i++) {
        for (size_t j = 0; j < i; j++) {
            seen.twice = seen.twice || object_same(chain->key[i], chain->key[j]);
        }
    }
}

/* Where @key may have been, as @seen tells. */
static void look(const struct object *key)
{
    CHECK(places_read(names));
    memset(&seen, 0, sizeof(seen));
    places_each(names, FSID, key, take, NULL);
}

/* ---- what holds ---- */

TEST(a_directory_that_moved_is_at_each_of_its_places)
{
    const struct object a = directory(1);
    const struct object b = directory(2);

    begin();
    renamed(&a, &top, 0, &top, 1);
    renamed(&b, &a, 0, &top, 2);
    look(&b);
    /* In either of a's names, or at the top. */
    CHECK(seen.found == 3 && seen.outside == 0 && seen.gone == 0 && seen.deepest == 3);
    /* All was taken in: where they are now, nobody here can say. */
    places_settle(names);
    look(&b);
    CHECK(seen.found == 0 && seen.gone == 1);
    look(&top);
    CHECK(seen.found == 1 && seen.gone == 0);
}

static void removed(const struct object *target, const struct object *from, unsigned name)
{
    struct batch_event *event = &batch.events[batch.count];

    renamed(target, from, name, from, name);
    event->is_rename = false;
    event->is_removal = true;
    event->to = (struct batch_name){.name = NULL};
}

TEST(where_a_removed_directory_was_is_told_later)
{
    const struct object a = directory(1);

    begin();
    removed(&a, &top, 0);
    batch.late = 4;
    look(&a);
    CHECK(seen.found == 1 && seen.gone == 0 && batch.taken == 1);
}

/* A rename may have replaced it: then nothing tells. */
TEST(nobody_waits_long_for_removed_directories)
{
    const struct object a = directory(1);
    const struct object b = directory(2);
    unsigned readings;

    begin();
    look(&a);
    CHECK(seen.found == 0 && seen.gone == 1 && batch.readings > 3);
    /* Nor again, before all of it is taken in. */
    readings = batch.readings;
    look(&b);
    CHECK(seen.found == 0 && seen.gone == 1 && batch.readings == readings + 2);
    places_settle(names);
    readings = batch.readings;
    look(&b);
    CHECK(seen.gone == 1 && batch.readings > readings + 3);
}

TEST(what_is_lost_while_a_removal_is_waited_for_is_missing)
{
    const struct object a = directory(1);

    begin();
    batch.fails = true;
    batch.sound = 3;
    look(&a);
    CHECK(seen.found == 0 && seen.gone == 1 && batch.readings == 4);
    batch.fails = false;
    CHECK(!places_read(names) && batch.readings == 4);
}

TEST(of_more_places_than_can_be_kept_nothing_is_said)
{
    const struct object a = directory(1);
    const struct object b = directory(2);

    begin();
    at_places(&a, &top, PLACES_MOST);
    look(&a);
    CHECK(seen.found == PLACES_MOST && seen.gone == 0 && !seen.twice);
    begin();
    at_places(&a, &top, PLACES_MOST + 1);
    look(&a);
    CHECK(seen.found == 0 && seen.gone == 1);
    /* Nor of what is below it; and many more need no more memory. */
    at_places(&b, &a, 2);
    at_places(&a, &top, 500);
    look(&b);
    CHECK(seen.found == 0 && seen.gone > 0);
}

TEST(of_more_ways_than_can_be_gone_the_rest_is_unknown)
{
    const struct object a = directory(1);
    const struct object b = directory(2);

    begin();
    at_places(&a, &top, 16);
    at_places(&b, &a, 16);
    look(&b);
    CHECK(seen.found == WAYS_MOST && seen.gone == 0 && seen.outside == 0);
    begin();
    at_places(&a, &top, 17);
    at_places(&b, &a, 16);
    look(&b);
    CHECK(seen.found == WAYS_MOST && seen.gone == 1);
}

/* x was put into y, and y into x before or after: at no time were both true. */
TEST(places_of_different_times_that_make_a_circle_are_no_way)
{
    const struct object x = directory(1);
    const struct object y = directory(2);

    begin();
    renamed(&x, &top, 0, &y, 1);
    renamed(&y, &top, 2, &x, 3);
    look(&x);
    /* At the top, or in y, which is at the top. */
    CHECK(seen.found == 2 && seen.outside == 1 && seen.gone == 0 && !seen.twice);
}

TEST(a_circle_with_no_way_out_ends_and_nothing_is_said)
{
    const struct object x = directory(1);
    const struct object y = directory(2);

    begin();
    /* One place each: of the same name, so that it counts once. */
    renamed(&x, &y, 1, &y, 1);
    renamed(&y, &x, 2, &x, 2);
    look(&x);
    CHECK(seen.found == 0 && seen.gone == 1 && seen.deepest == PLACES_DEPTH_MAX);
}

static bool moved(uint64_t moves, const char *path)
{
    return places_moved(&names->places, moves, path, strlen(path));
}

TEST(what_moves_elsewhere_leaves_a_name_where_it_is)
{
    const struct object a = directory(1);

    begin();
    CHECK(!moved(0, "n1/n2/file"));
    renamed(&a, &top, 1, &top, 2);
    CHECK(places_read(names));
    CHECK(names->places.moves == 1);
    CHECK(moved(0, "n1") && moved(0, "x/n2") && moved(0, "x/n1/y") && moved(0, "N2/y"));
    CHECK(!moved(0, "x/n3/y") && !moved(0, "n11") && !moved(1, "n1/n2"));
    /* A name that may be another's spelling is any. */
    (void)snprintf(batch.names[0][1], sizeof(batch.names[0][1]), "\xe2\x84\xaa");
    batch.taken = 0;
    CHECK(places_read(names));
    CHECK(moved(1, "x/n3/y") && !moved(2, "x/n1/y"));
    /* So may one on the way. What was removed had nothing below it any more. */
    renamed(&a, &top, 5, &top, 6);
    removed(&a, &top, 6);
    CHECK(places_read(names));
    CHECK(names->places.moves == 3);
    CHECK(moved(2, "x/\xe2\x84\xaa/y") && !moved(3, "x/\xe2\x84\xaa/y"));
    CHECK(moved(2, "n5/y") && !moved(2, "n1/y") && !moved(3, "n6/y"));
}

TEST(what_was_lost_is_told)
{
    const struct object a = directory(1);

    begin();
    batch.fails = true;
    CHECK(!places_read(names));
    begin();
    batch.is_lost = true;
    CHECK(!places_read(names));
    /* Also where it shows only while the file system is asked. */
    places_each(names, FSID, &top, take, NULL);
    CHECK(seen.found == 0 && seen.gone == 1);
    begin();
    renamed(&a, &top, 0, &top, 1);
    look(&a);
    CHECK(seen.found == 2);
}

TEST_MAIN()
