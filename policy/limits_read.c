/* SPDX-License-Identifier: Apache-2.0 */
/* [cordon.limits] and [permissions.NAME.limits]. */
#include <inttypes.h>

#include "policy/loader.h"
#include "policy/tree.h"

void policy_limit_text(enum policy_limit limit, const struct policy_limit_value *value,
                       struct strbuf *out)
{
    strbuf_printf(out, "%" PRIu32 "%s (", value->value, policy_limit_unit(limit));
    policy_origin_text(&value->origin, out);
    strbuf_puts(out, ")");
}

/* Lays what @table says over @values, where it is less. */
static enum cordon_err read_table(struct loader *loader, const struct place *at,
                                  const struct toml_value *table, struct policy_limit_value *values)
{
    enum cordon_err err = CORDON_OK;

    for (int limit = 0; err == CORDON_OK && limit < POLICY_LIMIT_COUNT; limit++) {
        const char *key = policy_limit_name((enum policy_limit)limit);
        const struct toml_entry *entry = tree_find(table, key);
        uint32_t value = tree_uint(table, key, 0);
        struct policy_limit_value *held = &values[limit];

        if (value != 0 && policy_limit_least(value, held->value) != held->value) {
            const struct place place = {at, entry->key, 0, entry->pos};

            held->value = value;
            err = place_origin(&place, loader->arena, &held->origin);
        }
    }
    return err;
}

static enum cordon_err read_cordon(struct loader *loader, const struct toml_value *tree,
                                   struct policy_limit_value *values)
{
    const struct place top = {NULL, "cordon", 0, {NULL, 0, 0}};
    const struct place at = {&top, "limits", 0, {NULL, 0, 0}};

    return read_table(loader, &at, tree_get(tree_get(tree, "cordon"), "limits"), values);
}

enum cordon_err limits_managed(struct loader *loader)
{
    return read_cordon(loader, &loader->managed, loader->policy->limits.managed);
}

enum cordon_err limits_own(struct loader *loader, const struct place *at,
                           const struct toml_value *profile)
{
    const struct place below = {at, "limits", 0, at->pos};
    enum cordon_err err =
        read_table(loader, &below, tree_get(profile, "limits"), loader->policy->limits.own);

    return err == CORDON_OK ? read_cordon(loader, &loader->config, loader->policy->limits.own)
                            : err;
}
