/* SPDX-License-Identifier: Apache-2.0 */
/* Which rule decides, walking in steps, limits. */
#include "policy/dfa.h"
#include "policy/dfa_format.h"
#include "tests/support/check.h"
#include "tests/support/corpus.h"

#define EXACT(path, prefer)                                                                        \
    {                                                                                              \
        path, sizeof(path) - 1, false, DFA_EXACT, prefer                                           \
    }
#define GLOB(pattern, cls)                                                                         \
    {                                                                                              \
        pattern, sizeof(pattern) - 1, true, cls, 0                                                 \
    }
#define COUNT(list) (sizeof(list) / sizeof((list)[0]))

static struct dfa *compile(const struct dfa_rule *rules, size_t count)
{
    struct dfa *table = NULL;
    uint32_t rule;

    CHECK(dfa_compile(rules, count, DFA_OPTIONS(false, DFA_BYTES_MAX), &table, &rule, NULL) ==
          CORDON_OK);
    return table;
}

static uint32_t match(const struct dfa *table, const char *path)
{
    return dfa_match(table, path, strlen(path));
}

static bool settled_at(const struct dfa *table, const char *path)
{
    struct dfa_pos pos;

    dfa_start(table, &pos);
    dfa_feed(table, &pos, path, strlen(path));
    return dfa_settled(table, &pos);
}

static uint32_t parts_of(const struct dfa *table)
{
    uint32_t parts = 0;

    while (parts < DFA_PARTS && table->part[parts].states > 0) {
        parts++;
    }
    return parts;
}

TEST(no_rules_decide_nothing)
{
    struct dfa *table = compile(NULL, 0);

    CHECK(match(table, "/a") == DFA_NO_RULE);
    CHECK(settled_at(table, "/"));
    dfa_free(table);
    dfa_free(NULL);
}

TEST(the_longest_exact_path_wins)
{
    static const struct dfa_rule rules[] = {EXACT("/", 0), EXACT("/a", 0), EXACT("/a/b/c", 0),
                                            EXACT("/a/b", 9)};
    struct dfa *table = compile(rules, COUNT(rules));

    CHECK(match(table, "/") == 0);
    CHECK(match(table, "/x/y") == 0);
    CHECK(match(table, "/a") == 1);
    CHECK(match(table, "/ab") == 0);
    CHECK(match(table, "/a/b/d") == 3);
    CHECK(match(table, "/a/b/c/d") == 2);
    dfa_free(table);
}

TEST(equal_paths_go_by_preference_then_by_the_lower_id)
{
    static const struct dfa_rule rules[] = {EXACT("/a", 1), EXACT("/a", 2), EXACT("/a", 2),
                                            EXACT("/b", 0), EXACT("/b", 0)};
    struct dfa *table = compile(rules, COUNT(rules));

    CHECK(match(table, "/a/x") == 1);
    CHECK(match(table, "/b") == 3);
    dfa_free(table);
}

TEST(an_overriding_rule_beats_a_longer_exact_one)
{
    static const struct dfa_rule rules[] = {EXACT("/a/b.key/c/d", 0),
                                            GLOB("/**/*.key", DFA_OVERRIDING)};
    struct dfa *table = compile(rules, COUNT(rules));

    CHECK(match(table, "/a/b.key/c/d") == 1);
    CHECK(match(table, "/a/b.key/c/d/e") == 1);
    CHECK(match(table, "/a/b") == DFA_NO_RULE);
    dfa_free(table);
}

TEST(of_overriding_rules_the_lowest_id_wins_wherever_it_matched)
{
    static const struct dfa_rule rules[] = {GLOB("/**/inner", DFA_OVERRIDING),
                                            GLOB("/outer/**", DFA_OVERRIDING),
                                            GLOB("/**/outer", DFA_OVERRIDING)};
    struct dfa *table = compile(rules, COUNT(rules));

    CHECK(match(table, "/outer") == 2);
    CHECK(match(table, "/outer/x") == 1);
    CHECK(match(table, "/outer/x/inner/y") == 0);
    CHECK(match(table, "/inner/outer/x") == 0);
    CHECK(match(table, "/x/outer/x") == 2);
    dfa_free(table);
}

