/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What walks need not read again, kept in files: whole or not there, believed if the secret signed
 * them for these rules, never written into anything that was there, and not too many.
 */
#include "platform/linux/barren_keep.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "platform/ipc.h"
#include "platform/linux/barren_place.h"
#include "platform/linux/secret.h"
#include "tests/support/fds.h"
#include "tests/support/top.h"

#define PLACES 100U

static const struct order_head *order;
static struct barren_place places[PLACES];
static char table[64] = "a table";
static char secret = 's';
static size_t more; /* bytes that a job tells besides, which are no whole place */
static char above[sizeof(top)];
static bool no_secret, no_place, no_rename, no_memory, no_file;
static long pieces = -1; /* how often something is written before that fails; -1: for ever */

bool secret_get(struct digest *ret)
{
    memset(ret->bytes, secret, sizeof(ret->bytes));
    return !no_secret;
}

int __real_open(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);
int __real_mkdirat(int dir, const char *name, mode_t mode);
int __wrap_mkdirat(int dir, const char *name, mode_t mode);
ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
int __real_renameat(int from, const char *old, int to, const char *name);
int __wrap_renameat(int from, const char *old, int to, const char *name);
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
int __real_memfd_create(const char *name, unsigned flags);
int __wrap_memfd_create(const char *name, unsigned flags);

/* The user's directory is the test's. */
int __wrap_open(const char *path, int flags, ...)
{
    if (strncmp(path, "/run/user/", 10) != 0) {
        return __real_open(path, flags, 0600);
    }
    return no_place ? -1 : __real_open(above, flags);
}

int __wrap_mkdirat(int dir, const char *name, mode_t mode)
{
    CHECK(dir >= 0 && strcmp(name, "cordon-walked") == 0 && mode == 0700);
    return __real_mkdirat(dir, name, mode);
}

ssize_t __wrap_write(int fd, const void *data, size_t len)
{
    if (pieces == 0) {
        return -1;
    }
    pieces -= pieces > 0;
    return __real_write(fd, data, len > 16 ? len / 2 : len);
}

int __wrap_renameat(int from, const char *old, int to, const char *name)
{
    return no_rename ? -1 : __real_renameat(from, old, to, name);
}

void *__wrap_malloc(size_t size)
{
    return no_memory ? NULL : __real_malloc(size);
}

int __wrap_memfd_create(const char *name, unsigned flags)
{
    return no_file ? -1 : __real_memfd_create(name, flags);
}

/* ---- a world ---- */

static void order_set(const char *scanned, uint8_t access)
{
    static void *block;
    struct order_builder builder;
    struct order_step step = {.op = ORDER_SCAN, .rule = ORDER_NO_RULE, .fd = ORDER_NO_FD};
    struct cordon_fault fault;
    size_t len;

    free(block);
    order_begin(&builder);
    builder.head.rule_count[ORDER_SET_OWN] = 1;
    builder.head.access[ORDER_SET_OWN] = order_add_text(&builder, &access, 1);
    builder.head.access[ORDER_SET_MANAGED] = order_add_text(&builder, "", 0);
    step.text = order_add_text(&builder, scanned, strlen(scanned));
    order_add_step(&builder, &step);
    CHECK(order_finish(&builder, &block, &len, &fault) == CORDON_OK);
    order_builder_deinit(&builder);
    CHECK(order_check(block, len, 0, &order, &fault) == CORDON_OK);
}

static void world_make(void)
{
    top_make("barren-keep");
    (void)snprintf(above, sizeof(above), "%s", top);
    (void)strcat(top, "/cordon-walked");
    order_set("/w", 1);
    table[0] = 'a';
    secret = 's';
    for (unsigned i = 0; i < PLACES; i++) {
        places[i] = (struct barren_place){.dev = 1, .ino = i, .changed_ns = i};
    }
    no_secret = no_place = no_rename = no_memory = no_file = false;
    pieces = -1;
}

static void world_end(void)
{
    (void)snprintf(top, sizeof(top), "%s", above);
    top_remove();
}

/* A job: what it is told is kept, in places, and @count that it tells. */
static size_t job(size_t count)
{
    struct barren_keep keep;
    struct cordon_fault fault;
    size_t known = 0;
    int table_fd;
    int kept;

    CHECK(ipc_memfd("table", table, sizeof(table), &table_fd, &fault) == CORDON_OK);
    barren_keep_begin(order, table_fd, &keep, &kept);
    if (kept >= 0) {
        const void *data;
        size_t len;

        CHECK(ipc_map(kept, 1U << 20, &data, &len, &fault) == CORDON_OK);
        CHECK(len % sizeof(places[0]) == 0 && memcmp(data, places, len) == 0);
        known = len / sizeof(places[0]);
        ipc_unmap(data, len);
        (void)close(kept);
    }
    if (keep.found >= 0 && count > 0) {
        CHECK(__real_write(keep.found, places, count * sizeof(places[0]) + more) ==
              (ssize_t)(count * sizeof(places[0]) + more));
    }
    barren_keep_save(&keep);
    barren_keep_end(&keep);
    CHECK(keep.dir == -1 && keep.found == -1);
    (void)close(table_fd);
    return known;
}

