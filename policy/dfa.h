/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one matcher of every back end. All rules of a set become a minimised DFA
 * over the bytes of an absolute path; the state reached at the end of the path
 * names the rule that decides. A set whose product would explode is split into
 * at most DFA_PARTS automata walked side by side.
 *
 * A table is one block of memory without pointers, so that it can be handed to
 * another process in a memfd and checked there. Numbers are in host order.
 */
#ifndef CORDON_POLICY_DFA_H
#define CORDON_POLICY_DFA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"

#define DFA_PARTS 4U
#define DFA_NO_RULE UINT32_MAX
#define DFA_BYTES_MAX (64U * 1024U * 1024U)

struct dfa; /* the block; see dfa.c */

/* How rules that cover one path compete; higher wins, then as POLICY.md section 1. */
enum dfa_class {
    DFA_EXACT = 0,     /* the longest path wins; equal paths: the higher @prefer wins */
    DFA_LIMITING = 1,  /* any match beats every DFA_EXACT rule; the lowest id wins */
    DFA_OVERRIDING = 2 /* any match beats every rule of a lower class; the lowest id wins */
};

struct dfa_rule {
    const char *pattern; /* absolute; a glob or a literal path; a match covers the subtree */
    size_t len;
    bool glob;
    enum dfa_class cls;
    uint8_t prefer; /* among DFA_EXACT rules of the same path */
};

/* Position in a path being walked; copy it to remember a directory. */
struct dfa_pos {
    uint32_t state[DFA_PARTS];
    uint32_t covered; /* the best rank (not rule id) that a directory on the way matched */
};

struct dfa_options {
    bool fold_case;   /* ASCII case is ignored */
    size_t max_bytes; /* of the table */
};
#define DFA_OPTIONS(fold, max) (&(const struct dfa_options){(fold), (max)})

/*
 * Compiles @rules; rule ids are indexes into it. *ret_table is one malloc'ed
 * block.
 *
 * CORDON_E_INVALID  a bad pattern; *ret_rule says which
 * CORDON_E_LIMIT    the table would pass max_bytes; *ret_rule is the rule that crossed it
 * CORDON_E_NOMEM
 */
CORDON_MUST_USE enum cordon_err dfa_compile(const struct dfa_rule *rules, size_t count,
                                            const struct dfa_options *options,
                                            struct dfa **ret_table, uint32_t *ret_rule,
                                            struct cordon_fault *fault);
void dfa_free(struct dfa *table);

/* Bytes of the block, for handing it on. */
size_t dfa_size(const struct dfa *table);

/*
 * Checks a block from elsewhere: header, every offset, state, class and rule
 * id (below @rule_count). After CORDON_OK no walk can leave the block.
 * @block must be aligned to 8 and must not change afterwards (a sealed memfd).
 * CORDON_E_INVALID otherwise.
 */
CORDON_MUST_USE enum cordon_err dfa_check(const void *block, size_t len, size_t rule_count,
                                          const struct dfa **ret_table);

/* The rule that decides about @path, or DFA_NO_RULE. */
uint32_t dfa_match(const struct dfa *table, const char *path, size_t len);

/* The same in pieces: start, then feed bytes ("/home", "/a", ...), then ask. */
void dfa_start(const struct dfa *table, struct dfa_pos *ret_pos);
void dfa_feed(const struct dfa *table, struct dfa_pos *pos, const char *bytes, size_t len);
uint32_t dfa_rule_at(const struct dfa *table, const struct dfa_pos *pos);

/*
 * No path below @pos (a '/' and more) can be decided differently: a scan may
 * stop here. @pos is at the end of a component, at the start, or after "/".
 */
bool dfa_settled(const struct dfa *table, const struct dfa_pos *pos);

/* A check of one pattern, for messages: CORDON_E_INVALID with the reason in @fault. */
CORDON_MUST_USE enum cordon_err glob_check(const char *pattern, size_t len,
                                           struct cordon_fault *fault);

#endif
