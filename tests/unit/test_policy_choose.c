/* SPDX-License-Identifier: Apache-2.0 */
/* The precedence table of policy/README.md, row by row. */
#include "tests/unit/policy_world.h"

#define PROFILES                                                                                   \
    "[permissions.c]\nextends = \":read-only\"\n[permissions.u]\nextends = \":read-only\"\n"       \
    "[permissions.o]\nextends = \":read-only\"\n"

/* What each source says; NULL: nothing. */
struct row {
    const char *flag_mode;
    const char *flag_profile;
    const char *override1;
    const char *override2;
    const char *user;  /* ~/.config/cordon/config.toml */
    const char *codex; /* ~/.codex/config.toml */
    const char *managed;
    const char *profile; /* expected */
    const char *chosen_by;
    enum policy_layer layer;
};

#define ALL_USER "default_permissions = \"u\"\nsandbox_mode = \"workspace-write\"\n"
#define ALL_CODEX "default_permissions = \"c\"\nsandbox_mode = \"workspace-write\"\n" PROFILES

static const struct row rows[] = {
    /* 1: -s or -P */
    {"workspace-write", NULL, "default_permissions=\"o\"", NULL, ALL_USER, ALL_CODEX, NULL,
     ":workspace", "-s", LAYER_COMMAND_LINE},
    {NULL, "o", "default_permissions=\"c\"", "sandbox_mode=\"read-only\"", ALL_USER, ALL_CODEX,
     NULL, "o", "-P", LAYER_COMMAND_LINE},
    /* 2: -c default_permissions; 3: -c sandbox_mode */
    {NULL, NULL, "default_permissions=\"o\"", "sandbox_mode=\"workspace-write\"", ALL_USER,
     ALL_CODEX, NULL, "o", "default_permissions", LAYER_COMMAND_LINE},
    {NULL, NULL, "sandbox_mode=\"workspace-write\"", NULL, ALL_USER, ALL_CODEX, NULL, ":workspace",
     "sandbox_mode", LAYER_COMMAND_LINE},
    {NULL, NULL, "sandbox_mode=\"read-only\"", "sandbox_mode=workspace-write", NULL, NULL, NULL,
     ":workspace", "sandbox_mode", LAYER_COMMAND_LINE},
    {NULL, NULL, "sandbox_mode=danger-full-access", NULL, NULL, NULL, NULL, ":danger-full-access",
     "sandbox_mode", LAYER_COMMAND_LINE},
    /* 4, 5: cordon's own file */
    {NULL, NULL, NULL, NULL, ALL_USER, ALL_CODEX, NULL, "u", "default_permissions", LAYER_USER},
    {NULL, NULL, NULL, NULL, "sandbox_mode = \"workspace-write\"\n", ALL_CODEX, NULL, ":workspace",
     "sandbox_mode", LAYER_USER},
    {NULL, NULL, NULL, NULL, "sandbox_mode = \"danger-full-access\"\n", NULL, NULL, ":read-only",
     "default", LAYER_BUILTIN},
    /* 6, 7: Codex's file */
    {NULL, NULL, NULL, NULL, NULL, ALL_CODEX, NULL, "c", "default_permissions", LAYER_USER_CODEX},
    {NULL, NULL, NULL, NULL, NULL, "sandbox_mode = \"workspace-write\"\n" PROFILES, NULL,
     ":workspace", "sandbox_mode", LAYER_USER_CODEX},
    {NULL, NULL, NULL, NULL, NULL, "sandbox_mode = \"danger-full-access\"\n", NULL, ":read-only",
     "default", LAYER_BUILTIN},
    {NULL, NULL, NULL, NULL, NULL,
     "sandbox_mode = \"danger-full-access\"\ndefault_permissions = \":workspace\"\n", NULL,
     ":workspace", "default_permissions", LAYER_USER_CODEX},
    {NULL, NULL, NULL, NULL, NULL, "default_permissions = \":danger-full-access\"\n", NULL,
     ":danger-full-access", "default_permissions", LAYER_USER_CODEX},
    /* 8: the administrator's default */
    {NULL, NULL, NULL, NULL, NULL, NULL, "default_permissions = \":workspace\"\n", ":workspace",
     "default_permissions", LAYER_MANAGED_CODEX},
    {NULL, NULL, NULL, NULL, NULL, "default_permissions = \":read-only\"\n",
     "default_permissions = \":workspace\"\n", ":read-only", "default_permissions",
     LAYER_USER_CODEX},
    /* 9: nothing configured */
    {NULL, NULL, NULL, NULL, NULL, NULL, NULL, ":read-only", "default", LAYER_BUILTIN},
};