/* The files, of which the last is opened if that is asked for. */
static unsigned files(int *ret_fd)
{
    DIR *dir = opendir(top);
    unsigned count = 0;
    const struct dirent *entry;

    CHECK(dir != NULL);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            count++;
            if (ret_fd != NULL) {
                *ret_fd = openat(dirfd(dir), entry->d_name, O_RDWR | O_CLOEXEC);
            }
        }
    }
    (void)closedir(dir);
    return count;
}

/* ---- tests ---- */

TEST(what_is_told_is_known_to_the_next)
{
    const int before = fds_count();

    world_make();
    CHECK(job(0) == 0 && files(NULL) == 0);
    CHECK(job(PLACES) == 0 && files(NULL) == 1);
    CHECK(job(0) == PLACES);
    CHECK(job(7) == PLACES);
    CHECK(job(0) == 7 && files(NULL) == 1);
    more = 47;
    CHECK(job(8) == 7);
    more = 0;
    CHECK(job(0) == 8);
    world_end();
    CHECK(fds_count() == before);
}

TEST(other_rules_and_other_places_know_nothing)
{
    world_make();
    CHECK(job(PLACES) == 0);
    table[0] = 'b';
    CHECK(job(0) == 0);
    table[0] = 'a';
    order_set("/w", 2);
    CHECK(job(0) == 0);
    order_set("/elsewhere", 1);
    CHECK(job(0) == 0);
    order_set("/w", 1);
    CHECK(job(0) == PLACES);
    world_end();
}

TEST(no_byte_may_be_another)
{
    struct stat st;
    char byte;
    int fd = -1;

    world_make();
    CHECK(job(5) == 0 && files(&fd) == 1 && fstat(fd, &st) == 0);
    CHECK(st.st_size == (off_t)(DIGEST_BYTES + 5 * sizeof(places[0])));
    for (off_t at = 0; at < st.st_size; at++) {
        CHECK(pread(fd, &byte, 1, at) == 1);
        byte ^= 1;
        CHECK(pwrite(fd, &byte, 1, at) == 1 && job(0) == 0);
        byte ^= 1;
        CHECK(pwrite(fd, &byte, 1, at) == 1 && job(0) == 5);
    }
    CHECK(ftruncate(fd, st.st_size + 48) == 0 && job(0) == 0);
    for (off_t size = st.st_size - 1; size >= 0; size -= 3) {
        CHECK(ftruncate(fd, size) == 0 && job(0) == 0);
    }
    CHECK(ftruncate(fd, 64 << 20) == 0 && job(0) == 0);
    (void)close(fd);
    world_end();
}

/* Who has not the secret can bring no file about, nor one that was signed for something else. */
TEST(another_secret_signs_nothing)
{
    char name[2][BARREN_KEEP_NAME + 1] = {"", ""};
    DIR *dir;
    const struct dirent *entry;

    world_make();
    CHECK(job(PLACES) == 0);
    secret = 't';
    CHECK(job(7) == 0 && files(NULL) == 2);
    dir = opendir(top);
    CHECK(dir != NULL);
    while ((entry = readdir(dir)) != NULL) {
        if (entry->d_name[0] != '.') {
            (void)snprintf(name[name[0][0] != '\0'], sizeof(name[0]), "%.71s", entry->d_name);
        }
    }
    (void)closedir(dir);
    CHECK(rename(in_top(name[0]), in_top("kept")) == 0 &&
          rename(in_top(name[1]), in_top(name[0])) == 0 &&
          rename(in_top("kept"), in_top(name[1])) == 0);
    CHECK(job(0) == 0);
    secret = 's';
    CHECK(job(0) == 0);
    world_end();
}

TEST(what_cannot_be_had_is_done_without)
{
    bool *const none[] = {&no_secret, &no_place, &no_memory, &no_file};
    const int before = fds_count();

    world_make();
    CHECK(job(PLACES) == 0);
    for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++) {
        struct barren_keep keep;
        struct cordon_fault fault;
        int table_fd;
        int kept;

        CHECK(ipc_memfd("table", table, sizeof(table), &table_fd, &fault) == CORDON_OK);
        *none[i] = true;
        barren_keep_begin(order, table_fd, &keep, &kept);
        CHECK(kept < 0);
        barren_keep_save(&keep);
        barren_keep_end(&keep);
        *none[i] = false;
        (void)close(table_fd);
        CHECK(job(0) == PLACES);
    }
    world_end();
    CHECK(fds_count() == before);
}

