/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "platform/base/ascii.h"
#include "policy/loader.h"
#include "policy/spelling.h"

/* The directories of :minimal; those that a host lacks grant nothing. */
static const char *const minimal_dirs[] = {
    "/bin", "/sbin", "/usr", "/etc", "/lib", "/lib64", "/nix/store", "/run/current-system/sw"};
/* The system's drive is C: but on hosts that somebody took pains to set up otherwise. */
static const char *const minimal_windows[] = {"/C:/Windows", "/C:/Program Files",
                                              "/C:/Program Files (x86)"};

enum cordon_err rules_add(struct loader *loader, struct rule_list *list,
                          const struct policy_rule *rule)
{
    char quoted[PLACE_QUOTE_MAX];

    if (list->count >= POLICY_RULES_MAX) {
        return fault_set(loader->fault, CORDON_E_LIMIT, "one pattern can cover many paths",
                         "%s: more than %u rules", place_quote(rule->spelled, quoted),
                         POLICY_RULES_MAX);
    }
    if (list->count == list->size) {
        size_t size = list->size == 0 ? 32 : list->size * 2;
        struct policy_rule *rules = arena_array(loader->arena, size, sizeof(*rules));

        if (rules == NULL) {
            return place_no_memory(loader->fault);
        }
        if (list->count > 0) {
            memcpy(rules, list->rules, list->count * sizeof(*rules));
        }
        list->rules = rules;
        list->size = size;
    }
    list->rules[list->count] = *rule;
    list->rules[list->count].pattern_len = strlen(rule->pattern);
    list->count++;
    return CORDON_OK;
}

/* Everything that turns one spelling into rules. */
struct expansion {
    struct loader *loader;
    const struct rule_entry *entry;
    struct spelling_use use;
    struct policy_rule rule;
};

static enum cordon_err expand_at(struct expansion *expansion, const char *base,
                                 const struct spelling *spelling)
{
    enum cordon_err err = spelling_join(&expansion->use, base, spelling, &expansion->rule.pattern);

    if (err != CORDON_OK) {
        return err;
    }
    expansion->rule.glob = spelling->glob;
    return rules_add(expansion->loader, expansion->entry->list, &expansion->rule);
}

static enum cordon_err expand_list(struct expansion *expansion, const char *const *bases,
                                   size_t count, const struct spelling *sub)
{
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < count; i++) {
        err = expand_at(expansion, bases[i], sub);
    }
    return err;
}

static enum cordon_err no_home(const struct expansion *expansion)
{
    char quoted[PLACE_QUOTE_MAX];

    return place_fail(expansion->use.fault, CORDON_E_INVALID, &expansion->use.pos,
                      "write the directory out", "%s: the caller has no home directory",
                      place_quote(expansion->use.text, quoted));
}

/* What a written path is joined to; NULL: it cannot be resolved. */
static const char *path_base(const struct expansion *expansion, enum spelling_kind kind)
{
    if (kind == SPELL_HOME) {
        return expansion->loader->input->context.home;
    }
    return kind == SPELL_RELATIVE ? expansion->entry->managed_dir : "";
}

static enum cordon_err expand_path(struct expansion *expansion, const struct spelling *spelling,
                                   const struct spelling *sub)
{
    const char *base = path_base(expansion, spelling->kind);
    const char *pattern;
    enum cordon_err err;

    if (base == NULL) {
        return no_home(expansion);
    }
    if (sub == NULL) {
        return expand_at(expansion, base, spelling);
    }
    err = spelling_join(&expansion->use, base, spelling, &pattern);
    return err != CORDON_OK ? err : expand_at(expansion, pattern, sub);
}

/* A special's directories; with none of them the entry vanishes. */
static enum cordon_err expand_special(struct expansion *expansion, enum spelling_kind kind,
                                      const struct spelling *sub)
{
    const struct policy_context *context = &expansion->loader->input->context;
    const struct policy *policy = expansion->loader->policy;
    const char *base = kind == SPELL_ROOT ? "/" : NULL;

    if (kind == SPELL_MINIMAL && context->os == POLICY_OS_WINDOWS) {
        return expand_list(expansion, minimal_windows,
                           sizeof(minimal_windows) / sizeof(*minimal_windows), sub);
    }
    if (kind == SPELL_MINIMAL) {
        return expand_list(expansion, minimal_dirs, sizeof(minimal_dirs) / sizeof(*minimal_dirs),
                           sub);
    }
    if (kind == SPELL_WORKSPACE) {
        return expand_list(expansion, policy->workspace_roots, policy->workspace_root_count, sub);
    }
    if (kind == SPELL_TMPDIR && context->tmpdir != NULL) {
        /* Empty or relative: Codex too goes on without it. */
        if (spelling_normal(context->tmpdir, context->os, expansion->loader->arena, &base) ==
            CORDON_E_NOMEM) {
            return place_no_memory(expansion->use.fault);
        }
    } else if (kind == SPELL_SLASH_TMP && context->slash_tmp) {
        base = "/tmp";
    }
    return base == NULL ? CORDON_OK : expand_at(expansion, base, sub);
}

