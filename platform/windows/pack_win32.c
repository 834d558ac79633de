/* SPDX-License-Identifier: Apache-2.0 */
/* What both back ends of this system do alike. */
#include "platform/windows/backend.h"

#include "platform/windows/io.h"

enum cordon_err windows_pack(const void *order, size_t len, const struct platform_parts *parts,
                             int cwd, struct platform_order *ret_order, struct cordon_fault *fault)
{
    struct platform_order made = {.fd_count = IPC_SPAWN_GRANTS};
    enum cordon_err err = ipc_memfd("cordon-order", order, len, &made.fds[IPC_SPAWN_ORDER], fault);

    if (err != CORDON_OK) {
        return err;
    }
    made.fds[IPC_SPAWN_TABLE] = host_dup(parts->own_fd);
    made.fds[IPC_SPAWN_CHANNEL] = host_dup(parts->channel);
    made.fds[IPC_SPAWN_CWD] = host_dup(cwd < 0 ? made.fds[IPC_SPAWN_ORDER] : cwd);
    for (size_t i = 0; i < made.fd_count; i++) {
        if (made.fds[i] < 0) {
            err = CORDON_E_OS;
        }
    }
    if (err == CORDON_OK) {
        *ret_order = made;
        return CORDON_OK;
    }
    for (size_t i = 0; i < made.fd_count; i++) {
        host_close(made.fds[i]);
    }
    return fault_set(fault, err, NULL, "cannot hand over the job's descriptors");
}

HANDLE windows_token(const struct platform_peer *peer)
{
    HANDLE token = NULL;

    return DuplicateTokenEx(io_handle(peer->token), MAXIMUM_ALLOWED, NULL, SecurityImpersonation,
                            TokenPrimary, &token)
               ? token
               : NULL;
}
