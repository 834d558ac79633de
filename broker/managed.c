/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/managed.h"

#include <stdlib.h>
#include <string.h>

#define READS_MAX 5
#define ARENA_MAX ((size_t)256U * 1024U * 1024U)

void managed_init(struct managed *managed, const struct managed_places *places, enum policy_os os)
{
    memset(managed, 0, sizeof(*managed));
    managed->places = *places;
    managed->sink_fd = -1;
    managed->os = os;
}

void managed_deinit(struct managed *managed)
{
    fetched_deinit(&managed->fetched);
    managed_files_deinit(&managed->files);
    host_close(managed->sink_fd);
}

void managed_rules_deinit(struct managed_rules *rules)
{
    arena_deinit(&rules->arena);
    if (rules->table != NULL) {
        host_close(rules->table_fd);
    }
    dfa_free(rules->table);
    rule_block_unref(rules->block);
    redact_free(rules->redact);
    memset(rules, 0, sizeof(*rules));
}

static enum cordon_err rules_make(enum policy_os os, const struct managed_files *files,
                                  const struct host_user *user, struct managed_rules *rules,
                                  struct cordon_fault *fault)
{
    char hostname[256];
    struct policy_document *documents;
    struct policy_input input = {.context = {.os = os, .cwd = "/", .hostname = hostname}};
    enum cordon_err err;

    host_name(hostname, sizeof(hostname));
    arena_init(&rules->arena, ARENA_MAX);
    documents = arena_array(&rules->arena, files->count, sizeof(*documents));
    if (documents == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "managed policy: out of memory");
    }
    for (size_t i = 0; i < files->count; i++) {
        const struct managed_file *file = &files->items[i];

        documents[i] = (struct policy_document){file->layer, file->path, file->text, file->len};
    }
    input.documents = documents;
    input.document_count = files->count;
    input.context.home = user->home[0] == '\0' ? NULL : user->home;
    input.context.user = user->user[0] == '\0' ? NULL : user->user;
    input.context.groups = user->groups;
    input.context.group_count = user->group_count;
    err = policy_load_managed(&input, &rules->arena, &rules->policy, fault);
    if (err == CORDON_OK) {
        rules->table_fd = -1;
        err = policy_compile(&rules->policy->managed, os, &rules->table, fault);
    }
    if (err == CORDON_OK) {
        err = ipc_memfd("cordon-managed", rules->table, dfa_size(rules->table), &rules->table_fd,
                        fault);
    }
    if (err == CORDON_OK && rules->policy->audit.redact_count > 0) {
        err = redact_new(rules->policy->audit.redact, rules->policy->audit.redact_count,
                         &rules->redact, fault);
    }
    return err;
}

/* What was read: a generation to come. */
struct managed_set {
    struct managed_files files;
    int sink_fd;
};

static void set_deinit(struct managed_set *set)
{
    managed_files_deinit(&set->files);
    host_close(set->sink_fd);
    *set = (struct managed_set){.sink_fd = -1};
}

/*
 * Whether the files are of any use, for a user who is nobody in particular. Only a service has
 * records, as it keeps what was fetched.
 */
static enum cordon_err try_set(const struct managed *managed, struct managed_set *set,
                               struct cordon_fault *fault)
{
    static const struct host_user anybody = {.home = "/nonexistent", .user = "nobody"};
    struct managed_rules rules;
    enum cordon_err err;

    memset(&rules, 0, sizeof(rules));
    err = rules_make(managed->os, &set->files, &anybody, &rules, fault);
    if (err == CORDON_OK && managed->keeps && rules.policy->audit.sink != NULL) {
        const struct policy_origin *origin = &rules.policy->audit.sink_origin;

        err = host_open_sink(&managed->places, rules.policy->audit.sink, &set->sink_fd, fault);
        if (err != CORDON_OK) {
            fault_prefix(fault, "%s", origin->key);
        }
        if (err != CORDON_OK && origin->file != NULL) {
            fault_prefix(fault, "%s:%u:%u", origin->file, origin->line, origin->column);
        }
    }
    managed_rules_deinit(&rules);
    return err;
}

static bool same_files(const struct managed_files *a, const struct managed_files *b)
{
    if (a->count != b->count) {
        return false;
    }
    for (size_t i = 0; i < a->count; i++) {
        if (a->items[i].len != b->items[i].len || strcmp(a->items[i].path, b->items[i].path) != 0 ||
            memcmp(a->items[i].text, b->items[i].text, a->items[i].len) != 0) {
            return false;
        }
    }
    return true;
}

