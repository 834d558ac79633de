/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/policy_world.h"

static char text[16384];

/* A chosen profile "p" with one filesystem entry. */
static enum cordon_err load_entry(const char *entry)
{
    (void)snprintf(text, sizeof(text),
                   "default_permissions = \"p\"\n[permissions.p.filesystem]\n%s\n", entry);
    return load_config(text);
}

static const char *first_pattern(void)
{
    return world.policy->own.rules[0].pattern;
}

TEST(exact_paths_are_normalised_lexically)
{
    CHECK(load_entry("\"/srv//a/./b/../c/\" = \"read\"") == CORDON_OK);
    CHECK_STR(first_pattern(), "/srv/a/c");
    CHECK(load_entry("\"/../..\" = \"read\"") == CORDON_OK);
    CHECK_STR(first_pattern(), "/");
}

TEST(tilde_is_the_home_of_the_user_database)
{
    CHECK(load_entry("\"~/.ssh\" = \"deny\"") == CORDON_OK);
    CHECK_STR(first_pattern(), "/home/a/.ssh");
    CHECK(load_entry("\"~\" = \"read\"") == CORDON_OK);
    CHECK_STR(first_pattern(), "/home/a");
    CHECK(load_entry("\"~/../b\" = \"read\"") == CORDON_OK);
    CHECK_STR(first_pattern(), "/home/b");
}

TEST(caller_without_a_home_gets_an_error_that_names_the_entry)
{
    world_reset();
    world.input.context.home = NULL;
    world_config(
        "default_permissions = \"p\"\n[permissions.p.filesystem]\n\"~/.ssh\" = \"deny\"\n");
    CHECK_FAILS(world_load(), CORDON_E_INVALID, "config.toml:3:1: \"~/.ssh\"");
}

TEST(homes_of_others_are_not_looked_up)
{
    CHECK_FAILS(load_entry("\"~nosuch/x\" = \"deny\""), CORDON_E_INVALID, "\"~nosuch/x\"");
}

TEST(relative_path_is_an_error)
{
    CHECK_FAILS(load_entry("\"src\" = \"read\""), CORDON_E_INVALID, "not an absolute path");
    CHECK_FAILS(load_entry("\"{a\" = \"deny\""), CORDON_E_INVALID, "\"{a\"");
    CHECK_FAILS(load_entry("\"[a\" = \"deny\""), CORDON_E_INVALID, "\"[a\"");
    CHECK_FAILS(load_entry("\"C:/x\" = \"deny\""), CORDON_E_INVALID, "on this system");
}

TEST(bad_patterns_are_load_errors)
{
    CHECK_FAILS(load_entry("\"\" = \"deny\""), CORDON_E_INVALID, "empty");
    CHECK_FAILS(load_entry("\"/a/[b\" = \"deny\""), CORDON_E_INVALID, "\"/a/[b\"");
    CHECK_FAILS(load_entry("\"/a/{b\" = \"deny\""), CORDON_E_INVALID, "\"/a/{b\"");
    CHECK_FAILS(load_entry("'/a/b\\' = \"deny\""), CORDON_E_INVALID, "/a/b");
    CHECK_FAILS(load_entry("\"/a/*/../b\" = \"deny\""), CORDON_E_INVALID, "after a wildcard");
}

TEST(bad_pattern_of_a_profile_nobody_chose_is_still_an_error)
{
    CHECK_FAILS(load_config("sandbox_mode = \"read-only\"\n[permissions.x.filesystem]\n"
                            "\"/a/[b\" = \"deny\"\n"),
                CORDON_E_INVALID, "config.toml:3:1");
}

TEST(over_long_path_is_an_error)
{
    static char entry[6000];
    static char home[4200];

    entry[0] = '"';
    memset(entry + 1, '/', 1);
    memset(entry + 2, 'a', 4200);
    memcpy(entry + 4202, "\" = \"deny\"", 11);
    CHECK_FAILS(load_entry(entry), CORDON_E_INVALID, "longer than a path");
    memset(home, 'h', sizeof(home) - 1);
    home[0] = '/';
    world_reset();
    world.input.context.home = home;
    world_config("default_permissions = \"p\"\n[permissions.p.filesystem]\n\"~/x\" = \"deny\"\n");
    CHECK_FAILS(world_load(), CORDON_E_INVALID, "longer than a path");
}

