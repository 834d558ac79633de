/* SPDX-License-Identifier: Apache-2.0 */
/* The words for what a record of a denial holds as numbers. */
#ifndef CORDON_BROKER_NAMES_H
#define CORDON_BROKER_NAMES_H

#include "platform/ipc.h"

/* "open", ...; "unknown" for what there is no word for. */
static inline const char *denial_operation(uint16_t operation)
{
    static const char *const words[] = {
        [IPC_OPERATION_OPEN] = "open",           [IPC_OPERATION_EXEC] = "exec",
        [IPC_OPERATION_LIST] = "list",           [IPC_OPERATION_CREATE] = "create",
        [IPC_OPERATION_RENAME] = "rename",       [IPC_OPERATION_LINK] = "link",
        [IPC_OPERATION_REMOVE] = "remove",       [IPC_OPERATION_CHANGE] = "change",
        [IPC_OPERATION_ATTRIBUTE] = "attribute", [IPC_OPERATION_WATCH] = "watch",
        [IPC_OPERATION_CONNECT] = "connect",     [IPC_OPERATION_RECEIVE] = "receive"};

    return operation > IPC_OPERATION_NONE && operation < IPC_OPERATION_COUNT ? words[operation]
                                                                             : "unknown";
}

/* "fanotify", ... */
static inline const char *denial_mechanism(uint16_t mechanism)
{
    static const char *const words[] = {
        [IPC_MECHANISM_FANOTIFY] = "fanotify", [IPC_MECHANISM_BPF] = "bpf"};

    return mechanism > 0 && mechanism < IPC_MECHANISM_COUNT ? words[mechanism] : "unknown";
}

#endif
