/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/plan_windows.h"

#include "tests/golden/plan_case.h"
#include "tests/support/check.h"

static struct strbuf printed;

static bool plan_has(const char *text, const char *wanted)
{
    struct plan_case c;

    strbuf_deinit(&printed);
    if (plan_case_parse(&c, text)) {
        plan_case_print(&c, POLICY_OS_WINDOWS, false, &printed);
    }
    plan_case_deinit(&c);
    return strstr(strbuf_text(&printed), wanted) != NULL;
}

static bool plan_lacks(const char *text, const char *wanted)
{
    return !plan_has(text, wanted) && printed.len > 0;
}

#define BASE                                                                                       \
    "cwd C:\\Users\\a\\ws\nown read C:\\ spelled=:root\n"                                          \
    "own write C:\\Users\\a\\ws\n"

TEST(globs_need_a_tree_to_look_at)
{
    CHECK(plan_has(BASE "own deny C:\\x\\*.env\n", "needs a look at the host's directories: deny"));
}

TEST(the_network_is_the_hosts_or_none)
{
    CHECK(plan_has("network\n" BASE, "net-host"));
    CHECK(plan_has(BASE, "net-off\n  filter           connect v4\n"));
    CHECK(strstr(strbuf_text(&printed), "filter           accept v6") != NULL);
}

TEST(no_entry_goes_on_a_whole_volume)
{
    CHECK(plan_has(BASE "own deny D:\\\n", "access list of a whole volume: deny \"D:"));
    CHECK(plan_has(BASE "own write D:\n", "whole volume"));
    CHECK(plan_has(BASE "managed deny C:\\ spelled=:root\n", "whole volume"));
    CHECK(plan_has(BASE "managed deny-write \\\\srv\\share\n", "whole volume"));
    CHECK(plan_has(BASE "own write /\n", "whole volume"));
    CHECK(plan_lacks(BASE "own deny \\\\srv\\share\\x\n", "whole volume"));
    CHECK(plan_lacks(BASE "own deny ab\n", "whole volume"));
    CHECK(plan_lacks("cwd C:\\w\nown deny C:\\ spelled=:root\nown read C:\\w\n", "refused"));
}

TEST(shares_are_volumes_of_their_own)
{
    static const char share[] = "windows\ncwd C:\\w\nown read / spelled=:root\n";
    char text[256];

    (void)snprintf(text, sizeof(text), "%sown deny /UNC/srv/share\n", share);
    CHECK(plan_has(text, "access list of a whole volume: deny \"/UNC/srv/share\""));
    (void)snprintf(text, sizeof(text), "%sown deny /UNC/srv/share/a/b\n", share);
    CHECK(plan_has(text, "deny             \\\\\\\\srv\\\\share\\\\a\\\\b dir"));
    (void)snprintf(text, sizeof(text),
                   "%sown write /UNC/srv/share/a\nown deny /UNC/SRV/share/A/b\n", share);
    CHECK(plan_has(text, "pin              \\\\\\\\srv\\\\share\\\\a dir"));
    (void)snprintf(text, sizeof(text), "%sown deny /UNC/localhost/c/x\n", share);
    CHECK(plan_has(text, "goes through the network to a drive that has a letter"));
    (void)snprintf(text, sizeof(text), "%sown deny /UNC/srv/D$/**/x\n", share);
    CHECK(plan_has(text, "goes through the network to a drive that has a letter"));
    (void)snprintf(text, sizeof(text), "%sown deny /UNC/srv/share/**/x\n", share);
    CHECK(plan_has(text, "would walk a whole volume"));
}

TEST(the_token_says_whether_the_volume_is_readable)
{
    CHECK(plan_has(BASE, "token            write-restricted"));
    CHECK(plan_has("cwd C:\\w\nown write C:\\w\n", "token            restricted"));
    CHECK(plan_has("full-access\n", "token            plain"));
    CHECK(plan_has("cwd C:\\w\nown deny C:\\ spelled=:root\nown read C:\\w\n",
                   "token            restricted"));
}

