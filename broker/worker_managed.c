/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "broker/managed.h"
#include "broker/worker.h"

#define BLOCK_MAX ((size_t)MANAGED_FILES_MAX * (POLICY_FILE_MAX + 8192U))
#define ARENA_MAX ((size_t)16U * 1024U * 1024U)

struct reader {
    const char *at, *end;
    bool broken;
};

static uint32_t take_u32(struct reader *reader)
{
    uint32_t value = 0;

    if ((size_t)(reader->end - reader->at) < sizeof(value)) {
        reader->broken = true;
        return 0;
    }
    memcpy(&value, reader->at, sizeof(value));
    reader->at += sizeof(value);
    return value;
}

static const char *take_bytes(struct reader *reader, size_t len)
{
    const char *at = reader->at;

    if ((size_t)(reader->end - at) < len) {
        reader->broken = true;
        return "";
    }
    reader->at += len;
    return at;
}

static bool take_documents(struct reader *reader, size_t count, struct worker_managed *managed)
{
    managed->documents = arena_array(&managed->arena, count, sizeof(*managed->documents));
    for (size_t i = 0; managed->documents != NULL && i < count && !reader->broken; i++) {
        struct policy_document *document = &managed->documents[i];
        const uint32_t layer = take_u32(reader);
        const uint32_t path_len = take_u32(reader);
        const uint32_t text_len = take_u32(reader);
        const char *path = take_bytes(reader, path_len);

        document->layer = layer == LAYER_MANAGED_CODEX ? LAYER_MANAGED_CODEX : LAYER_MANAGED;
        document->text = take_bytes(reader, text_len);
        document->len = text_len;
        document->path = reader->broken ? NULL : arena_strndup(&managed->arena, path, path_len);
        if (document->path == NULL) {
            return false;
        }
        managed->document_count++;
    }
    return managed->documents != NULL && !reader->broken;
}

static bool take_groups(struct reader *reader, size_t count, struct worker_managed *managed)
{
    struct host_user *user = &managed->user;

    user->groups = arena_array(&managed->arena, count, sizeof(*user->groups));
    for (size_t i = 0; user->groups != NULL && i < count; i++) {
        const uint32_t len = take_u32(reader);
        const char *name = take_bytes(reader, len);

        user->groups[i] = reader->broken ? NULL : arena_strndup(&managed->arena, name, len);
        if (user->groups[i] == NULL) {
            return false;
        }
        user->group_count++;
    }
    return user->groups != NULL;
}

static enum cordon_err parse(struct worker_managed *managed, struct cordon_fault *fault)
{
    struct reader reader = {managed->block, (const char *)managed->block + managed->block_len,
                            false};
    const char *bytes = take_bytes(&reader, sizeof(struct ipc_managed_head));
    struct ipc_managed_head head;

    if (reader.broken) {
        return fault_set(fault, CORDON_E_PROTO, NULL, "managed policy: cut short");
    }
    memcpy(&head, bytes, sizeof(head));
    (void)snprintf(managed->user.home, sizeof(managed->user.home), "%.*s",
                   (int)sizeof(head.home) - 1, head.home);
    (void)snprintf(managed->user.user, sizeof(managed->user.user), "%.*s",
                   (int)sizeof(head.user) - 1, head.user);
    managed->generation = head.generation;
    managed->host = head.host;
    fault_from_ipc(&head.fault, &managed->fault);
    if (head.magic != IPC_MAGIC || head.document_count > MANAGED_FILES_MAX ||
        !take_documents(&reader, head.document_count, managed) ||
        !take_groups(&reader, head.group_count, managed)) {
        return fault_set(fault, CORDON_E_PROTO, NULL, "managed policy: malformed");
    }
    return CORDON_OK;
}

enum cordon_err worker_managed_take(struct worker_managed *managed, int fd,
                                    struct cordon_fault *fault)
{
    struct worker_managed fresh;
    enum cordon_err err;

    memset(&fresh, 0, sizeof(fresh));
    arena_init(&fresh.arena, ARENA_MAX);
    err = ipc_map(fd, BLOCK_MAX, &fresh.block, &fresh.block_len, fault);
    if (err == CORDON_OK) {
        err = parse(&fresh, fault);
    }
    if (err != CORDON_OK) {
        worker_managed_deinit(&fresh);
        return err;
    }
    worker_managed_deinit(managed);
    fresh.known = true;
    *managed = fresh;
    return CORDON_OK;
}

void worker_managed_deinit(struct worker_managed *managed)
{
    ipc_unmap(managed->block, managed->block_len);
    arena_deinit(&managed->arena);
    memset(managed, 0, sizeof(*managed));
}