TEST(only_deny_may_use_wildcards)
{
    CHECK_FAILS(load_entry("\"/a/*.c\" = \"read\""), CORDON_E_INVALID, "only \"deny\"");
    CHECK_FAILS(load_entry("\"/a/x]\" = \"write\""), CORDON_E_INVALID, "only \"deny\"");
    CHECK(load_entry("\"/a/*.c\" = \"deny\"") == CORDON_OK);
    CHECK(world.policy->own.rules[0].glob);
}

TEST(grant_may_end_in_two_stars)
{
    CHECK(load_entry("\"/a/b/**\" = \"read\"") == CORDON_OK);
    CHECK_STR(first_pattern(), "/a/b");
    CHECK(load_entry("\"/**\" = \"read\"") == CORDON_OK);
    CHECK_STR(first_pattern(), "/");
}

TEST(braces_with_a_comma_are_a_glob)
{
    CHECK(load_entry("\"/g/{top,b}.key\" = \"deny\"") == CORDON_OK);
    CHECK(world.policy->own.rules[0].glob);
    CHECK(load_entry("\"/g/{top}.key\" = \"deny\"") == CORDON_OK);
    CHECK(!world.policy->own.rules[0].glob);
    CHECK(load_entry("\"/g/top}.key\" = \"deny\"") == CORDON_OK);
    CHECK(!world.policy->own.rules[0].glob);
}

TEST(wildcards_in_the_home_itself_are_literal)
{
    world_reset();
    world.input.context.home = "/home/we[ird";
    world_config("default_permissions = \"p\"\n[permissions.p.filesystem]\n\":root\" = \"read\"\n"
                 "\"~/*.key\" = \"deny\"\n\"~/x\" = \"deny\"\n");
    CHECK(world_load() == CORDON_OK);
    CHECK(!may_read("/home/we[ird/a.key"));
    CHECK(!may_read("/home/we[ird/x"));
    CHECK(may_read("/home/we[ird/a.txt"));
}

TEST(unknown_special_is_an_error_with_a_suggestion)
{
    CHECK_FAILS(load_entry("\":workspace_root\" = \"write\""), CORDON_E_INVALID,
                "did you mean \":workspace_roots\"");
    CHECK_FAILS(load_entry("\":cwd\" = \"write\""), CORDON_E_INVALID, "there are :root");
}

TEST(minimal_is_what_programs_need)
{
    CHECK(load_entry("\":minimal\" = \"read\"") == CORDON_OK);
    CHECK(may_read("/usr/lib/libc.so.6") && may_read("/etc/hosts") && may_read("/nix/store/x"));
    CHECK(!may_read("/home/a") && !may_read("/nix") && !may_write("/usr/bin"));
}

TEST(tmpdir_vanishes_unless_it_is_absolute)
{
    static const struct {
        const char *tmpdir;
        const char *granted;
    } rows[] = {{NULL, NULL}, {"", NULL}, {"tmp", NULL}, {"/var/tmp/a/", "/var/tmp/a/x"}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        world_reset();
        world.input.context.tmpdir = rows[i].tmpdir;
        world_config("default_permissions = \"p\"\n[permissions.p.filesystem]\n"
                     "\":tmpdir\" = \"write\"\n");
        CHECK(world_load() == CORDON_OK);
        CHECK(rows[i].granted == NULL ? world.policy->own.count == 0 : may_write(rows[i].granted));
    }
}

TEST(slash_tmp_vanishes_where_it_is_no_directory)
{
    CHECK(load_entry("\":slash_tmp\" = \"write\"") == CORDON_OK);
    CHECK(may_write("/tmp/x"));
    world_reset();
    world.input.context.slash_tmp = false;
    world_config(
        "default_permissions = \"p\"\n[permissions.p.filesystem]\n\":slash_tmp\" = \"write\"\n");
    CHECK(world_load() == CORDON_OK);
    CHECK(!may_write("/tmp/x"));
}

TEST(scoped_table_resolves_below_its_base)
{
    CHECK(load_entry("\":root\" = \"read\"\n[permissions.p.filesystem.\":workspace_roots\"]\n"
                     "\".\" = \"write\"\n\"gen\" = \"read\"\n\"**/*.env\" = \"deny\"") ==
          CORDON_OK);
    CHECK(may_write("/home/a/ws/x") && !may_write("/home/a/ws/gen/x"));
    CHECK(may_read("/home/a/ws/gen/x") && !may_read("/home/a/ws/d/e.env"));
    CHECK(may_read("/home/a/other.env"));
}

