/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/macos/plan_macos.h"

#include "tests/golden/plan_case.h"
#include "tests/support/check.h"

static struct strbuf printed;

static const char *plan_text(const char *text)
{
    struct plan_case c;

    strbuf_deinit(&printed);
    if (plan_case_parse(&c, text)) {
        plan_case_print(&c, POLICY_OS_MACOS, false, &printed);
    }
    plan_case_deinit(&c);
    return strbuf_text(&printed);
}

static bool plan_has(const char *text, const char *wanted)
{
    return strstr(plan_text(text), wanted) != NULL;
}

static bool plan_lacks(const char *text, const char *wanted)
{
    return strstr(plan_text(text), wanted) == NULL && printed.len > 0;
}

static size_t occurrences(const char *text, const char *word)
{
    size_t count = 0;

    for (const char *at = text; (at = strstr(at, word)) != NULL; at++) {
        count++;
    }
    return count;
}

#define BASE "own read / spelled=:root\nown write /home/a/ws\n"

TEST(globs_and_the_network_cannot_be_planned_yet)
{
    CHECK(plan_has(BASE "own deny /home/a/**/.env\n",
                   "refused (unsupported): cannot be planned yet: deny \"/home/a/**/.env\" "
                   "(permissions.dev.filesystem, /home/a/.codex/config.toml:3)"));
    CHECK(plan_has(BASE "managed deny /**/x\n", "cannot be planned yet: deny \"/**/x\""));
    CHECK(plan_has("network\n" BASE, "cannot be planned yet: network = true"));
}

TEST(full_access_needs_no_network_rule_and_no_profile_glob)
{
    CHECK(plan_has("full-access\nnetwork\nown deny /x/*\n", "(allow default)"));
    CHECK(plan_has("full-access\nmanaged deny /x/*\n", "cannot be planned yet"));
}

TEST(all_parameters_come_before_all_rules)
{
    const char *text = plan_text(BASE "own deny /home/a/ws/x\nmanaged deny /etc/k\n");
    const char *rule = strstr(text, "  sbpl ");

    CHECK(rule != NULL && strstr(rule, "  param ") == NULL);
}

TEST(no_path_is_in_the_text_of_a_rule)
{
    const char *text = plan_text(BASE "own deny /home/a/ws/\"x\n");

    for (const char *at = strstr(text, "  sbpl "); at != NULL; at = strstr(at + 1, "  sbpl ")) {
        CHECK(memchr(at, '\n', strlen(at)) != NULL);
        CHECK(strstr(at, "ws/\"x") == NULL || strstr(at, "ws/\"x") > strstr(at, "managed rules"));
    }
}

TEST(a_deny_is_carved_out_of_the_grant_around_it)
{
    CHECK(occurrences(plan_text(BASE "own deny /home/a/ws/x\n"), "(require-not ") == 2);
    CHECK(occurrences(plan_text(BASE "own deny /opt/x\n"), "(require-not ") == 1);
    CHECK(occurrences(plan_text("own read /home/a/ws\nown deny /opt/x\n"), "(require-not ") == 0);
}

TEST(a_deny_is_carved_out_of_the_nearest_grant_only)
{
    const char *text = plan_text(BASE "own deny /home/a/ws/p\nown read /home/a/ws/p/d\n"
                                      "own deny /home/a/ws/p/d/k\n");

    /* p out of "/" and out of ws; k out of p/d */
    CHECK(occurrences(text, "(require-not ") == 3);
}

TEST(ancestors_of_a_protected_path_are_pinned_once)
{
    const char *text = plan_text(BASE "own deny /home/a/ws/d/e/x\nown deny /home/a/ws/d/e/y\n");

    /* ws, ws/d, ws/d/e */
    CHECK(occurrences(text, "(deny file-write-unlink ") == 3);
}

TEST(a_writable_file_is_not_pinned)
{
    CHECK(plan_lacks("own read /\nown write /home/a/ws/f file\n", "file-write-unlink"));
    CHECK(plan_lacks("own write /\n", "file-write-unlink"));
}

TEST(links_at_the_top_are_spelled_both_ways)
{
    CHECK(plan_has(BASE "own deny /var/db/k\n", "param            /private/var/db/k"));
    CHECK(plan_has(BASE "own deny /etc\n", "param            /private/etc"));
    CHECK(plan_lacks(BASE "own deny /variable\n", "/private/variable"));
}

TEST(a_link_is_denied_under_its_own_name_too)
{
    const char *text = plan_text(BASE "own deny /home/a/ws/l link file resolved=/srv/k\n");

    CHECK(strstr(text, "param            /srv/k") != NULL);
    CHECK(strstr(text, "param            /home/a/ws/l") != NULL);
    CHECK(occurrences(text, "(deny file-read* ") == 1);
    CHECK(strstr(text, "holds for what the link leads to now") != NULL);
}

TEST(a_link_that_grants_or_protects_cannot_be_replaced)
{
    CHECK(plan_has(BASE "own read /home/a/ws/.git link resolved=/srv/g\n", "(deny file-write* "));
    CHECK(plan_lacks(BASE "own read /opt/l link resolved=/srv/g\n", "(deny file-write* "));
    CHECK(plan_lacks(BASE "own read /home/a/ws/d/x resolved=/srv/g\n", "(deny file-write* "));
    CHECK(plan_lacks("own read /home/a/ws\nown deny /l link resolved=/srv/g\n", "(deny file-read"));
}

TEST(managed_rules_are_repeated_at_the_end)
{
    CHECK(plan_has(BASE "managed deny /home/a/ws/k\n", "(deny file-read* "));
    CHECK(plan_has(BASE "managed deny-write /home/a/ws/k\n", "(deny file-write* (require-any"));
    CHECK(occurrences(plan_text(BASE "managed deny /k\nmanaged deny /k/l\n"),
                      "(deny file-read* ") == 1);
    CHECK(occurrences(plan_text(BASE "managed deny-write /k\nmanaged deny-write /k/l\n"),
                      "(deny file-write* ") == 1);
    CHECK(plan_lacks(BASE "own deny-write /home/a/ws/k\n", "(deny file-write* "));
}

TEST(listed_sockets_may_be_reached)
{
    CHECK(plan_has("socket /run/s\n" BASE, "(allow network-outbound (remote unix-socket"));
}

TEST(a_plan_holds_many_rules)
{
    struct strbuf text = STRBUF_INIT;

    strbuf_puts(&text, "socket /run/0\n" BASE);
    for (int i = 0; i < 60; i++) {
        strbuf_printf(&text, "managed deny /srv/k%d\n", i);
    }
    CHECK(occurrences(plan_text(strbuf_text(&text)), "(deny file-read* ") == 60);
    strbuf_deinit(&text);
}

TEST(common_refusals_hold_here_too)
{
    CHECK(plan_has("cwd /x\nown read /home\n", "refused (denied)"));
}

TEST_MAIN()
