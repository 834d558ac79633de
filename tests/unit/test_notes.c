/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a set-up found under the names that it looked up, and whether it is so still. The clock is
 * the test's own, so that no folder has to be left alone for seconds.
 */
#include "platform/linux/init/notes.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "platform/linux/init/sys.h"
#include "tests/support/top.h"

#define MISSING 20U /* names of a folder that are not there */

static struct mount_entry mount;
/* One for each test: a set-up's notes are kept until its end. */
static struct init worlds[20];
static struct init *init = worlds;
static time_t ahead_s;          /* of the real clock */
static unsigned looks;          /* at a path */
static uint64_t attributes;     /* of all that there is, besides */
static const char *made_before; /* made just before a name is looked at that is not a folder's */

/* ---- what is stood in for ---- */

void identity_as_caller(const struct init *ignored)
{
    (void)ignored;
}

void identity_as_setup(const struct init *ignored)
{
    (void)ignored;
}

int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

int __wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
    const int code = __real_clock_gettime(clock, ret);

    ret->tv_sec += ahead_s;
    return code;
}

/* statx(2) alone goes this way. */
long __wrap_syscall(long number, ...)
{
    va_list list;
    long words[5];
    long code;

    CHECK(number == SYS_statx);
    va_start(list, number);
    for (size_t i = 0; i < 5; i++) {
        words[i] = va_arg(list, long);
    }
    va_end(list);
    looks++;
    if (made_before != NULL && strcmp((const char *)words[1], made_before) == 0) {
        file_make(made_before);
        made_before = NULL;
    }
    code = __real_syscall(number, words[0], words[1], words[2], words[3], words[4]);
    ((struct sys_place *)words[4])->attributes |= attributes;
    return code;
}

/* ---- a tree, and what is noted of it ---- */

static void begin(bool dated, time_t rest_s)
{
    struct stat st;

    top_make("notes");
    CHECK(mkdir(in_top("folder"), 0755) == 0 && stat(top, &st) == 0);
    mount = (struct mount_entry){.dev = st.st_dev, .dated = dated};
    CHECK(init < worlds + sizeof(worlds) / sizeof(worlds[0]) - 1);
    *++init = (struct init){.ahead = true, .host = {&mount, 1}};
    ahead_s = rest_s;
    attributes = 0;
    made_before = NULL;
}

static void note(const char *name, bool follow)
{
    CHECK(note_add(init, ORDER_SET_OWN, in_top(name), follow) == CORDON_OK);
}

/* All that was noted is looked at, and is so still. */
static void look(void)
{
    CHECK(notes_look(init) == CORDON_OK);
    CHECK(notes_hold(init));
}

static void note_missing(void)
{
    char name[32];

    for (unsigned i = 0; i < MISSING; i++) {
        (void)snprintf(name, sizeof(name), "folder/none-%u", i);
        note(name, true);
    }
    look();
}

static unsigned looks_to_hold(void)
{
    looks = 0;
    CHECK(notes_hold(init));
    return looks;
}

TEST(names_that_are_missing_in_a_folder_left_alone_cost_one_look)
{
    begin(true, 10);
    note_missing();
    CHECK(looks_to_hold() == 1);
    file_make(in_top("folder/none-7"));
    CHECK(!notes_hold(init));
    top_remove();
}

TEST(whatever_else_changes_in_the_folder_makes_them_stale)
{
    begin(true, 10);
    note_missing();
    file_make(in_top("folder/other"));
    CHECK(!notes_hold(init));
    top_remove();
}

TEST(a_name_that_came_and_went_makes_them_stale)
{
    begin(true, 10);
    note_missing();
    file_make(in_top("folder/none-3"));
    CHECK(unlink(in_top("folder/none-3")) == 0);
    CHECK(!notes_hold(init));
    top_remove();
}

TEST(another_folder_in_its_place_makes_them_stale)
{
    begin(true, 10);
    note_missing();
    CHECK(rename(in_top("folder"), in_top("away")) == 0 && mkdir(in_top("folder"), 0755) == 0);
    CHECK(!notes_hold(init));
    top_remove();
}