TEST(classes_rank_above_ids)
{
    static const struct dfa_rule rules[] = {GLOB("/**/x", DFA_LIMITING), EXACT("/x/y/z", 3),
                                            GLOB("/**/y", DFA_OVERRIDING),
                                            GLOB("/**/y", DFA_LIMITING)};
    struct dfa *table = compile(rules, COUNT(rules));

    CHECK(match(table, "/x/z") == 0);
    CHECK(match(table, "/x/y/z") == 2);
    dfa_free(table);
}

TEST(a_literal_rule_may_override_too)
{
    static const struct dfa_rule rules[] = {EXACT("/a/b/c", 0),
                                            {"/a", 2, false, DFA_OVERRIDING, 0}};
    struct dfa *table = compile(rules, COUNT(rules));

    CHECK(match(table, "/a/b/c") == 1);
    dfa_free(table);
}

TEST(a_glob_among_exact_rules_counts_its_components)
{
    static const struct dfa_rule rules[] = {EXACT("/a/b", 0), GLOB("/a/**/c", DFA_EXACT),
                                            GLOB("/{a,a/x}/d/*", DFA_EXACT), EXACT("/a/x/d", 0),
                                            GLOB("/a/b/*/e", DFA_EXACT)};
    struct dfa *table = compile(rules, COUNT(rules));

    /* Two components each: the lower id. */
    CHECK(match(table, "/a/b/x/c") == 0);
    CHECK(match(table, "/a/q/c") == 1);
    /* The shorter spelling has three components, as many as the exact path. */
    CHECK(match(table, "/a/x/d/y") == 2);
    CHECK(match(table, "/a/b/c/e") == 4);
    dfa_free(table);
}

TEST(literal_patterns_are_taken_as_they_are)
{
    static const struct dfa_rule rules[] = {EXACT("/a*[b]{c,d}\\?", 0), EXACT("/\xFF\n", 0)};
    struct dfa *table = compile(rules, COUNT(rules));

    CHECK(match(table, "/a*[b]{c,d}\\?") == 0);
    CHECK(match(table, "/aab") == DFA_NO_RULE);
    CHECK(match(table, "/\xFF\n/x") == 1);
    dfa_free(table);
}

TEST(a_trailing_or_doubled_slash_changes_nothing)
{
    static const struct dfa_rule rules[] = {EXACT("/a/b", 0), GLOB("/a/*/d", DFA_OVERRIDING),
                                            GLOB("/x/?[ab]/**/y", DFA_OVERRIDING)};
    struct dfa *table = compile(rules, COUNT(rules));

    CHECK(match(table, "/a/b/") == 0);
    CHECK(match(table, "//a//b") == 0);
    CHECK(match(table, "/a//c//d/") == 1);
    CHECK(match(table, "//x//zb///y") == 2);
    dfa_free(table);
}

TEST(settled_only_where_nothing_below_differs)
{
    static const struct dfa_rule rules[] = {EXACT("/a", 0), EXACT("/a/b/c", 0),
                                            GLOB("/s/*.d/**", DFA_OVERRIDING)};
    struct dfa *table = compile(rules, COUNT(rules));

    CHECK(!settled_at(table, ""));
    CHECK(!settled_at(table, "/"));
    CHECK(!settled_at(table, "/a"));
    CHECK(!settled_at(table, "/a/b"));
    CHECK(settled_at(table, "/a/b/c"));
    CHECK(settled_at(table, "/a/x"));
    CHECK(settled_at(table, "/x"));
    CHECK(!settled_at(table, "/s"));
    CHECK(settled_at(table, "/s/x"));
    CHECK(!settled_at(table, "/s/x.d"));
    CHECK(settled_at(table, "/s/x.d/e"));
    dfa_free(table);
}

TEST(a_weaker_rule_below_does_not_unsettle)
{
    static const struct dfa_rule rules[] = {GLOB("/a/**", DFA_OVERRIDING),
                                            GLOB("/**/*.key", DFA_OVERRIDING), EXACT("/a/b/c", 0)};
    struct dfa *table = compile(rules, COUNT(rules));

    CHECK(settled_at(table, "/a/b"));
    CHECK(!settled_at(table, "/b"));
    dfa_free(table);
}

