/* SPDX-License-Identifier: Apache-2.0 */
/* What the managed layers allow, and whether the caller's choice is among it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/loader.h"
#include "policy/spelling.h"
#include "policy/tree.h"

/* The least mode that lets a profile's rules be: from its tree, for any caller. */
static unsigned tree_mode(const struct toml_value *profile)
{
    const struct toml_value *files = tree_get(profile, "filesystem");
    unsigned mode = MODE_READ_ONLY;

    for (size_t i = 0; files != NULL && i < files->count; i++) {
        const struct toml_entry *entry = &files->as.entries[i];
        const struct toml_value *scope = &entry->value;
        bool root = strcmp(entry->key, ":root") == 0 || strcmp(entry->key, "/") == 0;

        for (size_t j = 0; scope->type == TOML_TABLE && j < scope->count; j++) {
            if (strcmp(scope->as.entries[j].value.as.text, "write") == 0) {
                mode = root || mode == MODE_FULL_ACCESS ? MODE_FULL_ACCESS : MODE_WORKSPACE_WRITE;
            }
        }
    }
    return mode;
}

/* The same from a compiled profile, however its root was spelled. */
static unsigned rules_mode(const struct rule_list *list)
{
    unsigned mode = MODE_READ_ONLY;

    for (size_t i = 0; i < list->count; i++) {
        const struct policy_rule *rule = &list->rules[i];

        if (rule->access == ACCESS_WRITE && rule->pattern_len == 1) {
            return MODE_FULL_ACCESS;
        }
        if (rule->access == ACCESS_WRITE) {
            mode = MODE_WORKSPACE_WRITE;
        }
    }
    return mode;
}

/* A mode allows the narrower ones too. */
static bool mode_allowed(const struct allowance *allowance, unsigned mode)
{
    return mode <= MODE_READ_ONLY || (allowance->modes & mode) != 0 ||
           (mode == MODE_WORKSPACE_WRITE && (allowance->modes & MODE_FULL_ACCESS) != 0);
}

static enum cordon_err profile_mode(struct loader *loader, const struct toml_entry *name,
                                    unsigned *ret_mode)
{
    struct toml_value profile;
    enum cordon_err err = profile_resolve(loader, name->key, &name->pos, &profile);

    if (err == CORDON_OK) {
        *ret_mode = choose_profile_bit(name->key);
        *ret_mode = *ret_mode != 0 ? *ret_mode : tree_mode(&profile);
    }
    return err;
}

/* The strongest mode that any allowed profile needs. */
static enum cordon_err allowed_profiles_mode(struct loader *loader, unsigned *ret_mode)
{
    const struct toml_entry *allowed = loader->allowance.profiles;
    unsigned strongest = allowed == NULL ? MODE_FULL_ACCESS : MODE_READ_ONLY;

    for (size_t i = 0; allowed != NULL && i < allowed->value.count; i++) {
        const struct toml_entry *entry = &allowed->value.as.entries[i];
        unsigned mode = 0;
        enum cordon_err err = CORDON_OK;
        bool managed;

        if (entry->value.as.boolean && profile_find(loader, entry->key, &managed) != NULL &&
            managed) {
            err = profile_mode(loader, entry, &mode);
        }
        if (err != CORDON_OK) {
            return err;
        }
        strongest = mode > strongest ? mode : strongest;
    }
    *ret_mode = strongest;
    return CORDON_OK;
}

static enum policy_enforcement level_of(const struct toml_value *table)
{
    const char *level = tree_text(tree_get(table, "cordon"), "minimum_enforcement", "snapshot");

    return strcmp(level, "kernel") == 0 ? ENFORCE_KERNEL : ENFORCE_SNAPSHOT;
}

/* "journal" is what holds without the key, so it is none. */
static enum cordon_err read_sink(const struct loader *loader, const struct toml_value *audit,
                                 struct policy_audit *ret_audit)
{
    const struct toml_entry *entry = tree_find(audit, "sink");
    const struct place top = {NULL, "cordon", 0, {NULL, 0, 0}};
    const struct place table = {&top, "audit", 0, {NULL, 0, 0}};