static enum cordon_err load_row(const struct row *row)
{
    static const char *overrides[2];

    world_reset();
    overrides[0] = row->override1;
    overrides[1] = row->override2;
    world.input.choice.mode = row->flag_mode;
    world.input.choice.profile = row->flag_profile;
    world.input.choice.overrides = overrides;
    world.input.choice.override_count =
        (size_t)(row->override1 != NULL) + (size_t)(row->override2 != NULL);
    /* The order of documents is not the order of layers. */
    if (row->user != NULL) {
        world_text(LAYER_USER, "/home/a/.config/cordon/config.toml", row->user, strlen(row->user));
    }
    if (row->codex != NULL) {
        world_config(row->codex);
    }
    if (row->managed != NULL) {
        world_require(row->managed);
    }
    return world_load();
}

TEST(each_row_of_the_precedence_table_holds)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum cordon_err err = load_row(&rows[i]);

        if (err != CORDON_OK || strcmp(world.policy->profile, rows[i].profile) != 0) {
            (void)fprintf(stderr, "row %zu: %s\n", i, world.fault.text);
        }
        CHECK(err == CORDON_OK);
        CHECK_STR(world.policy->profile, rows[i].profile);
        CHECK_STR(world.policy->chosen_by.key, rows[i].chosen_by);
        CHECK(world.policy->chosen_by.layer == rows[i].layer);
    }
}

TEST(mode_and_profile_flags_exclude_each_other)
{
    world_reset();
    world.input.choice.mode = "read-only";
    world.input.choice.profile = ":workspace";
    CHECK_FAILS(world_load(), CORDON_E_INVALID, "exclude each other");
}

TEST(unknown_mode_is_an_error_with_a_suggestion)
{
    world_reset();
    world.input.choice.mode = "workspace-wirte";
    CHECK_FAILS(world_load(), CORDON_E_INVALID, "did you mean \"workspace-write\"?");
    world.input.choice.mode = "yolo";
    CHECK_FAILS(world_load(), CORDON_E_INVALID, "choose read-only");
}

TEST(external_sandbox_is_refused_with_a_remedy)
{
    world_reset();
    world.input.choice.mode = "external-sandbox";
    CHECK_FAILS(world_load(), CORDON_E_INVALID, "choose read-only, workspace-write");
    CHECK_FAILS(load_config("sandbox_mode = \"external-sandbox\"\n"), CORDON_E_INVALID,
                "config.toml:1:16: external-sandbox");
}

TEST(full_access_dropped_from_a_file_is_said)
{
    CHECK(load_config("sandbox_mode = \"danger-full-access\"\n") == CORDON_OK);
    CHECK(warned("say it on the command line"));
    CHECK(!world.policy->full_access);
}

TEST(profiles_without_a_choice_are_an_error)
{
    CHECK_FAILS(load_config("\n[permissions.x]\n"), CORDON_E_INVALID, "none is chosen");
    world_reset();
    world.input.choice.mode = "read-only";
    world_config("[permissions.x]\n");
    CHECK(world_load() == CORDON_OK);
}

TEST(overrides_reach_into_profiles)
{
    static const char *const overrides[] = {
        "permissions.dev.filesystem.\"~/.ssh\"=\"deny\"",
        "permissions.dev.extends=:read-only",
        "default_permissions=dev",
    };

    world_reset();
    world.input.choice.overrides = overrides;
    world.input.choice.override_count = 3;
    CHECK(world_load() == CORDON_OK);
    CHECK(!may_read("/home/a/.ssh/id") && may_read("/etc/passwd"));
    CHECK(ask("/home/a/.ssh", ASK_READ).rule->origin.layer == LAYER_COMMAND_LINE);
    CHECK(ask("/home/a/.ssh", ASK_READ).rule->origin.file == NULL);
}

TEST_MAIN()
