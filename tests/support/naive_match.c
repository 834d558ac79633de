/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/naive_match.h"

#include <stdlib.h>
#include <string.h>

/* A byte string, not owned. */
struct span {
    const unsigned char *at;
    size_t len;
};

static struct span rest(struct span text, size_t count)
{
    return (struct span){text.at + count, text.len - count};
}

static struct span first(struct span text, size_t count)
{
    return (struct span){text.at, count};
}

static unsigned lower(unsigned byte, bool fold)
{
    return fold && byte >= 'A' && byte <= 'Z' ? byte + 32U : byte;
}

/* RFC 3629, section 4, as written there. Bytes of the character at @text, or 0. */
static size_t utf8_len(struct span text)
{
    unsigned b[4] = {0, 0, 0, 0};

    for (size_t i = 0; i < 4 && i < text.len; i++) {
        b[i] = text.at[i];
    }
#define TAIL(i) (b[i] >= 0x80 && b[i] <= 0xBF)
    if (b[0] <= 0x7F) {
        return 1;
    }
    if (b[0] >= 0xC2 && b[0] <= 0xDF && TAIL(1)) {
        return 2;
    }
    if ((b[0] == 0xE0 && b[1] >= 0xA0 && b[1] <= 0xBF && TAIL(2)) ||
        (b[0] >= 0xE1 && b[0] <= 0xEC && TAIL(1) && TAIL(2)) ||
        (b[0] == 0xED && b[1] >= 0x80 && b[1] <= 0x9F && TAIL(2)) ||
        (b[0] >= 0xEE && b[0] <= 0xEF && TAIL(1) && TAIL(2))) {
        return 3;
    }
    if ((b[0] == 0xF0 && b[1] >= 0x90 && b[1] <= 0xBF && TAIL(2) && TAIL(3)) ||
        (b[0] >= 0xF1 && b[0] <= 0xF3 && TAIL(1) && TAIL(2) && TAIL(3)) ||
        (b[0] == 0xF4 && b[1] >= 0x80 && b[1] <= 0x8F && TAIL(2) && TAIL(3))) {
        return 4;
    }
#undef TAIL
    return 0;
}

/* One character: a number that is equal for equal ones and orders like code points. */
static unsigned long character(struct span text, size_t *ret_len)
{
    size_t len = utf8_len(text);
    unsigned long number = len == 0 ? 0xFF000000UL : 0;

    *ret_len = len == 0 ? 1 : len;
    for (size_t i = 0; i < *ret_len; i++) {
        number = number * (i > 0 ? 256UL : 1UL) + text.at[i];
    }
    return number;
}

static bool in_range(unsigned long c, unsigned long lo, unsigned long hi, bool fold)
{
    if (c >= lo && c <= hi) {
        return true;
    }
    if (!fold) {
        return false;
    }
    if (c >= 'a' && c <= 'z') {
        return c - 32 >= lo && c - 32 <= hi;
    }
    return c >= 'A' && c <= 'Z' && c + 32 >= lo && c + 32 <= hi;
}

/* Is @c in the class at @pattern (just after its '[')? *ret_len: up to and with the ']'. */
static bool in_class(struct span pattern, unsigned long c, bool fold, size_t *ret_len)
{
    size_t at = 0;
    bool negate = false;
    bool found = false;

    if (pattern.at[at] == '!' || pattern.at[at] == '^') {
        negate = true;
        at++;
    }
    for (bool start = true; start || pattern.at[at] != ']'; start = false) {
        unsigned long lo;
        unsigned long hi;
        size_t used;

        at += pattern.at[at] == '\\' ? 1U : 0U;
        lo = character(rest(pattern, at), &used);
        at += used;
        hi = lo;
        if (pattern.at[at] == '-' && pattern.at[at + 1] != ']') {
            at++;
            at += pattern.at[at] == '\\' ? 1U : 0U;
            hi = character(rest(pattern, at), &used);
            at += used;
        }
        found = found || in_range(c, lo, hi, fold);
    }
    *ret_len = at + 1;
    return c != '/' && found != negate;
}

/* memo[i][j]: 0 unknown, 1 no, 2 yes. */
struct memo {
    unsigned char *cells;
    size_t width;
};

