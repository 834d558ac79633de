/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "client/policy/tool.h"
#include "platform/base/jsonw.h"
#include "platform/redact.h"
#include "policy/tree.h"

/* By its name: requirements.toml, or anything in requirements.d. Either separator of any system. */
static bool is_requirements(const char *path)
{
    static const char folder[] = "requirements.d";
    size_t len;

    for (;; path += len + 1) {
        len = strcspn(path, "/\\");
        if (path[len] == '\0') {
            return strncmp(path, "requirements", 12) == 0;
        }
        if (len == sizeof(folder) - 1 && memcmp(path, folder, len) == 0) {
            return true;
        }
    }
}

static enum cordon_err compile_redact(const struct policy *policy, struct cordon_fault *fault)
{
    struct redact *redact = NULL;
    enum cordon_err err =
        redact_new(policy->audit.redact, policy->audit.redact_count, &redact, fault);

    redact_free(redact);
    return err;
}

static enum cordon_err compile_both(struct policy *policy, struct cordon_fault *fault)
{
    struct dfa *table = NULL;
    enum cordon_err err = policy_compile(&policy->managed, policy->os, &table, fault);

    dfa_free(table);
    table = NULL;
    if (err == CORDON_OK) {
        err = policy_compile(&policy->own, policy->os, &table, fault);
        dfa_free(table);
    }
    return err == CORDON_OK ? compile_redact(policy, fault) : err;
}

enum cordon_err tool_load_alone(struct tool *tool, const struct policy_document *document,
                                const char *profile, struct cordon_fault *fault)
{
    const struct policy_input input = {.documents = document,
                                       .document_count = 1,
                                       .context = tool->context,
                                       .choice = {.profile = profile}};
    enum cordon_err err = document->layer == LAYER_MANAGED
                              ? policy_load_managed(&input, &tool->arena, &tool->policy, fault)
                              : policy_load(&input, &tool->arena, &tool->policy, fault);

    return err == CORDON_OK ? compile_both(tool->policy, fault) : err;
}

/* Every profile of a config.toml: what nobody has chosen yet must be right too. */
static enum cordon_err check_profiles(struct tool *tool, const struct policy_document *document,
                                      size_t *ret_count, struct cordon_fault *fault)
{
    const struct toml_source source = {document->layer, document->path, document->path};
    struct toml_value root;
    const struct toml_value *permissions;
    enum cordon_err err =
        toml_parse(&source, document->text, document->len, &tool->arena, &root, fault);

    if (err != CORDON_OK) {
        return err;
    }
    permissions = tree_get(&root, "permissions");
    if (permissions == NULL || permissions->type != TOML_TABLE) {
        return tool_load_alone(tool, document, NULL, fault);
    }
    for (size_t i = 0; i < permissions->count && err == CORDON_OK; i++) {
        err = tool_load_alone(tool, document, permissions->as.entries[i].key, fault);
    }
    *ret_count = permissions->count;
    if (err == CORDON_OK && tree_get(&root, "default_permissions") != NULL) {
        err = tool_load_alone(tool, document, NULL, fault);
    }
    return err;
}

static void valid(struct tool *tool, const char *path, size_t profiles)
{
    const struct policy *policy = tool->policy;
    struct jsonw json = JSONW_INIT(&tool->out);

    if (!tool->json) {
        for (size_t i = 0; policy != NULL && i < policy->warning_count; i++) {
            strbuf_puts(&tool->out, "warning: ");
            policy_origin_text(&policy->warnings[i].origin, &tool->out);
            strbuf_printf(&tool->out, ": %s\n", policy->warnings[i].text);
        }
        strbuf_escape(&tool->out, path, strlen(path));
        strbuf_puts(&tool->out, ": valid\n");
        return;
    }
    jsonw_object(&json, NULL);
    jsonw_string(&json, "file", path);
    jsonw_bool(&json, "valid", true);
    jsonw_uint(&json, "profiles", profiles);
    jsonw_object_end(&json);
    jsonw_newline(&json);
}

int verb_check(struct tool *tool)
{
    const char *path = tool->cli->operand[0];
    struct policy_document document = {.path = path};
    struct cordon_fault fault = {0};
    size_t profiles = 0;
    enum cordon_err err = tool_context(tool, &fault);

    document.layer = is_requirements(path) ? LAYER_MANAGED : LAYER_USER_CODEX;
    if (err == CORDON_OK) {
        /* Entries that are relative are so to the file's folder. */
        document.path = tool_absolute(tool, path);
        err = document.path == NULL ? fault_set(&fault, CORDON_E_NOMEM, NULL, "out of memory")
                                    : CORDON_OK;
    }
    if (err == CORDON_OK) {
        err = tool_read(tool, &document, &fault);
    }
    if (err == CORDON_OK) {
        err = document.layer == LAYER_MANAGED ? tool_load_alone(tool, &document, NULL, &fault)
                                              : check_profiles(tool, &document, &profiles, &fault);
    }
    if (err != CORDON_OK) {
        return tool_fail(tool, &fault);
    }
    valid(tool, path, profiles);
    return 0;
}
