/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept of walks: believed as long as a directory is as it was and of nothing else, written
 * only when that is worth it, and whatever fails, the next walk reads all. The clock is the test's.
 */
#include "platform/linux/init/barren.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "platform/linux/order.h"
#include "tests/support/fds.h"
#include "tests/support/top.h"

#define FOLDERS 100U

static struct barren *barren;
static struct dfa_pos pos;
static char kept[BARREN_PLACES_MAX * sizeof(struct barren_place)];
static size_t kept_len;
static int told = -1;
static bool anew;                /* the last walk told what is to be kept */
static ssize_t written_max = -1; /* at once, and one less each time; then it fails; -1: all */
static time_t ahead_s = 10;      /* of the real clock */
static bool armed;               /* the allocation of that number fails, and all that follow */
static unsigned allocations, fail_at;

/* ---- what is stood in for ---- */

int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);

static bool fails(void)
{
    return armed && ++allocations >= fail_at;
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    if (written_max < 0 || barren == NULL) {
        return __real_write(fd, data, len);
    }
    return written_max == 0
               ? -1
               : __real_write(fd, data, len < (size_t)written_max ? len : (size_t)written_max--);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
    return fails() ? NULL : __real_reallocarray(old, count, size);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
    const int code = __real_clock_gettime(clock, ret);

    ret->tv_sec += ahead_s;
    return code;
}

/* ---- a world ---- */

static const char *folder(unsigned number)
{
    char name[16];

    (void)snprintf(name, sizeof(name), "f%u", number);
    return in_top(name);
}

static struct sys_place place_of(unsigned number)
{
    struct sys_place place;

    CHECK(sys_place_at(folder(number), AT_SYMLINK_NOFOLLOW, &place) == 0);
    return place;
}

/* Some directories to be looked at; nothing is kept of them. */
static void world_make(void)
{
    top_make("barren");
    for (unsigned i = 0; i < FOLDERS; i++) {
        CHECK(mkdir(folder(i), 0700) == 0);
    }
    pos = (struct dfa_pos){.state = {1, 2, 3, 4}, .covered = 5};
    kept_len = 0;
    ahead_s = 10;
    written_max = -1;
    armed = false;
}

/* As cordon-init is given it: files under two numbers, and another number that is taken. */
static bool begin(void)
{
    const int in = memfd_create("kept", MFD_CLOEXEC);
    const int out = memfd_create("found", MFD_CLOEXEC);
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    CHECK(in >= 0 && out >= 0 && null >= 0 && write(in, kept, kept_len) == (ssize_t)kept_len);
    CHECK(dup2(kept_len > 0 ? in : null, INIT_FD_KEPT) >= 0 && dup2(out, INIT_FD_FOUND) >= 0 &&
          dup2(null, INIT_FD_TALLY) >= 0);
    (void)close(in);
    (void)close(null);
    (void)close(told);
    told = out;
    barren = barren_begin();
    return barren != NULL;
}

/* What is told is what is kept for the next one. True: there was something. */
static bool end(bool done)
{
    struct stat st;

    barren_end(barren, done);
    barren = NULL;
    CHECK(fstat(told, &st) == 0 && (size_t)st.st_size <= sizeof(kept));
    if (st.st_size == 0) {
        return false;
    }
    CHECK(pread(told, kept, sizeof(kept), 0) == st.st_size);
    kept_len = (size_t)st.st_size;
    return true;
}

/* Of the first @count, how many need not be read. */
static unsigned known(unsigned count)
{
    unsigned result = 0;

    for (unsigned i = 0; i < count; i++) {
        const struct sys_place place = place_of(i);

        result += barren_has(barren, &pos, &place);
    }
    return result;
}