TEST(a_position_can_be_kept_and_walked_on_from)
{
    static const struct dfa_rule rules[] = {EXACT("/home/a", 0), GLOB("/**/.env", DFA_OVERRIDING)};
    struct dfa *table = compile(rules, COUNT(rules));
    struct dfa_pos home;
    struct dfa_pos pos;

    dfa_start(table, &home);
    dfa_feed(table, &home, "/home", 5);
    CHECK(dfa_rule_at(table, &home) == DFA_NO_RULE);
    pos = home;
    dfa_feed(table, &pos, "/a", 2);
    CHECK(dfa_rule_at(table, &pos) == 0);
    dfa_feed(table, &pos, "", 0);
    dfa_feed(table, &pos, "/.e", 3);
    dfa_feed(table, &pos, "nv", 2);
    CHECK(dfa_rule_at(table, &pos) == 1);
    pos = home;
    dfa_feed(table, &pos, "/b", 2);
    CHECK(dfa_rule_at(table, &pos) == DFA_NO_RULE);
    dfa_free(table);
}

TEST(a_small_set_is_one_minimal_automaton)
{
    static const struct dfa_rule rules[] = {
        GLOB("/**/.env", DFA_OVERRIDING),     GLOB("/**/*.pem", DFA_OVERRIDING),
        GLOB("/**/*.key", DFA_OVERRIDING),    GLOB("/home/*/.ssh/**", DFA_OVERRIDING),
        GLOB("/**/id_rsa*", DFA_OVERRIDING),  EXACT("/home/anna/.aws", 0),
        GLOB("/**/secrets/**", DFA_LIMITING), EXACT("/", 0)};
    struct dfa *table = compile(rules, COUNT(rules));

    CHECK(parts_of(table) == 1);
    CHECK(table->part[0].states < 300);
    CHECK(match(table, "/home/x/.ssh/id") == 3);
    CHECK(match(table, "/a/secrets/x") == 6);
    CHECK(match(table, "/a/secrets") == 7);
    dfa_free(table);
}

TEST(equal_states_are_merged)
{
    static const struct dfa_rule folded[] = {GLOB("/{aa,ab,ba,bb}xyz", DFA_OVERRIDING)};
    static const struct dfa_rule classes[] = {GLOB("/[ab][ab]xyz", DFA_OVERRIDING)};
    struct dfa *a = compile(folded, 1);
    struct dfa *b = compile(classes, 1);

    CHECK(a->part[0].states == b->part[0].states);
    dfa_free(a);
    dfa_free(b);
}

TEST(a_rule_of_an_unknown_class_is_refused)
{
    const struct dfa_rule rules[] = {EXACT("/a", 0), {"/b", 2, false, (enum dfa_class)7, 0}};
    struct dfa *table = NULL;
    uint32_t rule = 0;

    CHECK(dfa_compile(rules, 2, DFA_OPTIONS(false, DFA_BYTES_MAX), &table, &rule, NULL) ==
          CORDON_E_INVALID);
    CHECK(rule == 1 && table == NULL);
}

TEST(bad_literal_patterns_are_refused)
{
    const struct dfa_rule rules[] = {EXACT("/a/../b", 0)};
    const struct dfa_rule glob[] = {GLOB("/a[", DFA_EXACT)};
    struct dfa *table = NULL;
    uint32_t rule = 7;

    CHECK(dfa_compile(rules, 1, DFA_OPTIONS(false, DFA_BYTES_MAX), &table, &rule, NULL) ==
          CORDON_E_INVALID);
    CHECK(rule == 0);
    CHECK(dfa_compile(glob, 1, DFA_OPTIONS(false, DFA_BYTES_MAX), &table, &rule, NULL) ==
          CORDON_E_INVALID);
}

/* Compiles rules that must not fit; the rule blamed. */
static uint32_t blamed(const struct dfa_rule *rules, size_t count, size_t max_bytes)
{
    struct cordon_fault fault;
    struct dfa *table = NULL;
    uint32_t rule = UINT32_MAX;

    CHECK(dfa_compile(rules, count, DFA_OPTIONS(false, max_bytes), &table, &rule, &fault) ==
          CORDON_E_LIMIT);
    CHECK(table == NULL && fault.err == CORDON_E_LIMIT && strstr(fault.text, "bytes") != NULL);
    return rule;
}