struct component {
    struct span pattern;
    struct span text;
    bool fold;
    struct memo memo;
};

static bool component_at(const struct component *c, size_t i, size_t j);

/* '?' or a class: the character ahead in the text. */
static bool one_char(const struct component *c, size_t i, size_t j)
{
    size_t used = 0;
    size_t skip = 0;
    unsigned long number;

    if (j == c->text.len) {
        return false;
    }
    number = character(rest(c->text, j), &used);
    if (c->pattern.at[i] == '[' && !in_class(rest(c->pattern, i + 1), number, c->fold, &skip)) {
        return false;
    }
    return component_at(c, i + 1 + skip, j + used);
}

static bool component_try(const struct component *c, size_t i, size_t j)
{
    if (i == c->pattern.len) {
        return j == c->text.len;
    }
    if (c->pattern.at[i] == '*') {
        return component_at(c, i + 1, j) || (j < c->text.len && component_at(c, i, j + 1));
    }
    if (c->pattern.at[i] == '?' || c->pattern.at[i] == '[') {
        return one_char(c, i, j);
    }
    i += c->pattern.at[i] == '\\' ? 1U : 0U;
    return j < c->text.len && lower(c->pattern.at[i], c->fold) == lower(c->text.at[j], c->fold) &&
           component_at(c, i + 1, j + 1);
}

static bool component_at(const struct component *c, size_t i, size_t j)
{
    unsigned char *cell = &c->memo.cells[i * c->memo.width + j];

    if (*cell == 0) {
        *cell = component_try(c, i, j) ? 2 : 1;
    }
    return *cell == 2;
}

static bool component_match(struct span pattern, struct span text, bool fold)
{
    struct component c = {pattern, text, fold, {NULL, text.len + 1}};
    bool match;

    c.memo.cells = calloc((pattern.len + 1) * (text.len + 1), 1);
    if (c.memo.cells == NULL) {
        abort();
    }
    match = component_at(&c, 0, 0);
    free(c.memo.cells);
    return match;
}

/* The first sign of a pattern: one byte, an escape, a whole class. */
static size_t sign_len(struct span pattern)
{
    size_t used;

    if (pattern.at[0] == '[') {
        (void)in_class(rest(pattern, 1), 'x', false, &used);
        return 1 + used;
    }
    return pattern.at[0] == '\\' ? 2 : 1;
}

/* The first component of a path or pattern, slashes before it skipped; false if none. */
static bool next_component(struct span text, bool glob, struct span *ret_first,
                           struct span *ret_rest)
{
    size_t end = 0;

    while (text.len > 0 && (text.at[0] == '/' ||
                            (glob && text.len > 1 && text.at[0] == '\\' && text.at[1] == '/'))) {
        text = rest(text, text.at[0] == '/' ? 1 : 2);
    }
    if (text.len == 0) {
        return false;
    }
    while (end < text.len && text.at[end] != '/') {
        size_t step = glob ? sign_len(rest(text, end)) : 1;

        if (glob && text.at[end] == '\\' && text.at[end + 1] == '/') {
            break;
        }
        end += step;
    }
    *ret_first = first(text, end);
    *ret_rest = rest(text, end);
    return true;
}

static bool bytes_match(struct span a, struct span b, bool fold)
{
    if (a.len != b.len) {
        return false;
    }
    for (size_t i = 0; i < a.len; i++) {
        if (lower(a.at[i], fold) != lower(b.at[i], fold)) {
            return false;
        }
    }
    return true;
}

static bool path_match(struct span pattern, bool glob, struct span path, bool fold)
{
    struct span want;
    struct span have;
    struct span want_rest;
    struct span have_rest;
    struct span more;

    if (!next_component(pattern, glob, &want, &want_rest)) {
        return !next_component(path, false, &have, &have_rest);
    }
    if (glob && want.len == 2 && memcmp(want.at, "**", 2) == 0) {
        const bool some = next_component(path, false, &have, &have_rest);

        if (!next_component(want_rest, glob, &more, &more)) {
            return some;
        }
        return path_match(want_rest, glob, path, fold) ||
               (some && path_match(pattern, glob, have_rest, fold));
    }
    if (!next_component(path, false, &have, &have_rest)) {
        return false;
    }
    return (glob ? component_match(want, have, fold) : bytes_match(want, have, fold)) &&
           path_match(want_rest, glob, have_rest, fold);
}

