/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/policy/tool.h"

#define OWN_FILES 2U
#define GROUPS_MAX 256

static enum cordon_err out_of_memory(struct cordon_fault *fault)
{
    return fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
}

/* This is the caller's own process: a slow name service costs nobody but him. */
static void find_user(struct tool *tool)
{
    const struct passwd *user = getpwuid(getuid());
    gid_t groups[GROUPS_MAX];
    int count = getgroups(GROUPS_MAX, groups);
    const char **names;

    if (user != NULL) {
        tool->context.home =
            user->pw_dir[0] == '/' ? arena_strdup(&tool->arena, user->pw_dir) : NULL;
        tool->context.user = arena_strdup(&tool->arena, user->pw_name);
    }
    names = arena_array(&tool->arena, GROUPS_MAX + 1, sizeof(*names));
    if (names == NULL || count < 0) {
        return;
    }
    for (int i = -1; i < count; i++) {
        const struct group *group = getgrgid(i < 0 ? getgid() : groups[i]);

        if (group != NULL) {
            names[tool->context.group_count] = arena_strdup(&tool->arena, group->gr_name);
            tool->context.group_count += names[tool->context.group_count] != NULL ? 1U : 0U;
        }
    }
    tool->context.groups = names;
}

static const char *absolute_env(const char *name)
{
    const char *value = getenv(name);

    return value != NULL && value[0] == '/' ? value : NULL;
}

enum cordon_err tool_context(struct tool *tool, struct cordon_fault *fault)
{
    char name[256];
    char cwd[PATH_MAX];

    if (tool->cli->cwd != NULL && chdir(tool->cli->cwd) != 0) {
        return fault_os(fault, errno, NULL, "working directory %s", tool->cli->cwd);
    }
    if (getcwd(cwd, sizeof(cwd)) == NULL || cwd[0] != '/') {
        return fault_os(fault, errno, NULL, "working directory");
    }
    host_name(name, sizeof(name));
    tool->platform = tool_platform();
    tool->context.os = tool->platform != NULL ? tool->platform->os : POLICY_OS_LINUX;
    tool->context.cwd = arena_strdup(&tool->arena, cwd);
    tool->context.hostname = arena_strdup(&tool->arena, name);
    tool->context.tmpdir = absolute_env("TMPDIR");
    tool->context.slash_tmp = host_is_directory("/tmp");
    find_user(tool);
    return tool->context.cwd != NULL && tool->context.hostname != NULL ? CORDON_OK
                                                                       : out_of_memory(fault);
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
        {LAYER_USER_CODEX, absolute_env("CODEX_HOME"), ".codex", "config.toml"},
        {LAYER_USER, absolute_env("XDG_CONFIG_HOME"), ".config", "cordon/config.toml"},
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
    struct platform_start start = {.embedded = getuid() != 0, .cwd = tool->context.cwd};
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
