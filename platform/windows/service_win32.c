/* SPDX-License-Identifier: Apache-2.0 */
/* service.h with the service control manager. Its log is what stderr is for others: see README. */
#include "platform/service.h"

#include <stdlib.h>
#include <string.h>

#include "platform/windows/io.h"
#include "platform/windows/scm.h"

#define SERVICE_NAME "cordond"
#define SERVICE_OPTION "--service" /* how it is installed */

struct program {
    service_main_fn *main;
    int argc;
    char **argv;
    int status;
};

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
    scm_running();
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

static uint32_t run(void *context)
{
    struct program *program = context;

    program->status = program->main(program->argc, program->argv);
    return (uint32_t)program->status;
}

static void stop(void *context)
{
    (void)context;
    loop_tell(LOOP_TERM);
}

int service_main(int argc, char **argv, service_main_fn *main)
{
    struct program program = {main, argc, argv, 0};
    const struct scm_service service = {SERVICE_NAME, NULL, run, stop, &program};

    if (argc < 2 || strcmp(argv[1], SERVICE_OPTION) != 0) {
        return main(argc, argv);
    }
    argv[1] = argv[0];
    program.argc = argc - 1;
    program.argv = argv + 1;
    return scm_serve(&service) == API_OK ? program.status : EXIT_FAILURE;
}
