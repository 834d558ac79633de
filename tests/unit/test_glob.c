/* SPDX-License-Identifier: Apache-2.0 */
/* The pattern language, one rule a test, through the matcher and its slow twin. */
#include "policy/dfa.h"
#include "tests/support/check.h"
#include "tests/support/naive_match.h"

/* Does the one rule @pattern cover @path? Both matchers must say the same. */
static bool covers_text(const char *pattern, size_t len, bool fold, const char *path)
{
    const struct dfa_rule rule = {pattern, len, true, DFA_OVERRIDING, 0};
    struct dfa *table = NULL;
    struct cordon_fault fault;
    uint32_t id;
    uint32_t found;

    if (dfa_compile(&rule, 1, DFA_OPTIONS(fold, DFA_BYTES_MAX), &table, &id, &fault) != CORDON_OK) {
        (void)fprintf(stderr, "  %s: %s\n", pattern, fault.text);
        CHECK(false);
    }
    found = dfa_match(table, path, strlen(path));
    dfa_free(table);
    CHECK(found == naive_decide(&rule, 1, fold, path, strlen(path)));
    return found == 0;
}

static bool covers(const char *pattern, const char *path)
{
    return covers_text(pattern, strlen(pattern), false, path);
}

static bool covers_folded(const char *pattern, const char *path)
{
    return covers_text(pattern, strlen(pattern), true, path);
}

/* Is @pattern refused, with @reason in the text? */
static bool refused_text(const char *pattern, size_t len, const char *reason)
{
    const struct dfa_rule rules[] = {{"/fine", 5, true, DFA_OVERRIDING, 0},
                                     {pattern, len, true, DFA_OVERRIDING, 0}};
    struct dfa *table = NULL;
    struct cordon_fault fault;
    uint32_t id = 0;

    if (glob_check(pattern, len, &fault) != CORDON_E_INVALID ||
        strstr(fault.text, reason) == NULL) {
        return false;
    }
    return dfa_compile(rules, 2, DFA_OPTIONS(false, DFA_BYTES_MAX), &table, &id, &fault) ==
               CORDON_E_INVALID &&
           id == 1 && strstr(fault.text, reason) != NULL && table == NULL;
}

static bool refused(const char *pattern, const char *reason)
{
    return refused_text(pattern, strlen(pattern), reason);
}

TEST(a_pattern_without_signs_matches_itself_and_what_is_below)
{
    CHECK(covers("/a/b", "/a/b"));
    CHECK(covers("/a/b", "/a/b/c/d"));
    CHECK(!covers("/a/b", "/a/bc"));
    CHECK(!covers("/a/b", "/a"));
    CHECK(!covers("/a/b", "/x/a/b"));
}

TEST(root_covers_everything)
{
    CHECK(covers("/", "/"));
    CHECK(covers("/", "/a/b"));
    CHECK(covers("///", "/a"));
}

TEST(star_stays_in_one_component)
{
    CHECK(covers("/a/*.c", "/a/x.c"));
    CHECK(covers("/a/*.c", "/a/.c"));
    CHECK(!covers("/a/*.c", "/a/b/x.c"));
    CHECK(covers("/a*b*c", "/aXbYc"));
    CHECK(!covers("/a*b*c", "/aXbY"));
}

TEST(star_matches_a_leading_dot)
{
    CHECK(covers("/a/*", "/a/.env"));
    CHECK(covers("/a/?env", "/a/.env"));
    CHECK(covers("/a/[.]env", "/a/.env"));
}

TEST(star_alone_does_not_match_the_empty_component)
{
    CHECK(!covers("/*", "/"));
    CHECK(!covers("/a/*", "/a"));
    CHECK(!covers("/a/***", "/a"));
    CHECK(covers("/a/***", "/a/b"));
}

TEST(two_stars_are_any_depth_and_none)
{
    CHECK(covers("/a/**/b", "/a/b"));
    CHECK(covers("/a/**/b", "/a/x/b"));
    CHECK(covers("/a/**/b", "/a/x/y/b/z"));
    CHECK(!covers("/a/**/b", "/a/xb"));
    CHECK(!covers("/a/**/b", "/ab"));
    CHECK(covers("/**/b", "/b"));
    CHECK(covers("/a/**/**/b", "/a/b"));
}

