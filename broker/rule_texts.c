/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/rule_texts.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* The block: the number of rules, the offset of each one's texts, then "RULE\0ORIGIN\0". */

static void put_u32(struct strbuf *out, size_t value)
{
    const uint32_t number = (uint32_t)value;

    strbuf_add(out, (const char *)&number, sizeof(number));
}

static void put_text(struct strbuf *out, const char *text)
{
    const size_t len = strnlen(text, RULE_TEXT_MAX - 1);

    strbuf_add(out, text, len);
    strbuf_add(out, "", 1);
}

static void put_rule(struct strbuf *out, const struct policy_rule *rule)
{
    static const char *const layers[] = {
        [LAYER_MANAGED_CODEX] = "managed",     [LAYER_MANAGED] = "managed",
        [LAYER_USER_CODEX] = "configuration",  [LAYER_USER] = "configuration",
        [LAYER_COMMAND_LINE] = "command line", [LAYER_BUILTIN] = "built in"};
    const struct policy_origin *origin = &rule->origin;
    struct strbuf where = STRBUF_INIT;

    put_text(out, origin->key != NULL ? origin->key : rule->spelled);
    if (origin->file == NULL) {
        strbuf_puts(&where, layers[origin->layer]);
    } else {
        strbuf_printf(&where, "%s:%" PRIu32, origin->file, origin->line);
    }
    put_text(out, strbuf_text(&where));
    strbuf_deinit(&where);
}

void rule_texts_make(const struct policy_ruleset *set, struct strbuf *out)
{
    struct strbuf texts = STRBUF_INIT;
    const size_t head = (1 + set->count) * sizeof(uint32_t);

    put_u32(out, set->count);
    for (size_t i = 0; i < set->count; i++) {
        /* An offset of 0 is that of no text. */
        if (head + texts.len + (size_t)2U * RULE_TEXT_MAX > RULE_TEXTS_MAX) {
            put_u32(out, 0);
            continue;
        }
        put_u32(out, head + texts.len);
        put_rule(&texts, &set->rules[i]);
    }
    out->failed = out->failed || texts.failed;
    if (!out->failed) {
        strbuf_add(out, strbuf_text(&texts), texts.len);
    }
    strbuf_deinit(&texts);
}

struct rule_block *rule_block_new(const struct policy_ruleset *set)
{
    struct strbuf texts = STRBUF_INIT;
    struct rule_block *block = NULL;

    rule_texts_make(set, &texts);
    if (!texts.failed) {
        block = malloc(sizeof(*block) + texts.len);
    }
    if (block != NULL) {
        block->refs = 1;
        block->len = texts.len;
        memcpy(block->bytes, strbuf_text(&texts), texts.len);
    }
    strbuf_deinit(&texts);
    return block;
}

struct rule_block *rule_block_ref(struct rule_block *block)
{
    if (block != NULL) {
        block->refs++;
    }
    return block;
}

void rule_block_unref(struct rule_block *block)
{
    if (block != NULL && --block->refs == 0) {
        free(block);
    }
}

static bool take_text(const char **at, const char *end, char ret_text[RULE_TEXT_MAX])
{
    const size_t room = (size_t)(end - *at);
    const char *nul = memchr(*at, '\0', room < RULE_TEXT_MAX ? room : RULE_TEXT_MAX);

    if (nul == NULL) {
        return false;
    }
    memcpy(ret_text, *at, (size_t)(nul - *at) + 1);
    *at = nul + 1;
    return true;
}

bool rule_texts_find(const void *block, size_t len, uint32_t rule, struct rule_text *ret_text)
{
    const char *bytes = block;
    uint32_t count = 0;
    uint32_t offset = 0;
    struct rule_text text;

    ret_text->rule[0] = '\0';
    ret_text->origin[0] = '\0';
    if (len < sizeof(count)) {
        return false;
    }
    memcpy(&count, bytes, sizeof(count));
    if (rule >= count || rule >= len / sizeof(offset) - 1) {
        return false;
    }
    memcpy(&offset, bytes + (1 + (size_t)rule) * sizeof(offset), sizeof(offset));
    if (offset == 0 || offset >= len) {
        return false;
    }
    bytes += offset;
    if (!take_text(&bytes, (const char *)block + len, text.rule) ||
        !take_text(&bytes, (const char *)block + len, text.origin)) {
        return false;
    }
    *ret_text = text;
    return true;
}
