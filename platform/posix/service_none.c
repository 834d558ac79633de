/* SPDX-License-Identifier: Apache-2.0 */
/* For a broker that no service manager starts: it is one job's own. */
#include "platform/service.h"

const char *const service_help = "";

int service_main(int argc, char **argv, service_main_fn *main)
{
    return main(argc, argv);
}

bool service_managed(void)
{
    return false;
}

enum cordon_err service_listen_fd(int *ret_fd, struct cordon_fault *fault)
{
    (void)fault;
    *ret_fd = -1;
    return CORDON_OK;
}

void service_ready(void)
{
}

void service_stopping(void)
{
}

enum cordon_err service_log(enum service_priority priority, const char *line,
                            const struct service_field *fields, size_t count)
{
    (void)priority;
    (void)line;
    (void)fields;
    (void)count;
    return CORDON_E_OS;
}
