/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/glob.h"

#include <stdlib.h>
#include <string.h>

#include "policy/dfa.h"
#include "policy/glob_scan.h"

/* Which alternative a group takes in the present spelling, and whether one follows it. */
struct choice {
    uint32_t which;
    bool more;
};

/* One pattern being read; the arrays are sized for its length. */
struct reading {
    const struct glob_reader *reader;
    struct glob_sign *signs;
    size_t sign_count;
    struct glob_sign *spelled; /* the signs of one spelling: no groups */
    size_t spelled_count;
    struct glob_token *tokens;
    size_t token_count;
    struct choice *choices; /* in the order in which groups are met */
    size_t choice_count;
    uint32_t components;
    struct cordon_fault *fault;
};

/* From the group's OPEN at @at to the sign before its alternative number @which. */
static size_t alternative(const struct reading *reading, size_t at, uint32_t which)
{
    for (; which > 0; which--) {
        at = reading->signs[at].arg;
    }
    return at;
}

static size_t group_end(const struct reading *reading, size_t at)
{
    while (reading->signs[at].kind != SIGN_CLOSE) {
        at = reading->signs[at].arg;
    }
    return at;
}

/* Writes the spelling that the choices stand for; groups without one take their first. */
static void spell(struct reading *reading)
{
    size_t group = 0;

    reading->spelled_count = 0;
    for (size_t at = 0; at < reading->sign_count; at++) {
        const struct glob_sign *sign = &reading->signs[at];

        if (sign->kind == SIGN_OPEN) {
            struct choice *choice = &reading->choices[group];

            if (group++ == reading->choice_count) {
                choice->which = 0;
                reading->choice_count++;
            }
            at = alternative(reading, at, choice->which);
            choice->more = reading->signs[reading->signs[at].arg].kind == SIGN_COMMA;
        } else if (sign->kind == SIGN_COMMA) {
            at = group_end(reading, at);
        } else if (sign->kind != SIGN_CLOSE) {
            reading->spelled[reading->spelled_count++] = *sign;
        }
    }
}

/* Like an odometer: the last group that can move on does, those after it start anew. */
static bool spell_next(struct reading *reading)
{
    while (reading->choice_count > 0) {
        struct choice *last = &reading->choices[reading->choice_count - 1];

        if (last->more) {
            last->which++;
            spell(reading);
            return true;
        }
        reading->choice_count--;
    }
    return false;
}

static bool sign_is_byte(const struct glob_sign *sign, char byte)
{
    return sign->kind == SIGN_BYTE && sign->byte == (uint8_t)byte;
}

static bool all_stars(const struct glob_sign *signs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (signs[i].kind != SIGN_STAR) {
            return false;
        }
    }
    return true;
}

/* "." or "..", which no normalised path contains. */
static bool is_dots(const struct glob_sign *signs, size_t count)
{
    return count <= 2 && sign_is_byte(&signs[0], '.') && sign_is_byte(&signs[count - 1], '.');
}

static bool ends_deep(const struct reading *reading)
{
    return reading->token_count > 0 && reading->tokens[reading->token_count - 1].op == GLOB_DEEP;
}

static void put(struct reading *reading, enum glob_op op, uint8_t byte, uint32_t set)
{
    const bool star_again = op == GLOB_STAR && reading->token_count > 0 &&
                            reading->tokens[reading->token_count - 1].op == GLOB_STAR;

    if (!star_again) {
        reading->tokens[reading->token_count++] = (struct glob_token){set, (uint8_t)op, byte};
    }
}

static void put_component(struct reading *reading, const struct glob_sign *signs, size_t count)
{
    const bool stars = all_stars(signs, count);

    if (stars && count == 2) {
        if (!ends_deep(reading)) {
            put(reading, GLOB_BYTE, '/', 0);
            put(reading, GLOB_DEEP, 0, 0);
        }
        return;
    }
    if (!ends_deep(reading)) {
        put(reading, GLOB_BYTE, '/', 0);
    }
    reading->components++;
    if (stars) {
        put(reading, GLOB_NONSLASH, 0, 0);
    }
    for (size_t i = 0; i < count; i++) {
        const enum glob_op op = signs[i].kind == SIGN_BYTE  ? GLOB_BYTE
                                : signs[i].kind == SIGN_SET ? GLOB_CHAR
                                                            : GLOB_STAR;

        put(reading, op, signs[i].byte, signs[i].arg);
    }
}

static enum cordon_err tokenise(struct reading *reading)
{
    const struct glob_sign *signs = reading->spelled;
    const size_t count = reading->spelled_count;
    size_t end;

