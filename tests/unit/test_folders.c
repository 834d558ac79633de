/* SPDX-License-Identifier: Apache-2.0 */
/* The directories that two threads read: each once, the right one next, and an end to it. */
#include "platform/linux/init/folders.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/check.h"
#include "tests/support/fds.h"

void *__real_reallocarray(void *old, size_t count, size_t size);
void *__wrap_reallocarray(void *old, size_t count, size_t size);

static bool no_room;

void *__wrap_reallocarray(void *old, size_t count, size_t size)
{
    return no_room ? NULL : __real_reallocarray(old, count, size);
}

static int a_directory(void)
{
    int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    CHECK(fd >= 0);
    return fd;
}

/* @count of @level below a directory of their own, their names "0", "1", ... */
static enum cordon_err add(struct folders *folders, unsigned who, uint32_t level, size_t count)
{
    struct folder *in = folder_new(a_directory());
    struct folder_item items[16];
    enum cordon_err err;
    char name[24];

    CHECK(in != NULL && count <= 16);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof(name), "%zu", i);
        items[i] = (struct folder_item){.name = strdup(name), .level = level};
        CHECK(items[i].name != NULL);
    }
    err = folders_add(folders, who, in, items, count);
    folder_release(in);
    return err;
}

/* The next one's level and name, as "2/0"; "" at the end. */
static const char *next(struct folders *folders, unsigned who)
{
    static char text[32];
    struct folder_item item;

    text[0] = '\0';
    if (folders_next(folders, who, &item)) {
        CHECK(fcntl(item.in->fd, F_GETFD) >= 0);
        (void)snprintf(text, sizeof(text), "%u/%s", item.level, item.name);
        folder_item_free(&item);
    }
    return text;
}

TEST(goes_on_in_what_it_found_last)
{
    int before = fds_count();
    struct folders folders;

    folders_init(&folders);
    CHECK(add(&folders, 0, 1, 2) == CORDON_OK);
    CHECK(strcmp(next(&folders, 0), "1/1") == 0);
    CHECK(add(&folders, 0, 2, 1) == CORDON_OK);
    CHECK(strcmp(next(&folders, 0), "2/0") == 0);
    CHECK(fds_count() == before + 1); /* the last of level 2 was opened */
    CHECK(strcmp(next(&folders, 0), "1/0") == 0);
    CHECK(fds_count() == before);
    CHECK(strcmp(next(&folders, 0), "") == 0);
    CHECK(strcmp(next(&folders, 0), "") == 0);
    folders_deinit(&folders);
}

TEST(takes_the_oldest_of_the_other)
{
    struct folders folders;

    folders_init(&folders);
    folders_join(&folders);
    CHECK(add(&folders, 0, 1, 2) == CORDON_OK);
    CHECK(add(&folders, 0, 2, 2) == CORDON_OK);
    CHECK(strcmp(next(&folders, 1), "1/0") == 0);
    CHECK(add(&folders, 1, 3, 1) == CORDON_OK);
    CHECK(strcmp(next(&folders, 1), "3/0") == 0);
    CHECK(strcmp(next(&folders, 0), "2/1") == 0);
    CHECK(strcmp(next(&folders, 1), "1/1") == 0);
    folders_deinit(&folders);
}

TEST(a_directory_that_is_not_read_to_its_end_is_next_after_what_was_found)
{
    int before = fds_count();
    struct folders folders;
    struct folder *in = folder_new(a_directory());
    struct folder_item items[] = {{.level = 1}, {.name = strdup("below"), .level = 2}};
    struct folder_item item;

    CHECK(in != NULL && items[1].name != NULL);
    folders_init(&folders);
    CHECK(folders_add(&folders, 0, in, items, 2) == CORDON_OK);
    folder_release(in);
    CHECK(strcmp(next(&folders, 0), "2/below") == 0);
    CHECK(folders_next(&folders, 0, &item) && item.name == NULL && item.in == in);
    CHECK(fds_count() == before + 1);
    folder_item_free(&item);
    CHECK(fds_count() == before);
    CHECK(strcmp(next(&folders, 0), "") == 0);
    folders_deinit(&folders);
}

TEST(one_that_found_none_closes_its_directory)
{
    int before = fds_count();
    struct folders folders;

    folders_init(&folders);
    CHECK(add(&folders, 0, 1, 0) == CORDON_OK);
    CHECK(fds_count() == before);
    folders_deinit(&folders);
}

TEST(what_is_left_is_let_go)
{
    int before = fds_count();
    struct folders folders;

    folders_init(&folders);
    CHECK(add(&folders, 0, 1, 3) == CORDON_OK);
    CHECK(add(&folders, 1, 1, 3) == CORDON_OK);
    folders_end(&folders);
    CHECK(strcmp(next(&folders, 0), "") == 0);
    folders_deinit(&folders);
    CHECK(fds_count() == before);
}

TEST(without_memory_nothing_is_kept)
{
    int before = fds_count();
    struct folders folders;

    folders_init(&folders);
    no_room = true;
    CHECK(add(&folders, 0, 1, 3) == CORDON_E_NOMEM);
    no_room = false;
    CHECK(fds_count() == before);
    CHECK(add(&folders, 0, 1, 3) == CORDON_OK);
    folders_deinit(&folders);
    CHECK(fds_count() == before);
}

TEST(a_thread_that_did_not_come_is_not_waited_for)
{
    struct folders folders;

    folders_init(&folders);
    folders_join(&folders);
    CHECK(add(&folders, 0, 1, 1) == CORDON_OK);
    folders_leave(&folders);
    CHECK(strcmp(next(&folders, 0), "1/0") == 0);
    CHECK(strcmp(next(&folders, 0), "") == 0);
    folders_deinit(&folders);
}

/* ---- both at once: a tree of WIDTH directories in each, LEVELS deep ---- */

#define WIDTH 10U
#define LEVELS 4U

static struct folders shared;
static atomic_uint met[LEVELS + 1];
static atomic_bool failed;

static void *reads(void *context)
{
    const unsigned who = context != NULL;
    struct folder_item item;

    while (folders_next(&shared, who, &item)) {
        uint32_t level = item.level;

        atomic_fetch_add(&met[level], 1);
        folder_item_free(&item);
        if (add(&shared, who, level + 1, level < LEVELS ? WIDTH : 0) != CORDON_OK) {
            failed = true;
        }
    }
    return NULL;
}

TEST(two_threads_read_each_once)
{
    int before = fds_count();

    for (unsigned round = 0; round < 20; round++) {
        unsigned expected = 1;
        pthread_t other;

        folders_init(&shared);
        CHECK(add(&shared, 0, 1, WIDTH) == CORDON_OK);
        folders_join(&shared);
        CHECK(pthread_create(&other, NULL, reads, &shared) == 0);
        (void)reads(NULL);
        CHECK(pthread_join(other, NULL) == 0);
        folders_deinit(&shared);
        for (uint32_t level = 1; level <= LEVELS; level++) {
            expected *= WIDTH;
            CHECK(atomic_exchange(&met[level], 0) == expected);
        }
        CHECK(!failed);
    }
    CHECK(fds_count() == before);
}

TEST_MAIN()
