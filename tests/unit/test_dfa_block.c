/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocks from elsewhere. Each lies against a page that cannot be read, so that a
 * walk that leaves it ends the test, with or without a sanitizer.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "policy/dfa.h"
#include "policy/dfa_format.h"
#include "tests/support/check.h"
#include "tests/support/corpus.h"

#define RULES 6U

static const struct dfa_rule rules[RULES] = {
    {"/a", 2, false, DFA_EXACT, 0},          {"/a/b", 4, false, DFA_EXACT, 0},
    {"/**/*.k", 7, true, DFA_OVERRIDING, 0}, {"/x/?/[b-d]", 10, true, DFA_LIMITING, 0},
    {"/", 1, false, DFA_EXACT, 0},           {"/x/**/y", 7, true, DFA_OVERRIDING, 0}};

/* A copy of a block that ends where the readable memory does. */
struct fenced {
    unsigned char *map;
    size_t map_len;
    unsigned char *block;
    size_t len;
};

static struct fenced fence(const void *block, size_t len)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct fenced fenced = {NULL, (len + page - 1) / page * page + page, NULL, len};
    void *map =
        mmap(NULL, fenced.map_len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (map == MAP_FAILED ||
        mprotect((unsigned char *)map + fenced.map_len - page, page, PROT_NONE) != 0) {
        abort();
    }
    fenced.map = map;
    fenced.block = fenced.map + fenced.map_len - page - len;
    memcpy(fenced.block, block, len);
    return fenced;
}

static void unfence(struct fenced *fenced)
{
    (void)munmap(fenced->map, fenced->map_len);
}

static struct fenced sample(void)
{
    struct dfa *table = NULL;
    struct fenced fenced;
    uint32_t rule;

    CHECK(dfa_compile(rules, RULES, DFA_OPTIONS(false, DFA_BYTES_MAX), &table, &rule, NULL) ==
          CORDON_OK);
    fenced = fence(table, dfa_size(table));
    dfa_free(table);
    return fenced;
}

/* Walks every byte from every kind of state; returns whether the block was accepted. */
static bool survives(const struct fenced *fenced)
{
    static const char *const paths[] = {"/", "/a/b/c.k/d", "/x/y/b", "/x/\xC3\xA9/c", "\xFF//.k"};
    const struct dfa *table = NULL;
    char all[256];

    if (dfa_check(fenced->block, fenced->len, RULES, &table) != CORDON_OK) {
        return false;
    }
    for (size_t i = 0; i < sizeof(all); i++) {
        all[i] = (char)i;
    }
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        struct dfa_pos pos;
        uint32_t rule;

        dfa_start(table, &pos);
        dfa_feed(table, &pos, paths[i], strlen(paths[i]));
        (void)dfa_settled(table, &pos);
        dfa_feed(table, &pos, all, sizeof(all));
        rule = dfa_rule_at(table, &pos);
        CHECK(rule < RULES || rule == DFA_NO_RULE);
    }
    return true;
}

TEST(a_good_block_is_accepted)
{
    struct fenced fenced = sample();
    const struct dfa *table = NULL;

    CHECK(survives(&fenced));
    CHECK(dfa_check(fenced.block, fenced.len, RULES, &table) == CORDON_OK);
    CHECK(dfa_match(table, "/a/b/c.k", 8) == 2);
    CHECK(dfa_check(fenced.block, fenced.len, RULES + 5, &table) == CORDON_OK);
    unfence(&fenced);
}

TEST(an_empty_set_is_a_good_block)
{
    struct dfa *table = NULL;
    const struct dfa *checked = NULL;
    uint32_t rule;

    CHECK(dfa_compile(NULL, 0, DFA_OPTIONS(false, DFA_BYTES_MAX), &table, &rule, NULL) ==
          CORDON_OK);
    CHECK(dfa_check(table, dfa_size(table), 0, &checked) == CORDON_OK);
    dfa_free(table);
}

TEST(rule_ids_must_be_below_the_count)
{
    struct fenced fenced = sample();
    const struct dfa *table = NULL;

    CHECK(dfa_check(fenced.block, fenced.len, RULES - 1, &table) == CORDON_E_INVALID);
    CHECK(dfa_check(fenced.block, fenced.len, 0, &table) == CORDON_E_INVALID);
    CHECK(table == NULL);
    unfence(&fenced);
}

TEST(a_cut_block_is_refused)
{
    struct fenced whole = sample();

    for (size_t len = 0; len < whole.len; len++) {
        struct fenced cut = fence(whole.block, len);
        const struct dfa *table = NULL;

        CHECK(dfa_check(cut.block, cut.len, RULES, &table) == CORDON_E_INVALID);
        unfence(&cut);
    }
    unfence(&whole);
}