    if (entry == NULL || strcmp(entry->value.as.text, "journal") == 0) {
        return CORDON_OK;
    }
    if (entry->value.as.text[0] != '/') {
        char quoted[PLACE_QUOTE_MAX];

        return place_fail(loader->fault, CORDON_E_INVALID, &entry->pos, NULL,
                          "cordon.audit.sink is \"journal\" or an absolute path, not %s",
                          place_quote(entry->value.as.text, quoted));
    }
    ret_audit->sink = entry->value.as.text;
    return place_origin(&(const struct place){&table, entry->key, 0, entry->pos}, loader->arena,
                        &ret_audit->sink_origin);
}

static enum cordon_err read_audit(struct loader *loader, const struct toml_value *audit)
{
    const struct toml_value *redact = tree_get(audit, "redact");
    struct policy_audit *ret = &loader->policy->audit;
    enum cordon_err err = read_sink(loader, audit, ret);

    ret->level = tree_text(audit, "level", NULL);
    if (err != CORDON_OK) {
        return err;
    }
    if (redact == NULL) {
        return CORDON_OK;
    }
    ret->redact = arena_array(loader->arena, redact->count, sizeof(char *));
    if (ret->redact == NULL) {
        return place_no_memory(loader->fault);
    }
    for (size_t i = 0; i < redact->count; i++) {
        ret->redact[ret->redact_count++] = redact->as.items[i].as.text;
    }
    return CORDON_OK;
}

static enum cordon_err read_own(struct loader *loader)
{
    const struct toml_value *own = tree_get(&loader->managed, "cordon");
    struct policy *policy = loader->policy;

    policy->minimum_managed = level_of(&loader->managed);
    policy->minimum_own = policy->minimum_managed;
    if (level_of(&loader->config) == ENFORCE_KERNEL) {
        policy->minimum_own = ENFORCE_KERNEL;
    }
    if (limits_managed(loader) != CORDON_OK) {
        return place_no_memory(loader->fault);
    }
    return read_audit(loader, tree_get(own, "audit"));
}

/* A default that does not exist must not wait for the first caller. */
static enum cordon_err check_default(struct loader *loader)
{
    const struct toml_entry *entry = tree_find(&loader->managed, "default_permissions");
    char quoted[PLACE_QUOTE_MAX];
    bool managed;

    if (entry == NULL ||
        (profile_find(loader, entry->value.as.text, &managed) != NULL && managed)) {
        return CORDON_OK;
    }
    return place_fail(loader->fault, CORDON_E_INVALID, &entry->value.pos,
                      "define [permissions.NAME] in the managed layers, or name a built-in one",
                      "default_permissions: no managed profile is named %s",
                      place_quote(entry->value.as.text, quoted));
}

enum cordon_err managed_finish(struct loader *loader)
{
    struct policy *policy = loader->policy;
    unsigned strongest = 0;
    enum cordon_err err = check_default(loader);

    if (err == CORDON_OK) {
        err = read_own(loader);
    }
    loader->allowance.profiles = tree_find(&loader->managed, "allowed_permission_profiles");
    if (err == CORDON_OK) {
        err = allowed_profiles_mode(loader, &strongest);
    }
    policy->managed_allows_write =
        strongest >= MODE_WORKSPACE_WRITE && mode_allowed(&loader->allowance, MODE_WORKSPACE_WRITE);
    policy->managed_allows_full_access =
        strongest >= MODE_FULL_ACCESS && mode_allowed(&loader->allowance, MODE_FULL_ACCESS);
    return err;
}

static enum cordon_err check_profile(struct loader *loader, const struct choice *choice)
{
    const struct toml_entry *allowed = loader->allowance.profiles;
    const struct toml_entry *entry;
    char quoted[PLACE_QUOTE_MAX];
    bool managed;

