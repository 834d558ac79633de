/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/posix/status.h"
#include "tests/support/check.h"

#define USER 1000U
#define GROUP 100U

/* A status of a caller, with these two lines. */
static const char *status_of(const char *uids, const char *gids)
{
    static char text[256];

    (void)snprintf(text, sizeof(text),
                   "Name:\tcordon\nUmask:\t0027\nState:\tS (sleeping)\nTracerPid:\t0\n%s%s"
                   "FDSize:\t64\nGroups:\t100 \nNoNewPrivs:\t1\n",
                   uids, gids);
    return text;
}

static bool is_whole(const char *uids, const char *gids)
{
    return status_is_whole(status_of(uids, gids), USER, GROUP);
}

#define UIDS "Uid:\t1000\t1000\t1000\t1000\n"
#define GIDS "Gid:\t100\t100\t100\t100\n"

TEST(a_caller_who_is_one_user_and_one_group_is_whole)
{
    CHECK(is_whole(UIDS, GIDS));
    CHECK(status_is_whole(status_of("Uid:\t0\t0\t0\t0\n", "Gid:\t0\t0\t0\t0\n"), 0, 0));
    CHECK(status_is_whole(status_of("Uid:\t4294967294\t4294967294\t4294967294\t4294967294\n",
                                    "Gid:\t4294967294\t4294967294\t4294967294\t4294967294\n"),
                          UINT32_MAX - 1, UINT32_MAX - 1));
}

TEST(each_of_the_four_users_must_be_the_callers)
{
    CHECK(!is_whole("Uid:\t0\t1000\t1000\t1000\n", GIDS));
    CHECK(!is_whole("Uid:\t1000\t0\t1000\t1000\n", GIDS));
    CHECK(!is_whole("Uid:\t1000\t1000\t0\t1000\n", GIDS));
    CHECK(!is_whole("Uid:\t1000\t1000\t1000\t0\n", GIDS));
    CHECK(!is_whole("Uid:\t1000\t0\t0\t0\n", GIDS)); /* sudo */
}

TEST(each_of_the_four_groups_must_be_the_callers)
{
    CHECK(!is_whole(UIDS, "Gid:\t0\t100\t100\t100\n"));
    CHECK(!is_whole(UIDS, "Gid:\t100\t0\t100\t100\n"));
    CHECK(!is_whole(UIDS, "Gid:\t100\t100\t0\t100\n"));
    CHECK(!is_whole(UIDS, "Gid:\t100\t100\t100\t0\n"));
}

TEST(a_number_that_only_begins_or_ends_alike_is_another)
{
    CHECK(!is_whole("Uid:\t1000\t1000\t1000\t10001\n", GIDS));
    CHECK(!is_whole("Uid:\t1000\t11000\t1000\t1000\n", GIDS));
    CHECK(!is_whole(UIDS, "Gid:\t100\t100\t1000\t100\n"));
}

TEST(a_line_that_is_missing_or_short_is_no_identity)
{
    CHECK(!is_whole("", GIDS) && !is_whole(UIDS, "") && !status_is_whole("", USER, GROUP));
    CHECK(!is_whole("Uid:\t1000\t1000\t1000\n", GIDS));
    CHECK(!is_whole("Uid:\t1000\t1000\t1000\t\n", GIDS));
    CHECK(!is_whole("xUid:\t1000\t1000\t1000\t1000\n", GIDS));
    /* The end of what was read may be anywhere. */
    CHECK(!status_is_whole("Name:\tcordon\n" UIDS "Gid:\t100\t100\t100\t100", USER, GROUP));
}

/* Newlines of a name are written as a backslash and an n. */
TEST(a_name_is_no_line)
{
    CHECK(!status_is_whole("Name:\t\\n" UIDS "\\n" GIDS "Uid:\t1000\t0\t0\t0\n" GIDS, USER, GROUP));
}

TEST(a_number_is_read_in_its_base)
{
    unsigned long value = 7;

    CHECK(status_number(status_of(UIDS, GIDS), "\nUmask:", 8, &value) && value == 027);
    CHECK(status_number(status_of(UIDS, GIDS), "\nNoNewPrivs:", 10, &value) && value == 1);
    CHECK(!status_number(status_of(UIDS, GIDS), "\nSeccomp:", 10, &value) && value == 1);
}

TEST_MAIN()
