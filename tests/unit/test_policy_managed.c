/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/policy_world.h"

#define DENY "[permissions.filesystem]\ndeny_read = [\"~/.ssh\", \"/srv/**/*.pem\"]\n"

static void world_own(const char *path, const char *text)
{
    world_text(LAYER_MANAGED, path, text, strlen(text));
}

static enum cordon_err load_both(const char *managed, const char *mode, const char *config)
{
    world_reset();
    world_require(managed);
    world_config(config);
    world.input.choice.mode = mode;
    return world_load();
}

TEST(managed_denials_hold_in_every_mode)
{
    static const char *const modes[] = {"read-only", "workspace-write", "danger-full-access"};

    for (size_t i = 0; i < 3; i++) {
        CHECK(load_both(DENY, modes[i], "") == CORDON_OK);
        CHECK(!may_read("/home/a/.ssh/id_ed25519") && !may_write("/home/a/.ssh"));
        CHECK(!may_read("/srv/x/y.pem") && may_read("/srv/x/y"));
        CHECK(ask("/home/a/.ssh", ASK_READ).managed);
    }
}

TEST(origin_of_a_managed_rule_names_entry_file_and_line)
{
    struct strbuf text = STRBUF_INIT;

    CHECK(load_requirements("[permissions.filesystem]\ndeny_read = [\n\"/a\",\n\"/b\"]\n") ==
          CORDON_OK);
    policy_origin_text(&ask("/b/x", ASK_READ).rule->origin, &text);
    CHECK_STR(strbuf_text(&text), "deny_read[1], /etc/codex/requirements.toml:4");
    strbuf_deinit(&text);
}

TEST(profile_cannot_reopen_a_managed_denial_and_is_told)
{
    CHECK(load_both("[permissions.filesystem]\ndeny_read = [\"/srv/keys\"]\n", NULL,
                    "default_permissions = \"p\"\n[permissions.p.filesystem]\n"
                    "\"/srv\" = \"write\"\n\"/srv/keys/mine\" = \"write\"\n\"/srv/keys\" = "
                    "\"read\"\n\"/srv/keys/x\" = \"deny\"\n") == CORDON_OK);
    CHECK(!may_read("/srv/keys/mine/a") && !may_read("/srv/keys") && may_write("/srv/a"));
    CHECK(world.policy->warning_count == 2);
    CHECK(warned("a managed rule denies it"));
    CHECK(world.policy->warnings[0].origin.line >= 4);
    CHECK_STR(world.policy->warnings[1].origin.key, "permissions.p.filesystem.\"/srv/keys\"");
}

TEST(deny_read_is_the_union_of_all_layers)
{
    world_reset();
    world_own("/etc/cordon/requirements.toml",
              "permissions.filesystem.deny_read = [\"/b\", \"/a\"]\n");
    world_own("/etc/cordon/requirements.d/10.toml",
              "permissions.filesystem.deny_read = [\"/c\"]\n");
    world_require("permissions.filesystem.deny_read = [\"/a\"]\n");
    CHECK(world_load() == CORDON_OK);
    CHECK(world.policy->managed.count == 4);
    CHECK(!may_read("/a") && !may_read("/b") && !may_read("/c") && may_read("/d"));
    CHECK_STR(world.policy->managed.rules[0].origin.file, "/etc/codex/requirements.toml");
    CHECK_STR(world.policy->managed.rules[3].origin.file, "/etc/cordon/requirements.d/10.toml");
}

TEST(other_keys_are_the_higher_layers)
{
    world_reset();
    world_own("/etc/cordon/requirements.toml", "default_permissions = \":workspace\"\n"
                                               "cordon.limits = {pids = 5, wall_s = 9}\n");
    world_own("/etc/cordon/requirements.d/10.toml", "cordon.limits.pids = 7\n");
    world_require("default_permissions = \":read-only\"\n");
    CHECK(world_load() == CORDON_OK);
    CHECK_STR(world.policy->profile, ":workspace");
    CHECK(world.policy->limits.managed[LIMIT_PIDS].value == 7);
    CHECK(world.policy->limits.managed[LIMIT_WALL_S].value == 9);
}

