/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/policy_world.h"

static char *dumped(void)
{
    struct strbuf text = STRBUF_INIT;

    policy_dump(world.policy, &text);
    return strbuf_steal(&text);
}

static bool same_dump(const char *one, const char *other)
{
    CHECK(load_config(one) == CORDON_OK);
    char *first = dumped();
    CHECK(load_config(other) == CORDON_OK);
    char *second = dumped();
    bool same = first != NULL && second != NULL && strcmp(first, second) == 0;

    free(first);
    free(second);
    return same;
}

#define P "default_permissions = \"p\"\n[permissions.p.filesystem]\n"

TEST(dump_is_the_whole_policy_sorted)
{
    world_reset();
    world_require("permissions.filesystem.deny_read = [\"/z\", \"/a/*.k\", \"/z\"]\n"
                  "cordon.limits.pids = 3\ncordon.audit.redact = [\"x\"]\n");
    world_config(P "\"/w\" = \"read\"\n\"/b\\u00e9\\n\" = \"deny\"\n");
    CHECK(world_load() == CORDON_OK);
    char *text = dumped();
    CHECK_STR(text, "cordon-policy 1\nos linux\nprofile p\nfull-access 0\nnetwork 0\n"
                    "glob-scan-max-depth 0\nminimum managed snapshot own snapshot\n"
                    "managed-allows write 1 full-access 1\n"
                    "limits memory_mib 0 pids 3 cpu_percent 0 open_files 0 wall_s 0\n"
                    "own-limits memory_mib 0 pids 0 cpu_percent 0 open_files 0 wall_s 0\n"
                    "audit-level -\naudit-sink -\naudit-redact x\nworkspace-root /home/a/ws\n"
                    "managed deny /z\nmanaged deny glob /a/*.k\n"
                    "own deny /b\\xc3\\xa9\\n\nown read /w\n");
    free(text);
}

TEST(equal_policies_have_equal_dumps)
{
    CHECK(same_dump(P "\"/a\" = \"read\"\n\"/b\" = \"deny\"\n",
                    "# other\n" P "\"/b/\" = \"deny\"\n\"/x/../a\" = \"read\"\n"));
    CHECK(!same_dump(P "\"/a\" = \"read\"\n", P "\"/a\" = \"write\"\n"));
}

TEST(hash_follows_the_dump)
{
    char one[POLICY_HASH_HEX];
    char other[POLICY_HASH_HEX];

    CHECK(load_config(P "\"/a\" = \"read\"\n") == CORDON_OK);
    CHECK(policy_hash(world.policy, one) == CORDON_OK);
    CHECK(strlen(one) == 64 && strspn(one, "0123456789abcdef") == 64);
    CHECK(load_config(P "\n\"/a\" = \"read\"\n") == CORDON_OK);
    CHECK(policy_hash(world.policy, other) == CORDON_OK);
    CHECK_STR(other, one);
    CHECK(load_config(P "\"/a\" = \"deny\"\n") == CORDON_OK);
    CHECK(policy_hash(world.policy, other) == CORDON_OK);
    CHECK(strcmp(one, other) != 0);
}

TEST(origins_without_a_file_name_their_layer)
{
    static const struct {
        struct policy_origin origin;
        const char *text;
    } rows[] = {
        {{LAYER_COMMAND_LINE, NULL, 0, 0, "-s"}, "-s, command line"},
        {{LAYER_BUILTIN, NULL, 0, 0, NULL}, "built in"},
        {{LAYER_USER, "/x\ny", 3, 1, "k"}, "k, /x\\ny:3"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct strbuf text = STRBUF_INIT;

        policy_origin_text(&rows[i].origin, &text);
        CHECK_STR(strbuf_text(&text), rows[i].text);
        strbuf_deinit(&text);
    }
}

TEST(compile_error_names_the_rule)
{
    struct policy_rule rule = {"/a/[b",     5,       true,
                               ACCESS_DENY, "/a/[b", {LAYER_USER, "/f", 4, 1, "k"}};
    struct policy_ruleset set = {&rule, 1};
    struct dfa *table = NULL;

    world_reset();
    CHECK_FAILS(policy_compile(&set, POLICY_OS_LINUX, &table, &world.fault), CORDON_E_INVALID,
                "k, /f:4");
}

TEST_MAIN()