TEST(a_file_is_whole_or_as_it_was)
{
    world_make();
    CHECK(job(PLACES) == 0);
    no_rename = true;
    CHECK(job(7) == PLACES && files(NULL) == 1);
    no_rename = false;
    CHECK(job(0) == PLACES);
    world_end();
}

/* The keeping alone writes in pieces: the job's own are made before. */
TEST(a_file_that_cannot_be_written_is_not_there)
{
    struct barren_keep keep;
    struct cordon_fault fault;
    int table_fd;
    int kept;

    world_make();
    for (long allowed = 0; allowed < 8; allowed++) {
        CHECK(ipc_memfd("table", table, sizeof(table), &table_fd, &fault) == CORDON_OK);
        barren_keep_begin(order, table_fd, &keep, &kept);
        CHECK(kept < 0 && keep.found >= 0);
        CHECK(__real_write(keep.found, places, sizeof(places)) == (ssize_t)sizeof(places));
        pieces = allowed;
        barren_keep_save(&keep);
        pieces = -1;
        barren_keep_end(&keep);
        (void)close(table_fd);
        CHECK(files(NULL) == 0);
    }
    world_end();
}

/* A job may leave anything there. */
TEST(nothing_that_is_there_is_written_into)
{
    struct stat st;
    char path[256];
    char next[256] = "";
    int fd = -1;

    world_make();
    CHECK(job(PLACES) == 0 && files(&fd) == 1);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    CHECK(readlink(path, next, sizeof(next) - 5) > 0);
    (void)strcat(next, ".new");
    (void)close(fd);
    fd = open(in_top("precious"), O_CREAT | O_WRONLY, 0600);
    CHECK(fd >= 0 && __real_write(fd, "x", 1) == 1 && close(fd) == 0);
    CHECK(link(in_top("precious"), next) == 0);
    CHECK(job(7) == PLACES && job(0) == 7);
    CHECK(stat(in_top("precious"), &st) == 0 && st.st_size == 1);
    CHECK(symlink("precious", next) == 0 && job(9) == 7 && job(0) == 9);
    CHECK(stat(in_top("precious"), &st) == 0 && st.st_size == 1);
    CHECK(__real_mkdirat(AT_FDCWD, next, 0700) == 0 && job(7) == 9 && job(0) == 9);
    world_end();
}

/* The next file gets another date. */
static void tick(void)
{
    struct timespec before;
    struct timespec now;

    CHECK(clock_gettime(CLOCK_REALTIME_COARSE, &before) == 0);
    do {
        (void)usleep(1000);
        CHECK(clock_gettime(CLOCK_REALTIME_COARSE, &now) == 0);
    } while (now.tv_sec == before.tv_sec && now.tv_nsec == before.tv_nsec);
}

TEST(the_oldest_of_too_many_goes)
{
    const struct timespec to_come[2] = {{.tv_sec = 4000000000}, {.tv_sec = 4000000000}};
    int fd;

    world_make();
    CHECK(job(PLACES) == 0);
    for (unsigned i = 0; i < 10; i++) {
        char name[24];

        (void)snprintf(name, sizeof(name), "something else %u", i);
        fd = open(in_top(name), O_CREAT | O_WRONLY, 0600);
        CHECK(fd >= 0 && close(fd) == 0);
    }
    for (char which = 'b'; which < 'a' + 12; which++) {
        tick();
        table[0] = which;
        CHECK(job(PLACES) == 0);
    }
    CHECK(files(NULL) == 10 + 8);
    for (char which = 'a'; which < 'a' + 12; which++) {
        table[0] = which;
        CHECK((job(0) > 0) == (which >= 'a' + 4));
    }
    /* Dates that somebody gave them keep no other out. */
    table[0] = 'z';
    for (unsigned i = 0; i < 8; i++) {
        char name[BARREN_KEEP_NAME];

        (void)snprintf(name, sizeof(name), "%064u" BARREN_KEEP_SUFFIX, i);
        fd = open(in_top(name), O_CREAT | O_WRONLY, 0600);
        CHECK(fd >= 0 && futimens(fd, to_come) == 0 && close(fd) == 0);
    }
    CHECK(job(PLACES) == 0 && job(0) == PLACES);
    CHECK(files(NULL) == 10 + 8 + 8);
    world_end();
}

/* What is there but is not ours, or leads elsewhere, is none. */
TEST(another_directory_is_not_taken)
{
    world_make();
    CHECK(job(PLACES) == 0);
    if (geteuid() == 0) {
        CHECK(chown(top, 1, 1) == 0 && job(0) == 0);
        CHECK(chown(top, 0, 0) == 0 && job(0) == PLACES);
    }
    (void)strcat(above, "/away");
    CHECK(rename(top, above) == 0 && symlink("away", top) == 0);
    above[strlen(above) - strlen("/away")] = '\0';
    CHECK(job(0) == 0);
    world_end();
}

TEST_MAIN()
