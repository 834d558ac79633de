/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "policy/loader.h"
#include "policy/schema.h"
#include "policy/spelling.h"
#include "policy/tree.h"

enum cordon_err loader_warn(struct loader *loader, const struct place *place, const char *text)
{
    struct policy *policy = loader->policy;
    struct policy_warning warning;

    if (policy->warning_count == loader->warning_size) {
        size_t size = loader->warning_size == 0 ? 8 : loader->warning_size * 2;
        struct policy_warning *warnings = arena_array(loader->arena, size, sizeof(*warnings));

        if (warnings == NULL) {
            return place_no_memory(loader->fault);
        }
        if (policy->warning_count > 0) {
            memcpy(warnings, policy->warnings, policy->warning_count * sizeof(*warnings));
        }
        policy->warnings = warnings;
        loader->warning_size = size;
    }
    warning.text = arena_strdup(loader->arena, text);
    if (warning.text == NULL || place_origin(place, loader->arena, &warning.origin) != CORDON_OK) {
        return place_no_memory(loader->fault);
    }
    policy->warnings[policy->warning_count++] = warning;
    return CORDON_OK;
}

static enum cordon_err warn_unenforced(void *context, const struct place *place, const char *text)
{
    return loader_warn(context, place, text);
}

static enum cordon_err check_tree(struct loader *loader, const struct schema *schema,
                                  const struct toml_value *table)
{
    const struct schema_check check = {schema_all, schema_all_count, warn_unenforced, loader,
                                       loader->fault};

    return schema_check(&check, schema, table);
}

static enum cordon_err merge_into(struct loader *loader, struct toml_value *base,
                                  const struct toml_value *over)
{
    if (tree_merge(base, over, loader->arena, base) != CORDON_OK) {
        return place_no_memory(loader->fault);
    }
    return CORDON_OK;
}

static struct toml_value *find_table(struct toml_value *table, const char *key)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->as.entries[i].key, key) == 0) {
            return &table->as.entries[i].value;
        }
    }
    return NULL;
}

/* One text of the caller's, checked, into the merged configuration. */
static enum cordon_err config_tree(struct loader *loader, struct toml_value *table)
{
    enum cordon_err err = check_tree(loader, &schema_config, table);
    struct toml_value *permissions = find_table(table, "permissions");

    if (err == CORDON_OK && permissions != NULL) {
        err = profile_lift(loader, permissions);
    }
    return err != CORDON_OK ? err : merge_into(loader, &loader->config, table);
}

static enum cordon_err requirements_tree(struct loader *loader,
                                         const struct policy_document *document,
                                         struct toml_value *table)
{
    enum cordon_err err = check_tree(loader, &schema_requirements, table);

    if (err == CORDON_OK) {
        err = managed_document(loader, document, table);
    }
    return err != CORDON_OK ? err : merge_into(loader, &loader->managed, table);
}

static enum cordon_err load_document(struct loader *loader, const struct policy_document *document)
{
    struct toml_source *source = arena_alloc(loader->arena, sizeof(*source));
    struct toml_value table;
    enum cordon_err err;

    if (source == NULL) {
        return place_no_memory(loader->fault);
    }
    source->layer = document->layer;
    source->file = arena_strdup(loader->arena, document->path);
    source->name = source->file;
    if (source->file == NULL) {
        return place_no_memory(loader->fault);
    }
    err = toml_parse(source, document->text, document->len, loader->arena, &table, loader->fault);
    if (err != CORDON_OK) {
        return err;
    }
    if (document->layer == LAYER_MANAGED || document->layer == LAYER_MANAGED_CODEX) {
        return requirements_tree(loader, document, &table);
    }
    return config_tree(loader, &table);
}

/* Within a layer in the order given; layers in the order of the enumeration. */
static enum cordon_err load_layers(struct loader *loader, enum policy_layer first,
                                   enum policy_layer last)
{
    const struct policy_input *input = loader->input;
    enum cordon_err err = CORDON_OK;

    for (int layer = (int)first; layer <= (int)last; layer++) {
        for (size_t i = 0; err == CORDON_OK && i < input->document_count; i++) {
            if ((int)input->documents[i].layer == layer) {
                err = load_document(loader, &input->documents[i]);
            }
        }
    }
    return err;
}

