/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/plan_tree.h"

#include "tests/golden/plan_case.h"
#include "tests/support/check.h"

static struct plan_tree tree_of(struct plan_case *plan_case, enum policy_os os, const char *text)
{
    static const struct plan_base base[] = {{"/dev", PLAN_READABLE}, {"/dev/shm", PLAN_WRITABLE}};
    struct plan_tree tree;

    CHECK(plan_case_parse(plan_case, text));
    plan_case->policy.os = os;
    CHECK(plan_tree_build(&plan_case->policy, &plan_case->facts, base,
                          plan_case->policy.full_access ? 0 : 2, &plan_case->arena,
                          &tree) == CORDON_OK);
    return tree;
}

static enum plan_view view_of(const char *text, const char *path)
{
    struct plan_case plan_case;
    struct plan_tree tree = tree_of(&plan_case, POLICY_OS_LINUX, text);
    enum plan_view view = plan_tree_view(&tree, plan_tree_find(&tree, path, strlen(path)));

    plan_case_deinit(&plan_case);
    return view;
}

TEST(nothing_is_visible_without_an_entry)
{
    CHECK(view_of("own read /a\n", "/b") == PLAN_HIDDEN);
    CHECK(view_of("", "/") == PLAN_HIDDEN);
}

TEST(everything_is_writable_under_full_access)
{
    CHECK(view_of("full-access\nown deny /a\n", "/a") == PLAN_WRITABLE);
    CHECK(view_of("full-access\nmanaged deny /a\n", "/a/b") == PLAN_HIDDEN);
}

TEST(the_most_specific_entry_wins)
{
    static const char text[] = "own read /\nown write /a\nown deny /a/b\nown read /a/b/c\n";

    CHECK(view_of(text, "/x") == PLAN_READABLE);
    CHECK(view_of(text, "/a/x") == PLAN_WRITABLE);
    CHECK(view_of(text, "/a/b/x") == PLAN_HIDDEN);
    CHECK(view_of(text, "/a/b/c/d") == PLAN_READABLE);
}

TEST(an_entry_does_not_cover_a_sibling_with_the_same_prefix)
{
    CHECK(view_of("own read /srv/app\n", "/srv/app-keys") == PLAN_HIDDEN);
    CHECK(view_of("own read /srv/app\n", "/srv") == PLAN_HIDDEN);
}

TEST(on_one_path_deny_beats_write_beats_read)
{
    CHECK(view_of("own write /a\nown read /a\n", "/a") == PLAN_WRITABLE);
    CHECK(view_of("own deny /a\nown write /a\n", "/a") == PLAN_HIDDEN);
}

TEST(paths_are_compared_resolved)
{
    CHECK(view_of("own write /real\nown deny /link link resolved=/real\n", "/real/x") ==
          PLAN_HIDDEN);
}

TEST(nothing_reopens_a_managed_deny)
{
    static const char text[] = "own write /\nown write /a/b\nmanaged deny /a\nmanaged deny /a/b\n";

    CHECK(view_of(text, "/a/b/c") == PLAN_HIDDEN);
}

TEST(nothing_below_a_deny_write_is_writable_again)
{
    CHECK(view_of("own write /\nown write /a/b\nmanaged deny-write /a\n", "/a/b") == PLAN_READABLE);
    CHECK(view_of("own write /\nown write /a/b\nown deny-write /a\n", "/a/b") == PLAN_READABLE);
    CHECK(view_of("own read /\nown write /a/b\nmanaged deny-write /a\nmanaged deny-write /a/b\n",
                  "/a/b") == PLAN_READABLE);
}

TEST(a_deny_write_grants_no_reading)
{
    CHECK(view_of("own deny-write /a\n", "/a") == PLAN_HIDDEN);
    CHECK(view_of("managed deny-write /a\n", "/a") == PLAN_HIDDEN);
}

TEST(a_managed_deny_below_a_deny_write_hides)
{
    CHECK(view_of("own write /\nmanaged deny-write /a\nmanaged deny /a/b\n", "/a/b") ==
          PLAN_HIDDEN);
}

TEST(the_directory_of_a_git_file_is_lowered_and_not_granted)
{
    CHECK(view_of("own write /a\nown read /a/.git file gitdir=/a/main\n", "/a/main") ==
          PLAN_READABLE);
    CHECK(view_of("own write /a\nown read /a/.git file gitdir=/b/main\n", "/b/main") ==
          PLAN_HIDDEN);
    CHECK(view_of("own write /a\nown write /a/.git file gitdir=/a/main\n", "/a/main") ==
          PLAN_WRITABLE);
    CHECK(view_of("own write /a\nown deny-write /a/.git file gitdir=/a/main\n", "/a/main/x") ==
          PLAN_READABLE);
}

TEST(an_entry_on_the_directory_of_a_git_file_wins)
{
    static const char text[] =
        "own write /a\nown read /a/.git file gitdir=/a/main\nown write /a/main\n";

    CHECK(view_of(text, "/a/main") == PLAN_WRITABLE);
}

TEST(private_places_show_unless_a_rule_denies_what_is_above)
{
    CHECK(view_of("", "/dev/null") == PLAN_READABLE);
    CHECK(view_of("own deny / spelled=:root\n", "/dev/null") == PLAN_READABLE);
    CHECK(view_of("own deny /dev\n", "/dev/shm") == PLAN_HIDDEN);
}

TEST(windows_names_are_folded_and_separators_are_one)
{
    struct plan_case plan_case;
    struct plan_tree tree =
        tree_of(&plan_case, POLICY_OS_WINDOWS, "own read C:\\\nown deny c:/Homes/A\\x\n");
    const char *key = plan_key(POLICY_OS_WINDOWS, "C:\\HOMES\\a\\X\\y", &plan_case.arena);

    CHECK_STR(key, "C:/HOMES/A/X/Y");
    CHECK(plan_tree_view(&tree, plan_tree_find(&tree, key, strlen(key))) == PLAN_HIDDEN);
    key = plan_key(POLICY_OS_WINDOWS, "C:\\Homes\\", &plan_case.arena);
    CHECK_STR(key, "C:/HOMES");
    CHECK(plan_tree_view(&tree, plan_tree_find(&tree, key, strlen(key))) == PLAN_READABLE);
    plan_case_deinit(&plan_case);
}

TEST(depth_counts_components)
{
    CHECK(plan_depth("/", 1) == 0);
    CHECK(plan_depth("/a", 2) == 1);
    CHECK(plan_depth("/a/b", 4) == 2);
    CHECK(plan_depth("c:/x", 4) == 2);
    CHECK(plan_depth("//server/share", 14) == 2);
}

TEST(parents_end_at_the_root)
{
    CHECK(plan_parent_len("/a/b", 4) == 2);
    CHECK(plan_parent_len("/a", 2) == 1);
    CHECK(plan_parent_len("/", 1) == 0);
    CHECK(plan_parent_len("c:/x", 4) == 2);
    CHECK(plan_parent_len("c:", 2) == 1);
    CHECK(plan_parent_len("", 0) == 0);
}

TEST(what_lies_above_the_root_is_nothing)
{
    struct plan_case plan_case;
    struct plan_tree tree = tree_of(&plan_case, POLICY_OS_LINUX, "own read /\n");

    CHECK(plan_tree_above(&tree, "/", 1) == NULL);
    CHECK(plan_tree_above(&tree, "/a", 2) == &tree.nodes[0]);
    plan_case_deinit(&plan_case);
}

TEST_MAIN()
