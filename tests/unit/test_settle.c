/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a name is believed: on directories of this test's own, with what the events tell stood in
 * for. A full look asks names_are_told(), one at a directory that is known does not.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/init/names.h"
#include "tests/support/check.h"
#include "tests/support/fds.h"

static struct names names;
static struct watch watch;

static struct {
    char top[64], name[8192];
    unsigned drains, full_looks;
    unsigned moves_left; /* so many of the next drains read of a move */
    bool concerns;       /* ... which has a name that is on the way */
    bool untold;
} world;

/* ---- what is stood in for ---- */

bool name_of(const struct watch *ignored, int fd, struct strbuf *ret_name)
{
    (void)ignored;
    (void)fd;
    ret_name->len = 0;
    strbuf_puts(ret_name, world.name);
    return true;
}

bool name_from(const struct watch *ignored, int fd, int up, struct strbuf *ret_name)
{
    (void)ignored;
    CHECK(fd != up);
    strbuf_puts(ret_name, strrchr(world.name, '/'));
    return true;
}

bool names_drain(struct names *ignored)
{
    (void)ignored;
    world.drains++;
    if (world.moves_left > 0) {
        world.moves_left--;
        names.places.moves++;
    }
    return true;
}

bool names_are_told(const struct names *ignored, int fd)
{
    (void)ignored;
    (void)fd;
    world.full_looks++;
    return !world.untold;
}

bool places_moved(const struct places *places, uint64_t moves, const char *path, size_t len)
{
    CHECK(len < strlen(world.name) && strncmp(path, world.name + 1, len) == 0);
    return world.concerns && places->moves != moves;
}

/* ---- the world ---- */

static const char *at(const char *below)
{
    static char path[128];

    (void)snprintf(path, sizeof(path), "%s/%s", world.top, below);
    return path;
}

static void begin(void)
{
    memset(&world, 0, sizeof(world));
    (void)snprintf(world.top, sizeof(world.top), "/tmp/settle-XXXXXX");
    CHECK(mkdtemp(world.top) != NULL);
    CHECK(mkdir(at("d"), 0755) == 0);
    (void)snprintf(world.name, sizeof(world.name), "%s", at("d/f"));
    watch.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    CHECK(watch.root >= 0);
    names.watch = &watch;
}

static void end(void)
{
    CHECK(rmdir(at("d")) == 0 && rmdir(world.top) == 0);
    (void)close(watch.root);
}

/* What is below d, each the only one in the one above. */
static void remove_chain(const char *part)
{
    int above = open(at("d"), O_PATH | O_DIRECTORY | O_CLOEXEC);
    int depth = 0;

    for (int next = above; next >= 0; depth++) {
        above = next;
        next = openat(above, part, O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK(next >= 0 || depth == 30);
        if (next >= 0) {
            CHECK(close(above) == 0);
        }
    }
    for (; depth > 1; depth--) {
        const int up = openat(above, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

        CHECK(up >= 0 && unlinkat(up, part, AT_REMOVEDIR) == 0 && close(above) == 0);
        above = up;
    }
    CHECK(close(above) == 0);
}

static bool settles(void)
{
    static struct strbuf name = STRBUF_INIT;

    return settle_name(&names, -1, &name) && strcmp(strbuf_text(&name), world.name) == 0;
}

/* ---- what holds ---- */

TEST(a_directory_in_its_place_is_known_and_not_kept)
{
    int before;

    begin();
    before = fds_count();
    CHECK(settles() && world.full_looks == 1 && world.drains == 1);
    CHECK(settles() && world.full_looks == 1 && world.drains == 2);
    CHECK(fds_count() == before);
    end();
}

TEST(a_move_of_something_else_changes_nothing)
{
    begin();
    world.moves_left = 3;
    CHECK(settles() && settles() && settles());
    CHECK(world.full_looks == 1 && world.drains == 3 && world.moves_left == 0);
    end();
}

TEST(a_move_that_may_be_on_the_way_is_looked_after)
{
    begin();
    world.concerns = true;
    CHECK(settles() && world.full_looks == 1);
    /* It is read once that what changes names in the directory was waited for. */
    world.moves_left = 1;
    CHECK(settles() && world.full_looks == 2 && world.drains == 3);
    /* By the time of the full look as well. */
    world.moves_left = 2;
    CHECK(settles() && world.full_looks == 4 && world.moves_left == 0);
    CHECK(settles() && world.full_looks == 4);
    end();
}

TEST(another_directory_in_its_place_is_another)
{
    char aside[128];

    begin();
    CHECK(settles() && world.full_looks == 1);
    (void)snprintf(aside, sizeof(aside), "%s", at("e"));
    CHECK(rename(at("d"), aside) == 0);
    CHECK(settles() && world.full_looks == 2);
    CHECK(mkdir(at("d"), 0755) == 0);
    CHECK(settles() && world.full_looks == 3);
    CHECK(settles() && world.full_looks == 3);
    CHECK(rmdir(aside) == 0);
    end();
}

/* Also with the same number, as long as the file system tells them apart. */
TEST(one_that_was_removed_and_made_again_is_another)
{
    struct object before;
    struct object after;

    begin();
    CHECK(settles() && object_of(AT_FDCWD, at("d"), &before));
    CHECK(rmdir(at("d")) == 0 && mkdir(at("d"), 0755) == 0);
    CHECK(object_of(AT_FDCWD, at("d"), &after));
    CHECK(settles() && world.full_looks == (object_same(&before, &after) ? 1 : 2));
    end();
}

/* Of a deep way each directory is found, also where no system call takes all of it. */
TEST(a_long_way_is_gone_in_pieces)
{
    static char part[201];
    int before;
    int top;

    begin();
    before = fds_count();
    memset(part, 'p', sizeof(part) - 1);
    top = open(at("d"), O_PATH | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; i < 30; i++) {
        const size_t len = strlen(world.name);
        int next;

        CHECK(mkdirat(top, part, 0755) == 0);
        next = openat(top, part, O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK(next >= 0 && close(top) == 0);
        top = next;
        (void)snprintf(world.name + len - 1, sizeof(world.name) - len + 1, "%s/f", part);
    }
    CHECK(close(top) == 0 && strlen(world.name) > 6000);
    CHECK(settles() && world.full_looks == 1);
    CHECK(settles() && world.full_looks == 1);
    /* One below it is looked for from there. */
    (void)snprintf(world.name + strlen(world.name) - 1, 8, "g/f");
    CHECK(settles() && world.full_looks == 2);
    CHECK(fds_count() == before);
    remove_chain(part);
    end();
}

TEST(what_moves_all_the_time_has_no_name)
{
    begin();
    world.concerns = true;
    world.moves_left = 1000000;
    CHECK(!settles() && world.drains > 100);
    end();
}

TEST(where_no_name_is_told_of_the_one_that_is_read_holds)
{
    begin();
    world.untold = true;
    CHECK(settles() && settles() && world.full_looks == 2 && world.drains == 2);
    end();
}

TEST_MAIN()
