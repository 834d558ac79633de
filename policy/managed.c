/* SPDX-License-Identifier: Apache-2.0 */
/* requirements.toml: rules for this caller, and what he may choose. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/base/ascii.h"
#include "policy/loader.h"
#include "policy/spelling.h"
#include "policy/tree.h"

/* Host names: any case, '*' and '?'. Backtracks to the last star only. */
static bool host_matches(const char *pattern, const char *host)
{
    const char *star = NULL;
    const char *resume = NULL;

    while (*host != '\0') {
        if (*pattern == '*') {
            star = pattern++;
            resume = host;
        } else if (*pattern == '?' ||
                   (*pattern != '\0' && ascii_lower(*pattern) == ascii_lower(*host))) {
            pattern++;
            host++;
        } else if (star != NULL) {
            pattern = star + 1;
            host = ++resume;
        } else {
            return false;
        }
    }
    while (*pattern == '*') {
        pattern++;
    }
    return *pattern == '\0';
}

static bool any_host(const struct toml_value *patterns, const char *host)
{
    for (size_t i = 0; i < patterns->count; i++) {
        if (host_matches(patterns->as.items[i].as.text, host)) {
            return true;
        }
    }
    return false;
}

static bool any_text(const struct toml_value *list, const char *text)
{
    for (size_t i = 0; list != NULL && i < list->count; i++) {
        if (strcmp(list->as.items[i].as.text, text) == 0) {
            return true;
        }
    }
    return false;
}

static bool any_group(const struct toml_value *list, const struct policy_context *context)
{
    for (size_t i = 0; i < context->group_count; i++) {
        if (any_text(list, context->groups[i])) {
            return true;
        }
    }
    return false;
}

/*
 * A [[cordon.rule]] concerns the caller: named by user or by group, or nobody is
 * named; and so his host. What is not known counts as a match: these rules deny.
 */
static bool rule_concerns(const struct toml_value *rule, const struct policy_context *context)
{
    const struct toml_value *users = tree_get(rule, "users");
    const struct toml_value *groups = tree_get(rule, "groups");
    const struct toml_value *hosts = tree_get(rule, "hosts");
    bool named = users == NULL && groups == NULL;

    if (users != NULL && (context->user == NULL || any_text(users, context->user))) {
        named = true;
    }
    if (groups != NULL && (context->groups == NULL || any_group(groups, context))) {
        named = true;
    }
    return named &&
           (hosts == NULL || context->hostname == NULL || any_host(hosts, context->hostname));
}

/* What one list of denials is added with. */
struct denials {
    const char *dir; /* of the file; NULL: it was fetched and lies in none */
    enum policy_access access;
};

static enum cordon_err warn_relative(struct loader *loader, const struct place *place,
                                     const char *text, const char *dir)
{
    char quoted[PLACE_QUOTE_MAX];
    char warning[2 * PLACE_QUOTE_MAX];

    if (dir == NULL || text[0] == '/' || text[0] == '~') {
        return CORDON_OK;
    }
    (void)snprintf(warning, sizeof(warning), "%s is relative and covers only what is below %.100s",
                   place_quote(text, quoted), dir);
    return loader_warn(loader, place, warning);
}

/* A fetched document lies in no directory that an entry could be below. */
static enum cordon_err check_fetched(struct loader *loader, const struct toml_value *item)
{
    char quoted[PLACE_QUOTE_MAX];
    struct spelling spelling;
    enum cordon_err err =
        spelling_parse_managed(item->as.text, &item->pos, &spelling, loader->fault);

    if (err == CORDON_OK && spelling.kind == SPELL_RELATIVE) {
        err = place_fail(loader->fault, CORDON_E_INVALID, &item->pos, "write it from the root on",
                         "%s is relative: a fetched document lies in no directory",
                         place_quote(item->as.text, quoted));
    }
    return err;
}

static enum cordon_err add_denials(struct loader *loader, const struct place *at,
                                   const struct toml_value *list, const struct denials *denials)
{
    const char *dir = denials->dir == NULL ? "" : denials->dir;
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && list != NULL && i < list->count; i++) {
        const struct toml_value *item = &list->as.items[i];
        const struct place place = {at, NULL, i, item->pos};

        if (denials->dir == NULL) {
            err = check_fetched(loader, item);
        }
        if (err == CORDON_OK) {
            const struct rule_entry entry = {&loader->managed_rules, &place, item->as.text,
                                             denials->access, dir};

            err = rules_add_entry(loader, &entry);
        }
        if (err == CORDON_OK) {
            err = warn_relative(loader, &place, item->as.text, denials->dir);
        }
    }
    return err;
}

