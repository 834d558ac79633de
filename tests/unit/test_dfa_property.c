/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled matcher against its slow twin. Seed: CORDON_SEED, else always the same. */
#include "policy/dfa.h"
#include "tests/support/check.h"
#include "tests/support/corpus.h"
#include "tests/support/naive_match.h"

#define TEXT_MAX 64
#define RULES_MAX 12

struct text {
    char bytes[TEXT_MAX];
    size_t len;
};

/* Few letters, so that patterns and paths meet; whole, cut and wrong UTF-8 among them. */
static const char *const path_bits[] = {"a",
                                        "b",
                                        "A",
                                        ".",
                                        "c",
                                        "\n",
                                        "\xC3\xA9",
                                        "\xC3",
                                        "\xA9",
                                        "\xE2\x82",
                                        "\xE2\x82\xAC",
                                        "\xFF",
                                        "\x80",
                                        "-",
                                        "\xF0\x9F\x98\x80",
                                        "\xF0\x9F",
                                        "]",
                                        "*",
                                        "{",
                                        "\\"};
static const char *const pattern_bits[] = {"a",
                                           "b",
                                           "A",
                                           "*",
                                           "*",
                                           "?",
                                           "?",
                                           "**",
                                           "[a-b]",
                                           "[!a]",
                                           "[]a]",
                                           "[^\n]",
                                           "{a,b}",
                                           "{,a}",
                                           "{a/b,",
                                           "}",
                                           "{*,**}",
                                           "/**/",
                                           ".",
                                           "\xC3\xA9",
                                           "\xC3",
                                           "\xFF",
                                           "[é-ü]",
                                           "\\*",
                                           "\\a",
                                           "[\x80-\xFF]",
                                           "[\\]-]",
                                           "[!\xC3\xA9]",
                                           ",",
                                           "{b,{a,?}}",
                                           "[€-\xF0\x9F\x98\x80]",
                                           "[a-",
                                           "c]",
                                           "/",
                                           "/",
                                           "/**",
                                           "{",
                                           "[",
                                           "\xE2\x82",
                                           "[*-}]"};

#define COUNT(list) (uint32_t)(sizeof(list) / sizeof((list)[0]))

static void add(struct text *text, const char *bit)
{
    const size_t len = strlen(bit);

    if (text->len + len < TEXT_MAX) {
        memcpy(text->bytes + text->len, bit, len);
        text->len += len;
    }
}

static void random_path(struct dice *dice, struct text *path)
{
    const uint32_t components = dice_roll(dice, 5);

    path->len = 0;
    for (uint32_t i = 0; i < components; i++) {
        const uint32_t bits = 1 + dice_roll(dice, 3);

        add(path, "/");
        for (uint32_t j = 0; j < bits; j++) {
            add(path, path_bits[dice_roll(dice, COUNT(path_bits))]);
        }
    }
    if (path->len == 0 || path->bytes[path->len - 1] == '/') {
        path->len = 0;
        add(path, "/");
    }
}

static bool has_dot_component(const struct text *path)
{
    for (size_t i = 0; i + 1 < path->len; i++) {
        if (path->bytes[i] == '/' && path->bytes[i + 1] == '.') {
            return true;
        }
    }
    return false;
}

/* A pattern that glob_check() accepts, or a literal path. */
static bool random_pattern(struct dice *dice, struct text *pattern)
{
    const bool glob = dice_roll(dice, 4) != 0;

    if (!glob) {
        do {
            random_path(dice, pattern);
        } while (has_dot_component(pattern));
        return false;
    }
    do {
        const uint32_t bits = dice_roll(dice, 7);

        pattern->len = 0;
        add(pattern, "/");
        for (uint32_t i = 0; i < bits; i++) {
            add(pattern, pattern_bits[dice_roll(dice, COUNT(pattern_bits))]);
        }
    } while (glob_check(pattern->bytes, pattern->len, NULL) != CORDON_OK);
    return true;
}

static uint64_t seed(void)
{
    const char *given = getenv("CORDON_SEED");
    const uint64_t value = given != NULL ? strtoull(given, NULL, 0) : 20261123;

    (void)printf("seed %llu\n", (unsigned long long)value);
    return value;
}

static void show(const char *what, const char *bytes, size_t len)
{
    (void)fprintf(stderr, "  %s \"", what);
    for (size_t i = 0; i < len; i++) {
        const unsigned byte = (unsigned char)bytes[i];

        (void)fprintf(stderr, byte >= 0x20 && byte < 0x7F ? "%c" : "\\x%02X", byte);
    }
    (void)fprintf(stderr, "\"\n");
}

static size_t random_rules(struct dice *dice, struct text *texts, struct dfa_rule *rules)
{
    const size_t count = 1 + dice_roll(dice, dice_roll(dice, 2) == 0 ? 1 : RULES_MAX);

    for (size_t i = 0; i < count; i++) {
        rules[i].glob = random_pattern(dice, &texts[i]);
        rules[i].pattern = texts[i].bytes;
        rules[i].len = texts[i].len;
        rules[i].cls = rules[i].glob && dice_roll(dice, 4) != 0
                           ? DFA_OVERRIDING
                           : (enum dfa_class)dice_roll(dice, 3);
        /* What a glob among the exact rules counts for is tested by example. */
        if (rules[i].glob && rules[i].cls == DFA_EXACT) {
            rules[i].cls = DFA_LIMITING;
        }
        rules[i].prefer = (uint8_t)dice_roll(dice, 3);
    }
    return count;
}

