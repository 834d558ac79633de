/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "policy/loader.h"
#include "policy/schema.h"
#include "policy/spelling.h"
#include "policy/suggest.h"
#include "policy/tree.h"

#define EXTENDS_MAX 16U
#define NAMES_MAX 64U

/* Written as a file would write them, so that extending one is an ordinary merge. */
static const char builtin_text[] = "[\":read-only\".filesystem]\n"
                                   "\":root\" = \"read\"\n"
                                   "[\":workspace\".filesystem]\n"
                                   "\":root\" = \"read\"\n"
                                   "\":workspace_roots\" = \"write\"\n"
                                   "\":tmpdir\" = \"write\"\n"
                                   "\":slash_tmp\" = \"write\"\n"
                                   "[\":danger-full-access\".filesystem]\n"
                                   "\":root\" = \"write\"\n"
                                   "[\":danger-full-access\".network]\n"
                                   "enabled = true\n";

enum cordon_err profile_builtin(struct loader *loader)
{
    static const struct toml_source source = {LAYER_BUILTIN, NULL, "built in"};
    enum cordon_err err = toml_parse(&source, builtin_text, sizeof(builtin_text) - 1, loader->arena,
                                     &loader->builtin, loader->fault);

    return err != CORDON_OK ? err : profile_lift(loader, &loader->builtin);
}

/* "path" = "word" becomes "path" = { "." = "word" }; the old name gets the new one. */
static enum cordon_err lift_entry(struct loader *loader, struct toml_entry *entry)
{
    struct toml_entry *inner;

    if (strcmp(entry->key, ":project_roots") == 0) {
        entry->key = ":workspace_roots";
    }
    if (entry->value.type != TOML_STRING) {
        return CORDON_OK;
    }
    inner = arena_alloc(loader->arena, sizeof(*inner));
    if (inner == NULL) {
        return place_no_memory(loader->fault);
    }
    *inner = (struct toml_entry){".", entry->pos, entry->value};
    entry->value.type = TOML_TABLE;
    entry->value.count = 1;
    entry->value.as.entries = inner;
    return CORDON_OK;
}

/*
 * Brings every profile's filesystem table to one shape before any merge: a scoped
 * table laid over "path" = "write" must add to it, not replace it.
 */
enum cordon_err profile_lift(struct loader *loader, struct toml_value *permissions)
{
    for (size_t i = 0; i < permissions->count; i++) {
        const struct toml_value *profile = &permissions->as.entries[i].value;
        const struct toml_value *files = tree_get(profile, "filesystem");

        for (size_t j = 0; files != NULL && files->type == TOML_TABLE && j < files->count; j++) {
            enum cordon_err err = lift_entry(loader, &files->as.entries[j]);

            if (err != CORDON_OK) {
                return err;
            }
        }
    }
    return CORDON_OK;
}

/* In requirements these two names under [permissions] are not profiles. */
static bool managed_reserved(const char *name)
{
    return strcmp(name, "filesystem") == 0 || strcmp(name, "network") == 0;
}

const struct toml_value *profile_find(const struct loader *loader, const char *name,
                                      bool *ret_managed)
{
    const struct toml_value *found = tree_get(&loader->builtin, name);

    *ret_managed = true;
    if (found == NULL && !managed_reserved(name)) {
        found = tree_get(tree_get(&loader->managed, "permissions"), name);
    }
    if (found == NULL) {
        *ret_managed = false;
        found = tree_get(tree_get(&loader->config, "permissions"), name);
    }
    return found;
}

static const char *nearest_profile(const struct loader *loader, const char *name)
{
    const struct toml_value *tables[] = {&loader->builtin,
                                         tree_get(&loader->managed, "permissions"),
                                         tree_get(&loader->config, "permissions")};
    const char *names[NAMES_MAX];
    size_t count = 0;

    for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        for (size_t j = 0; tables[i] != NULL && j < tables[i]->count && count < NAMES_MAX; j++) {
            names[count++] = tables[i]->as.entries[j].key;
        }
    }
    return suggest(name, names, count);
}

static enum cordon_err unknown_profile(struct loader *loader, const char *name,
                                       const struct toml_pos *pos)
{
    const char *near = nearest_profile(loader, name);
    char remedy[CORDON_FAULT_REMEDY_MAX];
    char quoted[PLACE_QUOTE_MAX];

    if (near == NULL) {
        near = ":workspace";
        (void)snprintf(remedy, sizeof(remedy), "define [permissions.NAME], or use \"%s\"", near);
    } else {
        (void)snprintf(remedy, sizeof(remedy), "did you mean \"%s\"?", near);
    }
    return place_fail(loader->fault, CORDON_E_INVALID, pos, remedy,
                      "no permission profile is named %s", place_quote(name, quoted));
}

