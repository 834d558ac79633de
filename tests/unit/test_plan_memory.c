/* SPDX-License-Identifier: Apache-2.0 */
/* An arena that runs out at any point gives CORDON_E_NOMEM and no plan. */
#include "tests/golden/plan_case.h"
#include "tests/support/check.h"

#define STEP_BYTES 16U
#define ENOUGH (1024U * 1024U)

static void starve(enum policy_os os, const char *text)
{
    struct plan_case c;
    size_t limit = 0;
    enum cordon_err err = CORDON_E_NOMEM;

    CHECK(plan_case_parse(&c, text));
    c.policy.os = os;
    while (err == CORDON_E_NOMEM && limit < ENOUGH) {
        struct arena arena;
        struct plan *plan = NULL;
        struct cordon_fault fault = {.err = CORDON_OK};

        arena_init(&arena, limit);
        err = plan_for_os(os, &c.policy, &c.facts, &arena, &plan, &fault);
        CHECK(err == CORDON_OK || err == CORDON_E_NOMEM || err == CORDON_E_DENIED);
        CHECK((err == CORDON_OK) == (plan != NULL));
        CHECK(fault.err == err);
        arena_deinit(&arena);
        limit += STEP_BYTES;
    }
    CHECK(limit > STEP_BYTES);
    CHECK(err != CORDON_E_NOMEM);
    plan_case_deinit(&c);
}

static const char rich[] = "socket /run/a\nneeded /usr/bin/env\n"
                           "own read / spelled=:root\nown write /home/a/ws\n"
                           "own deny /home/a/ws/p\nown read /home/a/ws/p/d\n"
                           "own deny /var/l link file resolved=/srv/k\n"
                           "own read /home/a/ws/.git link resolved=/srv/g\n"
                           "own write /gone missing\nown write /srv/m/x\nown deny /none missing\n"
                           "managed deny /srv/m\nmanaged deny-write /home/a/ws/r\n";

TEST(linux_survives_any_shortage)
{
    struct strbuf text = STRBUF_INIT;

    strbuf_puts(&text, rich);
    strbuf_puts(&text, "own deny /s/**/x\nmanaged deny /t/*/y\n");
    starve(POLICY_OS_LINUX, strbuf_text(&text));
    strbuf_deinit(&text);
}

TEST(macos_survives_any_shortage)
{
    starve(POLICY_OS_MACOS, rich);
}

TEST(windows_survives_any_shortage)
{
    starve(POLICY_OS_WINDOWS, "cwd C:\\w\nown read C:\\ spelled=:root\nown write C:\\w\n"
                              "own read C:\\w\\.git link resolved=D:\\g\nown deny C:\\n missing\n"
                              "own deny C:\\l link resolved=D:\\k\nown write C:\\o missing\n");
}

TEST(windows_with_a_tree_survives_any_shortage)
{
    starve(POLICY_OS_WINDOWS, "cwd C:\\w\ntree file C:\\w\\a.pem\ntree link C:\\w\\l D:\\k\n"
                              "tree file D:\\k\\d\\f\nprivate C:\\u\nsystem C:\\s\n"
                              "own read / spelled=:root\nown write /C:/w\n"
                              "own deny /C:/w/**/*.pem\nmanaged deny /C:/w/l\n"
                              "own deny /C:/w/gone/x.pem\nown deny /C:/w/\xc3\xa4*\n");
}

TEST(a_refusal_survives_any_shortage)
{
    starve(POLICY_OS_LINUX, "cwd /x\nown read /\nown deny /x\n");
    starve(POLICY_OS_WINDOWS, "cwd C:\\x\nown read / spelled=:root\nown deny C:\\x\n");
}

TEST_MAIN()