/* A walk that reads what it has to, which is told, and finds nothing. */
static unsigned walk(unsigned count)
{
    struct barren_list list = {0};
    unsigned read = 0;

    CHECK(begin());
    CHECK(barren_any(barren) == (kept_len > 0));
    for (unsigned i = 0; i < count; i++) {
        const struct sys_place place = place_of(i);

        if (!barren_has(barren, &pos, &place)) {
            barren_found(barren, &list, &pos, &place);
            read++;
        }
    }
    barren_join(barren, &list);
    anew = end(true);
    return read;
}

static void file_in(const char *name)
{
    char path[64];
    int fd;

    (void)snprintf(path, sizeof(path), "%s/new", name);
    fd = open(path, O_CREAT | O_EXCL | O_WRONLY, 0600);
    CHECK(fd >= 0 && close(fd) == 0);
}

/* ---- tests ---- */

TEST(what_is_as_it_was_is_not_read)
{
    world_make();
    CHECK(walk(FOLDERS) == FOLDERS);
    CHECK(anew);
    CHECK(walk(FOLDERS) == 0 && !anew);
    top_remove();
}

TEST(nothing_but_the_same_is_known)
{
    struct sys_place place;

    world_make();
    CHECK(walk(FOLDERS) == FOLDERS && begin());
    place = place_of(0);
    CHECK(barren_has(barren, &pos, &place));
    pos.covered = 7;
    CHECK(!barren_has(barren, &pos, &place));
    pos.covered = 5;
    place.attributes |= SYS_PLACE_ENCRYPTED;
    CHECK(!barren_has(barren, &pos, &place));
    place = place_of(0);
    place.dev_minor++;
    CHECK(!barren_has(barren, &pos, &place));
    place = place_of(0);
    place.size++;
    CHECK(!barren_has(barren, &pos, &place));
    place = place_of(0);
    place.ctime.ns ^= 1;
    CHECK(!barren_has(barren, &pos, &place));
    file_in(folder(1));
    CHECK(rmdir(folder(2)) == 0 && mkdir(folder(2), 0700) == 0);
    CHECK(known(FOLDERS) == FOLDERS - 2);
    (void)end(true);
    top_remove();
}

TEST(what_changed_just_now_is_not_kept)
{
    world_make();
    ahead_s = 0;
    CHECK(walk(FOLDERS) == FOLDERS);
    CHECK(walk(FOLDERS) == FOLDERS);
    CHECK(!anew);
    ahead_s = -1000; /* a date that is yet to come */
    CHECK(walk(FOLDERS) == FOLDERS && !anew);
    top_remove();
}

TEST(encrypted_names_are_not_kept)
{
    struct barren_list list = {0};
    struct sys_place place;

    world_make();
    CHECK(begin());
    place = place_of(0);
    place.attributes |= SYS_PLACE_ENCRYPTED;
    barren_found(barren, &list, &pos, &place);
    CHECK(list.count == 0);
    (void)end(true);
    top_remove();
}

TEST(it_is_told_if_that_is_worth_it)
{
    world_make();
    CHECK(walk(63) == 63 && !anew);
    CHECK(walk(FOLDERS) == FOLDERS && anew);
    for (unsigned i = 0; i < 10; i++) {
        file_in(folder(i));
    }
    CHECK(walk(FOLDERS) == 10);
    CHECK(walk(FOLDERS) == 10);
    for (unsigned i = 10; i < 70; i++) {
        file_in(folder(i));
    }
    CHECK(walk(FOLDERS) == 70);
    CHECK(walk(FOLDERS) == 0);
    /* What was not met is forgotten. */
    CHECK(walk(20) == 0);
    CHECK(walk(FOLDERS) == 0);
    top_remove();
}

TEST(a_walk_that_failed_keeps_nothing)
{
    struct barren_list list = {0};

    world_make();
    CHECK(begin());
    for (unsigned i = 0; i < FOLDERS; i++) {
        const struct sys_place place = place_of(i);

        barren_found(barren, &list, &pos, &place);
    }
    barren_join(barren, &list);
    CHECK(!end(false));
    top_remove();
}

