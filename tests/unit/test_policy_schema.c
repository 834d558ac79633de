/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/suggest.h"
#include "tests/unit/policy_world.h"

TEST(foreign_tables_and_keys_of_codex_are_ignored)
{
    CHECK(load_config("model = \"gpt\"\napproval_policy = \"never\"\nnotify = [\"x\"]\n"
                      "[mcp_servers.a]\ncommand = \"x\"\n[projects.\"/p\"]\ntrust_level = \"y\"\n"
                      "[tui]\nz = 1\n[profiles.q]\nsandbox_mode = 5\n[some_new_table]\n") ==
          CORDON_OK);
    CHECK(world.policy->warning_count == 0);
}

TEST(top_level_slip_is_an_error_with_a_suggestion)
{
    CHECK_FAILS(load_config("\nsandbox_mod = \"read-only\"\n"), CORDON_E_INVALID,
                "config.toml:2:1: unknown key \"sandbox_mod\"");
    CHECK(fault_has("did you mean \"sandbox_mode\"?"));
    CHECK_FAILS(load_config("[permisions.x]\n"), CORDON_E_INVALID, "\"permissions\"");
}

TEST(unknown_key_in_a_table_of_ours_is_an_error)
{
    CHECK_FAILS(load_config("[sandbox_workspace_write]\nwritable_root = []\n"), CORDON_E_INVALID,
                "did you mean \"writable_roots\"?");
    CHECK_FAILS(load_config("[permissions.x]\nfoo_bar_baz = 1\n"), CORDON_E_INVALID,
                "config.toml:2:1: unknown key \"foo_bar_baz\" in [permissions.NAME]");
    CHECK_FAILS(load_config("[permissions.x.network]\nenable = true\n"), CORDON_E_INVALID,
                "did you mean \"enabled\"?");
}

TEST(key_in_the_wrong_table_is_told_where_it_belongs)
{
    CHECK_FAILS(load_config("[permissions.x]\nglob_scan_max_depth = 3\n"), CORDON_E_INVALID,
                "belongs in [permissions.NAME.filesystem]");
    CHECK_FAILS(load_requirements("deny_read = [\"/x\"]\n"), CORDON_E_INVALID,
                "\"deny_read\" belongs in [permissions.filesystem]");
    CHECK_FAILS(load_requirements("[cordon]\ndeny_write = [\"/x\"]\n"), CORDON_E_INVALID,
                "belongs in [[cordon.rule]]");
    CHECK_FAILS(load_requirements("deny_raed = [\"/x\"]\n"), CORDON_E_INVALID, "\"deny_read\"");
}

TEST(misspelled_deny_read_is_an_error)
{
    CHECK_FAILS(load_requirements("[permissions.filesystem]\ndeny_raed = [\"/x\"]\n"),
                CORDON_E_INVALID, "requirements.toml:2:1: unknown key \"deny_raed\"");
    CHECK(fault_has("did you mean \"deny_read\"?"));
}

TEST(slip_in_a_filesystem_key_is_not_taken_for_a_path)
{
    CHECK_FAILS(load_config("[permissions.x.filesystem]\nglob_scan_max_dept = 3\n"),
                CORDON_E_INVALID, "did you mean \"glob_scan_max_depth\"?");
}

