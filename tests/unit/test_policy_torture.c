/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The n-th allocation fails, n = 1, 2, ...: every failure must come back as
 * CORDON_E_NOMEM, C++ included. Linked with --wrap for malloc and its kin;
 * operator new is replaced, because the library's own calls are out of reach.
 */
#include <stdint.h>

#include "tests/unit/policy_world.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *old, size_t size);

/* Allocations until the one that fails; 0: none does. */
static unsigned long countdown;

static bool fails_now(void)
{
    return countdown > 0 && --countdown == 0;
}

void *__wrap_malloc(size_t size)
{
    return fails_now() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails_now() ? NULL : __real_realloc(old, size);
}

static void prepare(void)
{
    static const char *const overrides[] = {"permissions.dev.filesystem.\"~/x\"=\"deny\"",
                                            "default_permissions=dev"};

    world_reset();
    world.input.choice.overrides = overrides;
    world.input.choice.override_count = 2;
    world_require("allowed_approval_policies = []\npermissions.filesystem.deny_read = [\"~/.ssh\", "
                  "\"rel\", \"/srv/**/*.pem\"]\ncordon.audit.redact = [\"x\"]\n[[cordon.rule]]\n"
                  "users = [\"a\"]\ndeny_write = [\"/x\"]\n");
    world_config("[permissions.dev]\nextends = \":workspace\"\nprotect_metadata = \"nested\"\n"
                 "workspace_roots = {\"/srv/w\" = true}\n"
                 "network = {enabled = true, unix_sockets = {\"/run/s\" = \"allow\"}}\n"
                 "[permissions.dev.filesystem]\n\"~/.ssh/x\" = \"read\"\n"
                 "\":workspace_roots\" = {\"**/.env\" = \"deny\", \"d\" = \"read\"}\n");
}

static enum cordon_err load_and_hash(void)
{
    char hash[POLICY_HASH_HEX];
    enum cordon_err err = world_load();

    return err != CORDON_OK ? err : policy_hash(world.policy, hash);
}

TEST(every_failed_allocation_is_reported)
{
    unsigned long n = 1;
    enum cordon_err err;

    do {
        prepare();
        countdown = n++;
        err = load_and_hash();
        if (countdown == 0) {
            if (err != CORDON_E_NOMEM) {
                (void)fprintf(stderr, "allocation %lu: %s: %s\n", n - 1, cordon_err_name(err),
                              world.fault.text);
            }
            CHECK(err == CORDON_E_NOMEM);
        }
    } while (countdown == 0);
    countdown = 0;
    CHECK(err == CORDON_OK);
    CHECK(n > 10);
    world_reset();
}

TEST(every_arena_budget_is_respected)
{
    enum cordon_err err;
    size_t limit = 0;

    do {
        prepare();
        world.arena.limit = limit;
        limit += 48;
        err = policy_load(&world.input, &world.arena, &world.policy, &world.fault);
        CHECK(err == CORDON_OK || err == CORDON_E_NOMEM);
    } while (err != CORDON_OK);
    CHECK(limit > 4096);
    world_reset();
}

TEST(legacy_mode_reports_exhaustion_too)
{
    enum cordon_err err;
    size_t limit = 0;

    do {
        world_reset();
        world.input.choice.mode = "workspace-write";
        world.input.context.tmpdir = "/var/tmp/a";
        world_config("sandbox_mode = \"danger-full-access\"\n"
                     "[sandbox_workspace_write]\nwritable_roots = [\"/a\", \"~/b\"]\n");
        world.arena.limit = limit;
        limit += 48;
        err = policy_load(&world.input, &world.arena, &world.policy, &world.fault);
        CHECK(err == CORDON_OK || err == CORDON_E_NOMEM);
    } while (err != CORDON_OK);
    world_reset();
}

TEST(settings_from_a_file_report_exhaustion_too)
{
    enum cordon_err err;
    size_t limit = 0;

    do {
        world_reset();
        world_config("sandbox_mode = \"danger-full-access\"\n");
        world.arena.limit = limit;
        limit += 48;
        err = policy_load(&world.input, &world.arena, &world.policy, &world.fault);
        CHECK(err == CORDON_OK || err == CORDON_E_NOMEM);
    } while (err != CORDON_OK);
    CHECK(warned("command line"));
    world_reset();
}

TEST_MAIN()
