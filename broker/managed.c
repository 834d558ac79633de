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
    managed->os = os;
}

void managed_deinit(struct managed *managed)
{
    managed_files_deinit(&managed->files);
}

void managed_rules_deinit(struct managed_rules *rules)
{
    arena_deinit(&rules->arena);
    dfa_free(rules->table);
    rule_block_unref(rules->block);
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
        err = policy_compile(&rules->policy->managed, os, &rules->table, fault);
    }
    return err;
}

/* Whether the files are of any use, for a user who is nobody in particular. */
static enum cordon_err try_files(enum policy_os os, const struct managed_files *files,
                                 struct cordon_fault *fault)
{
    static const struct host_user anybody = {.home = "/nonexistent", .user = "nobody"};
    struct managed_rules rules;
    enum cordon_err err;

    memset(&rules, 0, sizeof(rules));
    err = rules_make(os, files, &anybody, &rules, fault);
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

/*
 * All files as they were at one moment: a set of links that is swapped while it is read would give
 * a part of each. *ret_signature belongs to what was read; where that has just changed it is one
 * that nothing has, so that it is read again the next time.
 */
static enum cordon_err read_whole(const struct managed_places *places,
                                  struct managed_files *ret_files, uint64_t *ret_signature,
                                  struct cordon_fault *fault)
{
    for (int i = 0; i < READS_MAX; i++) {
        struct managed_files files = {NULL, 0};
        bool settled;
        const uint64_t before = managed_signature(places, &settled);
        const enum cordon_err err = managed_read(places, &files, fault);

        if (managed_signature(places, NULL) == before) {
            *ret_signature = settled ? before : ~before;
            *ret_files = files;
            return err;
        }
        managed_files_deinit(&files);
    }
    *ret_signature = 0;
    return fault_set(fault, CORDON_E_AGAIN, "let them rest",
                     "managed policy: its files change faster than they can be read");
}

enum managed_change managed_refresh(struct managed *managed, bool force)
{
    struct cordon_fault fault = {.err = CORDON_OK};
    struct managed_files files = {NULL, 0};
    bool same;

    if (!force && managed_signature(&managed->places, NULL) == managed->signature) {
        return MANAGED_SAME;
    }
    if (read_whole(&managed->places, &files, &managed->signature, &fault) != CORDON_OK ||
        try_files(managed->os, &files, &fault) != CORDON_OK) {
        const bool known = !force && strcmp(fault.text, managed->fault.text) == 0;

        managed->fault = fault;
        managed_files_deinit(&files);
        return known ? MANAGED_SAME : MANAGED_BROKEN;
    }
    same = managed->generation > 0 && same_files(&files, &managed->files);
    memset(&managed->fault, 0, sizeof(managed->fault));
    managed_files_deinit(&managed->files);
    managed->files = files;
    managed->generation += same ? 0 : 1;
    return same ? MANAGED_SAME : MANAGED_NEW;
}

static enum cordon_err refuse(const struct managed *managed, struct cordon_fault *fault)
{
    return fault_set(fault, CORDON_E_STATE, managed->fault.remedy, "managed policy: %s",
                     managed->fault.text);
}

enum cordon_err managed_rules_update(const struct managed *managed, const struct host_user *user,
                                     struct managed_rules *rules, struct cordon_fault *fault)
{
    enum cordon_err err;

    if (managed->generation == 0) {
        return refuse(managed, fault);
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
    struct ipc_managed_head head;
    struct strbuf out = STRBUF_INIT;
    struct cordon_fault reason;
    enum cordon_err err;

    memset(&head, 0, sizeof(head));
    head.magic = IPC_MAGIC;
    head.generation = managed->generation;
    head.host = managed->host;
    if (managed->generation == 0) {
        (void)refuse(managed, &reason);
        fault_to_ipc(&reason, &head.fault);
    } else {
        head.document_count = (uint32_t)managed->files.count;
        head.group_count = (uint32_t)user->group_count;
    }
    memcpy(head.home, user->home, sizeof(head.home));
    memcpy(head.user, user->user, sizeof(head.user));
    strbuf_add(&out, (const char *)&head, sizeof(head));
    if (managed->generation > 0) {
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
