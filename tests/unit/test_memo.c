/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "broker/memo.h"
#include "tests/support/fds.h"

static struct policy_document document_of(const char *text)
{
    return (struct policy_document){LAYER_USER_CODEX, "/home/a/.codex/config.toml", text,
                                    strlen(text)};
}

static struct policy_input input_of(const struct policy_document *document, const char *cwd)
{
    struct policy_input input;

    memset(&input, 0, sizeof(input));
    input.documents = document;
    input.document_count = 1;
    input.context = (struct policy_context){.os = POLICY_OS_LINUX,
                                            .home = "/home/a",
                                            .user = "a",
                                            .hostname = "h",
                                            .cwd = cwd,
                                            .slash_tmp = true};
    return input;
}

static struct memo_policy *made(struct memo *memo, const struct policy_input *input)
{
    struct memo_policy *policy = NULL;
    struct cordon_fault fault;

    CHECK(memo_policy(memo, input, true, &policy, &fault) == CORDON_OK);
    return policy;
}

TEST(the_same_input_gives_the_same_policy_and_any_other_another)
{
    char text[] = "sandbox_mode = \"workspace-write\"\n";
    struct policy_document document = document_of(text);
    struct policy_input input = input_of(&document, "/home/a/ws");
    struct memo memo = {.clock = 0};
    const struct memo_policy *one = made(&memo, &input);
    char hash[POLICY_HASH_HEX];

    memcpy(hash, one->hash, sizeof(hash));
    CHECK(one->own != NULL && one->managed != NULL);
    CHECK(made(&memo, &input) == one);
    input.context.cwd = "/home/a/other";
    CHECK(made(&memo, &input) != one);
    input.context.cwd = "/home/a/ws";
    document.path = "/home/a/.codex/config2.toml";
    CHECK(made(&memo, &input) != one);
    document.path = "/home/a/.codex/config.toml";
    memcpy(text, "sandbox_mode = \"read-only\"      \n", sizeof(text) - 1);
    CHECK(strcmp(made(&memo, &input)->hash, hash) != 0);
    memo_deinit(&memo);
}

TEST(a_policy_does_not_lead_into_its_input)
{
    char text[] = "sandbox_mode = \"workspace-write\"\n";
    char cwd[] = "/home/a/ws";
    struct policy_document document = document_of(text);
    struct policy_input input = input_of(&document, cwd);
    struct memo memo = {.clock = 0};
    const struct memo_policy *one = made(&memo, &input);
    char hash[POLICY_HASH_HEX];

    memset(text, 'x', sizeof(text) - 1);
    memset(cwd, 'x', sizeof(cwd) - 1);
    CHECK(policy_hash(one->policy, hash) == CORDON_OK);
    CHECK(strcmp(hash, one->hash) == 0);
    memo_deinit(&memo);
}

TEST(what_fails_is_not_kept_and_the_oldest_goes)
{
    char text[] = "sandbox_mode = \"workspace-write\"\n";
    char bad[] = "sandbox_mode = [\n";
    struct policy_document document = document_of(bad);
    struct policy_input input = input_of(&document, "/home/a/ws");
    struct memo memo = {.clock = 0};
    struct memo_policy *policy;
    struct cordon_fault fault;
    char cwd[16];

    CHECK(memo_policy(&memo, &input, true, &policy, &fault) != CORDON_OK);
    document.text = text;
    document.len = sizeof(text) - 1;
    for (unsigned i = 0; i < 3 * MEMO_POLICIES; i++) {
        (void)snprintf(cwd, sizeof(cwd), "/d%u", i);
        input.context.cwd = cwd;
        policy = made(&memo, &input);
        CHECK(made(&memo, &input) == policy);
    }
    memo_deinit(&memo);
    memo_keep_used(&memo);
}

static size_t kept(const struct memo *memo)
{
    size_t count = 0;

    for (size_t i = 0; i < MEMO_POLICIES; i++) {
        count += memo->policies[i] != NULL;
    }
    return count;
}