TEST(rights_that_change_make_them_stale)
{
    begin(true, 10);
    note_missing();
    CHECK(chmod(in_top("folder"), 0700) == 0);
    CHECK(!notes_hold(init));
    top_remove();
}

TEST(a_folder_in_use_is_not_believed)
{
    begin(true, 0);
    note_missing();
    CHECK(looks_to_hold() == MISSING + 1);
    file_make(in_top("folder/other"));
    CHECK(notes_hold(init));
    file_make(in_top("folder/none-0"));
    CHECK(!notes_hold(init));
    top_remove();
}

TEST(a_folder_of_the_future_is_not_believed)
{
    begin(true, -10);
    note_missing();
    CHECK(looks_to_hold() == MISSING + 1);
    top_remove();
}

TEST(a_file_system_without_dates_is_not_believed)
{
    begin(false, 10);
    note_missing();
    CHECK(looks_to_hold() == MISSING + 1);
    top_remove();
}

TEST(a_file_system_that_the_table_of_mounts_lacks_is_not_believed)
{
    begin(true, 10);
    init->host.count = 0;
    note_missing();
    CHECK(looks_to_hold() == MISSING + 1);
    top_remove();
}

/* Their key may come, and every name is another. */
TEST(folders_of_encrypted_names_are_not_believed)
{
    begin(true, 10);
    attributes = SYS_PLACE_ENCRYPTED;
    note_missing();
    CHECK(looks_to_hold() == MISSING + 1);
    top_remove();
}

/* The caller may come to a folder, or not, where root does. */
TEST(each_rule_set_looks_at_a_folder_with_its_own_rights)
{
    begin(true, 10);
    note("folder/none", true);
    CHECK(note_add(init, ORDER_SET_MANAGED, in_top("folder/none"), true) == CORDON_OK);
    look();
    CHECK(looks_to_hold() == 2);
    top_remove();
}

/* Its target may come to be elsewhere. */
TEST(a_link_that_leads_nowhere_is_looked_at)
{
    begin(true, 10);
    CHECK(mkdir(in_top("far"), 0755) == 0 && symlink("../far/end", in_top("folder/link")) == 0);
    note("folder/link", true);
    look();
    file_make(in_top("far/end"));
    CHECK(!notes_hold(init));
    top_remove();
}

TEST(names_of_several_folders_each_have_their_own)
{
    begin(true, 10);
    CHECK(mkdir(in_top("folder-2"), 0755) == 0);
    note("folder/none", true);
    note("folder-2/none", true);
    note("folder/none-again", false);
    look();
    file_make(in_top("folder-2/none"));
    CHECK(!notes_hold(init));
    top_remove();
}

TEST(below_a_folder_that_is_missing_each_name_is_looked_at)
{
    begin(true, 10);
    note("none/a", true);
    note("none/b", true);
    look();
    CHECK(mkdir(in_top("none"), 0755) == 0);
    CHECK(!notes_hold(init));
    top_remove();
}

/* The date is read first: what comes after it shows in it. */
TEST(what_comes_while_the_folder_is_looked_at_makes_them_stale)
{
    begin(true, 10);
    note("folder/none", true);
    note("folder/late", true);
    made_before = in_top("folder/late");
    CHECK(notes_look(init) == CORDON_OK);
    CHECK(!notes_hold(init));
    top_remove();
}

TEST(what_is_there_must_stay_what_it_is)
{
    begin(true, 10);
    file_make(in_top("folder/file"));
    note("folder/file", true);
    note("folder", true);
    CHECK(notes_look(init) == CORDON_OK);
    CHECK(looks_to_hold() == 2);
    file_make(in_top("folder/other"));
    CHECK(notes_hold(init));
    file_make(in_top("folder/next"));
    CHECK(rename(in_top("folder/next"), in_top("folder/file")) == 0);
    CHECK(!notes_hold(init));
    top_remove();
}

TEST(nothing_is_noted_once_a_command_is_due)
{
    begin(true, 10);
    init->ahead = false;
    note("folder/none", true);
    CHECK(init->note_count == 0);
    top_remove();
}

TEST_MAIN()