/* A profile and what it extends, the profile first. */
struct chain {
    const struct toml_value *tables[EXTENDS_MAX];
    const char *names[EXTENDS_MAX];
    size_t count;
    bool managed; /* the profile is the administrator's: so must its parents be */
};

static enum cordon_err chain_add(struct loader *loader, struct chain *chain, const char *name,
                                 const struct toml_pos *pos)
{
    char quoted[PLACE_QUOTE_MAX];
    const struct toml_value *table;
    bool managed;

    for (size_t i = 0; i < chain->count; i++) {
        if (strcmp(chain->names[i], name) == 0) {
            return place_fail(loader->fault, CORDON_E_INVALID, pos, NULL,
                              "%s extends itself through a cycle", place_quote(name, quoted));
        }
    }
    if (chain->count == EXTENDS_MAX) {
        return place_fail(loader->fault, CORDON_E_LIMIT, pos, NULL,
                          "profiles extend each other more than %u deep", EXTENDS_MAX);
    }
    if (chain->count > 0 && strcmp(name, ":danger-full-access") == 0) {
        return place_fail(loader->fault, CORDON_E_INVALID, pos,
                          "extend \":workspace\" or \":read-only\"",
                          ":danger-full-access cannot be extended");
    }
    table = profile_find(loader, name, &managed);
    if (table == NULL || (chain->count > 0 && chain->managed && !managed)) {
        return unknown_profile(loader, name, pos);
    }
    chain->managed = chain->count == 0 ? managed : chain->managed;
    chain->tables[chain->count] = table;
    chain->names[chain->count++] = name;
    return CORDON_OK;
}

enum cordon_err profile_resolve(struct loader *loader, const char *name, const struct toml_pos *pos,
                                struct toml_value *ret_profile)
{
    struct chain chain = {.count = 0};
    struct toml_value merged;
    enum cordon_err err = chain_add(loader, &chain, name, pos);
    const struct toml_value *parent;

    while (err == CORDON_OK &&
           (parent = tree_get(chain.tables[chain.count - 1], "extends")) != NULL) {
        err = chain_add(loader, &chain, parent->as.text, &parent->pos);
    }
    if (err != CORDON_OK) {
        return err;
    }
    merged = *chain.tables[chain.count - 1];
    for (size_t i = chain.count - 1; i > 0; i--) {
        if (tree_merge(&merged, chain.tables[i - 1], loader->arena, &merged) != CORDON_OK) {
            return place_no_memory(loader->fault);
        }
    }
    *ret_profile = merged;
    return CORDON_OK;
}

/* The choice's settings of the older modes; NULL for everything else. */
static const struct toml_entry *legacy_settings(const struct loader *loader,
                                                const struct choice *choice)
{
    if (choice->mode == NULL || strcmp(choice->mode, "workspace-write") != 0) {
        return NULL;
    }
    return tree_find(&loader->config, "sandbox_workspace_write");
}

static void add_root(struct policy *policy, const char *root)
{
    for (size_t i = 0; i < policy->workspace_root_count; i++) {
        if (strcmp(policy->workspace_roots[i], root) == 0) {
            return;
        }
    }
    policy->workspace_roots[policy->workspace_root_count++] = root;
}

/* The working directory is the first workspace root. */
static enum cordon_err add_cwd(struct loader *loader)
{
    const struct policy_context *context = &loader->input->context;
    const char *root;
    enum cordon_err err;

    if (context->cwd == NULL) {
        return CORDON_OK;
    }
    err = spelling_normal(context->cwd, context->os, loader->arena, &root);
    if (err != CORDON_OK) {
        return place_no_memory(loader->fault); /* that it is absolute was checked */
    }
    add_root(loader->policy, root);
    return CORDON_OK;
}