TEST(a_callers_limit_narrows_and_never_widens)
{
    const struct policy_limit_value *held;

    world_reset();
    world_require("cordon.limits = {pids = 5, wall_s = 9, open_files = 64}\n");
    world_config("cordon.limits = {pids = 7, wall_s = 3, memory_mib = 10, open_files = 64}\n");
    CHECK(world_load() == CORDON_OK);
    CHECK(policy_limit_in_force(&world.policy->limits, LIMIT_PIDS)->value == 5);
    CHECK(policy_limit_in_force(&world.policy->limits, LIMIT_WALL_S)->value == 3);
    CHECK(policy_limit_in_force(&world.policy->limits, LIMIT_MEMORY_MIB)->value == 10);
    CHECK(policy_limit_in_force(&world.policy->limits, LIMIT_CPU_PERCENT)->value == 0);
    held = policy_limit_in_force(&world.policy->limits, LIMIT_OPEN_FILES);
    CHECK(held == &world.policy->limits.managed[LIMIT_OPEN_FILES]);
    CHECK_STR(held->origin.file, "/etc/codex/requirements.toml");
    CHECK_STR(held->origin.key, "cordon.limits.open_files");
}

TEST(a_profile_has_limits_of_its_own)
{
    CHECK(load_config("default_permissions = \"p\"\ncordon.limits = {pids = 20, wall_s = 5}\n"
                      "[permissions.q]\nextends = \":workspace\"\nlimits.pids = 30\n"
                      "limits.wall_s = 60\n[permissions.p]\nextends = \"q\"\nlimits.pids = 8\n") ==
          CORDON_OK);
    CHECK(world.policy->limits.own[LIMIT_PIDS].value == 8);
    CHECK_STR(world.policy->limits.own[LIMIT_PIDS].origin.key, "permissions.p.limits.pids");
    CHECK(world.policy->limits.own[LIMIT_WALL_S].value == 5);
    CHECK(world.policy->limits.managed[LIMIT_PIDS].value == 0);
}

TEST(a_fetched_document_adds_to_the_files_and_may_not_be_relative)
{
    struct strbuf text = STRBUF_INIT;

    CHECK(load_requirements(DENY) == CORDON_OK);
    world_reset();
    world_require(DENY);
    world_own("fetch:https://policy.example.com/r#42",
              "[permissions.filesystem]\ndeny_read = [\"/srv/secret\"]\n");
    CHECK(world_load() == CORDON_OK);
    CHECK(!may_read("/srv/secret/x") && !may_read("/home/a/.ssh/id"));
    policy_origin_text(&ask("/srv/secret", ASK_READ).rule->origin, &text);
    CHECK_STR(strbuf_text(&text), "deny_read[0], fetch:https://policy.example.com/r#42:2");
    strbuf_deinit(&text);
    world_reset();
    world_own("fetch:etcd:/r#1", "[permissions.filesystem]\ndeny_read = [\"secret\"]\n");
    CHECK(world_load() == CORDON_E_INVALID && fault_has("fetched document"));
}

TEST(relative_entry_resolves_beside_its_file_with_a_warning)
{
    CHECK(load_requirements("permissions.filesystem.deny_read = [\"**/*.env\", \"./rel\"]\n") ==
          CORDON_OK);
    CHECK(!may_read("/etc/codex/a/b.env") && may_read("/srv/b.env") && !may_read("/etc/codex/rel"));
    CHECK(warned("relative and covers only what is below /etc/codex"));
    CHECK(world.policy->warning_count == 2);
}

TEST(bad_managed_entries_name_themselves)
{
    static const char *const bad[] = {"", "[a", "~nosuch/x", "{a", "/a/[b", ":root", "/a]["};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char text[128];

        (void)snprintf(text, sizeof(text),
                       "permissions.filesystem.deny_read = [\"/ok\",\n\"%s\"]\n", bad[i]);
        CHECK_FAILS(load_requirements(text), CORDON_E_INVALID, "requirements.toml:2:1: \"");
        CHECK(fault_has(bad[i]));
    }
}

