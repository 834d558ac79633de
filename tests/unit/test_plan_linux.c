/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/plan_linux.h"

#include "platform/linux/plan_scan.h"
#include "tests/golden/plan_case.h"
#include "tests/support/check.h"

/* The whole plan as text; the golden files hold what it looks like in full. */
static struct strbuf printed;

static bool plan_has(const char *text, const char *wanted)
{
    struct plan_case c;
    bool parsed;

    strbuf_deinit(&printed);
    parsed = plan_case_parse(&c, text);
    if (parsed) {
        plan_case_print(&c, POLICY_OS_LINUX, false, &printed);
    }
    plan_case_deinit(&c);
    return parsed && strstr(strbuf_text(&printed), wanted) != NULL;
}

static bool plan_lacks(const char *text, const char *wanted)
{
    return !plan_has(text, wanted) && printed.len > 0;
}

#define BASE "own read / spelled=:root\nown write /home/a/ws\n"

TEST(no_view_is_made_under_full_access_without_managed_rules)
{
    CHECK(plan_lacks("full-access\nown write /\n", "namespaces"));
    CHECK(plan_lacks("full-access\nembedded\nno-user-namespaces\n", "refused"));
}

TEST(full_access_with_a_managed_rule_has_a_proc_of_its_own)
{
    CHECK(plan_has("full-access\nmanaged deny /srv/k\n", "private-proc"));
    CHECK(plan_lacks("full-access\nmanaged deny /srv/k\n", "private-dev"));
    CHECK(plan_has("full-access\nembedded\nno-user-namespaces\nmanaged deny /srv/k\n",
                   "needs user namespaces"));
}

TEST(a_writable_root_of_a_profile_is_not_bound_over_the_private_places)
{
    CHECK(plan_has("own write /\n", "view-write-root"));
    CHECK(plan_lacks("own write /\n", "grant-write"));
}

TEST(level_kernel_is_refused_and_names_the_rule_that_narrows)
{
    CHECK(plan_has("minimum-own-kernel\n" BASE "own deny /home/a/.ssh\n",
                   "required: deny \"/home/a/.ssh\""));
    CHECK(plan_has("minimum-own-kernel\n" BASE, "required: read \":root\""));
    CHECK(plan_has("minimum-own-kernel\nown read /\nown deny-write /x\n",
                   "required: deny-write \"/x\""));
    CHECK(plan_lacks("minimum-managed-kernel\n" BASE, "refused"));
    CHECK(plan_lacks("minimum-own-kernel\nfull-access\n" BASE, "refused"));
}

TEST(a_deny_of_the_root_directory_is_refused_but_root_may_be_taken_back)
{
    CHECK(plan_has("own deny /\n", "refused (denied): no command can start"));
    CHECK(plan_has("managed deny / spelled=:root\n", "refused (denied)"));
    CHECK(plan_has("own deny / spelled=:root\nown read /home/a/ws\n", "view-empty-root"));
    CHECK(plan_lacks("own read /\nmanaged deny-write /\n", "refused"));
}

TEST(the_working_directory_must_be_there_and_visible)
{
    CHECK(plan_has("cwd /x missing\nown read /\n", "refused (not-found): the working directory"));
    CHECK(plan_has("cwd /x file\nown read /\n", "refused (not-found)"));
    CHECK(plan_has("cwd /x\nown read /home\n", "no entry of profile :workspace covers it"));
    CHECK(plan_has("cwd /x/y\nown read /\nmanaged deny /x\n",
                   "/x/y is denied: deny \"/x\" (deny_read"));
}

TEST(only_grants_of_the_workspace_must_exist)
{
    CHECK(
        plan_has("workspace /w\nown read /\nown write /w missing\n", "workspace root is missing"));
    CHECK(plan_has("workspace /w\nown read /\nown read /w missing\n", "workspace root is missing"));
    CHECK(plan_lacks("workspace /w\nown read /\nown deny /w missing\n", "refused"));
    CHECK(plan_has("workspace /w\nown read /\nown write /v missing\n",
                   "notice: /v is missing: not granted"));
    CHECK(plan_lacks("workspace /w\nfull-access\nown write /w missing\n", "refused"));
}

TEST(what_the_command_needs_must_be_visible)
{
    CHECK(plan_lacks("needed /usr/bin/env\nown read /\n", "refused"));
    CHECK(plan_has("needed /bin/x\nneeded /lib/ld.so\nown read /\nown deny /lib\n",
                   "needs a path, and /lib/ld.so is denied: deny \"/lib\""));
}

