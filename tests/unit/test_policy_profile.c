/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/policy_world.h"

#define DEV "default_permissions = \"dev\"\n[permissions.dev]\nextends = \":workspace\"\n"

static const struct policy_rule *decided_by(const char *path)
{
    return ask(path, ASK_READ).rule;
}

static enum cordon_err load_mode(const char *mode, const char *config)
{
    world_reset();
    world.input.choice.mode = mode;
    world_config(config);
    return world_load();
}

TEST(read_only_reads_everything_and_writes_nothing)
{
    CHECK(load_mode("read-only", "") == CORDON_OK);
    CHECK(may_read("/etc/passwd") && may_read("/"));
    CHECK(!may_write("/home/a/ws/x") && !may_write("/tmp/x"));
    CHECK(!world.policy->network && !world.policy->full_access);
    CHECK_STR(world.policy->profile, ":read-only");
}

TEST(workspace_write_writes_workspace_and_temporary_directories)
{
    CHECK(load_mode("workspace-write", "") == CORDON_OK);
    CHECK(may_write("/home/a/ws/x") && may_write("/tmp/x") && may_read("/etc/passwd"));
    CHECK(!may_write("/home/a/x") && !may_write("/home/a/.codex/config.toml"));
    CHECK(may_write("/home/a/.codex/memories/m"));
    CHECK_STR(world.policy->profile, ":workspace");
    CHECK(world.policy->workspace_root_count == 1);
    CHECK_STR(world.policy->workspace_roots[0], "/home/a/ws");
}

TEST(read_grant_does_not_cover_sibling_with_same_prefix)
{
    CHECK(load_config("default_permissions = \"x\"\n[permissions.x.filesystem]\n"
                      "\"/srv/app\" = \"read\"\n") == CORDON_OK);
    CHECK(may_read("/srv/app/data"));
    CHECK(!may_read("/srv/app-keys"));
}

TEST(workspace_profile_by_name_lacks_the_legacy_extras)
{
    world_reset();
    world.input.choice.profile = ":workspace";
    world_config("[sandbox_workspace_write]\nwritable_roots = [\"/srv/out\"]\n");
    CHECK(world_load() == CORDON_OK);
    CHECK(may_write("/home/a/ws/x") && !may_write("/srv/out/x"));
    CHECK(!may_write("/home/a/.codex/memories/m"));
}

TEST(legacy_settings_apply_to_workspace_write)
{
    CHECK(load_mode("workspace-write", "[sandbox_workspace_write]\nwritable_roots = [\"/srv/out\", "
                                       "\"~/cache\"]\nnetwork_access = true\n"
                                       "exclude_slash_tmp = true\n") == CORDON_OK);
    CHECK(may_write("/srv/out/x") && may_write("/home/a/cache/x") && !may_write("/tmp/x"));
    CHECK(world.policy->network);
    CHECK_STR(ask("/srv/out/x", ASK_WRITE).rule->origin.key,
              "sandbox_workspace_write.writable_roots[0]");
    CHECK(load_mode("read-only", "[sandbox_workspace_write]\nnetwork_access = true\n"
                                 "writable_roots = [\"/srv/out\"]\n") == CORDON_OK);
    CHECK(!world.policy->network && !may_write("/srv/out"));
    CHECK_FAILS(load_mode("workspace-write", "sandbox_workspace_write.writable_roots = [\"x\"]\n"),
                CORDON_E_INVALID, "\"x\": not an absolute path");
}

TEST(tmpdir_can_be_excluded)
{
    world_reset();
    world.input.choice.mode = "workspace-write";
    world.input.context.tmpdir = "/var/tmp/a";
    CHECK(world_load() == CORDON_OK);
    CHECK(may_write("/var/tmp/a/x"));
    world_reset();
    world.input.choice.mode = "workspace-write";
    world.input.context.tmpdir = "/var/tmp/a";
    world_config("sandbox_workspace_write.exclude_tmpdir_env_var = true\n");
    CHECK(world_load() == CORDON_OK);
    CHECK(!may_write("/var/tmp/a/x") && may_write("/tmp/x"));
}