TEST(managed_home_entry_needs_a_home)
{
    world_reset();
    world.input.context.home = NULL;
    world_require(DENY);
    CHECK_FAILS(world_load(), CORDON_E_INVALID, "requirements.toml:2:14: \"~/.ssh\"");
}

TEST(file_of_requirements_must_have_an_absolute_path)
{
    world_reset();
    world_own("requirements.toml", "");
    CHECK_FAILS(world_load(), CORDON_E_INVALID, "not an absolute path");
    world_reset();
    world_own("/requirements.toml", "permissions.filesystem.deny_read = [\"x\"]\n");
    CHECK(world_load() == CORDON_OK);
    CHECK(!may_read("/x"));
}

TEST(deny_write_leaves_reading_to_the_profile)
{
    CHECK(load_both("[[cordon.rule]]\ndeny_write = [\"/home/a/ws/ci\", \"/home/a/**/*.lock\"]\n"
                    "deny_read = [\"/home/a/ws/ci/keys\", \"/home/a/ws/deep\"]\n[[cordon.rule]]\n"
                    "deny_write = [\"/home/a/ws/deep/er\"]\n",
                    "workspace-write", "") == CORDON_OK);
    CHECK(may_read("/home/a/ws/ci/x") && !may_write("/home/a/ws/ci/x"));
    CHECK(may_read("/home/a/ws/d/a.lock") && !may_write("/home/a/ws/d/a.lock"));
    CHECK(!may_read("/home/a/ws/ci/keys/k") && may_write("/home/a/ws/x"));
    CHECK(!may_read("/home/a/ws/deep/er/x"));
    CHECK_STR(ask("/home/a/ws/deep/er/x", ASK_READ).rule->origin.key,
              "cordon.rule[0].deny_read[1]");
}

TEST(rules_concern_those_they_name)
{
    static const char *const groups[] = {"dev", "staff"};
    static const struct {
        const char *selector;
        bool concerned;
    } selectors[] = {
        {"", true},
        {"users = [\"b\", \"a\"]", true},
        {"users = [\"b\"]", false},
        {"groups = [\"staff\"]", true},
        {"groups = [\"wheel\"]", false},
        {"users = [\"b\"]\ngroups = [\"dev\"]", true},
        {"users = []", false},
        {"hosts = [\"BUILD-?.*\"]", true},
        {"hosts = [\"build-7\"]", false},
        {"hosts = [\"*.example.com\", \"x\"]", true},
        {"hosts = [\"*.example.org\"]", false},
        {"hosts = [\"build-7.example.com**\"]", true},
        {"users = [\"a\"]\nhosts = [\"x\"]", false},
    };

    for (size_t i = 0; i < sizeof(selectors) / sizeof(selectors[0]); i++) {
        char text[256];

        (void)snprintf(text, sizeof(text), "[[cordon.rule]]\n%s\ndeny_read = [\"/x\"]\n",
                       selectors[i].selector);
        world_reset();
        world.input.context.groups = (const char **)(uintptr_t)groups;
        world.input.context.group_count = 2;
        world_require(text);
        CHECK(world_load() == CORDON_OK);
        CHECK(may_read("/x") == !selectors[i].concerned);
    }
}

TEST(unknown_identity_does_not_escape_a_rule)
{
    world_reset();
    world.input.context.user = NULL;
    world.input.context.hostname = NULL;
    world_require("[[cordon.rule]]\nusers = [\"b\"]\nhosts = [\"x\"]\ndeny_read = [\"/x\"]\n"
                  "[[cordon.rule]]\ngroups = [\"g\"]\ndeny_read = [\"/y\"]\n");
    CHECK(world_load() == CORDON_OK);
    CHECK(!may_read("/x") && !may_read("/y"));
}

