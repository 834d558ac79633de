/* SPDX-License-Identifier: Apache-2.0 */
/* The service manager: the socket it holds, readiness, the journal. */
#ifndef CORDON_SERVICE_H
#define CORDON_SERVICE_H

#include <stdbool.h>

#include "platform/base/err.h"

/* True when a service manager started this process and reads its log. */
bool service_managed(void);
/* The listening socket that was handed over; -1: none. CORDON_E_INVALID: not just one. */
CORDON_MUST_USE enum cordon_err service_listen_fd(int *ret_fd, struct cordon_fault *fault);
/* Ready, stopping; nothing happens without a service manager. */
void service_ready(void);
void service_stopping(void);

enum service_priority { SERVICE_ERROR = 3, SERVICE_WARNING = 4, SERVICE_INFO = 6 };
/* One journal entry; @record NULL, or a JSON object kept as a field of its own. */
void service_log(enum service_priority priority, const char *line, const char *record);

#endif