TEST(memories_need_a_home)
{
    world_reset();
    world.input.choice.mode = "workspace-write";
    world.input.context.home = NULL;
    CHECK(world_load() == CORDON_OK);
    CHECK(may_write("/home/a/ws/x") && !may_write("/home/a/.codex/memories/x"));
}

TEST(danger_full_access_grants_everything)
{
    CHECK(load_mode("danger-full-access", "") == CORDON_OK);
    CHECK(world.policy->full_access && world.policy->network);
    CHECK(may_write("/etc/passwd") && may_write("/home/a/ws/.git/config"));
}

TEST(most_specific_entry_wins_and_reopens)
{
    CHECK(load_config("default_permissions = \"x\"\n[permissions.x.filesystem]\n"
                      "\":root\" = \"read\"\n\"/t\" = \"write\"\n\"/t/locked\" = \"deny\"\n"
                      "\"/t/locked/open\" = \"read\"\n\"/t/locked/rw\" = \"write\"\n") ==
          CORDON_OK);
    CHECK(may_write("/t/a") && !may_read("/t/locked/a"));
    CHECK(may_read("/t/locked/open/f") && !may_write("/t/locked/open/f"));
    CHECK(may_write("/t/locked/rw/f"));
    CHECK(!may_read("/t/lockedx") || may_write("/t/lockedx"));
}

TEST(on_one_path_deny_beats_write_beats_read)
{
    CHECK(load_config("default_permissions = \"x\"\n[permissions.x.filesystem]\n"
                      "\"/a\" = \"read\"\n\"/a/\" = \"write\"\n\"/b\" = \"deny\"\n\"/b/.\" = "
                      "\"write\"\n") == CORDON_OK);
    CHECK(may_write("/a/x") && !may_read("/b/x") && !may_read("/b/.git"));
}

TEST(deny_glob_beats_a_more_specific_write)
{
    CHECK(load_config(DEV "[permissions.dev.filesystem]\n\"/home/a/ws/**/*.key\" = \"deny\"\n"
                          "\"/home/a/ws/d/x.key\" = \"write\"\n") == CORDON_OK);
    CHECK(!may_read("/home/a/ws/d/x.key") && may_write("/home/a/ws/d/x"));
}

TEST(no_entry_means_denied_without_a_rule)
{
    CHECK(load_config("default_permissions = \"x\"\n[permissions.x]\n") == CORDON_OK);
    CHECK(!may_read("/etc") && decided_by("/etc") == NULL);
}

TEST(scoped_deny_adds_to_the_parents_write)
{
    CHECK(load_config(DEV "[permissions.dev.filesystem.\":workspace_roots\"]\n"
                          "\"**/.env\" = \"deny\"\n") == CORDON_OK);
    CHECK(may_write("/home/a/ws/src/x") && !may_read("/home/a/ws/a/b/.env"));
    CHECK(!may_read("/home/a/ws/.env"));
    CHECK_STR(decided_by("/home/a/ws/.env")->origin.key,
              "permissions.dev.filesystem.\":workspace_roots\".\"**/.env\"");
}

TEST(old_name_of_the_workspace_is_the_same_entry)
{
    CHECK(load_config(DEV "[permissions.dev.filesystem]\n\":project_roots\" = \"read\"\n") ==
          CORDON_OK);
    CHECK(!may_write("/home/a/ws/x") && may_read("/home/a/ws/x"));
}

TEST(child_overrides_parent_through_two_generations)
{
    CHECK(load_config("default_permissions = \"c\"\n[permissions.p]\nextends = \":read-only\"\n"
                      "[permissions.p.filesystem]\n\"/a\" = \"deny\"\n\"/b\" = \"deny\"\n"
                      "[permissions.c]\nextends = \"p\"\n[permissions.c.filesystem]\n"
                      "\"/a\" = \"write\"\n") == CORDON_OK);
    CHECK(may_write("/a/x") && !may_read("/b/x") && may_read("/c"));
}

TEST(bad_parents_are_errors)
{
    CHECK_FAILS(load_config("default_permissions = \"a\"\n[permissions.a]\nextends = \"b\"\n"
                            "[permissions.b]\nextends = \"a\"\n"),
                CORDON_E_INVALID, "config.toml:5:11: \"a\" extends itself");
    CHECK_FAILS(load_config("default_permissions = \"a\"\n[permissions.a]\n"
                            "extends = \":danger-full-access\"\n"),
                CORDON_E_INVALID, "cannot be extended");
    CHECK_FAILS(load_config("default_permissions = \"a\"\n[permissions.a]\nextends = "
                            "\":worksapce\"\n"),
                CORDON_E_INVALID, "did you mean \":workspace\"?");
}