/* The working directory and what [permissions.NAME.workspace_roots] adds. */
static enum cordon_err compile_roots(struct loader *loader, const struct place *at,
                                     const struct toml_value *profile)
{
    const struct toml_value *roots = tree_get(profile, "workspace_roots");
    size_t count = roots == NULL ? 0 : roots->count;
    const struct place below = {at, "workspace_roots", 0, at->pos};
    struct rule_list list = {NULL, 0, 0};
    enum cordon_err err;

    loader->policy->workspace_roots = arena_array(loader->arena, count + 1, sizeof(char *));
    if (loader->policy->workspace_roots == NULL) {
        return place_no_memory(loader->fault);
    }
    err = add_cwd(loader);
    for (size_t i = 0; err == CORDON_OK && i < count; i++) {
        const struct toml_entry *entry = &roots->as.entries[i];
        const struct place place = {&below, entry->key, 0, entry->pos};

        if (!entry->value.as.boolean) {
            continue;
        }
        if (entry->key[0] == ':') {
            return place_fail(loader->fault, CORDON_E_INVALID, &entry->pos, NULL,
                              "a workspace root is a directory, not a special");
        }
        list.count = 0;
        err = rules_add_entry(loader,
                              &(struct rule_entry){&list, &place, entry->key, ACCESS_WRITE, NULL});
        if (err == CORDON_OK) {
            add_root(loader->policy, list.rules[0].pattern);
        }
    }
    return err;
}

static bool excluded(const struct toml_entry *legacy, const char *key)
{
    const struct toml_value *settings = legacy == NULL ? NULL : &legacy->value;

    return (strcmp(key, ":tmpdir") == 0 && tree_bool(settings, "exclude_tmpdir_env_var", false)) ||
           (strcmp(key, ":slash_tmp") == 0 && tree_bool(settings, "exclude_slash_tmp", false));
}

/* One lifted entry: its base and its sub-paths. */
static enum cordon_err compile_entry(struct loader *loader, const struct place *at,
                                     const struct toml_value *scope)
{
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < scope->count; i++) {
        const struct toml_entry *sub = &scope->as.entries[i];
        const struct place place = {at, sub->key, 0, sub->pos};
        struct rule_entry entry = {&loader->own_rules, &place, at->key, ACCESS_DENY, NULL};

        (void)schema_access(sub->value.as.text, &entry.access);
        err = strcmp(sub->key, ".") == 0 ? rules_add_entry(loader, &entry)
                                         : rules_add_scoped(loader, &entry, sub->key);
    }
    return err;
}

static enum cordon_err compile_files(struct loader *loader, const struct place *at,
                                     const struct toml_value *profile,
                                     const struct toml_entry *legacy)
{
    const struct toml_value *files = tree_get(profile, "filesystem");
    const struct place below = {at, "filesystem", 0, at->pos};
    enum cordon_err err = CORDON_OK;

    loader->policy->glob_scan_max_depth = tree_uint(files, "glob_scan_max_depth", 0);
    for (size_t i = 0; err == CORDON_OK && files != NULL && i < files->count; i++) {
        const struct toml_entry *entry = &files->as.entries[i];
        const struct place place = {&below, entry->key, 0, entry->pos};

        if (entry->value.type == TOML_TABLE && !excluded(legacy, entry->key)) {
            err = compile_entry(loader, &place, &entry->value);
        }
    }
    return err;
}

/* What only the proxy can enforce must not silently become the whole network. */
static enum cordon_err check_proxy(struct loader *loader, const struct toml_value *network)
{
    static const char *const needs_proxy[] = {"domains", "mode", "mitm"};

    for (size_t i = 0; i < sizeof(needs_proxy) / sizeof(needs_proxy[0]); i++) {
        const struct toml_entry *entry = tree_find(network, needs_proxy[i]);
        bool full = i == 1 && strcmp(tree_text(network, "mode", ""), "full") == 0;

        if (entry != NULL && !full && loader->policy->network) {
            return place_fail(loader->fault, CORDON_E_UNSUPPORTED, &entry->pos,
                              "set enabled = false, or remove the key to allow every host",
                              "\"%s\" needs the network proxy, which cordon does not have yet",
                              entry->key);
        }
    }
    return CORDON_OK;
}

static enum cordon_err compile_sockets(struct loader *loader, const struct place *at,
                                       const struct toml_value *sockets)
{
    struct policy *policy = loader->policy;
    const struct place below = {at, "unix_sockets", 0, at->pos};
    enum cordon_err err = CORDON_OK;

    policy->unix_sockets = arena_array(loader->arena, sockets->count, sizeof(char *));
    if (policy->unix_sockets == NULL) {
        return place_no_memory(loader->fault);
    }
    for (size_t i = 0; err == CORDON_OK && i < sockets->count; i++) {
        const struct toml_entry *entry = &sockets->as.entries[i];
        const struct place place = {&below, entry->key, 0, entry->pos};
        struct rule_list list = {NULL, 0, 0};

        if (strcmp(entry->value.as.text, "allow") != 0) {
            continue;
        }
        err = rules_add_entry(loader,
                              &(struct rule_entry){&list, &place, entry->key, ACCESS_WRITE, NULL});
        if (err == CORDON_OK && list.count > 0) {
            policy->unix_sockets[policy->unix_socket_count++] = list.rules[0].pattern;
        }
    }
    return err;
}

