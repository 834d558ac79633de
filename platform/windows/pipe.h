/* SPDX-License-Identifier: Apache-2.0 */
/* The service's named pipe: where it is, and who may connect. Pure. */
#ifndef CORDON_PLATFORM_WINDOWS_PIPE_H
#define CORDON_PLATFORM_WINDOWS_PIPE_H

#include "platform/windows/sd.h"

#define PIPE_NAME "\\\\.\\pipe\\cordond"
/* Read and write data, attributes, READ_CONTROL, SYNCHRONIZE; not FILE_CREATE_PIPE_INSTANCE, by
 * which a client could answer other clients. */
#define PIPE_CLIENT_MASK 0x0012019bU

/*
 * Who may connect: SYSTEM and Administrators, and users who are logged on here; no principal of
 * those named (a job does not talk to the service), and nobody else.
 */
CORDON_MUST_USE enum cordon_err pipe_list(const struct sid *const *principals, size_t count,
                                          struct sd *ret_sd);

#endif