/* Who uses several in turn keeps them, and what is made ahead of them with them. */
TEST(a_lull_gives_back_what_was_not_used_since_the_last)
{
    char text[] = "sandbox_mode = \"workspace-write\"\n";
    struct policy_document document = document_of(text);
    struct policy_input input = input_of(&document, "/home/a/ws");
    struct memo memo = {.clock = 0};
    struct memo_policy *policies[2];

    for (size_t i = 0; i < 2; i++) {
        input.context.cwd = i == 0 ? "/one" : "/other";
        policies[i] = made(&memo, &input);
    }
    memo_keep_used(&memo);
    CHECK(kept(&memo) == 2);
    CHECK(made(&memo, &input) == policies[1]);
    memo_keep_used(&memo);
    CHECK(kept(&memo) == 1);
    CHECK(made(&memo, &input) == policies[1]);
    memo_keep_used(&memo);
    memo_keep_used(&memo);
    CHECK(kept(&memo) == 0);
    memo_deinit(&memo);
}

/* @count patterns. */
static void rules_text(size_t count, const char *pattern, struct strbuf *out)
{
    strbuf_puts(out, "default_permissions = \"a\"\n[permissions.a]\nextends = \":workspace\"\n"
                     "[permissions.a.filesystem]\n");
    for (unsigned i = 0; i < count; i++) {
        strbuf_printf(out, "\"/a/%u%s\" = \"deny\"\n", i, pattern);
    }
}

static bool thread_fails;
struct host_beside *__real_host_beside(void (*work)(void *context), void *context);
struct host_beside *__wrap_host_beside(void (*work)(void *context), void *context);
struct host_beside *__wrap_host_beside(void (*work)(void *context), void *context)
{
    return thread_fails ? NULL : __real_host_beside(work, context);
}

TEST(tables_are_the_same_beside_and_in_place_and_once)
{
    const int before = fds_count();

    for (size_t count = 1; count <= 81; count += 40) {
        struct strbuf text = STRBUF_INIT;
        struct policy_document document;
        struct policy_input input;
        struct memo memo[2] = {{.clock = 0}, {.clock = 0}};
        struct memo_policy *policy[2];
        struct cordon_fault fault;

        rules_text(count, "/**/*.key", &text);
        document = document_of(strbuf_text(&text));
        input = input_of(&document, "/home/a/ws");
        for (size_t i = 0; i < 2; i++) {
            int fd;

            thread_fails = i == 1;
            policy[i] = made(&memo[i], &input);
            CHECK(memo_tables(policy[i], &fault) == CORDON_OK);
            fd = policy[i]->own_fd;
            CHECK(fd >= 0 && policy[i]->texts_fd >= 0);
            CHECK(made(&memo[i], &input) == policy[i]);
            CHECK(memo_tables(policy[i], &fault) == CORDON_OK && policy[i]->own_fd == fd);
        }
        CHECK(dfa_size(policy[0]->own) == dfa_size(policy[1]->own) &&
              memcmp(policy[0]->own, policy[1]->own, dfa_size(policy[0]->own)) == 0);
        memo_deinit(&memo[0]);
        memo_deinit(&memo[1]);
        strbuf_deinit(&text);
    }
    CHECK(fds_count() == before);
}

/* A request that ends before; and a set that is too much is told of each time. */
TEST(tables_that_nobody_waits_for_or_that_fail_leave_nothing)
{
    const int before = fds_count();
    struct strbuf text = STRBUF_INIT;
    struct policy_document document;
    struct policy_input input;
    struct memo memo = {.clock = 0};

    rules_text(40, "/**/*a\?\?\?\?\?\?\?\?\?\?\?\?\?\?\?\?\?\?\?\?\?\?", &text);
    document = document_of(strbuf_text(&text));
    input = input_of(&document, "/home/a/ws");
    for (size_t i = 0; i < 3; i++) {
        struct cordon_fault fault = {.err = CORDON_OK};
        struct memo_policy *policy;

        thread_fails = i == 1;
        policy = made(&memo, &input);
        if (i < 2) {
            CHECK(memo_tables(policy, &fault) == CORDON_E_LIMIT && fault.text[0] != '\0');
            CHECK(policy->own_fd < 0);
        }
    }
    memo_deinit(&memo);
    strbuf_deinit(&text);
    CHECK(fds_count() == before);
}

TEST(the_rehearsal_is_of_a_policy_that_holds)
{
    CHECK(memo_rehearse() == CORDON_OK);
}

TEST_MAIN()