static void compare(const struct dfa *table, const struct dfa_rule *rules, size_t count, bool fold,
                    const struct text *path)
{
    const uint32_t got = dfa_match(table, path->bytes, path->len);
    const uint32_t want = naive_decide(rules, count, fold, path->bytes, path->len);

    if (got == want) {
        return;
    }
    (void)fprintf(stderr, "  got %d, want %d, fold %d\n", (int)got, (int)want, fold);
    show("path", path->bytes, path->len);
    for (size_t i = 0; i < count; i++) {
        (void)fprintf(stderr, "  %zu: class %d prefer %u glob %d", i, (int)rules[i].cls,
                      rules[i].prefer, rules[i].glob);
        show("", rules[i].pattern, rules[i].len);
    }
    CHECK(got == want);
}

TEST(matches_as_the_naive_matcher_does)
{
    struct dice dice = {seed()};

    for (int round = 0; round < 4000; round++) {
        struct text texts[RULES_MAX];
        struct dfa_rule rules[RULES_MAX];
        const size_t count = random_rules(&dice, texts, rules);
        const bool fold = dice_roll(&dice, 4) == 0;
        struct dfa *table = NULL;
        const struct dfa *checked = NULL;
        uint32_t rule;

        CHECK(dfa_compile(rules, count, DFA_OPTIONS(fold, DFA_BYTES_MAX), &table, &rule, NULL) ==
              CORDON_OK);
        CHECK(dfa_check(table, dfa_size(table), count, &checked) == CORDON_OK);
        for (int i = 0; i < 12; i++) {
            struct text path;

            random_path(&dice, &path);
            compare(table, rules, count, fold, &path);
        }
        dfa_free(table);
    }
}

TEST(feeding_in_pieces_decides_as_matching_at_once)
{
    struct dice dice = {seed() + 1};

    for (int round = 0; round < 1000; round++) {
        struct text texts[RULES_MAX];
        struct dfa_rule rules[RULES_MAX];
        const size_t count = random_rules(&dice, texts, rules);
        struct dfa *table = NULL;
        struct dfa_pos pos;
        struct text path;
        uint32_t rule;

        CHECK(dfa_compile(rules, count, DFA_OPTIONS(false, DFA_BYTES_MAX), &table, &rule, NULL) ==
              CORDON_OK);
        random_path(&dice, &path);
        dfa_start(table, &pos);
        for (size_t at = 0; at < path.len;) {
            const size_t left = path.len - at;
            const size_t piece = dice_roll(&dice, (uint32_t)left + 1);

            dfa_feed(table, &pos, path.bytes + at, piece);
            at += piece;
        }
        CHECK(dfa_rule_at(table, &pos) == dfa_match(table, path.bytes, path.len));
        dfa_free(table);
    }
}

/* Settled: nothing below is decided otherwise. Not settled: no claim, but see test_dfa.c. */
TEST(a_settled_position_holds_for_everything_below)
{
    struct dice dice = {seed() + 2};
    size_t settled = 0;

    for (int round = 0; round < 3000; round++) {
        struct text texts[RULES_MAX];
        struct dfa_rule rules[RULES_MAX];
        const size_t count = random_rules(&dice, texts, rules);
        struct dfa *table = NULL;
        struct dfa_pos pos;
        struct text path;
        struct text below;
        uint32_t here;
        uint32_t rule;

        CHECK(dfa_compile(rules, count, DFA_OPTIONS(false, DFA_BYTES_MAX), &table, &rule, NULL) ==
              CORDON_OK);
        random_path(&dice, &path);
        dfa_start(table, &pos);
        dfa_feed(table, &pos, path.bytes, path.len);
        here = dfa_rule_at(table, &pos);
        if (dfa_settled(table, &pos)) {
            settled++;
            path.len = path.len == 1 ? 0 : path.len;
            for (int i = 0; i < 8; i++) {
                struct text whole = path;

                random_path(&dice, &below);
                below.len = whole.len + below.len < TEXT_MAX && below.len > 1 ? below.len : 0;
                memcpy(whole.bytes + whole.len, below.bytes, below.len);
                whole.len += below.len;
                CHECK(below.len == 0 || dfa_match(table, whole.bytes, whole.len) == here);
            }
        }
        dfa_free(table);
    }
    CHECK(settled > 100);
}

TEST(a_large_corpus_decides_as_the_naive_matcher_does)
{
    for (int kind = 0; kind < (int)CORPUS_KINDS; kind++) {
        struct dice dice = {seed() + 3};
        const size_t count = 600;
        struct dfa_rule *rules = corpus_new(count, (enum corpus_kind)kind, dice_next(&dice));
        struct dfa *table = NULL;
        uint32_t rule;

        CHECK(dfa_compile(rules, count, DFA_OPTIONS(false, DFA_BYTES_MAX), &table, &rule, NULL) ==
              CORDON_OK);
        for (int i = 0; i < 150; i++) {
            char path[512];
            const size_t len = corpus_path(&dice, rules, count, path, sizeof(path));

            CHECK(dfa_match(table, path, len) == naive_decide(rules, count, false, path, len));
        }
        dfa_free(table);
        corpus_free(rules, count);
    }
}

TEST_MAIN()