TEST(mode_outside_the_allowed_ones_is_refused_with_its_source)
{
#define READ_ONLY "\nallowed_sandbox_modes = [\"read-only\"]\n"
    CHECK_FAILS(
        load_both(READ_ONLY, "workspace-write", ""), CORDON_E_DENIED,
        "/etc/codex/requirements.toml:2:1: sandbox mode \"workspace-write\" is not allowed");
    CHECK_FAILS(load_both(READ_ONLY, "danger-full-access", ""), CORDON_E_DENIED, "not allowed");
    CHECK(load_both(READ_ONLY, "read-only", "") == CORDON_OK);
    CHECK(!world.policy->managed_allows_write && !world.policy->managed_allows_full_access);
    CHECK_FAILS(load_both(READ_ONLY, NULL, "default_permissions = \":workspace\"\n"),
                CORDON_E_DENIED, "wider than the allowed");
}

TEST(named_profile_is_measured_by_what_it_writes)
{
#define WORKSPACE "allowed_sandbox_modes = [\"read-only\", \"workspace-write\"]\n"
#define PROFILE "default_permissions = \"p\"\n[permissions.p.filesystem]\n"
    CHECK_FAILS(load_both(READ_ONLY, NULL, PROFILE "\"/srv\" = \"write\"\n"), CORDON_E_DENIED,
                "\"p\" is wider");
    CHECK(load_both(READ_ONLY, NULL, PROFILE "\"/srv\" = \"read\"\n") == CORDON_OK);
    CHECK(load_both(WORKSPACE, NULL, PROFILE "\"/srv\" = \"write\"\n") == CORDON_OK);
    CHECK_FAILS(load_both(WORKSPACE, NULL, PROFILE "\"/x/..\" = \"write\"\n"), CORDON_E_DENIED,
                "\"p\" is wider");
    CHECK_FAILS(load_both(WORKSPACE, NULL, "default_permissions = \":danger-full-access\"\n"),
                CORDON_E_DENIED, "wider");
    CHECK(world.err == CORDON_E_DENIED);
    CHECK(load_both(WORKSPACE, "workspace-write", "") == CORDON_OK);
    CHECK(world.policy->managed_allows_write && !world.policy->managed_allows_full_access);
}

TEST(full_access_allows_the_narrower_modes)
{
    CHECK(load_both("allowed_sandbox_modes = [\"read-only\", \"danger-full-access\"]\n",
                    "workspace-write", "") == CORDON_OK);
    CHECK(world.policy->managed_allows_full_access && world.policy->managed_allows_write);
}

TEST(list_of_modes_without_read_only_is_an_error)
{
    CHECK_FAILS(load_requirements("allowed_sandbox_modes = [\"workspace-write\"]\n"),
                CORDON_E_INVALID, "requirements.toml:1:1: allowed_sandbox_modes must contain");
    CHECK_FAILS(load_requirements("allowed_sandbox_modes = []\n"), CORDON_E_INVALID,
                "must contain");
    CHECK_FAILS(load_requirements("[[remote_sandbox_config]]\nhostname_patterns = [\"x\"]\n"
                                  "allowed_sandbox_modes = []\n"),
                CORDON_E_INVALID, "requirements.toml:3:1");
}

TEST(modes_may_depend_on_the_host)
{
#define REMOTE                                                                                     \
    WORKSPACE "[[remote_sandbox_config]]\nhostname_patterns = [\"prod-*\"]\n"                      \
              "allowed_sandbox_modes = [\"read-only\", \"danger-full-access\"]\n"                  \
              "[[remote_sandbox_config]]\nhostname_patterns = [\"Build-*\"]\n"                     \
              "allowed_sandbox_modes = [\"read-only\"]\n[[remote_sandbox_config]]\n"               \
              "hostname_patterns = [\"*\"]\nallowed_sandbox_modes = [\"read-only\", "              \
              "\"danger-full-access\"]\n"
    CHECK_FAILS(load_both(REMOTE, "workspace-write", ""), CORDON_E_DENIED, "toml:7:1");
    world_reset();
    world.input.context.hostname = NULL;
    world.input.choice.mode = "workspace-write";
    world_require(REMOTE);
    CHECK(world_load() == CORDON_OK);
    CHECK(!world.policy->managed_allows_full_access);
}