TEST(a_read_grant_below_a_writable_place_protects)
{
    CHECK(plan_has(BASE "own read /home/a/ws/.git\n", "protect          /home/a/ws/.git dir"));
    CHECK(
        plan_has(BASE "own deny-write /home/a/ws/x file\n", "protect          /home/a/ws/x file"));
}

TEST(a_grant_made_less_by_a_deny_write_is_still_the_profiles)
{
    CHECK(plan_has("own write /home/a/ws\nown write /o\nmanaged deny-write /o\n",
                   "grant-read       /o dir <- own[1]"));
    CHECK(plan_has("own write /home/a/ws\nown write /o\nmanaged deny-write /o\n",
                   "notice: /o is read-only: deny-write \"/o\" (deny_read"));
}

TEST(a_read_grant_in_a_readable_place_needs_no_step)
{
    CHECK(plan_lacks(BASE "own read /opt\n", "/opt dir"));
    CHECK(plan_has(BASE "own read /opt missing\n", "snapshot; absent at start: not granted"));
}

TEST(a_deny_inside_a_mask_needs_no_second_mask)
{
    CHECK(plan_lacks(BASE "own deny /srv/k\nown deny /srv/k/deep\n", "/srv/k/deep dir"));
}

TEST(a_masked_directory_with_a_link_inside_gets_a_file_system_of_its_own)
{
    CHECK(plan_has(BASE "own deny /srv/k\nown read /srv/k/l link resolved=/opt/o\n",
                   "mask             /srv/k dir open <- own[2]\n"));
    CHECK(plan_has(BASE "own deny /srv/k\nown read /srv/k/l link resolved=/opt/o\n",
                   "view-link        /srv/k/l link /opt/o"));
}

TEST(links_to_what_is_missing_or_denied_are_not_made)
{
    CHECK(plan_lacks("own read /home/a/ws\nown read /l link missing resolved=/x\n", "view-link"));
    CHECK(plan_lacks("own read /home/a/ws\nown read /l link resolved=/x\nmanaged deny /x\n",
                     "view-link"));
    CHECK(plan_lacks("own read /home/a/ws\nown deny /l link resolved=/x\n", "/l link"));
}

TEST(a_link_in_a_writable_place_is_pinned)
{
    CHECK(plan_has(BASE "own read /home/a/ws/.git link resolved=/srv/git\n",
                   "protect          /home/a/ws/.git link"));
    CHECK(plan_has(BASE "own write /home/a/ws/out link resolved=/srv/out\n",
                   "protect          /home/a/ws/out link"));
    CHECK(plan_lacks(BASE "own read /opt/l link resolved=/srv/git\n", "protect"));
    CHECK(plan_lacks(BASE "own read /home/a/ws/d/x resolved=/srv/x\n", "protect"));
}

TEST(what_special_places_lack_is_not_worth_a_notice)
{
    CHECK(plan_lacks("own read /home/a/ws\nown read /nix/store missing spelled=:minimal\n",
                     "notice: /nix"));
    CHECK(plan_lacks("own read /home/a/ws\nown write /m missing builtin\n", "notice: /m"));
}

TEST(grants_below_dev_are_bound_and_those_below_proc_are_not)
{
    CHECK(plan_has(BASE "own write /dev/shm/x\n", "grant-write      /dev/shm/x"));
    CHECK(plan_has(BASE "own read /dev/kvm other\n", "grant-read       /dev/kvm file"));
    CHECK(plan_lacks(BASE "own read /proc/1\n", "/proc/1 dir"));
    CHECK(plan_has(BASE "own deny /proc/kcore file\n", "mask             /proc/kcore file"));
}

TEST(a_denied_private_place_brings_nothing_of_the_host_back)
{
    CHECK(plan_lacks(BASE "own deny /dev\nown write /dev/shm\n", "reopen-write"));
}

TEST(sockets_are_listed_once_and_sorted)
{
    CHECK(
        plan_has("socket /run/b\nsocket /run/a\nsocket /run/b\n" BASE,
                 "absolute name\n  keep-socket      /run/a\n  keep-socket      /run/b\n  net-off"));
}

TEST(the_kernels_program_judges_every_socket_while_the_network_is_off)
{
    CHECK(plan_has("bpf\n" BASE, "mask-sockets     all"));
    CHECK(plan_has("fanotify\n" BASE, "mask-sockets     bound when the job starts"));
    CHECK(plan_has("bpf\nnetwork\n" BASE, "mask-sockets     bound when the job starts"));
    CHECK(plan_has("embedded\nbpf\n" BASE, "mask-sockets     bound when the job starts"));
}

