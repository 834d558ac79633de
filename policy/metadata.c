/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a job must not change about its workspace even where it may write: a
 * hook or a setting planted there would run later, outside the sandbox.
 */
#include <string.h>

#include "policy/loader.h"
#include "policy/metadata_names.h"
#include "policy/spelling.h"

/* The last component is one: the entry lifts the protection, it is no root. */
static bool names_metadata(const struct policy_rule *rule, enum policy_os os)
{
    return metadata_named(strrchr(rule->pattern, '/') + 1, policy_folds_case(os));
}

static enum cordon_err add_generated(struct loader *loader, const char *pattern,
                                     enum policy_access access, const char *name)
{
    struct policy_rule rule = {.pattern = pattern, .access = access, .spelled = name};

    if (pattern == NULL) {
        return place_no_memory(loader->fault);
    }
    rule.glob = access == ACCESS_DENY_WRITE;
    rule.origin = (struct policy_origin){.layer = LAYER_BUILTIN, .key = "protect_metadata"};
    return rules_add(loader, &loader->own_rules, &rule);
}

/*
 * An entry that names the same path wins in rules_settle(): deny and write by
 * their rank, read because a built-in origin sorts last.
 */
static enum cordon_err protect_root(struct loader *loader, const char *root, bool nested)
{
    const char *base = strcmp(root, "/") == 0 ? "" : root;
    const char *escaped = spelling_escape(base, loader->arena);
    enum cordon_err err = escaped == NULL ? place_no_memory(loader->fault) : CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < METADATA_COUNT; i++) {
        const char *name = metadata_names[i];

        err = add_generated(loader, arena_printf(loader->arena, "%s/%s", base, name), ACCESS_READ,
                            name);
        if (err == CORDON_OK && nested) {
            err = add_generated(loader, arena_printf(loader->arena, "%s/**/%s", escaped, name),
                                ACCESS_DENY_WRITE, name);
        }
    }
    return err;
}

enum cordon_err metadata_protect(struct loader *loader, bool nested)
{
    size_t count = loader->own_rules.count;
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < count; i++) {
        const struct policy_rule *rule = &loader->own_rules.rules[i];

        if (!rule->glob && rule->access == ACCESS_WRITE &&
            !names_metadata(rule, loader->input->context.os)) {
            err = protect_root(loader, rule->pattern, nested);
        }
    }
    rules_settle(&loader->own_rules, policy_folds_case(loader->input->context.os));
    return err;
}