TEST(profile_outside_the_allowed_ones_is_refused_with_its_source)
{
#define PROFILES "[allowed_permission_profiles]\n\":read-only\" = true\n\":workspace\" = false\n"
    CHECK_FAILS(load_both(PROFILES, "workspace-write", ""), CORDON_E_DENIED,
                "requirements.toml:3:1: permission profile \":workspace\" is not allowed");
    CHECK_FAILS(load_both(PROFILES, "danger-full-access", ""), CORDON_E_DENIED,
                "requirements.toml:1:2: permission profile");
    CHECK(load_both(PROFILES, "read-only", "") == CORDON_OK);
    CHECK(!world.policy->managed_allows_write);
}

TEST(allowed_name_must_be_defined_by_the_administrator)
{
    const char *config = "default_permissions = \"p\"\n[permissions.p]\nextends = \":workspace\"\n";

    CHECK_FAILS(load_both("allowed_permission_profiles = {p = true}\n", NULL, config),
                CORDON_E_DENIED, "by name only");
    CHECK(load_both("allowed_permission_profiles = {p = true}\n[permissions.p.filesystem]\n"
                    "\"/srv\" = \"write\"\n",
                    NULL, config) == CORDON_OK);
    CHECK(may_write("/srv/x") && !may_write("/home/a/ws/x"));
    CHECK(world.policy->managed_allows_write && !world.policy->managed_allows_full_access);
}

TEST(allowed_profiles_bound_what_the_supervisor_may_grant)
{
    static const struct {
        const char *filesystem;
        bool write;
        bool full;
    } rows[] = {{"\"/a\" = \"read\"", false, false},
                {"\"/a\" = \"write\"", true, false},
                {"\":root\" = \"write\"\n\"/a\" = \"write\"", true, true},
                {"glob_scan_max_depth = 1\n\"/\" = \"write\"", true, true}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[256];

        (void)snprintf(text, sizeof(text),
                       "allowed_permission_profiles = {\":read-only\" = true, p = true, q = true}\n"
                       "[permissions.p.filesystem]\n%s\n",
                       rows[i].filesystem);
        CHECK(load_requirements(text) == CORDON_OK);
        CHECK(world.policy->managed_allows_write == rows[i].write);
        CHECK(world.policy->managed_allows_full_access == rows[i].full);
    }
    CHECK_FAILS(load_requirements("allowed_permission_profiles.p = true\n"
                                  "permissions.p.extends = \"nosuch\"\n"),
                CORDON_E_INVALID, "no permission profile is named \"nosuch\"");
}

TEST(managed_profile_does_not_extend_the_callers)
{
    CHECK_FAILS(load_both("[permissions.corp]\nextends = \"mine\"\n", NULL,
                          "default_permissions = \"corp\"\n[permissions.mine]\n"),
                CORDON_E_INVALID, "no permission profile is named \"mine\"");
    CHECK(load_both("[permissions.corp]\nextends = \":read-only\"\n", NULL,
                    "default_permissions = \"x\"\n[permissions.x]\nextends = \"corp\"\n") ==
          CORDON_OK);
    CHECK(may_read("/etc"));
}

TEST(managed_default_must_exist)
{
    CHECK_FAILS(load_both("default_permissions = \"corp\"\n", NULL, "[permissions.corp]\n"),
                CORDON_E_INVALID, "requirements.toml:1:23");
    CHECK_FAILS(load_requirements("default_permissions = \"filesystem\"\n" DENY), CORDON_E_INVALID,
                "no managed profile");
}