TEST(an_explosion_is_refused_and_named)
{
    static const struct dfa_rule rules[] = {
        GLOB("/**/*.env", DFA_OVERRIDING), EXACT("/a", 0), GLOB("/srv/**/*.key", DFA_OVERRIDING),
        GLOB("/**/*a??????????????????????", DFA_OVERRIDING), GLOB("/**/z", DFA_OVERRIDING)};
    static const struct dfa_rule doubling[] = {
        GLOB("/**/*.env", DFA_OVERRIDING),
        GLOB("/a/**/*b[cd][ce][cf][cg][ch][ci]*x", DFA_OVERRIDING),
        GLOB("/**/*b[!c][!d][!e][!f][!g][!h][!i][!j][!k][!l][!m][!n][!o][!p][!q][!r][!s]",
             DFA_OVERRIDING)};

    CHECK(blamed(rules, COUNT(rules), 4U << 20U) == 3);
    CHECK(blamed(doubling, COUNT(doubling), 1U << 20U) == 2);
}

TEST(literal_rules_that_pass_the_cap_are_named)
{
    struct dfa_rule *rules = corpus_new(2000, CORPUS_ROOT, 1);
    uint32_t rule;

    for (size_t i = 0; i < 2000; i++) {
        rules[i].glob = false;
    }
    rule = blamed(rules, 2000, 256U << 10U);
    CHECK(rule > 50 && rule < 1000);
    corpus_free(rules, 2000);
}

TEST(globs_that_pass_the_cap_are_named)
{
    struct dfa_rule *rules = corpus_new(2000, CORPUS_ROOT, 1);
    struct dfa *table = NULL;
    uint32_t rule;
    size_t globs = 0;

    for (size_t i = 0; i < 2000; i++) {
        if (rules[i].glob) {
            const struct dfa_rule swap = rules[globs];

            rules[globs++] = rules[i];
            rules[i] = swap;
        }
    }
    rule = blamed(rules, globs, 16U << 10U);
    CHECK(rule > 10 && rule < globs);
    rule = blamed(rules, globs, 128U << 10U);
    CHECK(rule < globs);
    CHECK(dfa_compile(rules, globs, DFA_OPTIONS(false, DFA_BYTES_MAX), &table, &rule, NULL) ==
          CORDON_OK);
    /* Too small by one byte is too small. */
    (void)blamed(rules, globs, dfa_size(table) - 1);
    dfa_free(table);
    corpus_free(rules, 2000);
}

TEST(a_cap_below_the_header_is_refused)
{
    const struct dfa_rule rules[] = {EXACT("/a", 0)};

    CHECK(blamed(rules, 1, 100) == 0);
    CHECK(blamed(NULL, 0, 100) == 0);
}

TEST(braces_of_the_whole_set_are_bounded)
{
    static const char pattern[] = "/{a,a}{a,a}{a,a}{a,a}{a,a}{a,a}{a,a}{a,a}{a,a}{a,a}{a,a}{a,a}";
    struct dfa_rule rules[400];

    for (int cls = DFA_EXACT; cls <= (int)DFA_OVERRIDING; cls++) {
        for (size_t i = 0; i < COUNT(rules); i++) {
            rules[i] =
                (struct dfa_rule){pattern, sizeof(pattern) - 1, true, (enum dfa_class)cls, 0};
        }
        CHECK(blamed(rules, COUNT(rules), DFA_BYTES_MAX) == 256);
    }
}

TEST(large_sets_stay_small)
{
    for (int kind = 0; kind < (int)CORPUS_KINDS; kind++) {
        struct dfa_rule *rules = corpus_new(1000, (enum corpus_kind)kind, 7);
        struct dfa *table = compile(rules, 1000);

        CHECK(dfa_size(table) <= 2U << 20U);
        dfa_free(table);
        corpus_free(rules, 1000);
        rules = corpus_new(10000, (enum corpus_kind)kind, 8);
        table = compile(rules, 10000);
        CHECK(dfa_size(table) <= 16U << 20U);
        dfa_free(table);
        corpus_free(rules, 10000);
    }
}

TEST(rules_that_remember_what_they_passed_are_spread)
{
    static char patterns[24][40];
    struct dfa_rule rules[24];
    struct dfa *table;

    for (int i = 0; i < 24; i++) {
        (void)snprintf(patterns[i], sizeof(patterns[i]), "%s/**/d%c/**/f%c", i % 2 ? "/srv/x" : "",
                       'a' + i, 'a' + i);
        rules[i] = (struct dfa_rule){patterns[i], strlen(patterns[i]), true, DFA_OVERRIDING, 0};
    }
    table = compile(rules, 24);
    CHECK(parts_of(table) == 3);
    CHECK(match(table, "/dc/x/fc/y") == 2);
    CHECK(match(table, "/srv/x/de/dd/fd/fe") == 3);
    dfa_free(table);
}

TEST_MAIN()
