/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One caller, his files and the managed ones, for the tests of policy/: set what
 * differs, world_load(), look. One world at a time; world_reset() frees the last.
 */
#ifndef CORDON_TESTS_POLICY_WORLD_H
#define CORDON_TESTS_POLICY_WORLD_H

#include "policy/policy.h"
#include "tests/support/check.h"

#define WORLD_DOCUMENTS 8

static struct world {
    struct arena arena;
    struct policy_document documents[WORLD_DOCUMENTS];
    struct policy_input input;
    struct policy *policy;
    struct dfa *managed;
    struct dfa *own;
    struct cordon_fault fault;
    enum cordon_err err;
} world;

static inline void world_reset(void)
{
    arena_deinit(&world.arena);
    dfa_free(world.managed);
    dfa_free(world.own);
    memset(&world, 0, sizeof(world));
    arena_init(&world.arena, (size_t)64 << 20);
    world.input.documents = world.documents;
    world.input.context = (struct policy_context){.home = "/home/a",
                                                  .user = "a",
                                                  .hostname = "build-7.example.com",
                                                  .cwd = "/home/a/ws",
                                                  .slash_tmp = true};
}

static inline void world_text(enum policy_layer layer, const char *path, const char *text,
                              size_t len)
{
    world.documents[world.input.document_count++] =
        (struct policy_document){layer, path, text, len};
}

static inline void world_config(const char *text)
{
    world_text(LAYER_USER_CODEX, "/home/a/.codex/config.toml", text, strlen(text));
}

static inline void world_require(const char *text)
{
    world_text(LAYER_MANAGED_CODEX, "/etc/codex/requirements.toml", text, strlen(text));
}

static inline void world_compile(void)
{
    if (world.err == CORDON_OK) {
        world.err =
            policy_compile(&world.policy->managed, world.policy->os, &world.managed, &world.fault);
    }
    if (world.err == CORDON_OK) {
        world.err = policy_compile(&world.policy->own, world.policy->os, &world.own, &world.fault);
    }
}

static inline enum cordon_err world_load(void)
{
    world.err = policy_load(&world.input, &world.arena, &world.policy, &world.fault);
    world_compile();
    return world.err;
}

/* A fresh world whose caller has this configuration, loaded. */
static inline enum cordon_err load_config(const char *text)
{
    world_reset();
    world_config(text);
    return world_load();
}

static inline enum cordon_err load_requirements(const char *text)
{
    world_reset();
    world_require(text);
    return world_load();
}

static inline struct policy_verdict ask(const char *path, enum policy_question question)
{
    return policy_eval(world.policy, world.managed, world.own, path, strlen(path), question);
}

static inline bool may_read(const char *path)
{
    return ask(path, ASK_READ).allow;
}

static inline bool may_write(const char *path)
{
    return ask(path, ASK_WRITE).allow;
}

/* The fault's text and its remedy, as a person sees them. */
static inline bool fault_has(const char *what)
{
    if (strstr(world.fault.text, what) != NULL || strstr(world.fault.remedy, what) != NULL) {
        return true;
    }
    (void)fprintf(stderr, "  fault: %s; %s\n", world.fault.text, world.fault.remedy);
    return false;
}

static inline bool warned(const char *what)
{
    for (size_t i = 0; i < world.policy->warning_count; i++) {
        if (strstr(world.policy->warnings[i].text, what) != NULL) {
            return true;
        }
    }
    return false;
}

#define CHECK_FAILS(call, error, what)                                                             \
    do {                                                                                           \
        CHECK((call) == (error));                                                                  \
        CHECK(fault_has(what));                                                                    \
    } while (0)

#endif