TEST(minimum_enforcement_is_raised_by_either_side)
{
    CHECK(load_both("", "read-only", "") == CORDON_OK);
    CHECK(world.policy->minimum_managed == ENFORCE_SNAPSHOT);
    CHECK(load_both("cordon.minimum_enforcement = \"kernel\"\n", "read-only", "") == CORDON_OK);
    CHECK(world.policy->minimum_managed == ENFORCE_KERNEL);
    CHECK(world.policy->minimum_own == ENFORCE_KERNEL);
    CHECK(load_both("", "read-only", "cordon.minimum_enforcement = \"kernel\"\n") == CORDON_OK);
    CHECK(world.policy->minimum_managed == ENFORCE_SNAPSHOT);
    CHECK(world.policy->minimum_own == ENFORCE_KERNEL);
}

TEST(audit_settings_are_read)
{
    CHECK(load_requirements("[cordon.audit]\nlevel = \"all\"\nsink = \"journal\"\n"
                            "redact = [\"a+\", \"b\"]\n") == CORDON_OK);
    CHECK_STR(world.policy->audit.level, "all");
    CHECK(world.policy->audit.redact_count == 2);
    CHECK_STR(world.policy->audit.redact[1], "b");
    CHECK(world.policy->audit.sink == NULL);
    CHECK(load_requirements("[cordon.audit]\nsink = \"/var/log/x\"\n") == CORDON_OK);
    CHECK_STR(world.policy->audit.sink, "/var/log/x");
}

TEST(records_go_to_the_journal_or_to_a_path_and_to_nothing_else)
{
    static const char *const sinks[] = {"syslog", "", "x/y", "~/x"};

    for (size_t i = 0; i < sizeof(sinks) / sizeof(sinks[0]); i++) {
        char text[128];

        (void)snprintf(text, sizeof(text), "[cordon.audit]\n\nsink = \"%s\"\n", sinks[i]);
        CHECK(load_requirements(text) == CORDON_E_INVALID);
        CHECK(strstr(world.fault.text, "/etc/codex/requirements.toml:3:") != NULL);
        CHECK(strstr(world.fault.text, "cordon.audit.sink is \"journal\" or") != NULL);
    }
}

TEST(command_line_cannot_touch_the_managed_layers)
{
    static const char *const overrides[] = {"permissions.filesystem.deny_read=[]"};
    static const char *const empties[] = {"cordon.rule=[]"};

    world_reset();
    world_require(DENY);
    world.input.choice.overrides = overrides;
    world.input.choice.override_count = 1;
    CHECK(world_load() == CORDON_E_INVALID);
    world.input.choice.overrides = empties;
    CHECK(world_load() == CORDON_E_INVALID);
}

TEST(managed_part_loads_alone)
{
    world_reset();
    world_require(DENY READ_ONLY);
    world_config("this is not TOML");
    world.err = policy_load_managed(&world.input, &world.arena, &world.policy, &world.fault);
    world_compile();
    CHECK(world.err == CORDON_E_INVALID);
    world_reset();
    world_require(READ_ONLY DENY);
    world_config("this is not TOML");
    world.err = policy_load_managed(&world.input, &world.arena, &world.policy, &world.fault);
    world_compile();
    CHECK(world.err == CORDON_OK);
    CHECK_STR(world.policy->profile, ":read-only");
    CHECK(world.policy->managed.count == 2 && !world.policy->managed_allows_write);
    CHECK(!may_read("/home/a/.ssh") && may_read("/etc"));
}

TEST(managed_part_reports_its_errors)
{
    world_reset();
    world_require("allowed_sandbox_modes = []\n");
    CHECK(policy_load_managed(&world.input, &world.arena, &world.policy, &world.fault) ==
          CORDON_E_INVALID);
    world_reset();
    world_require("default_permissions = \"x\"\n");
    CHECK(policy_load_managed(&world.input, &world.arena, &world.policy, &world.fault) ==
          CORDON_E_INVALID);
    world_reset();
    world.input.context.cwd = "x";
    CHECK(policy_load_managed(&world.input, &world.arena, &world.policy, &world.fault) ==
          CORDON_E_INVALID);
}

TEST_MAIN()