/* Everything there is, as one set; of two fetched documents the one that fetched_in_force() names.
 */
static enum cordon_err read_set(const struct managed *managed, const struct fetched *fetched,
                                struct managed_set *ret_set, struct cordon_fault *fault)
{
    const struct fetched_document *document = fetched_in_force(fetched);
    struct managed_set set = {.sink_fd = -1};
    enum cordon_err err = managed_read(&managed->places, &set.files, fault);

    if (err == CORDON_OK && document != NULL) {
        err = fetched_add(fetched, document, &set.files, fault);
    }
    if (err == CORDON_OK) {
        err = try_set(managed, &set, fault);
    }
    /* On the disk before it is in force: what was in force can then never be turned back. */
    if (err == CORDON_OK && managed->keeps && document == &fetched->newest) {
        err = fetched_keep(&managed->places, document, fault);
    }
    if (err != CORDON_OK) {
        set_deinit(&set);
        return err;
    }
    *ret_set = set;
    return CORDON_OK;
}

/* The set with the newest document, or else with the one that was in force before. */
static enum cordon_err read_best(const struct managed *managed, struct fetched *fetched,
                                 struct managed_set *ret_set, struct cordon_fault *fault)
{
    enum cordon_err err = fetched_read(&managed->places, fetched, fault);

    if (err == CORDON_OK) {
        err = read_set(managed, fetched, ret_set, fault);
    }
    if (err != CORDON_OK && fetched->newest.bytes != NULL) {
        fetched->alarm = *fault;
        fetched_forget_newest(fetched);
        err = read_set(managed, fetched, ret_set, fault);
    }
    return err;
}

/* Whether every job is to be refused, and whether there is an alarm, at this moment. */
static void judge(struct managed *managed)
{
    const struct fetched *fetched = &managed->fetched;
    const struct fetched_document *document = fetched_in_force(fetched);
    const struct cordon_fault none = {.err = CORDON_OK};

    managed->stale = none;
    managed->refusal = none;
    if (fetched->configured && document == NULL && !fetched->config.allow_first) {
        (void)fault_set(&managed->refusal, CORDON_E_STATE,
                        fetched->alarm.err == CORDON_OK
                            ? "start cordon-fetch, or set before_first = \"allow\" in fetch.toml"
                            : fetched->alarm.text,
                        "fetched requirements: there is no verified document yet");
    } else if (document != NULL) {
        (void)!fetched_check_age(&managed->places, fetched, document, NULL, &managed->stale);
    }
    if (managed->stale.err != CORDON_OK && fetched->config.refuse_stale) {
        managed->refusal = managed->stale;
    }
    managed->alarm = fetched->alarm.err != CORDON_OK ? fetched->alarm : managed->stale;
}

/*
 * All of it as it was at one moment: a set of links that is swapped while it is read would give a
 * part of each. *ret_signature belongs to what was read; where that has just changed it is one that
 * nothing has, so that it is read again the next time.
 */
static enum cordon_err read_whole(const struct managed *managed, struct fetched *fetched,
                                  struct managed_set *ret_set, uint64_t *ret_signature,
                                  struct cordon_fault *fault)
{
    for (int i = 0; i < READS_MAX; i++) {
        struct managed_set set = {.sink_fd = -1};
        bool settled;
        const uint64_t before = managed_signature(&managed->places, &settled);
        const enum cordon_err err = read_best(managed, fetched, &set, fault);

        if (managed_signature(&managed->places, NULL) == before) {
            *ret_signature = settled ? before : ~before;
            *ret_set = set;
            return err;
        }
        set_deinit(&set);
        fetched_deinit(fetched);
        *fetched = (struct fetched){.configured = false};
    }
    *ret_signature = 0;
    return fault_set(fault, CORDON_E_AGAIN, "let them rest",
                     "managed policy: its files change faster than they can be read");
}

static enum managed_change read_changed(struct managed *managed, bool force)
{
    struct cordon_fault fault = {.err = CORDON_OK};
    struct managed_set set = {.sink_fd = -1};
    struct fetched fetched = {.configured = false};
    bool same;

