/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the rules of a set are told of: each rule's key and where it was written,
 * as one block that outlives the policy. The block of a profile's rules comes
 * from its worker: hostile, and shown to nobody as anybody else's words.
 */
#ifndef CORDON_BROKER_RULE_TEXTS_H
#define CORDON_BROKER_RULE_TEXTS_H

#include <stdbool.h>

#include "platform/base/strbuf.h"
#include "policy/types.h"

#define RULE_TEXTS_MAX ((size_t)1024U * 1024U) /* bytes of a block; the rest is not told */
#define RULE_TEXT_MAX 512U                     /* bytes of one text, its NUL included */

struct rule_text {
    char rule[RULE_TEXT_MAX];   /* "deny_read[2]" */
    char origin[RULE_TEXT_MAX]; /* "FILE:LINE"; neither is escaped */
};

void rule_texts_make(const struct policy_ruleset *set, struct strbuf *out);

/* The same, shared by the jobs of one generation. NULL: no memory; NULL is allowed below. */
struct rule_block {
    unsigned refs;
    size_t len;
    char bytes[];
};
struct rule_block *rule_block_new(const struct policy_ruleset *set);
struct rule_block *rule_block_ref(struct rule_block *block);
void rule_block_unref(struct rule_block *block);

/* False, and both texts empty: the block does not say. */
bool rule_texts_find(const void *block, size_t len, uint32_t rule, struct rule_text *ret_text);

#endif