TEST(trailing_two_stars_cover_what_is_below_and_not_the_directory)
{
    CHECK(covers("/a/**", "/a/b"));
    CHECK(covers("/a/**", "/a/b/c"));
    CHECK(!covers("/a/**", "/a"));
    CHECK(!covers("/a/**/**", "/a"));
    CHECK(covers("/a/**/**", "/a/b"));
    CHECK(!covers("/**", "/"));
    CHECK(covers("/**", "/a"));
}

TEST(two_stars_within_a_component_are_one)
{
    CHECK(covers("/a/b**", "/a/bcd"));
    CHECK(covers("/a/b**c", "/a/bc"));
    CHECK(!covers("/a/b**c", "/a/b/c"));
    CHECK(!covers("/a/**b", "/a/x/b"));
}

TEST(question_mark_is_one_character)
{
    CHECK(covers("/?", "/a"));
    CHECK(!covers("/?", "/ab"));
    CHECK(!covers("/?", "/"));
    CHECK(!covers("/a?b", "/a/b"));
    CHECK(covers("/?", "/\n"));
}

TEST(question_mark_takes_a_well_formed_character_whole)
{
    CHECK(covers("/?", "/\xC3\xA9"));
    CHECK(covers("/?", "/\xE2\x82\xAC"));
    CHECK(covers("/?", "/\xF0\x9F\x98\x80"));
    CHECK(!covers("/??", "/\xC3\xA9"));
    CHECK(!covers("/???", "/\xE2\x82\xAC"));
    CHECK(!covers("/????", "/\xF0\x9F\x98\x80"));
    CHECK(covers("/??", "/\xC3\xA9\xC3\xA9"));
}

TEST(question_mark_takes_other_bytes_one_by_one)
{
    CHECK(covers("/?", "/\xFF"));
    CHECK(covers("/?", "/\x80"));
    CHECK(covers("/?", "/\xC3"));
    CHECK(covers("/??", "/\xC3z"));
    CHECK(!covers("/?", "/\xE2\x82"));
    CHECK(covers("/??", "/\xE2\x82"));
    CHECK(covers("/???", "/\xE2\x82z"));
    /* Overlong, surrogate, beyond the last code point: not well-formed. */
    CHECK(covers("/??", "/\xC0\xAF"));
    CHECK(covers("/???", "/\xE0\x80\xAF"));
    CHECK(covers("/???", "/\xED\xA0\x80"));
    CHECK(covers("/????", "/\xF4\x90\x80\x80"));
    CHECK(covers("/????", "/\xF0\x8F\x80\x80"));
}

TEST(a_class_is_one_of_its_members)
{
    CHECK(covers("/[abc]", "/b"));
    CHECK(!covers("/[abc]", "/d"));
    CHECK(covers("/[a-c]x", "/bx"));
    CHECK(!covers("/[a-c]x", "/dx"));
    CHECK(covers("/[a-]", "/-"));
    CHECK(covers("/[-a]", "/-"));
    CHECK(covers("/[a-cx-z]", "/y"));
    CHECK(!covers("/[a-c]", "/ab"));
}

TEST(a_class_is_negated_by_either_sign)
{
    CHECK(covers("/[!a]", "/b"));
    CHECK(!covers("/[!a]", "/a"));
    CHECK(covers("/[^a]", "/b"));
    CHECK(!covers("/[^a]", "/a"));
    CHECK(covers("/[a^]", "/^"));
    CHECK(covers("/[!a]", "/\xC3\xA9"));
    CHECK(!covers("/[!a][!a]", "/\xC3\xA9"));
    CHECK(covers("/[!a]", "/\xFF"));
}

TEST(a_bracket_comes_first_in_a_class)
{
    CHECK(covers("/[]]", "/]"));
    CHECK(covers("/[]a]", "/a"));
    CHECK(!covers("/[!]]", "/]"));
    CHECK(covers("/[!]]", "/a"));
    CHECK(covers("/a]", "/a]"));
}

TEST(a_class_escapes_too)
{
    CHECK(covers("/[\\]]", "/]"));
    CHECK(covers("/[a\\-z]", "/-"));
    CHECK(!covers("/[a\\-z]", "/m"));
    CHECK(covers("/[\\\\]", "/\\"));
    CHECK(covers("/[a-\\c]", "/b"));
}