static enum cordon_err add_rules(struct loader *loader, const struct toml_value *table,
                                 const char *dir)
{
    const struct toml_entry *own = tree_find(table, "cordon");
    const struct toml_entry *rules = own == NULL ? NULL : tree_find(&own->value, "rule");
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && rules != NULL && i < rules->value.count; i++) {
        const struct toml_value *rule = &rules->value.as.items[i];
        const struct place top = {NULL, "cordon", 0, own->pos};
        const struct place list = {&top, "rule", 0, rules->pos};
        const struct place item = {&list, NULL, i, rule->pos};
        const struct place reads = {&item, "deny_read", 0, rule->pos};
        const struct place writes = {&item, "deny_write", 0, rule->pos};

        if (!rule_concerns(rule, &loader->input->context)) {
            continue;
        }
        err = add_denials(loader, &reads, tree_get(rule, "deny_read"),
                          &(struct denials){dir, ACCESS_DENY});
        if (err == CORDON_OK) {
            err = add_denials(loader, &writes, tree_get(rule, "deny_write"),
                              &(struct denials){dir, ACCESS_DENY_WRITE});
        }
    }
    return err;
}

/* A list of modes that lacks read-only could not be met by any narrowing. */
static enum cordon_err check_modes(struct loader *loader, const struct toml_entry *modes)
{
    if (modes == NULL || any_text(&modes->value, "read-only")) {
        return CORDON_OK;
    }
    return place_fail(loader->fault, CORDON_E_INVALID, &modes->pos, "add \"read-only\" to the list",
                      "allowed_sandbox_modes must contain \"read-only\"");
}

/* The first [[remote_sandbox_config]] for this host replaces its own file's modes. */
static enum cordon_err remote_modes(struct loader *loader, const struct toml_value *table,
                                    const struct toml_entry **ret_modes)
{
    const struct toml_value *list = tree_get(table, "remote_sandbox_config");
    const char *host = loader->input->context.hostname;
    bool found = false;

    for (size_t i = 0; list != NULL && i < list->count; i++) {
        const struct toml_value *remote = &list->as.items[i];
        const struct toml_value *hosts = tree_get(remote, "hostname_patterns");
        const struct toml_entry *modes = tree_find(remote, "allowed_sandbox_modes");
        enum cordon_err err = check_modes(loader, modes);

        if (err != CORDON_OK) {
            return err;
        }
        if (!found && host != NULL && hosts != NULL && modes != NULL && any_host(hosts, host)) {
            *ret_modes = modes;
            found = true;
        }
    }
    return CORDON_OK;
}

static enum cordon_err read_modes(struct loader *loader, const struct toml_value *table)
{
    const struct toml_entry *modes = tree_find(table, "allowed_sandbox_modes");
    enum cordon_err err = check_modes(loader, modes);

    if (err == CORDON_OK) {
        err = remote_modes(loader, table, &modes);
    }
    if (err != CORDON_OK || modes == NULL) {
        return err;
    }
    loader->allowance.modes = 0;
    loader->allowance.modes_pos = modes->pos;
    for (size_t i = 0; i < modes->value.count; i++) {
        loader->allowance.modes |= choose_mode_bit(modes->value.as.items[i].as.text);
    }
    return CORDON_OK;
}

/* What the relative entries of a file are below; "" for the root, NULL: there is nothing. */
static enum cordon_err document_dir(struct loader *loader, const struct policy_document *document,
                                    const char **ret_dir)
{
    const char *path;
    enum cordon_err err;

    if (strncmp(document->path, FETCH_PREFIX, sizeof(FETCH_PREFIX) - 1) == 0) {
        *ret_dir = NULL;
        return CORDON_OK;
    }
    err = spelling_normal(document->path, loader->input->context.os, loader->arena, &path);
    if (err == CORDON_E_INVALID) {
        return fault_set(loader->fault, err, NULL, "%s: not an absolute path", document->path);
    }
    if (err == CORDON_OK) {
        *ret_dir = arena_strndup(loader->arena, path, (size_t)(strrchr(path, '/') - path));
    }
    return err != CORDON_OK || *ret_dir == NULL ? place_no_memory(loader->fault) : CORDON_OK;
}

/* Documents come lowest first: what a later one says replaces, except denials. */
enum cordon_err managed_document(struct loader *loader, const struct policy_document *document,
                                 struct toml_value *table)
{
    struct toml_value *permissions = NULL;
    const struct toml_value *files;
    const struct place place = {NULL, "deny_read", 0, table->pos};
    const char *dir;
    enum cordon_err err = document_dir(loader, document, &dir);

    if (err != CORDON_OK) {
        return err;
    }
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->as.entries[i].key, "permissions") == 0) {
            permissions = &table->as.entries[i].value;
        }
    }
    files = tree_get(permissions, "filesystem");
    err = add_denials(loader, &place, tree_get(files, "deny_read"),
                      &(struct denials){dir, ACCESS_DENY});
    if (err == CORDON_OK) {
        err = add_rules(loader, table, dir);
    }
    if (err == CORDON_OK) {
        err = read_modes(loader, table);
    }
    if (err == CORDON_OK && permissions != NULL) {
        err = profile_lift(loader, permissions);
    }
    return err;
}
