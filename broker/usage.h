/* SPDX-License-Identifier: Apache-2.0 */
/* What a job used, for its records. */
#ifndef CORDON_BROKER_USAGE_H
#define CORDON_BROKER_USAGE_H

#include "platform/ipc.h"

/* Of an IPC_USAGE_ field. */
const char *usage_name(int field);

#endif
