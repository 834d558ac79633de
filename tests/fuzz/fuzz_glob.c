/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns and a path, separated by NUL bytes, the path last. The first byte of
 * a pattern says its class, whether it is a glob, and whether case is folded.
 * What compiles must pass its own check, walk alike in one piece and in two, and
 * decide as the naive matcher does.
 */
#include <stdlib.h>
#include <string.h>

#include "policy/dfa.h"
/* A fuzzer is one source file; see CMakeLists.txt. */
#include "tests/support/naive_match.c"

#define RULES_MAX 8U
#define TABLE_MAX (24U * 1024U)
/* The naive matcher's price grows with these faster than a fuzzer's patience. */
#define NAIVE_TEXT_MAX 96U
#define NAIVE_SIGNS_MAX 7U

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    struct dfa_rule rules[RULES_MAX];
    size_t count;
    bool fold;
    bool naive; /* small enough to be compared */
    const char *path;
    size_t path_len;
};

static void add_rule(struct input *input, const char *text, size_t len)
{
    size_t signs = 0;

    if (len < 2 || input->count == RULES_MAX) {
        return;
    }
    for (size_t i = 1; i < len; i++) {
        signs += text[i] == '*' || text[i] == '{' || text[i] == ',' ? 1U : 0U;
    }
    input->naive = input->naive && len <= NAIVE_TEXT_MAX && signs <= NAIVE_SIGNS_MAX;
    input->fold = input->fold || (text[0] & 0x10) != 0;
    input->rules[input->count++] =
        (struct dfa_rule){text + 1, len - 1, (text[0] & 1) != 0,
                          (enum dfa_class)(((unsigned char)text[0] >> 1U) % 3U), 0};
    /* What a glob among exact rules counts for is not what the naive matcher counts. */
    if (input->rules[input->count - 1].glob && input->rules[input->count - 1].cls == DFA_EXACT) {
        input->rules[input->count - 1].cls = DFA_OVERRIDING;
    }
}

static bool normalised(const char *path, size_t len)
{
    return len > 0 && path[0] == '/' && (len == 1 || path[len - 1] != '/') &&
           memmem(path, len, "//", 2) == NULL;
}

static void walk(const struct input *input, const struct dfa *table)
{
    const uint32_t found = dfa_match(table, input->path, input->path_len);
    const size_t half = input->path_len / 2;
    struct dfa_pos pos;

    dfa_start(table, &pos);
    dfa_feed(table, &pos, input->path, half);
    (void)dfa_settled(table, &pos);
    dfa_feed(table, &pos, input->path + half, input->path_len - half);
    if (dfa_rule_at(table, &pos) != found) {
        abort();
    }
    if (input->naive && input->path_len <= NAIVE_TEXT_MAX &&
        normalised(input->path, input->path_len) &&
        naive_decide(input->rules, input->count, input->fold, input->path, input->path_len) !=
            found) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {.naive = true};
    const char *at = (const char *)data;
    size_t left = size;
    struct dfa *table = NULL;
    const struct dfa *checked = NULL;
    const char *end;
    uint32_t rule;

    while (left > 0 && (end = memchr(at, '\0', left)) != NULL) {
        add_rule(&input, at, (size_t)(end - at));
        left -= (size_t)(end - at) + 1;
        at = end + 1;
    }
    input.path = at;
    input.path_len = left;
    if (dfa_compile(input.rules, input.count, DFA_OPTIONS(input.fold, TABLE_MAX), &table, &rule,
                    NULL) != CORDON_OK) {
        return 0;
    }
    if (dfa_check(table, dfa_size(table), input.count, &checked) != CORDON_OK) {
        abort();
    }
    walk(&input, table);
    dfa_free(table);
    return 0;
}
