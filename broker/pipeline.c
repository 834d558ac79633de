/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/pipeline.h"

#include <string.h>

#define ARENA_MAX ((size_t)512U * 1024U * 1024U)
#define OWN_FILES 2U

void pipeline_init(struct pipeline *pipeline)
{
    memset(pipeline, 0, sizeof(*pipeline));
    pipeline->hash = "";
    arena_init(&pipeline->arena, ARENA_MAX);
}

void pipeline_deinit(struct pipeline *pipeline)
{
    if (pipeline->made == NULL || pipeline->planned != pipeline->made->planned) {
        planned_free(pipeline->planned);
    }
    arena_deinit(&pipeline->arena);
    memset(pipeline, 0, sizeof(*pipeline));
}

static const char *if_absolute(const char *path)
{
    return path != NULL && host_is_absolute(path) ? path : NULL;
}

static enum cordon_err out_of_memory(struct cordon_fault *fault)
{
    return fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
}

/* Where one of the caller's own files is: below a folder he names, else below his home. */
struct own_file {
    enum policy_layer layer;
    const char *folder;     /* absolute, or NULL */
    const char *below_home; /* in its stead */
    const char *name;
};

static enum cordon_err read_own(struct pipeline *pipeline, const struct own_file *file,
                                const char *home, struct policy_document *ret_document,
                                struct cordon_fault *fault)
{
    const char *path = NULL;
    enum cordon_err err;

    if (file->folder != NULL) {
        path = arena_printf(&pipeline->arena, "%s/%s", file->folder, file->name);
    } else if (home[0] != '\0') {
        path = arena_printf(&pipeline->arena, "%s/%s/%s", home, file->below_home, file->name);
    } else {
        return CORDON_E_NOT_FOUND;
    }
    if (path == NULL) {
        return out_of_memory(fault);
    }
    err = host_read_file(path, POLICY_FILE_MAX, &pipeline->arena, &ret_document->text,
                         &ret_document->len, fault);
    ret_document->layer = file->layer;
    ret_document->path = path;
    return err;
}

static enum cordon_err documents_read(struct pipeline *pipeline, const struct pipeline_input *input,
                                      struct policy_input *policy_input, struct cordon_fault *fault)
{
    const struct worker_managed *managed = &input->worker->managed;
    const struct msg_choice *choice = input->choice;
    const struct own_file files[OWN_FILES] = {
        {LAYER_USER_CODEX, if_absolute(choice->codex_home), ".codex", "config.toml"},
        {LAYER_USER, if_absolute(choice->xdg_config_home), ".config", "cordon/config.toml"},
    };
    struct policy_document *documents;
    size_t count = managed->document_count;

    documents = arena_array(&pipeline->arena, count + OWN_FILES, sizeof(*documents));
    if (documents == NULL) {
        return out_of_memory(fault);
    }
    if (count > 0) {
        memcpy(documents, managed->documents, count * sizeof(*documents));
    }
    for (size_t i = 0; i < OWN_FILES; i++) {
        const enum cordon_err err =
            read_own(pipeline, &files[i], managed->user.home, &documents[count], fault);

        if (err != CORDON_OK && err != CORDON_E_NOT_FOUND) {
            return err;
        }
        count += err == CORDON_OK ? 1 : 0;
    }
    policy_input->documents = documents;
    policy_input->document_count = count;
    return CORDON_OK;
}

static enum policy_os choose_os(const struct pipeline_input *input)
{
    switch (input->choice->os) {
    case MSG_OS_LINUX:
        return POLICY_OS_LINUX;
    case MSG_OS_MACOS:
        return POLICY_OS_MACOS;
    case MSG_OS_WINDOWS:
        return POLICY_OS_WINDOWS;
    case MSG_OS_HOST:
        break;
    }
    return input->worker->platform->os;
}

static enum cordon_err policy_make(struct pipeline *pipeline, const struct pipeline_input *input,
                                   struct cordon_fault *fault)
{
    const struct worker_managed *managed = &input->worker->managed;
    const struct msg_choice *choice = input->choice;
    struct policy_input policy_input;
    char hostname[256];
    enum cordon_err err;

    memset(&policy_input, 0, sizeof(policy_input));
    err = documents_read(pipeline, input, &policy_input, fault);
    if (err != CORDON_OK) {
        return err;
    }
    host_name(hostname, sizeof(hostname));
    policy_input.context = (struct policy_context){
        .os = choose_os(input),
        .home = managed->user.home[0] == '\0' ? NULL : managed->user.home,
        .user = managed->user.user[0] == '\0' ? NULL : managed->user.user,
        .groups = managed->user.groups,
        .group_count = managed->user.group_count,
        .hostname = hostname,
        .cwd = pipeline->cwd,
        .tmpdir = if_absolute(choice->tmpdir),
        .slash_tmp = host_is_directory("/tmp"),
    };
    policy_input.choice = (struct policy_choice){
        .mode = choice->mode,
        .profile = choice->profile,
        .overrides = (const char *const *)choice->overrides.items,
        .override_count = choice->overrides.count,
    };
    err =
        memo_policy(&input->worker->memo, &policy_input,
                    policy_input.context.os == input->worker->platform->os, &pipeline->made, fault);
    if (err == CORDON_OK) {
        pipeline->policy = pipeline->made->policy;
        pipeline->hash = pipeline->made->hash;
    }
    return err;
}

