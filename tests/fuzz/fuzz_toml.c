/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as the caller's configuration, as requirements and as a -c: each
 * ends in a policy that compiles, answers and dumps, or in an error with a text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ARENA_BYTES ((size_t)256 << 20)

static struct policy_input input_of(const struct policy_document *document)
{
    struct policy_input input = {.documents = document, .document_count = 1};

    input.context = (struct policy_context){.home = "/home/a",
                                            .user = "a",
                                            .hostname = "host.example.com",
                                            .cwd = "/home/a/ws",
                                            .tmpdir = "/var/tmp/a",
                                            .slash_tmp = true};
    return input;
}

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static void use_policy(const struct policy *policy)
{
    static const char path[] = "/home/a/ws/sub/.env";
    struct cordon_fault fault = {0};
    char hash[POLICY_HASH_HEX];
    struct dfa *managed = NULL;
    struct dfa *own = NULL;

    require(policy->profile != NULL && policy->managed.count <= POLICY_RULES_MAX);
    require(policy_hash(policy, hash) == CORDON_OK);
    if (policy_compile(&policy->managed, policy->os, &managed, &fault) == CORDON_OK &&
        policy_compile(&policy->own, policy->os, &own, &fault) == CORDON_OK) {
        struct policy_verdict read =
            policy_eval(policy, managed, own, path, sizeof(path) - 1, ASK_READ);
        struct policy_verdict write =
            policy_eval(policy, managed, own, path, sizeof(path) - 1, ASK_WRITE);

        require(!write.allow || read.allow);
    }
    dfa_free(managed);
    dfa_free(own);
}

static void load(const struct policy_input *input)
{
    struct cordon_fault fault = {0};
    struct policy *policy = NULL;
    struct arena arena;
    enum cordon_err err;

    arena_init(&arena, ARENA_BYTES);
    err = policy_load(input, &arena, &policy, &fault);
    if (err == CORDON_OK) {
        use_policy(policy);
    } else {
        require(fault.text[0] != '\0' && fault.err == err);
    }
    arena_deinit(&arena);
}

static void load_override(const uint8_t *data, size_t size)
{
    const struct policy_document none = {LAYER_USER, "/x/config.toml", "", 0};
    struct policy_input input = input_of(&none);
    const char *overrides[1];
    char *text = malloc(size + 1);

    require(text != NULL);
    if (size > 0) {
        memcpy(text, data, size);
    }
    text[size] = '\0';
    overrides[0] = text;
    input.choice.overrides = overrides;
    input.choice.override_count = 1;
    load(&input);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct policy_document documents[] = {
        {LAYER_USER, "/home/a/.config/cordon/config.toml", (const char *)data, size},
        {LAYER_MANAGED, "/etc/cordon/requirements.toml", (const char *)data, size},
    };

    for (size_t i = 0; i < sizeof(documents) / sizeof(documents[0]); i++) {
        struct policy_input input = input_of(&documents[i]);

        load(&input);
    }
    load_override(data, size);
    return 0;
}