TEST(scoped_table_of_a_path_works_too)
{
    CHECK(load_entry("\"/srv\" = {\".\" = \"read\", \"keys\" = \"deny\", \"*.pem\" = \"none\"}") ==
          CORDON_OK);
    CHECK(may_read("/srv/x") && !may_read("/srv/keys/k") && !may_read("/srv/a.pem"));
    CHECK(load_entry("\"~\" = {\"a\" = \"read\"}") == CORDON_OK);
    CHECK(may_read("/home/a/a"));
}

TEST(sub_paths_stay_below)
{
    static const char *const bad[] = {"../x", "/x", "~/x", "a/../../x", "~b", ":root", ""};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char entry[128];

        (void)snprintf(entry, sizeof(entry), "\":workspace_roots\" = {\"%s\" = \"deny\"}", bad[i]);
        CHECK(load_entry(entry) == CORDON_E_INVALID);
    }
    CHECK_FAILS(load_entry("\":tmpdir\" = {\"x\" = \"deny\"}"), CORDON_E_INVALID, "sub-paths");
    CHECK_FAILS(load_entry("\"/a/*\" = {\"x\" = \"deny\"}"), CORDON_E_INVALID, "only \"deny\"");
    CHECK_FAILS(load_entry("\"/a\" = {\"x\" = \"dney\"}"), CORDON_E_INVALID, "\"deny\"");
    CHECK_FAILS(load_entry("\"/a\" = {\"x\" = 1}"), CORDON_E_INVALID, "a string");
}

TEST(windows_spellings_are_understood_there)
{
    world_reset();
    world.input.context.os = POLICY_OS_WINDOWS;
    world.input.context.home = "C:\\Users\\a";
    world.input.context.cwd = "C:\\ws";
    world_config(
        "default_permissions = \"p\"\n[permissions.p.filesystem]\n'C:\\data' = \"read\"\n"
        "'~/.ssh' = \"deny\"\n'C:\\data\\*.key' = \"deny\"\n\":workspace_roots\" = \"write\"\n");
    CHECK(world_load() == CORDON_OK);
    CHECK(may_read("/C:/data/x") && may_read("/c:/DATA/x") && !may_read("/C:/data/A.KEY"));
    CHECK(may_write("/C:/ws/x") && !may_read("/C:/Users/a/.ssh/id"));
}

TEST(on_windows_the_home_has_backslashes_and_a_drive_may_end_in_one)
{
    world_reset();
    world.input.context.os = POLICY_OS_WINDOWS;
    world.input.context.home = "C:\\Users\\a";
    world.input.context.cwd = "C:\\ws";
    world_config("default_permissions = \"p\"\n[permissions.p.filesystem]\n\":root\" = \"read\"\n"
                 "'~/.ssh' = \"deny\"\n'~/k/*.pem' = \"deny\"\n'D:\\' = \"deny\"\n"
                 "'E:\\x\\' = \"deny\"\n");
    CHECK(world_load() == CORDON_OK);
    CHECK(may_read("/C:/Users/a/x") && !may_read("/C:/Users/a/.ssh/id"));
    CHECK(!may_read("/c:/users/A/k/b.pem") && may_read("/C:/Users/a/k/b"));
    CHECK(!may_read("/D:/x") && !may_read("/E:/x/y") && may_read("/E:/y"));
}

TEST(on_windows_a_share_is_a_place_of_its_own)
{
    world_reset();
    world.input.context.os = POLICY_OS_WINDOWS;
    world.input.context.home = "\\\\srv\\homes\\a";
    world.input.context.cwd = "\\\\srv\\team\\ws";
    world_config("default_permissions = \"p\"\n[permissions.p.filesystem]\n\":root\" = \"read\"\n"
                 "\":workspace_roots\" = \"write\"\n'~/.ssh' = \"deny\"\n"
                 "'\\\\nas\\data\\k\\' = \"deny\"\n'//nas/data/**/*.pem' = \"deny\"\n"
                 "'\\\\?\\UNC\\nas\\data\\v' = \"deny\"\n'\\\\?\\C:\\v' = \"deny\"\n");
    CHECK(world_load() == CORDON_OK);
    CHECK(may_write("/UNC/srv/team/ws/x") && !may_read("/UNC/SRV/homes/a/.ssh/id"));
    CHECK(!may_read("/UNC/nas/data/k/x") && !may_read("/UNC/nas/data/a/b.pem"));
    CHECK(!may_read("/UNC/nas/data/v/x") && !may_read("/C:/v/x"));
    CHECK(may_read("/nas/data/k/x") && may_read("/UNC/nas/data/x"));
}

