/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a caller asks about the service and its jobs, or has done to them: ps,
 * kill, status, reload. He sees and ends his own; root everybody's. Who asks is
 * whose worker the question came from, which the kernel said at the socket.
 */
#ifndef CORDON_BROKER_CONTROL_H
#define CORDON_BROKER_CONTROL_H

#include "broker/caller.h"

/* An IPC_QUERY; answered with IPC_ANSWER. */
void control_query(struct caller *caller, const struct ipc_message *message);

#endif
