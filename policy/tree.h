/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into TOML trees, and laying one over another. */
#ifndef CORDON_POLICY_TREE_H
#define CORDON_POLICY_TREE_H

#include "policy/toml.h"

/* The entry of a table, or NULL; @table may be NULL. */
const struct toml_entry *tree_find(const struct toml_value *table, const char *key);

/* Its value, or NULL. */
const struct toml_value *tree_get(const struct toml_value *table, const char *key);

/* Its value of that type, or @fallback. */
bool tree_bool(const struct toml_value *table, const char *key, bool fallback);
const char *tree_text(const struct toml_value *table, const char *key, const char *fallback);
uint32_t tree_uint(const struct toml_value *table, const char *key, uint32_t fallback);

/*
 * @over laid over @base, as Codex merges layers: tables merge key by key, anything
 * else is replaced. Values are shared, not copied. CORDON_E_NOMEM.
 */
CORDON_MUST_USE enum cordon_err tree_merge(const struct toml_value *base,
                                           const struct toml_value *over, struct arena *arena,
                                           struct toml_value *ret_table);

/*
 * One "key=value" of the command line as a tree. The key is a dotted TOML key;
 * the value is TOML, or else taken as a string. *source is filled in @arena.
 * CORDON_E_INVALID, _LIMIT, _NOMEM.
 */
CORDON_MUST_USE enum cordon_err override_parse(const char *text, struct arena *arena,
                                               struct toml_value *ret_table,
                                               struct cordon_fault *fault);

#endif
