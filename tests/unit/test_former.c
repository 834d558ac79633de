/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "platform/linux/index/begun.h"
#include "platform/linux/index/former.h"
#include "tests/support/check.h"

/* What is over; the file systems are residue.c's. */
static const char *over = "none";

bool former_is_over(const struct former *former)
{
    return strcmp(former->path, over) == 0;
}

void former_systems_close(void)
{
}

static struct former name_of(uint32_t uid, const char *path)
{
    struct former former = {.uid = uid, .dev = 7, .object = {.len = 8, .type = 1}, .path = path};

    memcpy(former.object.bytes, "12345678", 8);
    return former;
}

/* How many there are for @uid; -1: he is marked. */
static int answer_count(uint32_t uid)
{
    static char block[1 << 20];
    const char *at = block;
    struct former former;
    int count = 0;
    ssize_t len;
    int fd;

    if (former_answer(uid, &fd) != INDEX_OK) {
        return -1;
    }
    len = fd < 0 ? 0 : pread(fd, block, sizeof(block), 0);
    CHECK(len >= 0);
    while (record_get(&at, block + len, &former)) {
        count++;
    }
    CHECK(at == block + len);
    return count;
}

TEST(a_record_is_read_as_it_was_written)
{
    struct former former = name_of(5, "/a/b.key");
    struct former other;
    char room[256];
    const char *at = room;

    former.is_directory = true;
    record_put(room, &former);
    CHECK(record_get(&at, room + record_size(&former), &other));
    CHECK(at == room + record_size(&former));
    CHECK(other.uid == 5 && other.dev == 7 && other.is_directory);
    CHECK(object_same(&other.object, &former.object));
    CHECK(strcmp(other.path, "/a/b.key") == 0);
}

TEST(a_damaged_record_is_none)
{
    struct former former = name_of(5, "/a/b.key");
    size_t size = record_size(&former);
    struct former other;
    char room[256];

    for (size_t i = 0; i < size; i++) {
        const char *at = room;

        record_put(room, &former);
        CHECK(!record_get(&at, room + i, &other) && at == room);
        room[i] = (char)0xff;
        /* Whatever is said then, it is within what is there. */
        if (record_get(&at, room + size, &other)) {
            CHECK(at <= room + size && other.object.len <= OBJECT_BYTES_MAX);
            CHECK(other.path + strlen(other.path) < room + size);
        }
    }
}

TEST(a_job_that_begins_is_there_until_it_is_taken_out)
{
    static struct begun table;

    CHECK(!begun_has(&table, 5) && !begun_has(&table, 0) && !begun_has(&table, -1));
    CHECK(begun_add(&table, 5, 1) && begun_has(&table, 5) && !begun_has(&table, 6));
    CHECK(!begun_add(&table, 5, 2)); /* whoever had the number is not taken in yet */
    begun_remove(&table, 6);
    begun_remove(&table, 0);
    CHECK(begun_has(&table, 5));
    begun_remove(&table, 5);
    CHECK(!begun_has(&table, 5) && begun_add(&table, 5, 2));
    for (pid_t pid = 6; pid < (pid_t)HOLD_MAX + 5; pid++) {
        CHECK(begun_add(&table, pid, 1));
    }
    CHECK(!begun_add(&table, (pid_t)HOLD_MAX + 5, 1));
    begun_lose(&table);
    CHECK(begun_has(&table, 700));
    begun_remove(&table, 700);
    CHECK(begun_add(&table, (pid_t)HOLD_MAX + 5, 1) && !begun_has(&table, 700));
}

/* As the supervisor makes it. */
static struct begun *table_of(int fd)
{
    void *map = ftruncate(fd, BEGUN_BYTES) == 0
                    ? mmap(NULL, BEGUN_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
                    : MAP_FAILED;

    CHECK(map != MAP_FAILED);
    return map;
}

/* One process has one memory: a story in order. */
TEST(what_does_not_fit_marks_its_user_and_nobody_else)
{
    int fd = memfd_create("store", MFD_CLOEXEC);
    struct begun *begun = table_of(fd);
    struct former former = name_of(1, "/x.key");
    char path[32];

    CHECK(answer_count(1) == -1);   /* without a memory nobody can say */
    CHECK(begun_add(begun, 77, 9)); /* it ran when the one before died */
    begun_lose(begun);
    CHECK(begun_add(begun, 78, 8)); /* ... and this one is ours, though we have not looked yet */
    CHECK(former_open(fd));
    CHECK(answer_count(1) == 0 && answer_count(9) == -1);
    CHECK(former_has_begun(78) && answer_count(8) == 0);
    CHECK(!former_has_begun(77) && begun_add(begun, 77, 1) && former_has_begun(77));
    former_is_taken_in(77);
    CHECK(!former_has_begun(77));
    former_add(&former);
    former_add(&former);
    CHECK(answer_count(1) == 1 && answer_count(2) == 1);
    over = "/over";
    for (unsigned i = 1; i < FORMER_USER_MAX; i++) {
        (void)snprintf(path, sizeof(path), "/%u", i);
        former = name_of(1, i <= FORMER_USER_MAX / 4 ? "/over" : path);
        former.object.bytes[0] = (uint8_t)i;
        former.object.bytes[1] = (uint8_t)(i >> 8);
        former_add(&former);
    }
    CHECK(answer_count(1) == (int)FORMER_USER_MAX);
    former = name_of(1, "/one more");
    former_add(&former);
    CHECK(answer_count(1) == (int)(FORMER_USER_MAX - FORMER_USER_MAX / 4 + 1));
    over = "none";
    for (unsigned i = 0; i < FORMER_USER_MAX; i++) {
        (void)snprintf(path, sizeof(path), "/again %u", i);
        former = name_of(1, path);
        former_add(&former);
    }
    CHECK(answer_count(1) == -1);
    former = name_of(2, "/other");
    former_add(&former);
    CHECK(answer_count(2) == (int)FORMER_USER_MAX + 1);
}

TEST_MAIN()