TEST(what_looks_like_a_share_and_is_none_is_an_error)
{
    static const char *const bad[] = {"\\\\srv",
                                      "\\\\srv\\",
                                      "\\\\srv\\share\\..\\x",
                                      "\\\\.\\pipe\\x",
                                      "\\\\?\\pipe\\x",
                                      "\\\\?\\Volume{1}\\x",
                                      "\\\\?\\UNC\\srv",
                                      "//srv",
                                      "//./C:/x",
                                      "//?/C:/x",
                                      "\\\\?\\GLOBALROOT"};

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char config[160];

        (void)snprintf(config, sizeof(config),
                       "default_permissions = \"p\"\n[permissions.p.filesystem]\n'%s' = \"deny\"\n",
                       bad[i]);
        world_reset();
        world.input.context.os = POLICY_OS_WINDOWS;
        world.input.context.home = "C:\\Users\\a";
        world.input.context.cwd = "C:\\ws";
        world_config(config);
        CHECK(world_load() == CORDON_E_INVALID);
    }
    CHECK_FAILS(load_config("default_permissions = \"p\"\n[permissions.p.filesystem]\n"
                            "'\\\\srv\\share' = \"deny\"\n"),
                CORDON_E_INVALID, "not an absolute path on this system");
}

TEST(where_case_does_not_count_two_spellings_are_one_path)
{
    static const char config[] =
        "default_permissions = \"p\"\n[permissions.p]\nprotect_metadata = \"nested\"\n"
        "[permissions.p.filesystem]\n\"/ws\" = \"write\"\n\"/ws/keys\" = \"deny\"\n"
        "\"/WS/KEYS\" = \"write\"\n\"/ws/a/.GIT\" = \"write\"\n";

    world_reset();
    world.input.context.os = POLICY_OS_WINDOWS;
    world_config(config);
    CHECK(world_load() == CORDON_OK);
    CHECK(!may_read("/ws/keys/x") && !may_write("/WS/KEYS/.git/x"));
    CHECK(may_write("/ws/a/.git/config") && !may_write("/ws/b/.git/config"));
    world_reset();
    world_config(config);
    CHECK(world_load() == CORDON_OK);
    CHECK(!may_read("/ws/keys/x") && may_write("/WS/KEYS/x"));
    CHECK(may_write("/ws/a/.GIT/config") && !may_write("/ws/a/.git/config"));
}

TEST(a_path_is_asked_about_in_one_form)
{
    static const struct {
        enum policy_os os;
        const char *path, *subject; /* NULL: it is none */
    } rows[] = {
        {POLICY_OS_LINUX, "/a/b", "/a/b"},
        {POLICY_OS_LINUX, "/", "/"},
        {POLICY_OS_LINUX, "C:\\x", NULL},
        {POLICY_OS_WINDOWS, "C:\\", "/C:"},
        {POLICY_OS_WINDOWS, "C:\\a b\\c", "/C:/a b/c"},
        {POLICY_OS_WINDOWS, "\\\\server\\share\\x", "/UNC/server/share/x"},
        {POLICY_OS_WINDOWS, "x", NULL},
    };
    struct arena arena;

    arena_init(&arena, 65536);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const char *subject = NULL;
        const enum cordon_err err = policy_subject(rows[i].path, rows[i].os, &arena, &subject);

        CHECK((err == CORDON_OK) == (rows[i].subject != NULL));
        if (err == CORDON_OK) {
            CHECK_STR(subject, rows[i].subject);
        }
    }
    arena_deinit(&arena);
}

TEST(context_paths_must_be_absolute)
{
    world_reset();
    world.input.context.home = "home";
    CHECK_FAILS(world_load(), CORDON_E_INVALID, "the home is not");
    world_reset();
    world.input.context.cwd = "ws";
    CHECK_FAILS(world_load(), CORDON_E_INVALID, "the working directory is not");
    world_reset();
    world.input.context.cwd = NULL;
    CHECK(world_load() == CORDON_OK);
}

TEST_MAIN()
