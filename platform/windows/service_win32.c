/* SPDX-License-Identifier: Apache-2.0 */
/* service.h with the service control manager and the event log. */
#include "platform/service.h"

#include <stdlib.h>
#include <string.h>

#include "platform/windows/eventlog_win32.h"
#include "platform/windows/install.h"
#include "platform/windows/io.h"
#include "platform/windows/scm.h"

#define INSTALL_OPTION "--install"
#define UNINSTALL_OPTION "--uninstall"

const char *const service_help =
    "  " INSTALL_OPTION "           put the service on this machine and start it\n"
    "  " UNINSTALL_OPTION "         stop it, and remove all but programs and policy\n";

struct program {
    service_main_fn *main;
    int argc;
    char **argv;
    int status;
};

bool service_managed(void)
{
    return scm_started_us();
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
    struct events_event event;
    uint32_t code;

    if (events_make(priority, line, fields, count, &event) != CORDON_OK) {
        return CORDON_E_OS;
    }
    code = events_report(&event);
    events_deinit(&event);
    return code == API_OK ? CORDON_OK : CORDON_E_OS;
}

/* ---- installed and removed ---- */

/* In the log as well: an installer shows nobody what a program says. */
static void tell_failure(const struct cordon_fault *fault)
{
    char line[2 * CORDON_FAULT_TEXT_MAX];

    (void)snprintf(line, sizeof(line), "%s%s%s", fault->text, fault->remedy[0] == '\0' ? "" : "; ",
                   fault->remedy);
    (void)fprintf(stderr, "cordond: %s\n", line);
    if (service_log(SERVICE_ERROR, line, NULL, 0) != CORDON_OK) {
        (void)fprintf(stderr, "cordond: the event log did not take this\n");
    }
}

static int install(bool undo)
{
    struct install what;
    struct strbuf notices = STRBUF_INIT;
    struct cordon_fault fault = {.err = CORDON_OK};
    enum cordon_err err;

    if (!install_parts(&what)) {
        err = fault_set(&fault, CORDON_E_OS, NULL, "cannot tell where things are on this machine");
    } else {
        err = undo ? install_undo(&what, &notices, &fault) : install_run(&what, &fault);
    }
    (void)fputs(strbuf_text(&notices), stderr);
    strbuf_deinit(&notices);
    if (err != CORDON_OK) {
        tell_failure(&fault);
        return EXIT_FAILURE;
    }
    (void)printf(undo ? "the service is removed\n" : "the service is installed and runs\n");
    return EXIT_SUCCESS;
}

/* ---- its program ---- */

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

static bool is(const char *argument, const char *option)
{
    return strcmp(argument, option) == 0;
}

int service_main(int argc, char **argv, service_main_fn *main)
{
    struct program program = {main, argc, argv, 0};
    const struct scm_service service = {SCM_CORDON, NULL, run, stop, &program};

    if (argc == 2 && (is(argv[1], INSTALL_OPTION) || is(argv[1], UNINSTALL_OPTION))) {
        return install(is(argv[1], UNINSTALL_OPTION));
    }
    if (argc < 2 || !is(argv[1], SCM_OPTION)) {
        return main(argc, argv);
    }
    argv[1] = argv[0];
    program.argc = argc - 1;
    program.argv = argv + 1;
    return scm_serve(&service) == API_OK ? program.status : EXIT_FAILURE;
}
