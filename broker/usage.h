/* SPDX-License-Identifier: Apache-2.0 */
/* What a job used, for its records. */
#ifndef CORDON_BROKER_USAGE_H
#define CORDON_BROKER_USAGE_H

#include "platform/base/jsonw.h"
#include "platform/ipc.h"

/* One member for each field that is known. */
void usage_put(const struct ipc_usage *usage, struct jsonw *json);

#endif
