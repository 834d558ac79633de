/* SPDX-License-Identifier: Apache-2.0 */
/* The service manager: the socket it holds, readiness, the journal. */
#ifndef CORDON_SERVICE_H
#define CORDON_SERVICE_H

#include <stdbool.h>
#include <stddef.h>

#include "platform/base/err.h"

typedef int service_main_fn(int argc, char **argv);
/* Calls @main as the service manager wants a service's to be called; its status. */
int service_main(int argc, char **argv, service_main_fn *main);
/* Lines of help about options that service_main() takes itself; "": none. */
extern const char *const service_help;

/* True when a service manager started this process and reads its log. */
bool service_managed(void);
/*
 * The listening socket that was handed over; -1: none. CORDON_E_INVALID: not just one.
 * CORDON_E_UNSUPPORTED: a service manager has started this process and cannot be talked to.
 */
CORDON_MUST_USE enum cordon_err service_listen_fd(int *ret_fd, struct cordon_fault *fault);
/* Ready, stopping; nothing happens without a service manager. */
void service_ready(void);
void service_stopping(void);

enum service_priority { SERVICE_ERROR = 3, SERVICE_WARNING = 4, SERVICE_INFO = 6 };
/* A field of a journal entry; the name is one of ours, [A-Z0-9_]. */
struct service_field {
    const char *name;
    const char *value; /* escaped: a journal shows fields to terminals */
};
#define SERVICE_FIELDS_MAX 32U
/* One journal entry of @line and at most SERVICE_FIELDS_MAX fields. CORDON_E_OS: it is lost. */
CORDON_MUST_USE enum cordon_err service_log(enum service_priority priority, const char *line,
                                            const struct service_field *fields, size_t count);

#endif
