/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/cases.h"
#include "tests/unit/policy_world.h"

static struct policy_case *cases;
static size_t count;

static enum cordon_err read_cases(const char *text)
{
    const struct policy_document document = {LAYER_USER, "/t.toml", text, strlen(text)};

    return policy_cases(&document, &world.input.context, &world.arena, &cases, &count,
                        &world.fault);
}

TEST(cases_are_read_in_order)
{
    world_reset();
    CHECK(read_cases("[[case]]\npath = \"~/.ssh\"\nexpect = \"deny\"\nrule = \"deny_read[0]\"\n"
                     "[[case]]\npath = \"/tmp//x\"\naccess = \"write\"\nexpect = \"allow\"\n") ==
          CORDON_OK);
    CHECK(count == 2);
    CHECK_STR(cases[0].path, "/home/a/.ssh");
    CHECK_STR(cases[0].rule, "deny_read[0]");
    CHECK(!cases[0].allow && cases[0].question == ASK_READ && cases[0].line == 1);
    CHECK_STR(cases[1].path, "/tmp/x");
    CHECK(cases[1].allow && cases[1].question == ASK_WRITE && cases[1].rule == NULL);
    CHECK(read_cases("") == CORDON_OK && count == 0);
}

TEST(bad_cases_say_where)
{
    world_reset();
    CHECK_FAILS(read_cases("[[case]]\npath = \"/x\"\n"), CORDON_E_INVALID, "/t.toml:1:1: [[case]]");
    CHECK_FAILS(read_cases("[[case]]\nexpect = \"deny\"\n"), CORDON_E_INVALID, "\"path\"");
    CHECK_FAILS(read_cases("[[case]]\npath = \"x\"\nexpect = \"deny\"\n"), CORDON_E_INVALID,
                "/t.toml:2:8: \"x\"");
    CHECK_FAILS(read_cases("[[case]]\npth = \"/x\"\n"), CORDON_E_INVALID, "did you mean \"path\"?");
    CHECK_FAILS(read_cases("path = \"/x\"\n"), CORDON_E_INVALID, "belongs in [[case]]");
    CHECK_FAILS(read_cases("[[case]]\nexpect = \"denny\"\n"), CORDON_E_INVALID, "\"deny\"");
    CHECK(read_cases("[[case]\n") == CORDON_E_SYNTAX);
    world.input.context.home = NULL;
    CHECK(read_cases("[[case]]\npath = \"~\"\nexpect = \"deny\"\n") == CORDON_E_INVALID);
}

TEST(exhaustion_is_reported)
{
    enum cordon_err err;
    size_t limit = 0;

    do {
        world_reset();
        world.arena.limit = limit;
        limit += 16;
        err = read_cases("[[case]]\npath = \"~/.ssh\"\nexpect = \"deny\"\n");
        CHECK(err == CORDON_OK || err == CORDON_E_NOMEM);
    } while (err != CORDON_OK);
}

TEST_MAIN()
