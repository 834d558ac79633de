/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/plan_linux.h"
#include "platform/macos/plan_macos.h"
#include "platform/windows/plan_windows.h"
#include "tests/golden/plan_case.h"
#include "tests/support/check.h"

TEST(every_op_of_every_system_has_a_name)
{
    static const uint16_t counts[] = {PLAN_LINUX_OP_COUNT, PLAN_MACOS_OP_COUNT,
                                      PLAN_WINDOWS_OP_COUNT};

    for (int os = POLICY_OS_LINUX; os <= POLICY_OS_WINDOWS; os++) {
        for (uint16_t op = 0; op < counts[os]; op++) {
            CHECK(plan_op_name((enum policy_os)os, op) != NULL);
        }
        CHECK_STR(plan_op_name((enum policy_os)os, counts[os]), "?");
    }
}

TEST(words_are_stable)
{
    CHECK_STR(plan_os_name(POLICY_OS_MACOS), "macos");
    CHECK_STR(plan_level_name(PLAN_KERNEL), "kernel");
    CHECK_STR(plan_level_name(PLAN_SNAPSHOT), "snapshot");
    CHECK_STR(plan_access_name(ACCESS_DENY_WRITE), "deny-write");
}

TEST(a_rule_is_named_with_its_origin)
{
    struct policy_rule rule = {.access = ACCESS_DENY, .spelled = "~/.ssh"};
    struct strbuf out = STRBUF_INIT;

    rule.origin = (struct policy_origin){
        .layer = LAYER_MANAGED, .file = "/etc/x.toml", .line = 7, .key = "deny_read[2]"};
    plan_rule_text(&rule, &out);
    CHECK_STR(strbuf_text(&out), "deny \"~/.ssh\" (deny_read[2], /etc/x.toml:7)");
    strbuf_deinit(&out);
    rule.origin = (struct policy_origin){.layer = LAYER_BUILTIN};
    plan_rule_text(&rule, &out);
    CHECK_STR(strbuf_text(&out), "deny \"~/.ssh\" (builtin)");
    strbuf_deinit(&out);
}

TEST(a_path_cannot_write_to_the_terminal)
{
    struct plan_case c;
    struct strbuf out = STRBUF_INIT;

    CHECK(plan_case_parse(&c, "own read /\nown deny /home/a/\x1b[2J;\n"));
    c.policy.own.rules[1].glob = false;
    plan_case_print(&c, POLICY_OS_LINUX, false, &out);
    CHECK(strchr(strbuf_text(&out), '\x1b') == NULL);
    CHECK(strstr(strbuf_text(&out), "\\x1B") != NULL || strstr(strbuf_text(&out), "\\x1b") != NULL);
    strbuf_deinit(&out);
    plan_case_deinit(&c);
}

TEST(json_carries_steps_rules_origins_and_notices)
{
    struct plan_case c;
    struct strbuf out = STRBUF_INIT;
    const char *text;

    CHECK(plan_case_parse(&c, "own read / spelled=:root\nown deny /home/a/.ssh\n"));
    plan_case_print(&c, POLICY_OS_LINUX, true, &out);
    text = strbuf_text(&out);
    CHECK(strstr(text, "{\"os\":\"linux\",\"profile\":\":workspace\",\"full_access\":false,"
                       "\"steps\":[{\"op\":\"namespaces\",\"path\":null,\"flags\":[],\"value\":62,"
                       "\"text\":\"mount pid ipc uts net\"}") == text);
    CHECK(strstr(text, "{\"op\":\"mask\",\"path\":\"/home/a/.ssh\",\"flags\":[\"dir\"],"
                       "\"value\":0,\"text\":null,\"set\":\"own\",\"rule\":1}") != NULL);
    CHECK(strstr(text, "\"managed\":[],\"own\":[{\"access\":\"read\",\"pattern\":\"/\","
                       "\"glob\":false,\"spelled\":\":root\",\"origin\":{\"layer\":\"user-codex\","
                       "\"file\":\"/home/a/.codex/config.toml\",\"line\":1,\"column\":0,"
                       "\"key\":\"permissions.dev.filesystem\"},\"level\":\"snapshot\","
                       "\"note\":null}") != NULL);
    CHECK(strstr(text, "\"notices\":[\"1 profile deny rule holds for what exists when the job "
                       "starts (snapshot)\"]}\n") != NULL);
    strbuf_deinit(&out);
    plan_case_deinit(&c);
}

TEST_MAIN()