    reading->token_count = 0;
    reading->components = 0;
    for (size_t at = 0; at < count; at = end + 1) {
        for (end = at; end < count && !sign_is_byte(&signs[end], '/'); end++) {
        }
        if (end == at) {
            continue;
        }
        if (is_dots(signs + at, end - at)) {
            return fault_set(reading->fault, CORDON_E_INVALID, "write the path it stands for",
                             "a component \".\" or \"..\", which no normalised path contains");
        }
        put_component(reading, signs + at, end - at);
    }
    if (ends_deep(reading)) {
        reading->token_count--;
        put(reading, GLOB_NONSLASH, 0, 0);
        put(reading, GLOB_STAR, 0, 0);
        reading->components++;
    }
    return CORDON_OK;
}

static enum cordon_err visit(struct reading *reading)
{
    struct glob_spelling spelling = {reading->tokens, 0, 0, true};
    enum cordon_err err = tokenise(reading);

    if (err != CORDON_OK) {
        return err;
    }
    spelling.count = reading->token_count;
    spelling.components = reading->components;
    for (size_t i = 0; i < spelling.count; i++) {
        spelling.literal = spelling.literal && reading->tokens[i].op == GLOB_BYTE;
    }
    return reading->reader->visit(reading->reader->context, &spelling);
}

static enum cordon_err read_spellings(struct reading *reading, const char *pattern, size_t len)
{
    size_t seen = 1;
    enum cordon_err err = glob_scan(reading->reader, pattern, len, reading->signs,
                                    &reading->sign_count, reading->fault);

    if (err != CORDON_OK) {
        return err;
    }
    spell(reading);
    err = visit(reading);
    while (err == CORDON_OK && spell_next(reading)) {
        if (++seen > GLOB_SPELLINGS_MAX) {
            return fault_set(reading->fault, CORDON_E_INVALID, "split the pattern",
                             "braces that stand for more than %u patterns", GLOB_SPELLINGS_MAX);
        }
        err = visit(reading);
    }
    return err;
}

static enum cordon_err check_shape(const char *pattern, size_t len, struct cordon_fault *fault)
{
    if (len == 0) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "an empty pattern");
    }
    if (len > GLOB_PATTERN_MAX) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "a pattern longer than %u bytes",
                         GLOB_PATTERN_MAX);
    }
    if (pattern[0] != '/') {
        return fault_set(fault, CORDON_E_INVALID, "write an absolute pattern",
                         "a pattern that does not start with '/'");
    }
    if (memchr(pattern, '\0', len) != NULL) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "a NUL byte in a pattern");
    }
    return CORDON_OK;
}

enum cordon_err glob_read(const struct glob_reader *reader, const char *pattern, size_t len,
                          struct cordon_fault *fault)
{
    struct reading reading = {.reader = reader, .fault = fault};
    enum cordon_err err = check_shape(pattern, len, fault);

    if (err != CORDON_OK) {
        return err;
    }
    reading.signs = calloc(len, sizeof(*reading.signs));
    reading.spelled = calloc(len, sizeof(*reading.spelled));
    reading.choices = calloc(len, sizeof(*reading.choices));
    /* A lone "*" is two tokens for one sign, but its '/' is another sign. */
    reading.tokens = calloc(2 * len + 2, sizeof(*reading.tokens));
    err = CORDON_E_NOMEM;
    if (reading.signs != NULL && reading.spelled != NULL && reading.choices != NULL &&
        reading.tokens != NULL) {
        err = read_spellings(&reading, pattern, len);
    }
    free(reading.signs);
    free(reading.spelled);
    free(reading.choices);
    free(reading.tokens);
    return err == CORDON_E_NOMEM ? fault_set(fault, err, NULL, "out of memory reading a pattern")
                                 : err;
}

static enum cordon_err visit_nothing(void *context, const struct glob_spelling *spelling)
{
    (void)context;
    (void)spelling;
    return CORDON_OK;
}

enum cordon_err glob_check(const char *pattern, size_t len, struct cordon_fault *fault)
{
    struct glob_sets sets;
    const struct glob_reader reader = {&sets, false, false, visit_nothing, NULL};
    enum cordon_err err = glob_sets_init(&sets);

    if (err == CORDON_OK) {
        err = glob_read(&reader, pattern, len, fault);
    } else {
        err = fault_set(fault, err, NULL, "out of memory reading a pattern");
    }
    glob_sets_deinit(&sets);
    return err;
}