TEST(extends_is_bounded)
{
    static char text[4096];
    size_t used = (size_t)snprintf(text, sizeof(text), "default_permissions = \"p0\"\n");

    for (int i = 0; i < 20; i++) {
        used += (size_t)snprintf(text + used, sizeof(text) - used,
                                 "[permissions.p%d]\nextends = \"p%d\"\n", i, i + 1);
    }
    CHECK_FAILS(load_config(text), CORDON_E_LIMIT, "more than 16 deep");
}

TEST(unknown_profile_suggests_the_nearest)
{
    world_reset();
    world.input.choice.profile = "dve";
    world_config("[permissions.dev]\n");
    CHECK_FAILS(world_load(), CORDON_E_INVALID, "did you mean \"dev\"?");
    world.input.choice.profile = "somethingelse";
    CHECK_FAILS(world_load(), CORDON_E_INVALID, "define [permissions.NAME]");
}

TEST(profile_adds_workspace_roots)
{
    CHECK(load_config(DEV
                      "[permissions.dev.workspace_roots]\n\"/srv/b\" = true\n\"/srv/c\" = false\n"
                      "\"/home/a/ws\" = true\n") == CORDON_OK);
    CHECK(world.policy->workspace_root_count == 2);
    CHECK(may_write("/srv/b/x") && !may_write("/srv/c/x"));
    CHECK(!may_write("/srv/b/.git/x"));
    CHECK_FAILS(load_config(DEV "workspace_roots = {\"rel\" = true}\n"), CORDON_E_INVALID,
                "\"rel\"");
    CHECK_FAILS(load_config(DEV "workspace_roots = {\":tmpdir\" = true}\n"), CORDON_E_INVALID,
                "not a special");
}

TEST(metadata_of_write_roots_is_read_only)
{
    CHECK(load_mode("workspace-write", "") == CORDON_OK);
    static const char *const names[] = {".git", ".codex", ".agents", ".aws", ".cordon"};
    for (size_t i = 0; i < 5; i++) {
        char path[64];

        (void)snprintf(path, sizeof(path), "/home/a/ws/%s/x", names[i]);
        CHECK(may_read(path) && !may_write(path));
        CHECK(decided_by(path)->origin.layer == LAYER_BUILTIN);
        (void)snprintf(path, sizeof(path), "/tmp/%s", names[i]);
        CHECK(!may_write(path));
    }
    CHECK(may_write("/home/a/ws/sub/.git/x") && may_write("/home/a/ws/.github/x"));
}

TEST(entry_that_names_metadata_lifts_the_protection)
{
    CHECK(load_config(DEV "[permissions.dev.filesystem.\":workspace_roots\"]\n"
                          "\".git\" = \"write\"\n\".aws\" = \"deny\"\n\".codex\" = \"read\"\n") ==
          CORDON_OK);
    CHECK(may_write("/home/a/ws/.git/index.lock") && !may_read("/home/a/ws/.aws/x"));
    CHECK(!may_write("/home/a/ws/.agents/x"));
    CHECK(decided_by("/home/a/ws/.codex/x")->origin.layer == LAYER_USER_CODEX);
}

TEST(root_write_protects_metadata_of_the_root)
{
    CHECK(
        load_config("default_permissions = \"x\"\n[permissions.x]\nprotect_metadata = \"nested\"\n"
                    "[permissions.x.filesystem]\n\":root\" = \"write\"\n") == CORDON_OK);
    CHECK(!may_write("/.git/x") && may_write("/a/b") && !may_write("/a/b/.git/c"));
}

TEST(nested_metadata_is_protected_at_any_depth)
{
    CHECK(load_config(DEV "protect_metadata = \"nested\"\n") == CORDON_OK);
    CHECK(!may_write("/home/a/ws/v/sub/.git/hooks/x") && may_read("/home/a/ws/v/sub/.git/hooks/x"));
    CHECK(may_write("/home/a/ws/v/sub/src"));
}

