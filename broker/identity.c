/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/identity.h"

#include <stdlib.h>
#include <string.h>

#include "platform/host.h"

#define BLOCK_MAX (sizeof(struct ipc_identity) + IDENTITY_GROUPS_MAX * sizeof(uint32_t))

enum cordon_err identity_send(struct channel *channel, const struct platform_peer *peer)
{
    const struct ipc_identity head = {.magic = IPC_MAGIC,
                                      .uid = peer->uid,
                                      .gid = peer->gid,
                                      .group_count = (uint32_t)peer->group_count};
    const size_t len = peer->group_count * sizeof(uint32_t);
    struct ipc_message message;
    enum cordon_err err;
    char *block;

    if (peer->group_count > IDENTITY_GROUPS_MAX) {
        return CORDON_E_LIMIT;
    }
    block = malloc(sizeof(head) + len);
    if (block == NULL) {
        return CORDON_E_NOMEM;
    }
    memcpy(block, &head, sizeof(head));
    if (len > 0) {
        memcpy(block + sizeof(head), peer->groups, len);
    }
    memset(&message, 0, sizeof(message));
    message.type = IPC_IDENTITY;
    err = channel_send_block(channel, &message, block, sizeof(head) + len);
    free(block);
    return err;
}

static enum cordon_err become(const struct ipc_identity *head, const char *groups, size_t len)
{
    struct platform_peer as;
    enum cordon_err err;

    if (head->magic != IPC_MAGIC || len / sizeof(uint32_t) != head->group_count ||
        len % sizeof(uint32_t) != 0) {
        return CORDON_E_PROTO;
    }
    memset(&as, 0, sizeof(as));
    as.uid = head->uid;
    as.gid = head->gid;
    as.group_count = head->group_count;
    as.groups = malloc(len + 1);
    if (as.groups == NULL) {
        return CORDON_E_NOMEM;
    }
    memcpy(as.groups, groups, len);
    err = host_become(&as);
    free(as.groups);
    return err;
}

enum cordon_err identity_take(int fd)
{
    struct ipc_identity head;
    struct cordon_fault ignored;
    const void *block;
    size_t len;
    enum cordon_err err = ipc_map(fd, BLOCK_MAX, &block, &len, &ignored);

    if (err != CORDON_OK) {
        return err;
    }
    if (len < sizeof(head)) {
        err = CORDON_E_PROTO;
    } else {
        memcpy(&head, block, sizeof(head));
        err = become(&head, (const char *)block + sizeof(head), len - sizeof(head));
    }
    ipc_unmap(block, len);
    return err;
}