TEST(without_a_place_nothing_is_kept)
{
    const int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    CHECK(null >= 0 && dup2(null, INIT_FD_KEPT) >= 0 && dup2(null, INIT_FD_FOUND) >= 0);
    (void)close(null);
    CHECK(barren_begin() == NULL);
    barren_end(NULL, true);
}

TEST(no_descriptor_of_it_is_left)
{
    struct stat st;

    world_make();
    CHECK(walk(FOLDERS) == FOLDERS && begin());
    (void)end(true);
    CHECK(fstat(INIT_FD_KEPT, &st) == 0 && S_ISCHR(st.st_mode));
    CHECK(fstat(INIT_FD_FOUND, &st) == 0 && S_ISCHR(st.st_mode));
    top_remove();
}

TEST(what_is_told_in_part_is_true)
{
    unsigned read;

    world_make();
    written_max = 200;
    CHECK(walk(FOLDERS) == FOLDERS && anew && written_max > 0);
    CHECK(walk(FOLDERS) == 0);
    kept_len = 0;
    written_max = 20; /* some two hundred bytes in all */
    CHECK(walk(FOLDERS) == FOLDERS && anew && written_max == 0 && kept_len == 210);
    written_max = -1;
    read = walk(FOLDERS);
    CHECK(read == FOLDERS - 4);
    top_remove();
}

TEST(dates_that_cannot_be_counted_are_not_kept)
{
    struct barren_list list = {0};
    struct sys_place place;

    world_make();
    CHECK(begin());
    place = place_of(0);
    place.ctime.s = INT64_MAX / 2;
    barren_found(barren, &list, &pos, &place);
    place.ctime.s = -1;
    barren_found(barren, &list, &pos, &place);
    CHECK(list.count == 0 && !barren_has(barren, &pos, &place));
    (void)end(true);
    top_remove();
}

/* Of as many places as may be kept, and then of more: how many are known next time. */
static unsigned many(unsigned count)
{
    struct barren_list list[2] = {{0}};
    struct sys_place place;
    unsigned result = 0;

    CHECK(begin());
    place = place_of(0);
    for (unsigned i = 0; i < count; i++) {
        place.ino = i;
        if (barren_has(barren, &pos, &place)) {
            result++;
        } else {
            barren_found(barren, &list[i % 2], &pos, &place);
        }
    }
    barren_join(barren, &list[0]);
    barren_join(barren, &list[1]);
    (void)end(true);
    return result;
}

TEST(so_many_places_are_kept)
{
    world_make();
    CHECK(many(100000) == 0);
    CHECK(many(BARREN_PLACES_MAX + 1000) == 100000);
    CHECK(many(BARREN_PLACES_MAX + 1000) == BARREN_PLACES_MAX);
    CHECK(many(BARREN_PLACES_MAX + 1000) == BARREN_PLACES_MAX);
    top_remove();
}

/* Whether there was an allocation to fail. */
static bool walk_without(unsigned number)
{
    struct barren_list list = {0};

    fail_at = number;
    allocations = 0;
    armed = true;
    (void)begin();
    for (unsigned i = 0; barren != NULL && i < FOLDERS; i++) {
        const struct sys_place place = place_of(i);

        if (!barren_has(barren, &pos, &place)) {
            barren_found(barren, &list, &pos, &place);
        }
    }
    if (barren != NULL) {
        barren_join(barren, &list);
    }
    (void)end(true);
    armed = false;
    return allocations >= number;
}

/* More is read then, and nothing else happens; what there was is there still. */
TEST(without_memory_all_is_read)
{
    unsigned number = 1;
    int before;

    world_make();
    CHECK(begin());
    (void)end(true);
    before = fds_count();
    while (walk_without(number)) {
        number++;
    }
    CHECK(number > 3 && fds_count() == before);
    CHECK(walk(FOLDERS) == 0);
    number = 1;
    while (walk_without(number)) {
        number++;
    }
    CHECK(number > 2 && fds_count() == before);
    CHECK(walk(FOLDERS) == 0);
    top_remove();
}

TEST_MAIN()
