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
    int fd;
    bool no_link; /* nor has one room for the name */
    unsigned drains, full_looks, named;
    unsigned moves_left; /* so many of the next drains read of a move */
    bool concerns;       /* ... which has a name that is on the way */
    bool untold;
} world;

/* ---- what is stood in for ---- */

bool name_of(const struct watch *ignored, int fd, struct strbuf *ret_name)
{
    (void)ignored;
    (void)fd;
    world.named++;
    ret_name->len = 0;
    strbuf_puts(ret_name, world.name);
    return true;
}

bool name_by_link(const struct watch *ignored, int fd, struct strbuf *ret_name)
{
    (void)ignored;
    (void)fd;
    ret_name->len = 0;
    strbuf_puts(ret_name, world.name);
    return !world.no_link;
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
    world.fd = -1;
    names.watch = &watch;
}

static void end(void)
{
    CHECK(rmdir(at("d")) == 0 && rmdir(world.top) == 0);
    (void)close(watch.root);
}

static char part[201];

/* Thirty directories below d, each in the one before: the last; "f" in that is the name. */
static int make_chain(void)
{
    int top = open(at("d"), O_PATH | O_DIRECTORY | O_CLOEXEC);

    memset(part, 'p', sizeof(part) - 1);
    for (int i = 0; i < 30; i++) {
        const size_t len = strlen(world.name);
        int next;

        CHECK(mkdirat(top, part, 0755) == 0);
        next = openat(top, part, O_PATH | O_DIRECTORY | O_CLOEXEC);
        CHECK(next >= 0 && close(top) == 0);
        top = next;
        (void)snprintf(world.name + len - 1, sizeof(world.name) - len + 1, "%s/f", part);
    }
    return top;
}

static void remove_chain(int last)
{
    for (int i = 0; i < 30; i++) {
        const int up = openat(last, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

        CHECK(up >= 0 && unlinkat(up, part, AT_REMOVEDIR) == 0 && close(last) == 0);
        last = up;
    }
    CHECK(close(last) == 0);
}

static bool drop_component(void)
{
    char *slash = strrchr(world.name, '/');

    *slash = '\0';
    return slash > world.name;
}

static bool settles(void)
{
    static struct strbuf name = STRBUF_INIT;

    return settle_name(&names, world.fd, &name) && strcmp(strbuf_text(&name), world.name) == 0;
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
    int before;
    int top;

    begin();
    before = fds_count();
    top = make_chain();
    CHECK(strlen(world.name) > 6000);
    CHECK(settles() && world.full_looks == 1);
    CHECK(settles() && world.full_looks == 1 && world.drains == 2);
    /* So are all above it. */
    CHECK(drop_component() && settles() && world.full_looks == 1);
    CHECK(drop_component() && settles() && world.full_looks == 1 && world.named == 0);
    CHECK(fds_count() == before + 1);
    remove_chain(top);
    end();
}

TEST(a_long_name_is_put_together_from_a_known_one)
{
    int before;
    int top;

    begin();
    top = make_chain();
    CHECK(settles() && world.full_looks == 1 && world.named == 0);
    /* The innermost directory itself, and then one far from all that are known. */
    world.no_link = true;
    world.fd = top;
    before = fds_count();
    CHECK(drop_component() && settles() && world.full_looks == 1 && world.named == 0);
    world.fd = watch.root;
    CHECK(settles() && world.named == 1);
    CHECK(fds_count() == before);
    remove_chain(top);
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