static void denied_text(const struct policy_rule *rule, const char *cwd, struct cordon_fault *fault)
{
    struct strbuf text = STRBUF_INIT;

    strbuf_puts(&text, "working directory ");
    strbuf_escape(&text, cwd, strlen(cwd));
    strbuf_puts(&text, " is denied");
    if (rule != NULL) {
        strbuf_puts(&text, " (");
        policy_origin_text(&rule->origin, &text);
        strbuf_puts(&text, ")");
    } else {
        strbuf_puts(&text, ": no entry of the profile covers it");
    }
    (void)fault_set(fault, CORDON_E_DENIED, "change to another directory, or use -C", "%s",
                    strbuf_text(&text));
    strbuf_deinit(&text);
}

/* The working directory must not be denied by either set. */
static enum cordon_err cwd_check(struct pipeline *pipeline, struct cordon_fault *fault)
{
    struct policy_verdict verdict;
    const char *subject;
    const enum cordon_err err =
        policy_subject(pipeline->cwd, pipeline->policy->os, &pipeline->arena, &subject);

    if (err != CORDON_OK) {
        return fault_set(fault, err, "change to another directory, or use -C",
                         "working directory: its name cannot be asked about");
    }
    verdict = policy_eval(pipeline->policy, pipeline->made->managed, pipeline->made->own, subject,
                          strlen(subject), ASK_READ);
    if (!verdict.allow) {
        denied_text(verdict.rule, pipeline->cwd, fault);
        return CORDON_E_DENIED;
    }
    return CORDON_OK;
}

/* The last one if nothing has changed, else a new one. */
static enum cordon_err plan_make(struct pipeline *pipeline, const struct platform *platform,
                                 struct cordon_fault *fault)
{
    const struct platform_start *start = &pipeline->start;
    struct memo_policy *made = pipeline->made;
    enum cordon_err err;

    if (start->keep && made->planned != NULL && planned_holds(made->planned, start)) {
        pipeline->planned = made->planned;
        err = planned_check(made->planned, made->policy, start, fault);
    } else {
        pipeline->planned = NULL;
        err = planned_new(platform, made->policy, start, &pipeline->planned, fault);
    }
    if (err == CORDON_OK) {
        pipeline->plan = pipeline->planned->plan;
    }
    return err;
}

static enum cordon_err tables_check(struct pipeline *pipeline, const struct platform *platform,
                                    struct cordon_fault *fault)
{
    enum cordon_err err;

    if (pipeline->policy->os != platform->os) {
        return CORDON_OK;
    }
    err = memo_tables(pipeline->made, fault);
    return err == CORDON_OK ? cwd_check(pipeline, fault) : err;
}

/* The plan is made while tables are that take long; what these say of the directory goes first. */
static enum cordon_err plan_check(struct pipeline *pipeline, const struct platform *platform,
                                  struct cordon_fault *fault)
{
    const bool ready = pipeline->made->compiling == NULL;
    struct cordon_fault why = {.err = CORDON_OK};
    enum cordon_err planned;
    enum cordon_err err = ready ? tables_check(pipeline, platform, fault) : CORDON_OK;

    if (err != CORDON_OK) {
        return err;
    }
    planned = plan_make(pipeline, platform, &why);
    if (!ready) {
        err = tables_check(pipeline, platform, fault);
    }
    if (err == CORDON_OK && planned != CORDON_OK) {
        *fault = why;
        err = planned;
    }
    return err;
}

enum cordon_err pipeline_plan(struct pipeline *pipeline, const struct pipeline_input *input,
                              struct cordon_fault *fault)
{
    const struct platform *platform = input->worker->platform;
    const struct worker_managed *managed = &input->worker->managed;
    enum cordon_err err;

    if (managed->fault.err != CORDON_OK) {
        *fault = managed->fault;
        return managed->fault.err;
    }
    err = host_directory_name(input->cwd_fd, &pipeline->arena, &pipeline->cwd, fault);
    if (err == CORDON_OK) {
        err = policy_make(pipeline, input, fault);
    }
    pipeline->start = (struct platform_start){
        .embedded = input->worker->embedded,
        .keep = input->program != NULL,
        .host = managed->host,
        .cwd = pipeline->cwd,
        .program = input->program,
        .search = input->search,
    };
    return err == CORDON_OK ? plan_check(pipeline, platform, fault) : err;
}

static enum cordon_err order_make(struct pipeline *pipeline, const struct pipeline_input *input,
                                  int channel, struct platform_order *ret_order,
                                  struct cordon_fault *fault)
{
    const struct platform_parts parts = {.policy = pipeline->policy,
                                         .plan = pipeline->plan,
                                         .resolved = &pipeline->planned->resolved,
                                         .own_fd = pipeline->made->own_fd,
                                         .channel = channel,
                                         .cwd_fd = input->cwd_fd};

    return pipeline->planned->platform->order(&parts, ret_order, fault);
}

enum cordon_err pipeline_order(struct pipeline *pipeline, const struct pipeline_input *input,
                               int channel, struct platform_order *ret_order,
                               struct cordon_fault *fault)
{
    struct memo_policy *made = pipeline->made;
    enum cordon_err err = order_make(pipeline, input, channel, ret_order, fault);

    if (err == CORDON_E_AGAIN) {
        err = plan_make(pipeline, input->worker->platform, fault);
        if (err == CORDON_OK) {
            err = order_make(pipeline, input, channel, ret_order, fault);
        }
    }
    if (err == CORDON_OK && planned_is_kept(pipeline->planned) &&
        made->planned != pipeline->planned) {
        planned_free(made->planned);
        made->planned = pipeline->planned;
    }
    return err;
}