/* The outermost first group of @pattern: its '{' and its '}'. */
static bool find_group(struct span pattern, size_t *ret_open, size_t *ret_close)
{
    size_t depth = 0;

    for (size_t at = 0; at < pattern.len; at += sign_len(rest(pattern, at))) {
        if (pattern.at[at] == '{' && depth++ == 0) {
            *ret_open = at;
        } else if (pattern.at[at] == '}' && depth > 0 && --depth == 0) {
            *ret_close = at;
            return true;
        }
    }
    return false;
}

/* A '}' or ',' outside of a group is itself; it must stay so once groups are replaced. */
static bool spelled_match(struct span pattern, struct span path, bool fold);

static bool with_alternative(struct span pattern, struct span alternative, size_t open,
                             size_t close, struct span path, bool fold)
{
    const size_t len = open + alternative.len + (pattern.len - close - 1);
    unsigned char *text = malloc(len + 1);
    bool match;

    if (text == NULL) {
        abort();
    }
    memcpy(text, pattern.at, open);
    memcpy(text + open, alternative.at, alternative.len);
    memcpy(text + open + alternative.len, pattern.at + close + 1, pattern.len - close - 1);
    match = spelled_match((struct span){text, len}, path, fold);
    free(text);
    return match;
}

static bool spelled_match(struct span pattern, struct span path, bool fold)
{
    size_t open = 0;
    size_t close = 0;
    size_t depth = 0;
    size_t begin;

    if (!find_group(pattern, &open, &close)) {
        return path_match(pattern, true, path, fold);
    }
    begin = open + 1;
    for (size_t at = begin; at <= close; at += sign_len(rest(pattern, at))) {
        if (at == close || (pattern.at[at] == ',' && depth == 0)) {
            const struct span alternative = first(rest(pattern, begin), at - begin);

            if (with_alternative(pattern, alternative, open, close, path, fold)) {
                return true;
            }
            begin = at + 1;
        }
        depth += pattern.at[at] == '{' ? 1U : 0U;
        depth -= pattern.at[at] == '}' && at < close ? 1U : 0U;
    }
    return false;
}

bool naive_match(const char *pattern, size_t pattern_len, bool glob, bool fold_case,
                 const char *path, size_t path_len)
{
    const struct span want = {(const unsigned char *)pattern, pattern_len};
    const struct span have = {(const unsigned char *)path, path_len};

    return glob ? spelled_match(want, have, fold_case) : path_match(want, false, have, fold_case);
}

/* A rule covers a path if it matches it or one of the directories above it. */
static bool covers(const struct dfa_rule *rule, bool fold, const char *path, size_t len)
{
    for (size_t end = 0; end <= len; end++) {
        if ((end == len || path[end] == '/') &&
            naive_match(rule->pattern, rule->len, rule->glob, fold, path, end)) {
            return true;
        }
    }
    return false;
}

static size_t components(const struct dfa_rule *rule)
{
    struct span left = {(const unsigned char *)rule->pattern, rule->len};
    struct span component;
    size_t count = 0;

    while (next_component(left, false, &component, &left)) {
        count++;
    }
    return count;
}

static bool beats(const struct dfa_rule *a, const struct dfa_rule *b)
{
    if (a->cls != b->cls) {
        return a->cls > b->cls;
    }
    if (a->cls == DFA_EXACT && components(a) != components(b)) {
        return components(a) > components(b);
    }
    return a->cls == DFA_EXACT && a->prefer > b->prefer;
}

uint32_t naive_decide(const struct dfa_rule *rules, size_t count, bool fold_case, const char *path,
                      size_t path_len)
{
    uint32_t best = DFA_NO_RULE;

    for (uint32_t i = 0; i < count; i++) {
        if (covers(&rules[i], fold_case, path, path_len) &&
            (best == DFA_NO_RULE || beats(&rules[i], &rules[best]))) {
            best = i;
        }
    }
    return best;
}