    if (allowed == NULL) {
        return CORDON_OK;
    }
    entry = tree_find(&allowed->value, choice->name);
    if (entry == NULL || !entry->value.as.boolean) {
        return place_fail(
            loader->fault, CORDON_E_DENIED, entry == NULL ? &allowed->pos : &entry->pos,
            "choose a profile that allowed_permission_profiles lists",
            "permission profile %s is not allowed", place_quote(choice->name, quoted));
    }
    (void)profile_find(loader, choice->name, &managed);
    if (!managed) {
        return place_fail(loader->fault, CORDON_E_DENIED, &entry->pos,
                          "the administrator has to define it in the managed layers",
                          "permission profile %s is allowed by name only",
                          place_quote(choice->name, quoted));
    }
    return CORDON_OK;
}

static enum cordon_err check_mode(struct loader *loader, const struct choice *choice)
{
    const struct allowance *allowance = &loader->allowance;
    unsigned mode = choose_profile_bit(choice->name);
    char quoted[PLACE_QUOTE_MAX];

    mode = mode == MODE_FULL_ACCESS ? mode : rules_mode(&loader->own_rules);
    if (mode_allowed(allowance, mode)) {
        return CORDON_OK;
    }
    if (choice->mode != NULL) {
        return place_fail(loader->fault, CORDON_E_DENIED, &allowance->modes_pos,
                          "choose a mode that allowed_sandbox_modes lists",
                          "sandbox mode %s is not allowed", place_quote(choice->mode, quoted));
    }
    return place_fail(loader->fault, CORDON_E_DENIED, &allowance->modes_pos,
                      "choose a profile that writes no more than allowed_sandbox_modes lists",
                      "permission profile %s is wider than the allowed sandbox modes",
                      place_quote(choice->name, quoted));
}

enum cordon_err managed_check_choice(struct loader *loader, const struct choice *choice)
{
    enum cordon_err err = check_profile(loader, choice);

    return err != CORDON_OK ? err : check_mode(loader, choice);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* @path or a directory above it is one of the @count sorted @denied. */
static bool is_below(const char *path, char *buffer, const char *const *denied, size_t count)
{
    size_t len = strlen(path);

    memcpy(buffer, path, len + 1);
    while (len > 0) {
        const char *key = buffer;

        if (bsearch(&key, denied, count, sizeof(key), compare_texts) != NULL) {
            return true;
        }
        while (len > 0 && buffer[--len] != '/') {
            continue;
        }
        buffer[len] = '\0';
    }
    return false;
}

static enum cordon_err warn_rule(struct loader *loader, const struct policy_rule *rule)
{
    const struct toml_source source = {rule->origin.layer, rule->origin.file, ""};
    const struct place place = {
        NULL, rule->origin.key, 0, {&source, rule->origin.line, rule->origin.column}};
    enum cordon_err err =
        loader_warn(loader, &place, "a managed rule denies it; this has no effect");

    if (err == CORDON_OK) {
        loader->policy->warnings[loader->policy->warning_count - 1].origin = rule->origin;
    }
    return err;
}

/* Codex refuses such a profile; here the managed rule wins, and it is said. */
enum cordon_err managed_warn_reopened(struct loader *loader)
{
    const struct rule_list *managed = &loader->managed_rules;
    const char **denied = arena_array(loader->arena, managed->count + 1, sizeof(*denied));
    char *buffer = arena_alloc(loader->arena, POLICY_PATTERN_MAX + 1);
    enum cordon_err err = CORDON_OK;
    size_t count = 0;

    if (denied == NULL || buffer == NULL) {
        return place_no_memory(loader->fault);
    }
    for (size_t i = 0; i < managed->count; i++) {
        if (!managed->rules[i].glob && managed->rules[i].access == ACCESS_DENY) {
            denied[count++] = managed->rules[i].pattern;
        }
    }
    qsort(denied, count, sizeof(*denied), compare_texts);
    for (size_t i = 0; err == CORDON_OK && i < loader->own_rules.count; i++) {
        const struct policy_rule *rule = &loader->own_rules.rules[i];

        if (rule->origin.layer != LAYER_BUILTIN && !rule->glob && rule->access != ACCESS_DENY &&
            is_below(rule->pattern, buffer, denied, count)) {
            err = warn_rule(loader, rule);
        }
    }
    return err;
}
