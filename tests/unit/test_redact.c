/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/redact.h"
#include "tests/support/check.h"

static const char *redacted(const char *const *patterns, size_t count, const char *text,
                            size_t size)
{
    static char room[128];
    struct redact *redact = NULL;

    CHECK(redact_new(patterns, count, &redact, NULL) == CORDON_OK);
    (void)snprintf(room, sizeof(room), "%s", text);
    redact_text(redact, room, size);
    redact_free(redact);
    return room;
}

TEST(every_match_of_every_pattern_is_replaced)
{
    static const char *const patterns[] = {"token=[^ ]*", "Bearer [A-Za-z0-9]+"};

    CHECK_STR(redacted(patterns, 2, "curl token=a token=b -H Bearer x9 /p", 128),
              "curl [redacted] [redacted] -H [redacted] /p");
    CHECK_STR(redacted(patterns, 2, "curl /p", 128), "curl /p");
    CHECK_STR(redacted(patterns, 2, "", 128), "");
    CHECK_STR(redacted(patterns, 0, "token=a", 128), "token=a");
}

TEST(an_anchor_means_the_beginning_of_the_text)
{
    static const char *const patterns[] = {"^a"};

    CHECK_STR(redacted(patterns, 1, "aab", 128), "[redacted]ab");
}

TEST(a_pattern_that_matches_nothing_in_particular_ends)
{
    static const char *const patterns[] = {"x*"};

    CHECK_STR(redacted(patterns, 1, "axxb", 128), "a[redacted]b");
}

TEST(what_does_not_fit_is_cut_off)
{
    static const char *const patterns[] = {"a"};

    CHECK_STR(redacted(patterns, 1, "aaa", 16), "[redacted][reda");
}

TEST(what_is_no_expression_is_named)
{
    static const char *const patterns[] = {"a", "(b"};
    static const char *many[REDACT_PATTERNS_MAX + 1];
    struct cordon_fault fault = {.err = CORDON_OK};
    struct redact *redact = NULL;

    CHECK(redact_new(patterns, 2, &redact, &fault) == CORDON_E_INVALID && redact == NULL);
    CHECK(strstr(fault.text, "\"(b\"") != NULL);
    for (size_t i = 0; i < REDACT_PATTERNS_MAX + 1; i++) {
        many[i] = "a";
    }
    CHECK(redact_new(many, REDACT_PATTERNS_MAX + 1, &redact, &fault) == CORDON_E_LIMIT);
    redact_text(NULL, NULL, 0);
}

TEST_MAIN()