static enum cordon_err load_overrides(struct loader *loader)
{
    const struct policy_choice *choice = &loader->input->choice;
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < choice->override_count; i++) {
        struct toml_value table;

        err = override_parse(choice->overrides[i], loader->arena, &table, loader->fault);
        if (err == CORDON_OK) {
            err = config_tree(loader, &table);
        }
    }
    return err;
}

/* A home or working directory that is not one must not become part of a rule. */
static enum cordon_err check_context(struct loader *loader)
{
    const struct policy_context *context = &loader->input->context;
    const char *const paths[] = {context->home, context->cwd};
    char quoted[PLACE_QUOTE_MAX];

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        const char *normal;
        enum cordon_err err = paths[i] == NULL
                                  ? CORDON_OK
                                  : spelling_normal(paths[i], context->os, loader->arena, &normal);

        if (err == CORDON_E_INVALID) {
            return fault_set(loader->fault, err, NULL, "%s: the %s is not an absolute path",
                             place_quote(paths[i], quoted), i == 0 ? "home" : "working directory");
        }
        if (err != CORDON_OK) {
            return place_no_memory(loader->fault);
        }
    }
    return CORDON_OK;
}

static enum cordon_err loader_init(struct loader *loader, const struct policy_input *input,
                                   struct arena *arena, struct cordon_fault *fault)
{
    *loader = (struct loader){.input = input, .arena = arena, .fault = fault};
    loader->policy = arena_alloc(arena, sizeof(*loader->policy));
    if (loader->policy == NULL) {
        return place_no_memory(fault);
    }
    loader->policy->os = input->context.os;
    loader->managed.type = TOML_TABLE;
    loader->config.type = TOML_TABLE;
    loader->allowance.modes = MODE_ANY;
    return check_context(loader);
}

static enum cordon_err load_managed_part(struct loader *loader)
{
    enum cordon_err err = profile_builtin(loader);

    if (err == CORDON_OK) {
        err = load_layers(loader, LAYER_MANAGED_CODEX, LAYER_MANAGED);
    }
    return err;
}

static void loader_hand_over(struct loader *loader, struct policy **ret_policy)
{
    struct policy *policy = loader->policy;

    policy->own = (struct policy_ruleset){loader->own_rules.rules, loader->own_rules.count};
    policy->managed =
        (struct policy_ruleset){loader->managed_rules.rules, loader->managed_rules.count};
    *ret_policy = policy;
}

enum cordon_err policy_load(const struct policy_input *input, struct arena *arena,
                            struct policy **ret_policy, struct cordon_fault *fault)
{
    struct loader loader;
    struct choice choice;
    enum cordon_err err = loader_init(&loader, input, arena, fault);

    if (err == CORDON_OK) {
        err = load_managed_part(&loader);
    }
    if (err == CORDON_OK) {
        err = load_layers(&loader, LAYER_USER_CODEX, LAYER_USER);
    }
    if (err == CORDON_OK) {
        err = load_overrides(&loader);
    }
    if (err == CORDON_OK) {
        err = managed_finish(&loader);
    }
    if (err == CORDON_OK) {
        err = choose(&loader, &choice);
    }
    if (err == CORDON_OK) {
        err = profile_compile(&loader, &choice);
    }
    if (err == CORDON_OK) {
        err = managed_check_choice(&loader, &choice);
    }
    if (err == CORDON_OK) {
        err = managed_warn_reopened(&loader);
    }
    if (err == CORDON_OK) {
        loader_hand_over(&loader, ret_policy);
    }
    return err;
}

enum cordon_err policy_load_managed(const struct policy_input *input, struct arena *arena,
                                    struct policy **ret_policy, struct cordon_fault *fault)
{
    const struct choice choice = {.name = ":read-only",
                                  .origin = {.layer = LAYER_BUILTIN, .key = "default"}};
    struct loader loader;
    enum cordon_err err = loader_init(&loader, input, arena, fault);

    if (err == CORDON_OK) {
        err = load_managed_part(&loader);
    }
    if (err == CORDON_OK) {
        err = managed_finish(&loader);
    }
    if (err == CORDON_OK) {
        err = profile_compile(&loader, &choice);
    }
    if (err == CORDON_OK) {
        loader_hand_over(&loader, ret_policy);
    }
    return err;
}