TEST(a_class_never_matches_a_slash)
{
    CHECK(!covers("/a[!x]b", "/a/b"));
    CHECK(!covers("/a[+-9]b", "/a/b"));
    CHECK(covers("/a[+-9]b", "/a0b"));
    CHECK(covers("/a[+-9]b", "/a.b"));
    CHECK(!covers("/a[/x]b", "/a/b"));
    CHECK(covers("/a[/x]b", "/axb"));
    CHECK(covers("/a[--/]b", "/a.b"));
    CHECK(covers("/a[/-0]b", "/a0b"));
    CHECK(!covers("/a[/-0]b", "/a/b"));
}

TEST(class_ranges_go_by_code_point)
{
    CHECK(covers("/[\xC3\xA0-\xC3\xBC]", "/\xC3\xA9"));
    CHECK(!covers("/[\xC3\xA0-\xC3\xBC]", "/\xC3\xBF"));
    CHECK(covers("/[a-\xE2\x82\xAC]", "/\xC3\xA9"));
    CHECK(covers("/[a-\xF0\x9F\x98\x80]", "/\xF0\x9F\x98\x80"));
    CHECK(!covers("/[a-\xF0\x9F\x98\x80]", "/\xF0\x9F\x98\x81"));
    CHECK(covers("/[\xED\x9F\xBF-\xEE\x80\x80]", "/\xEE\x80\x80"));
    CHECK(covers("/[\xF0-\xFF]", "/\xFF"));
    CHECK(!covers("/[\xF0-\xFF]", "/\xF0\x9F\x98\x80"));
}

TEST(braces_are_alternatives)
{
    CHECK(covers("/{a,b}", "/a"));
    CHECK(covers("/{a,b}", "/b"));
    CHECK(!covers("/{a,b}", "/c"));
    CHECK(covers("/x.{pem,k?y,*~}", "/x.kay"));
    CHECK(covers("/x.{pem,k?y,*~}", "/x.~"));
    CHECK(covers("/x{,y}", "/x"));
    CHECK(covers("/x{}y", "/xy"));
    CHECK(covers("/x{a}y", "/xay"));
}

TEST(braces_nest)
{
    CHECK(covers("/{a,b{c,d{e,f}}}", "/a"));
    CHECK(covers("/{a,b{c,d{e,f}}}", "/bc"));
    CHECK(covers("/{a,b{c,d{e,f}}}", "/bdf"));
    CHECK(!covers("/{a,b{c,d{e,f}}}", "/b"));
    CHECK(covers("/{a,b}{c,d}", "/bc"));
    CHECK(covers("/{a{b,c}d,e}{f,g}", "/acdg"));
    CHECK(covers("/{{{{{{{{a,b}}}}}}}}", "/b"));
}

TEST(braces_span_components)
{
    CHECK(covers("/a/{b/c,d}/e", "/a/b/c/e"));
    CHECK(covers("/a/{b/c,d}/e", "/a/d/e"));
    CHECK(covers("/a/{,b}/c", "/a/c"));
    CHECK(covers("/a{/b,/c}", "/a/c"));
    CHECK(covers("/a/{**,x}/b", "/a/y/z/b"));
    CHECK(covers("/a{/**,}/b", "/a/b"));
}

TEST(braces_leave_classes_and_escapes_alone)
{
    CHECK(covers("/{[,],a}", "/,"));
    CHECK(covers("/{[}],a}", "/}"));
    CHECK(covers("/{\\,,a}", "/,"));
    CHECK(covers("/{\\},a}", "/}"));
    CHECK(covers("/\\{a,b}", "/{a,b}"));
    CHECK(covers("/a,b}", "/a,b}"));
}

TEST(backslash_escapes_the_next_byte)
{
    CHECK(covers("/\\*", "/*"));
    CHECK(!covers("/\\*", "/a"));
    CHECK(covers("/\\?\\[\\\\", "/?[\\"));
    CHECK(covers("/\\a", "/a"));
    CHECK(!covers("/\\**", "/b"));
    CHECK(covers("/\\**", "/*b"));
    CHECK(covers("/a/\\*\\*/b", "/a/**/b"));
    CHECK(!covers("/a/\\*\\*/b", "/a/b"));
}

TEST(case_is_folded_for_ascii_only)
{
    CHECK(!covers("/Abc", "/aBC"));
    CHECK(covers_folded("/Abc", "/aBC"));
    CHECK(covers_folded("/[a-c]", "/B"));
    CHECK(covers_folded("/[A-C]", "/b"));
    CHECK(!covers_folded("/[!b]", "/B"));
    CHECK(covers_folded("/*.KEY", "/x.key"));
    CHECK(!covers_folded("/\xC3\xA9", "/\xC3\x89"));
    CHECK(covers_folded("/[Z-a]", "/_"));
    CHECK(covers_folded("/[Z-a]", "/z"));
}