static enum cordon_err expand(struct expansion *expansion, const struct spelling *spelling,
                              const struct spelling *sub)
{
    static const struct spelling itself = {.kind = SPELL_RELATIVE, .rest = ""};

    if (spelling->kind <= SPELL_RELATIVE) {
        return expand_path(expansion, spelling, sub);
    }
    return expand_special(expansion, spelling->kind, sub == NULL ? &itself : sub);
}

static enum cordon_err expansion_init(struct loader *loader, const struct rule_entry *entry,
                                      const char *spelled, struct expansion *ret)
{
    *ret = (struct expansion){.loader = loader, .entry = entry};
    ret->use = (struct spelling_use){spelled, entry->place->pos, loader->input->context.os,
                                     loader->arena, loader->fault};
    ret->rule.access = entry->access;
    ret->rule.spelled = spelled;
    if (place_origin(entry->place, loader->arena, &ret->rule.origin) != CORDON_OK) {
        return place_no_memory(loader->fault);
    }
    return CORDON_OK;
}

enum cordon_err rules_add_entry(struct loader *loader, const struct rule_entry *entry)
{
    struct expansion expansion;
    struct spelling spelling;
    enum cordon_err err = expansion_init(loader, entry, entry->text, &expansion);

    if (err != CORDON_OK) {
        return err;
    }
    err = entry->managed_dir != NULL
              ? spelling_parse_managed(entry->text, &entry->place->pos, &spelling, loader->fault)
              : spelling_parse(entry->text, entry->access, &entry->place->pos, &spelling,
                               loader->fault);
    return err != CORDON_OK ? err : expand(&expansion, &spelling, NULL);
}

enum cordon_err rules_add_scoped(struct loader *loader, const struct rule_entry *entry,
                                 const char *sub)
{
    struct expansion expansion;
    struct spelling spelling;
    struct spelling below;
    enum cordon_err err = expansion_init(loader, entry, sub, &expansion);

    if (err == CORDON_OK) {
        err =
            spelling_parse(entry->text, ACCESS_READ, &entry->place->pos, &spelling, loader->fault);
    }
    if (err == CORDON_OK) {
        err = spelling_parse_sub(sub, entry->access, &entry->place->pos, &below, loader->fault);
    }
    return err != CORDON_OK ? err : expand(&expansion, &spelling, &below);
}

static size_t depth_of(const struct policy_rule *rule)
{
    size_t depth = 0;

    for (size_t i = 0; i + 1 < rule->pattern_len; i++) {
        depth += rule->pattern[i] == '/';
    }
    return rule->pattern_len > 1 ? depth : 0;
}

static int group_of(const struct policy_rule *rule)
{
    if (!rule->glob) {
        return 0;
    }
    return rule->access == ACCESS_DENY ? 1 : 2;
}

/* Deny, then write, then read: the order in which equal paths win. */
static int rank_of(const struct policy_rule *rule)
{
    static const int ranks[] = {
        [ACCESS_DENY] = 0, [ACCESS_DENY_WRITE] = 1, [ACCESS_WRITE] = 2, [ACCESS_READ] = 3};

    return ranks[rule->access];
}

static int by_number(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

/* Which of two equal rules is named does not depend on the sort. */
static int compare_origins(const struct policy_origin *a, const struct policy_origin *b)
{
    int order = by_number(a->layer, b->layer);

    if (order == 0) {
        order = by_number(a->line, b->line);
    }
    return order != 0 ? order : strcmp(a->key, b->key);
}

static int compare_patterns(const char *a, const char *b, bool fold_case)
{
    int order = 0;

    if (!fold_case) {
        return strcmp(a, b);
    }
    for (size_t i = 0; order == 0 && (a[i] != '\0' || b[i] != '\0'); i++) {
        const unsigned char left = (unsigned char)ascii_lower(a[i]);
        const unsigned char right = (unsigned char)ascii_lower(b[i]);

        order = (left > right) - (left < right);
    }
    return order;
}

static int compare_rules(const struct policy_rule *a, const struct policy_rule *b, bool fold_case)
{
    int order = group_of(a) - group_of(b);

    if (order == 0 && !a->glob) {
        order = by_number(depth_of(b), depth_of(a));
    }
    if (order == 0) {
        order = compare_patterns(a->pattern, b->pattern, fold_case);
    }
    if (order == 0) {
        order = rank_of(a) - rank_of(b);
    }
    return order != 0 ? order : compare_origins(&a->origin, &b->origin);
}

static int compare_exactly(const void *first, const void *second)
{
    return compare_rules(first, second, false);
}

static int compare_folded(const void *first, const void *second)
{
    return compare_rules(first, second, true);
}

void rules_settle(struct rule_list *list, bool fold_case)
{
    size_t kept = 0;

    if (list->count == 0) {
        return;
    }
    qsort(list->rules, list->count, sizeof(*list->rules),
          fold_case ? compare_folded : compare_exactly);
    for (size_t i = 1; i < list->count; i++) {
        const struct policy_rule *rule = &list->rules[i];
        const struct policy_rule *last = &list->rules[kept];

        if (group_of(rule) == group_of(last) &&
            compare_patterns(rule->pattern, last->pattern, fold_case) == 0) {
            continue;
        }
        list->rules[++kept] = *rule;
    }
    list->count = kept + 1;
}