static enum cordon_err compile_network(struct loader *loader, const struct place *at,
                                       const struct toml_value *profile,
                                       const struct toml_entry *legacy)
{
    const struct toml_value *network = tree_get(profile, "network");
    const struct toml_value *sockets = tree_get(network, "unix_sockets");
    const struct place below = {at, "network", 0, at->pos};
    enum cordon_err err;

    loader->policy->network =
        tree_bool(network, "enabled", false) ||
        (legacy != NULL && tree_bool(&legacy->value, "network_access", false));
    err = check_proxy(loader, network);
    return err != CORDON_OK || sockets == NULL ? err : compile_sockets(loader, &below, sockets);
}

static enum cordon_err add_writable_roots(struct loader *loader, const struct toml_entry *legacy)
{
    const struct place top = {NULL, "sandbox_workspace_write", 0, legacy->pos};
    const struct toml_entry *roots = tree_find(&legacy->value, "writable_roots");
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && roots != NULL && i < roots->value.count; i++) {
        const struct toml_value *root = &roots->value.as.items[i];
        const struct place list = {&top, roots->key, 0, roots->pos};
        const struct place place = {&list, NULL, i, root->pos};

        err = rules_add_entry(loader, &(struct rule_entry){&loader->own_rules, &place,
                                                           root->as.text, ACCESS_WRITE, NULL});
    }
    return err;
}

/* What the older workspace-write mode has beyond the :workspace profile. */
static enum cordon_err add_legacy(struct loader *loader, const struct toml_entry *legacy)
{
    const struct policy_context *context = &loader->input->context;
    struct policy_rule rule = {.access = ACCESS_WRITE, .spelled = "~/.codex/memories"};
    enum cordon_err err = legacy == NULL ? CORDON_OK : add_writable_roots(loader, legacy);
    const char *home;

    if (err != CORDON_OK || context->home == NULL) {
        return err;
    }
    home = arena_printf(loader->arena, "%s/.codex/memories", context->home);
    if (home == NULL ||
        spelling_normal(home, context->os, loader->arena, &rule.pattern) != CORDON_OK) {
        return place_no_memory(loader->fault);
    }
    rule.origin = (struct policy_origin){.layer = LAYER_BUILTIN, .key = "sandbox_mode"};
    return rules_add(loader, &loader->own_rules, &rule);
}

enum cordon_err profile_compile(struct loader *loader, const struct choice *choice)
{
    const struct toml_entry *legacy = legacy_settings(loader, choice);
    struct policy *policy = loader->policy;
    struct toml_value profile;
    enum cordon_err err = profile_resolve(loader, choice->name, &choice->pos, &profile);
    struct place top = {NULL, "permissions", 0, choice->pos};
    struct place at = {&top, choice->name, 0, choice->pos};

    if (err != CORDON_OK) {
        return err;
    }
    policy->profile = choice->name;
    policy->chosen_by = choice->origin;
    policy->full_access = choose_profile_bit(choice->name) == MODE_FULL_ACCESS;
    err = compile_roots(loader, &at, &profile);
    if (err == CORDON_OK) {
        err = compile_files(loader, &at, &profile, legacy);
    }
    if (err == CORDON_OK) {
        err = compile_network(loader, &at, &profile, legacy);
    }
    if (err == CORDON_OK && limits_own(loader, &at, &profile) != CORDON_OK) {
        err = place_no_memory(loader->fault);
    }
    if (err == CORDON_OK && choice->mode != NULL && strcmp(choice->mode, "workspace-write") == 0) {
        err = add_legacy(loader, legacy);
    }
    if (err != CORDON_OK) {
        return err;
    }
    rules_settle(&loader->own_rules, policy_folds_case(loader->input->context.os));
    if (policy->full_access) {
        return CORDON_OK;
    }
    return metadata_protect(loader,
                            strcmp(tree_text(&profile, "protect_metadata", "top"), "nested") == 0);
}