TEST(the_kernels_program_decides_at_each_access)
{
    CHECK(plan_has("bpf\n" BASE "own deny /x\n", "kernel"));
    CHECK(plan_lacks("bpf\nminimum-own-kernel\nown read /\nown deny /x\n", "refused"));
}

TEST(scoped_sockets_need_no_notice)
{
    CHECK(plan_lacks("network\n" BASE, "abstract unix sockets"));
    CHECK(plan_has("network\nlandlock 5\n" BASE, "abstract unix sockets"));
    CHECK(plan_lacks("landlock 5\n" BASE, "abstract unix sockets"));
}

TEST(globs_have_a_literal_directory)
{
    CHECK(plan_glob_prefix("/a/b/*.c", 8) == 4);
    CHECK(plan_glob_prefix("/*.c", 4) == 1);
    CHECK(plan_glob_prefix("/a/b{c,d}", 9) == 2);
    CHECK(plan_glob_prefix("/a/b\\*/c*", 9) == 2);
    CHECK(plan_glob_prefix("/a/[x]", 6) == 2);
}

TEST(levels_of_a_glob_are_never_too_few)
{
    CHECK(plan_glob_levels("/a/*.c", 6) == 1);
    CHECK(plan_glob_levels("/*.c", 4) == 1);
    CHECK(plan_glob_levels("/*/x", 4) == 2);
    CHECK(plan_glob_levels("/a/*/x", 6) == 2);
    CHECK(plan_glob_levels("/a/**/x", 7) == 0);
    CHECK(plan_glob_levels("/a/{b/c,d}/x", 12) == 3);
    CHECK(plan_glob_levels("/a/x*", 5) == 1);
}

TEST(scans_of_one_set_are_merged)
{
    CHECK(plan_lacks(BASE "own deny /s/**/x\nown deny /s/t/*.y\n", "scan             /s/t"));
    CHECK(
        plan_has(BASE "own deny /s/*/*/x\nown deny /s/t/*.y\n", "scan             /s dir value=3"));
    CHECK(plan_lacks(BASE "own deny /s/*/*/x\nown deny /s/t/*.y\n", "scan             /s/t"));
    CHECK(
        plan_has(BASE "own deny /s/*.x\nown deny /s/t/*.y\n", "scan             /s/t dir value=1"));
    CHECK(plan_has(BASE "own deny /s/*.x\nown deny /s/t/**/y\n", "scan             /s/t dir <-"));
    CHECK(plan_has(BASE "own deny /s/*.x\nown deny /s/*/y\n", "scan             /s dir value=2"));
    CHECK(plan_has(BASE "own deny /s/*/x\nown deny /s/*.y\n", "scan             /s dir value=2"));
    CHECK(plan_has(BASE "own deny /s/*.x\nown deny /s/**/y\n", "scan             /s dir <-"));
    CHECK(plan_has(BASE "own deny /s/**/x\nown deny /s/*.y\n", "scan             /s dir <-"));
    CHECK(plan_has(BASE "own deny /s/*.x\nown deny /t/*.x\nown deny /tt/*.x\n",
                   "scan             /tt dir value=1"));
}

TEST(scans_of_two_sets_are_not_merged)
{
    CHECK(plan_has(BASE "own deny /s/**/x\nmanaged deny /s/**/x\n",
                   "scan             /s dir <- managed[0]\n  scan             /s dir <- own[2]"));
}

TEST(the_bound_of_a_profile_does_not_bound_managed_globs)
{
    CHECK(plan_has("scan-depth 2\n" BASE "managed deny /s/**/x\n", "/s dir <- managed[0]"));
    CHECK(plan_has("scan-depth 2\n" BASE "own deny /s/*/*/*/x\n", "/s dir value=2"));
    CHECK(plan_has("scan-depth 2\n" BASE "own deny /s/**/x\n", "stops at glob_scan_max_depth"));
    CHECK(plan_lacks("scan-depth 9\n" BASE "own deny /s/*/x\n", "stops at"));
}

TEST(profile_globs_are_no_matter_under_full_access)
{
    CHECK(plan_lacks("full-access\nown deny /s/**/x\nmanaged deny /k\n", "scan"));
}

TEST_MAIN()