TEST(wrong_types_say_what_is_wanted)
{
    static const struct {
        const char *text;
        const char *what;
    } rows[] = {
        {"sandbox_mode = 1\n", "\"sandbox_mode\" must be a string, not a whole number"},
        {"permissions = true\n", "must be a table, not true or false"},
        {"[sandbox_workspace_write]\nwritable_roots = \"/x\"\n", "must be an array"},
        {"[sandbox_workspace_write]\nwritable_roots = [1]\n",
         "\"writable_roots\" must be a string"},
        {"[sandbox_workspace_write]\nnetwork_access = \"yes\"\n", "must be true or false"},
        {"[permissions.x.filesystem]\nglob_scan_max_depth = 1.5\n", "whole number, not a number"},
        {"[permissions.x.filesystem]\nglob_scan_max_depth = 0\n", "must be between 1 and"},
        {"[permissions.x.filesystem]\nglob_scan_max_depth = -1\n", "must be between 1 and"},
        {"[permissions.x.filesystem]\n\"/x\" = 1979-05-27\n", "not a date"},
        {"[permissions.x.filesystem]\n\"/x\" = [1]\n", "not an array"},
        {"[permissions.x.workspace_roots]\n\"/x\" = 1\n", "must be true or false"},
        {"permissions.x = 1\n", "must be a table"},
        {"[cordon]\nminimum_enforcement = \"kernal\"\n", "did you mean \"kernel\"?"},
        {"sandbox_mode = \"yolo\"\n", "is not a value of \"sandbox_mode\""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK_FAILS(load_config(rows[i].text), CORDON_E_INVALID, rows[i].what);
    }
}

TEST(wrong_types_in_requirements_are_errors_too)
{
    CHECK_FAILS(load_requirements("cordon.rule = [1]\n"), CORDON_E_INVALID, "must be a table");
    CHECK_FAILS(load_requirements("allowed_sandbox_modes = [\"readonly\"]\n"), CORDON_E_INVALID,
                "did you mean \"read-only\"?");
    CHECK_FAILS(load_requirements("[permissions.filesystem]\ndeny_read = [1]\n"), CORDON_E_INVALID,
                "must be a string");
    CHECK_FAILS(load_requirements("cordon.limits.pids = 0\n"), CORDON_E_INVALID, "between 1 and");
    CHECK_FAILS(load_requirements("[cordon.audit]\nlevel = \"x\"\n"), CORDON_E_INVALID, "level");
}

TEST(wrong_access_word_is_an_error_in_every_profile)
{
    CHECK_FAILS(load_config("[permissions.x.filesystem]\n\"/x\" = \"wirte\"\n"), CORDON_E_INVALID,
                "did you mean \"write\"?");
}

TEST(old_word_none_means_deny)
{
    CHECK(load_config("default_permissions = \"x\"\n[permissions.x.filesystem]\n"
                      "\":root\" = \"read\"\n\"/x\" = \"none\"\n") == CORDON_OK);
    CHECK(!may_read("/x"));
}

TEST(known_codex_requirement_is_a_warning)
{
    CHECK(load_requirements("allowed_approval_policies = [\"never\"]\n[features]\na = true\n"
                            "[permissions.network]\nenabled = false\n") == CORDON_OK);
    CHECK(world.policy->warning_count == 3);
    CHECK(warned("not enforced"));
    CHECK_STR(world.policy->warnings[0].origin.key, "allowed_approval_policies");
    CHECK(world.policy->warnings[0].origin.line == 1);
}

TEST(warnings_are_not_limited_in_number)
{
    CHECK(load_requirements("hooks = 1\nmcp_servers = 1\nplugins = 1\napps = 1\nrules = 1\n"
                            "models = 1\nwindows = 1\notel = 1\nfeatures = 1\napplication = 1\n") ==
          CORDON_OK);
    CHECK(world.policy->warning_count == 10);
}

TEST(unknown_requirement_is_an_error)
{
    CHECK_FAILS(load_requirements("completely_unheard_of = 1\n"), CORDON_E_INVALID,
                "unknown key \"completely_unheard_of\"");
}

TEST(errors_on_the_command_line_name_the_flag)
{
    static const char *const overrides[] = {"sandbox_mod=read-only"};

    world_reset();
    world.input.choice.overrides = overrides;
    world.input.choice.override_count = 1;
    CHECK_FAILS(world_load(), CORDON_E_INVALID, "-c sandbox_mod: unknown key");
}

TEST(hostile_keys_are_printed_escaped_and_short)
{
    static char text[2000];

    memset(text, 'k', sizeof(text));
    memcpy(text, "[permissions.x]\n\"\\u001b", 23);
    memcpy(text + sizeof(text) - 8, "\" = 1\n", 7);
    CHECK_FAILS(load_config(text), CORDON_E_INVALID, "\"\\x1bkk");
    CHECK(strlen(world.fault.text) < 300);
}

TEST(distance_counts_edits_and_swaps)
{
    CHECK(suggest_distance("deny_raed", "deny_read", 2) == 1);
    CHECK(suggest_distance("abc", "abc", 2) == 0);
    CHECK(suggest_distance("abc", "xyz", 2) == 3);
    CHECK(suggest_distance("", "ab", 2) == 2);
    CHECK(suggest_distance("pids", "pid", 2) == 1);
    CHECK(suggest_distance("a234567890123456789012345678901234567890123456789012345678901234567890",
                           "a", 2) == 3);
}

TEST(short_words_are_near_only_by_one_edit)
{
    static const char *const words[] = {"ab", "longer"};

    CHECK(suggest("xy", words, 2) == NULL);
    CHECK_STR(suggest("ax", words, 2), "ab");
    CHECK_STR(suggest("lonegr", words, 2), "longer");
}

TEST_MAIN()