TEST(nested_protection_hides_neither_denies_nor_named_entries)
{
    CHECK(load_config(DEV "protect_metadata = \"nested\"\n"
                          "[permissions.dev.filesystem.\":workspace_roots\"]\n"
                          "\"secret\" = \"deny\"\n\".git\" = \"write\"\n\".git/hooks\" = \"read\"\n"
                          "\"v/.git/keys\" = \"deny\"\n") == CORDON_OK);
    CHECK(!may_read("/home/a/ws/secret/.git/x"));
    CHECK(may_write("/home/a/ws/.git/index") && !may_write("/home/a/ws/.git/hooks/x"));
    CHECK(may_read("/home/a/ws/.git/hooks/x"));
    CHECK(!may_read("/home/a/ws/v/.git/keys/k") && may_read("/home/a/ws/v/.git/x"));
    CHECK(!may_write("/home/a/ws/v/.git/x"));
}

TEST(network_is_off_unless_enabled)
{
    CHECK(load_config(DEV) == CORDON_OK);
    CHECK(!world.policy->network);
    CHECK(load_config(DEV "[permissions.dev.network]\nenabled = true\n") == CORDON_OK);
    CHECK(world.policy->network);
}

TEST(allow_lists_without_a_proxy_are_refused_not_widened)
{
#define NETWORK DEV "[permissions.dev.network]\n"
    CHECK_FAILS(load_config(NETWORK "enabled = true\ndomains = {\"x.org\" = \"allow\"}\n"),
                CORDON_E_UNSUPPORTED, "config.toml:6:1: \"domains\" needs the network proxy");
    CHECK_FAILS(load_config(NETWORK "enabled = true\nmode = \"limited\"\n"), CORDON_E_UNSUPPORTED,
                "\"mode\"");
    CHECK(load_config(NETWORK "enabled = true\nmode = \"full\"\nproxy_url = \"x\"\n") == CORDON_OK);
    CHECK(warned("not enforced"));
    CHECK(load_config(NETWORK "domains = {\"x.org\" = \"allow\"}\n") == CORDON_OK);
    CHECK(!world.policy->network);
}

TEST(listed_sockets_are_reachable)
{
    CHECK(load_config(NETWORK "unix_sockets = {\"/run/x\" = \"allow\", \"~/y\" = \"allow\", "
                              "\"/run/z\" = \"deny\", \":tmpdir\" = \"allow\"}\n") == CORDON_OK);
    CHECK(world.policy->unix_socket_count == 2);
    CHECK_STR(world.policy->unix_sockets[1], "/home/a/y");
    CHECK_FAILS(load_config(NETWORK "unix_sockets = {\"x\" = \"allow\"}\n"), CORDON_E_INVALID,
                "\"x\"");
    CHECK_FAILS(load_config(NETWORK "unix_sockets = {\"/x\" = \"alow\"}\n"), CORDON_E_INVALID,
                "\"allow\"");
}

TEST(scan_depth_is_kept)
{
    CHECK(load_config(DEV "filesystem.glob_scan_max_depth = 3\n") == CORDON_OK);
    CHECK(world.policy->glob_scan_max_depth == 3);
}

TEST(rules_are_settled_deepest_first_and_globs_last)
{
    CHECK(load_config(DEV "[permissions.dev.filesystem]\n\"/a/*.x\" = \"deny\"\n"
                          "\"/z/y/x/w\" = \"read\"\n") == CORDON_OK);
    size_t count = world.policy->own.count;
    CHECK(world.policy->own.rules[count - 1].glob);
    CHECK_STR(world.policy->own.rules[count - 2].pattern, "/");
}

TEST(too_many_rules_are_refused)
{
    size_t size = 0xf0000;
    char *text = malloc(size);
    size_t used = (size_t)snprintf(text, size, "sandbox_workspace_write.writable_roots = [");

    while (used < size - 64) {
        used += (size_t)snprintf(text + used, size - used, "\"/%zx\",", used);
    }
    (void)snprintf(text + used, size - used, "]\n");
    enum cordon_err err = load_mode("workspace-write", text);
    free(text);
    CHECK_FAILS(err, CORDON_E_LIMIT, "more than 65535 rules");
}

TEST_MAIN()