TEST(empty_components_vanish)
{
    CHECK(covers("/a//b/", "/a/b"));
    CHECK(covers("/a/*//", "/a/b"));
}

TEST(bad_patterns_are_refused_with_the_reason)
{
    CHECK(refused("", "empty"));
    CHECK(refused("a/b", "does not start with '/'"));
    CHECK(refused("**/a", "does not start with '/'"));
    CHECK(refused("/a[bc", "'[' that is never closed at byte 3"));
    CHECK(refused("/a[", "never closed"));
    CHECK(refused("/a[]", "never closed"));
    CHECK(refused("/a[!", "never closed"));
    CHECK(refused("/a[b-", "never closed"));
    CHECK(refused("/a[b\\", "never closed"));
    CHECK(refused("/a[b-\\", "never closed"));
    CHECK(refused("/a{b,c", "'{' that is never closed at byte 3"));
    CHECK(refused("/a{b,{c}", "never closed"));
    CHECK(refused("/a\\", "nothing to escape at byte 3"));
    CHECK(refused("/[z-a]", "ends before it begins"));
    CHECK(refused("/[a-\xFF]", "ends before it begins"));
    CHECK(refused("/[/]", "matches nothing"));
    CHECK(refused("/{{{{{{{{{a}}}}}}}}}", "nested deeper than 8"));
    CHECK(refused("/a/./b*", "no normalised path"));
    CHECK(refused("/a/{..,b}", "no normalised path"));
    CHECK(refused_text("/a\0b", 4, "NUL"));
}

TEST(dots_that_are_no_whole_component_are_fine)
{
    CHECK(covers("/...", "/..."));
    CHECK(covers("/.a", "/.a"));
    CHECK(covers("/.*", "/.a"));
    CHECK(covers("/a.", "/a."));
}

TEST(patterns_have_a_longest_length)
{
    static char pattern[4097];

    memset(pattern, 'a', sizeof(pattern));
    pattern[0] = '/';
    CHECK(glob_check(pattern, 4096, NULL) == CORDON_OK);
    CHECK(refused_text(pattern, 4097, "longer than 4096"));
    memset(pattern + 1, '*', 4095);
    CHECK(covers_text(pattern, 4096, false, "/b"));
    for (size_t i = 0; i < 4096; i++) {
        pattern[i] = i % 2 == 0 ? '/' : '*';
    }
    CHECK(glob_check(pattern, 4096, NULL) == CORDON_OK);
}

TEST(braces_that_stand_for_too_many_patterns_are_refused)
{
    char pattern[128] = "/";

    for (int i = 0; i < 12; i++) {
        (void)strcat(pattern, "{a,b}");
    }
    CHECK(glob_check(pattern, strlen(pattern), NULL) == CORDON_OK);
    CHECK(covers(pattern, "/abababababab"));
    (void)strcat(pattern, "{a,b}");
    CHECK(refused(pattern, "more than 4096 patterns"));
    for (int i = 0; i < 8; i++) {
        (void)strcat(pattern, "{a,b}");
    }
    CHECK(refused(pattern, "more than 4096 patterns"));
}

TEST(many_sets_in_one_rule_set_are_told_apart)
{
    static char patterns[600][16];
    static struct dfa_rule rules[600];
    struct dfa *table = NULL;
    uint32_t rule;

    for (unsigned i = 0; i < 600; i++) {
        (void)snprintf(patterns[i], sizeof(patterns[i]), "/%u[%c%c]", i, 'a' + (int)(i % 26),
                       'A' + (int)(i / 26));
        rules[i] = (struct dfa_rule){patterns[i], strlen(patterns[i]), true, DFA_OVERRIDING, 0};
    }
    CHECK(dfa_compile(rules, 600, DFA_OPTIONS(false, DFA_BYTES_MAX), &table, &rule, NULL) ==
          CORDON_OK);
    CHECK(dfa_match(table, "/27b", 4) == 27);
    CHECK(dfa_match(table, "/27B", 4) == 27);
    CHECK(dfa_match(table, "/27c", 4) == DFA_NO_RULE);
    CHECK(dfa_match(table, "/599b", 5) == 599);
    dfa_free(table);
}

TEST_MAIN()