    if (read_whole(managed, &fetched, &set, &managed->signature, &fault) != CORDON_OK) {
        const bool known = !force && strcmp(fault.text, managed->fault.text) == 0;

        managed->fault = fault;
        fetched_deinit(&fetched);
        return known ? MANAGED_SAME : MANAGED_BROKEN;
    }
    same = managed->generation > 0 && same_files(&set.files, &managed->files);
    memset(&managed->fault, 0, sizeof(managed->fault));
    managed_files_deinit(&managed->files);
    host_close(managed->sink_fd);
    managed->files = set.files;
    managed->sink_fd = set.sink_fd;
    fetched_deinit(&managed->fetched);
    managed->fetched = fetched;
    if (fetched.alarm.err == CORDON_E_OS) {
        managed->signature = 0; /* what failed may not fail the next time */
    }
    managed->generation += same ? 0 : 1;
    return same ? MANAGED_SAME : MANAGED_NEW;
}

enum managed_change managed_refresh(struct managed *managed, bool force)
{
    const bool refused = managed->refusal.err != CORDON_OK;
    enum managed_change change = MANAGED_SAME;

    if (force || managed_signature(&managed->places, NULL) != managed->signature) {
        change = read_changed(managed, force);
    }
    judge(managed);
    /* Workers learn of a refusal, and of its end, as of any other generation. */
    if (change == MANAGED_SAME && managed->generation > 0 &&
        refused != (managed->refusal.err != CORDON_OK)) {
        managed->generation++;
        change = MANAGED_NEW;
    }
    return change;
}

const struct cordon_fault *managed_refusal(const struct managed *managed)
{
    if (managed->generation == 0) {
        return &managed->fault;
    }
    return managed->refusal.err != CORDON_OK ? &managed->refusal : NULL;
}

bool managed_is_warning(const struct managed *managed)
{
    return managed->stale.err != CORDON_OK && managed_refusal(managed) == NULL &&
           managed->fault.err == CORDON_OK && managed->fetched.alarm.err == CORDON_OK;
}

static enum cordon_err refuse(const struct cordon_fault *why, struct cordon_fault *fault)
{
    return fault_set(fault, CORDON_E_STATE, why->remedy, "managed policy: %s", why->text);
}

enum cordon_err managed_rules_update(const struct managed *managed, const struct host_user *user,
                                     struct managed_rules *rules, struct cordon_fault *fault)
{
    const struct cordon_fault *refusal = managed_refusal(managed);
    enum cordon_err err;

    if (refusal != NULL) {
        return refuse(refusal, fault);
    }
    if (rules->generation == managed->generation) {
        return CORDON_OK;
    }
    managed_rules_deinit(rules);
    err = rules_make(managed->os, &managed->files, user, rules, fault);
    if (err != CORDON_OK) {
        managed_rules_deinit(rules);
        fault_prefix(fault, "managed policy");
        return err;
    }
    rules->generation = managed->generation;
    return CORDON_OK;
}

static void put_u32(struct strbuf *out, size_t value)
{
    const uint32_t number = (uint32_t)value;

    strbuf_add(out, (const char *)&number, sizeof(number));
}

static void put_documents(struct strbuf *out, const struct managed_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        const struct managed_file *file = &files->items[i];

        put_u32(out, file->layer);
        put_u32(out, strlen(file->path));
        put_u32(out, file->len);
        strbuf_puts(out, file->path);
        strbuf_add(out, file->text, file->len);
    }
}

enum cordon_err managed_memfd(const struct managed *managed, const struct host_user *user,
                              int *ret_fd, struct cordon_fault *fault)
{
    const struct cordon_fault *refusal = managed_refusal(managed);
    struct ipc_managed_head head;
    struct strbuf out = STRBUF_INIT;
    struct cordon_fault reason;
    enum cordon_err err;

    memset(&head, 0, sizeof(head));
    head.magic = IPC_MAGIC;
    head.generation = managed->generation;
    head.host = managed->host;
    if (refusal != NULL) {
        (void)refuse(refusal, &reason);
        fault_to_ipc(&reason, &head.fault);
    } else {
        head.document_count = (uint32_t)managed->files.count;
        head.group_count = (uint32_t)user->group_count;
    }
    memcpy(head.home, user->home, sizeof(head.home));
    memcpy(head.user, user->user, sizeof(head.user));
    strbuf_add(&out, (const char *)&head, sizeof(head));
    if (refusal == NULL) {
        put_documents(&out, &managed->files);
        for (size_t i = 0; i < user->group_count; i++) {
            put_u32(&out, strlen(user->groups[i]));
            strbuf_puts(&out, user->groups[i]);
        }
    }
    err = out.failed ? fault_set(fault, CORDON_E_NOMEM, NULL, "managed policy: out of memory")
                     : ipc_memfd("cordon-policy", out.data, out.len, ret_fd, fault);
    strbuf_deinit(&out);
    return err;
}