TEST(a_cut_block_that_says_its_new_size_is_refused_or_safe)
{
    struct fenced whole = sample();

    for (size_t len = sizeof(struct dfa); len < whole.len; len += 8) {
        struct fenced cut = fence(whole.block, len);
        const uint64_t size = len;

        memcpy(cut.block + offsetof(struct dfa, size), &size, sizeof(size));
        CHECK(!survives(&cut));
        unfence(&cut);
    }
    unfence(&whole);
}

TEST(a_misaligned_block_is_refused)
{
    struct fenced whole = sample();
    unsigned char *moved = malloc(whole.len + 8);
    const struct dfa *table = NULL;

    CHECK(moved != NULL);
    for (size_t shift = 1; shift < 8; shift++) {
        memcpy(moved + shift, whole.block, whole.len);
        CHECK(dfa_check(moved + shift, whole.len, RULES, &table) == CORDON_E_INVALID);
    }
    free(moved);
    unfence(&whole);
}

TEST(any_changed_byte_is_refused_or_safe)
{
    struct fenced fenced = sample();
    size_t accepted = 0;

    for (size_t at = 0; at < fenced.len; at++) {
        const unsigned char was = fenced.block[at];

        for (unsigned bit = 0; bit < 8; bit++) {
            fenced.block[at] = (unsigned char)(was ^ 1U << bit);
            accepted += survives(&fenced) ? 1U : 0U;
        }
        fenced.block[at] = was;
    }
    CHECK(accepted > 0);
    unfence(&fenced);
}

TEST(any_changed_word_is_refused_or_safe)
{
    struct fenced fenced = sample();
    const uint32_t states = ((const struct dfa *)(const void *)fenced.block)->part[0].states;
    const uint32_t cells = ((const struct dfa *)(const void *)fenced.block)->part[0].cells;
    const uint32_t values[] = {0,          1,           255,        256,   257,
                               states - 1, states,      cells - 1,  cells, (uint32_t)fenced.len,
                               0x7FFFFFFF, 0x80000000U, 0xFFFFFFF8, ~1U,   UINT32_MAX};

    for (size_t at = 0; at + 4 <= fenced.len; at += 4) {
        uint32_t was;

        memcpy(&was, fenced.block + at, sizeof(was));
        for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
            memcpy(fenced.block + at, &values[i], sizeof(was));
            (void)survives(&fenced);
        }
        memcpy(fenced.block + at, &was, sizeof(was));
    }
    CHECK(survives(&fenced));
    unfence(&fenced);
}

TEST(many_changes_at_once_are_refused_or_safe)
{
    struct fenced fenced = sample();
    unsigned char *good = malloc(fenced.len);
    struct dice dice = {4711};

    CHECK(good != NULL);
    memcpy(good, fenced.block, fenced.len);
    for (int round = 0; round < 20000; round++) {
        const uint32_t changes = 1 + dice_roll(&dice, 6);

        for (uint32_t i = 0; i < changes; i++) {
            const uint32_t value =
                dice_roll(&dice, 3) == 0 ? (uint32_t)dice_next(&dice) : dice_roll(&dice, 400);
            const size_t at = 16 + 4 * (size_t)dice_roll(&dice, (uint32_t)(fenced.len / 4 - 4));

            memcpy(fenced.block + at, &value, sizeof(value));
        }
        (void)survives(&fenced);
        memcpy(fenced.block, good, fenced.len);
    }
    free(good);
    unfence(&fenced);
}

/* Sets one field of the first part and expects refusal. */
#define REFUSED(field, value)                                                                      \
    do {                                                                                           \
        struct fenced fenced = sample();                                                           \
        struct dfa *table = (void *)fenced.block;                                                  \
                                                                                                   \
        table->field = (value);                                                                    \
        CHECK(!survives(&fenced));                                                                 \
        unfence(&fenced);                                                                          \
    } while (0)

TEST(each_field_of_the_header_is_checked)
{
    REFUSED(magic, 1);
    REFUSED(version, DFA_VERSION + 1);
    REFUSED(size, 8);
    REFUSED(ranks, UINT32_MAX);
    REFUSED(ranks, 0);
    REFUSED(ranks_off, 0);
    REFUSED(ranks_off, 4);
    REFUSED(ranks_off, UINT32_MAX - 7);
    REFUSED(part[0].states, UINT32_MAX);
    REFUSED(part[0].states, 1);
    REFUSED(part[0].states_off, 0);
    REFUSED(part[0].states_off, UINT32_MAX - 7);
    REFUSED(part[0].cells_off, 8);
    REFUSED(part[0].cells, UINT32_MAX);
    REFUSED(part[0].cells, 0);
    REFUSED(part[0].start, UINT32_MAX);
    REFUSED(part[0].classes, 0);
    REFUSED(part[0].classes, 257);
    REFUSED(part[0].class_of[7], 255);
    REFUSED(part[2].states, 1);
}

TEST_MAIN()