TEST(a_missing_path_is_made_by_what_its_name_says)
{
    CHECK(plan_has(BASE "own deny C:\\a\\.env missing\n", "materialise      C:\\\\a\\\\.env file"));
    CHECK(plan_has(BASE "own deny C:\\a\\key.pem missing\n", "key.pem file"));
    CHECK(plan_has(BASE "own deny C:\\a\\.ssh missing\n", ".ssh dir"));
    CHECK(plan_has(BASE "own deny C:\\a\\keys missing\n", "keys dir"));
    CHECK(plan_has(BASE "own deny C:\\a\\x.d missing spelled=C:\\a\\x.d\\\n", "x.d dir"));
    CHECK(plan_has(BASE "own deny C:\\a\\x.d missing spelled=C:/a/x.d/\n", "x.d dir"));
    CHECK(
        plan_has(BASE "own deny C:\\a\\x.d missing\nown deny C:\\a\\x.d\\y missing\n", "x.d dir"));
    CHECK(plan_has(BASE "own read C:\\Users\\a\\ws\\.git missing builtin\n", ".git dir"));
    CHECK(plan_has(BASE "own deny C:/a/z.key missing\n", "z.key file"));
}

TEST(a_missing_grant_is_skipped_with_a_notice)
{
    CHECK(plan_has(BASE "own write C:\\gone missing\n", "is missing: not granted"));
    CHECK(plan_lacks(BASE "own write C:\\gone missing\n", "grant-write      C:\\\\gone"));
}

TEST(the_spelled_path_comes_before_what_it_leads_to)
{
    CHECK(plan_has(BASE "own deny C:\\l link file resolved=D:\\k\n",
                   "deny             C:\\\\l link value=0xd017f <- own[2]\n"
                   "  deny             D:\\\\k file value=0xd017f <- own[2]\n"));
    CHECK(plan_has(BASE "own deny C:\\j\\k file resolved=D:\\k\n",
                   "deny             C:\\\\j\\\\k file"));
    CHECK(plan_lacks(BASE "own deny C:\\K file resolved=c:\\k\n", "deny             C:\\\\K"));
}

TEST(a_link_in_a_writable_place_is_pinned)
{
    CHECK(plan_has(BASE "own read C:\\Users\\a\\ws\\.git link resolved=D:\\g\n",
                   "deny-write       C:\\\\Users\\\\a\\\\ws\\\\.git link"));
    CHECK(plan_lacks(BASE "own read C:\\l link resolved=D:\\g\n", "deny-write"));
    CHECK(plan_lacks(BASE "own read C:\\Users\\a\\ws\\d\\x resolved=D:\\g\n", "deny-write"));
}

TEST(patterns_of_a_policy_are_spelled_as_windows_does)
{
    CHECK(plan_has("cwd /C:/w\nown read / spelled=:root\nown write /C:/w\nown deny /C:/w/k file\n",
                   "grant-write      C:\\\\w dir"));
    CHECK(strstr(strbuf_text(&printed), "deny             C:\\\\w\\\\k file") != NULL);
    CHECK(strstr(strbuf_text(&printed), "exec             C:\\\\w\n") != NULL);
    CHECK(plan_has("cwd /C:/w\nown read /\nown deny /C:\n", "whole volume"));
    CHECK(plan_has("cwd C:\nown read /\n", "exec             C:\\\\\n"));
    CHECK(plan_lacks("cwd /C:/w\nown read /\nown write /C:/gone missing builtin\n", "notice"));
}

TEST(a_grant_that_is_taken_back_needs_no_deny_of_its_own)
{
    CHECK(plan_lacks(BASE "own write C:\\k\\mine\nmanaged deny C:\\k\n", "mine dir value"));
    CHECK(plan_has(BASE "own deny C:\\k\nown deny C:\\k\\l\n", "deny             C:\\\\k\\\\l"));
}

TEST(a_git_file_protects_what_it_points_to)
{
    CHECK(plan_has(BASE "own read C:\\Users\\a\\ws\\.git file gitdir=C:\\Users\\a\\ws\\m\n",
                   "deny-write       C:\\\\Users\\\\a\\\\ws\\\\m "));
}

TEST(a_write_grant_never_includes_deleting_children)
{
    CHECK((PLAN_WINDOWS_MASK_WRITE & 0x40U) == 0);
    CHECK((PLAN_WINDOWS_MASK_DENY & PLAN_WINDOWS_MASK_DENY_WRITE) == PLAN_WINDOWS_MASK_DENY_WRITE);
    CHECK((PLAN_WINDOWS_MASK_DENY & 0x100000U) == 0);
}

TEST(common_refusals_hold_here_too)
{
    CHECK(plan_has("cwd C:\\x\nown read D:\\y\n", "refused (denied)"));
}

TEST_MAIN()
