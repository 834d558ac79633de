/* SPDX-License-Identifier: Apache-2.0 */
#include "client/policy/tool.h"
#include "platform/caller.h"

#define OWN_FILES 2U

static enum cordon_err out_of_memory(struct cordon_fault *fault)
{
    return fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
}

enum cordon_err tool_context(struct tool *tool, struct cordon_fault *fault)
{
    char name[256];
    const enum cordon_err err =
        caller_enter(tool->cli->cwd, &tool->arena, &tool->context.cwd, fault);

    if (err != CORDON_OK) {
        return err;
    }
    host_name(name, sizeof(name));
    tool->platform = tool_platform();
    tool->context.os = tool->platform != NULL ? tool->platform->os : POLICY_OS_LINUX;
    tool->context.hostname = arena_strdup(&tool->arena, name);
    tool->context.tmpdir = caller_place("TMPDIR", &tool->arena);
    tool->context.slash_tmp = host_is_directory("/tmp");
    caller_user(&tool->arena, &tool->context);
    return tool->context.hostname != NULL ? CORDON_OK : out_of_memory(fault);
}

static void add_managed(struct tool *tool)
{
    for (size_t i = 0; i < tool->managed.count; i++) {
        const struct managed_file *file = &tool->managed.items[i];

        tool->documents[tool->document_count++] =
            (struct policy_document){file->layer, file->path, file->text, file->len};
    }
}

/* Root's files and what was fetched, as the service would have them in force. */
static enum cordon_err read_managed(struct tool *tool, struct cordon_fault *fault)
{
    const struct managed_places places = MANAGED_PLACES;
    const struct fetched_document *document;
    enum cordon_err err = managed_read(&places, &tool->managed, fault);

    if (err == CORDON_OK) {
        err = fetched_read(&places, &tool->fetched, fault);
    }
    if (err == CORDON_OK && tool->fetched.newest.bytes != NULL) {
        const struct envelope *newest = &tool->fetched.newest.envelope;
        const struct policy_document alone = {LAYER_MANAGED, FETCH_PREFIX "the newest",
                                              newest->text, newest->len};

        if (tool_load_alone(tool, &alone, NULL, &tool->fetched.alarm) != CORDON_OK) {
            fetched_forget_newest(&tool->fetched);
        }
    }
    document = fetched_in_force(&tool->fetched);
    if (err == CORDON_OK && document != NULL) {
        err = fetched_add(&tool->fetched, document, &tool->managed, fault);
    }
    return err;
}

static enum cordon_err add_own(struct tool *tool, enum policy_layer layer, const char *path,
                               struct cordon_fault *fault)
{
    struct policy_document *document = &tool->documents[tool->document_count];
    enum cordon_err err;

    if (path == NULL) {
        return out_of_memory(fault);
    }
    err =
        host_read_file(path, POLICY_FILE_MAX, &tool->arena, &document->text, &document->len, fault);
    if (err == CORDON_E_NOT_FOUND) {
        return CORDON_OK;
    }
    document->layer = layer;
    document->path = path;
    tool->document_count += err == CORDON_OK ? 1 : 0;
    return err;
}

enum cordon_err tool_documents(struct tool *tool, struct cordon_fault *fault)
{
    const struct {
        enum policy_layer layer;
        const char *folder, *below_home, *name;
    } own[OWN_FILES] = {
        {LAYER_USER_CODEX, caller_place("CODEX_HOME", &tool->arena), ".codex", "config.toml"},
        {LAYER_USER, caller_place("XDG_CONFIG_HOME", &tool->arena), ".config",
         "cordon/config.toml"},
    };
    enum cordon_err err = read_managed(tool, fault);

    if (err != CORDON_OK) {
        return err;
    }
    tool->documents =
        arena_array(&tool->arena, tool->managed.count + OWN_FILES, sizeof(*tool->documents));
    if (tool->documents == NULL) {
        return out_of_memory(fault);
    }
    add_managed(tool);
    for (size_t i = 0; i < OWN_FILES && err == CORDON_OK; i++) {
        const char *folder = own[i].folder;

        if (folder == NULL && tool->context.home != NULL) {
            folder = arena_printf(&tool->arena, "%s/%s", tool->context.home, own[i].below_home);
        }
        if (folder != NULL) {
            err = add_own(tool, own[i].layer,
                          arena_printf(&tool->arena, "%s/%s", folder, own[i].name), fault);
        }
    }
    return err;
}

enum cordon_err tool_read(struct tool *tool, struct policy_document *document,
                          struct cordon_fault *fault)
{
    enum cordon_err err = host_read_file(document->path, POLICY_FILE_MAX, &tool->arena,
                                         &document->text, &document->len, fault);

    return err == CORDON_E_NOT_FOUND
               ? fault_set(fault, err, NULL, "%s: no such file", document->path)
               : err;
}

enum cordon_err tool_policy(struct tool *tool, struct cordon_fault *fault)
{
    const struct policy_input input = {
        .documents = tool->documents,
        .document_count = tool->document_count,
        .context = tool->context,
        .choice = {tool->cli->mode, tool->cli->profile, tool->cli->overrides,
                   tool->cli->override_count},
    };
    enum cordon_err err = policy_load(&input, &tool->arena, &tool->policy, fault);

    if (err == CORDON_OK) {
        err = policy_compile(&tool->policy->managed, tool->policy->os, &tool->managed_table, fault);
    }
    if (err == CORDON_OK) {
        err = policy_compile(&tool->policy->own, tool->policy->os, &tool->own_table, fault);
    }
    return err;
}

void tool_plan(struct tool *tool)
{
    struct platform_start start = {.embedded = !host_is_root(), .cwd = tool->context.cwd};
    struct platform_probe probe;
    enum cordon_err err;

    if (tool->platform == NULL) {
        (void)fault_set(&tool->plan_fault, CORDON_E_UNSUPPORTED, NULL,
                        "there is no back end for this system");
        return;
    }
    tool->platform->probe(&probe);
    start.host = probe.host.controllers * IPC_HOST_MEMORY;
    err = tool->platform->resolve(tool->policy, &start, &tool->arena, &tool->resolved,
                                  &tool->plan_fault);
    if (err == CORDON_OK) {
        tool->is_resolved = true;
        (void)tool->platform->plan(tool->policy, &tool->resolved.facts, &tool->arena, &tool->plan,
                                   &tool->plan_fault);
    }
}
