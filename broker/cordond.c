/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The supervisor's program: options in, supervisor_run(). With CORDON_WITH_WORKER it is
 * cordon-embedded, of which every process is the caller's: no other program is started for the
 * worker, as that took longer than what it does.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/supervisor.h"
#include "broker/worker.h"
#include "platform/service.h"

#define EXIT_USAGE 2

#ifdef CORDON_TEST_PATHS
#define WORKER_NAME "cordon-worker-test"
#define SELF_NAME "cordond-test"
#define HELPER_NAME SELF_NAME
#elif defined(CORDON_WITH_WORKER)
#define WORKER_NAME ""
#define SELF_NAME "cordon-embedded"
#define HELPER_NAME "cordond" /* which is linked with what the name service loads */
#else
#define WORKER_NAME "cordon-worker"
#define SELF_NAME "cordond"
#define HELPER_NAME SELF_NAME
#endif

enum option_id {
    OPTION_EMBEDDED,
    OPTION_AUDIT,
    OPTION_LOOKUP,
    OPTION_VERSION,
    OPTION_HELP,
    OPTION_SOCKET,
    OPTION_MANAGED_ROOT,
    OPTION_NULL
};

static const struct option_row {
    enum option_id id;
    const char *name, *argument, *help;
} option_rows[] = {
    {OPTION_EMBEDDED, "--embedded", "FD", "serve the one client at socket FD, as its user"},
    {OPTION_AUDIT, "--audit", "FILE", "append the audit records to FILE"},
#ifndef CORDON_WITH_WORKER
    {OPTION_LOOKUP, "--lookup", "WORD", "(internal) print what the user database says"},
#endif
    {OPTION_VERSION, "--version", NULL, "print the version"},
    {OPTION_HELP, "--help", NULL, "print this"},
#ifdef CORDON_TEST_PATHS
    {OPTION_SOCKET, "--socket", "PATH", "listen there"},
    {OPTION_MANAGED_ROOT, "--managed-root", "DIR", "read managed policy below DIR"},
    {OPTION_NULL, "--null", NULL, "enforce nothing"},
#endif
};
#define OPTION_COUNT (sizeof(option_rows) / sizeof(option_rows[0]))

static const struct option_row *option_find(const char *name)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (strcmp(option_rows[i].name, name) == 0) {
            return &option_rows[i];
        }
    }
    return NULL;
}

static int print_help(void)
{
    (void)printf("usage: " SELF_NAME " [OPTION]...\n");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = &option_rows[i];

        (void)printf("  %-12s %-6s %s\n", row->name, row->argument == NULL ? "" : row->argument,
                     row->help);
    }
    (void)printf("%s", service_help);
    return EXIT_SUCCESS;
}

static int complain(const char *text, const char *remedy)
{
    (void)fprintf(stderr, SELF_NAME ": %s%s%s\n", text, remedy[0] == '\0' ? "" : "; ", remedy);
    return EXIT_USAGE;
}

/* Takes one option in; -1: go on, else the program's exit status. */
static int option_take(const struct option_row *row, const char *value,
                       struct supervisor_options *options)
{
    char *end;

    switch (row->id) {
    case OPTION_EMBEDDED:
        options->embedded = true;
        options->client = (int)strtol(value, &end, 10);
        return *end == '\0' && options->client > 2 ? -1 : complain("bad descriptor", "");
    case OPTION_AUDIT:
        options->audit_file = value;
        return -1;
    case OPTION_VERSION:
        (void)printf(SELF_NAME " %s\n", CORDON_VERSION);
        return EXIT_SUCCESS;
    case OPTION_HELP:
        return print_help();
    case OPTION_SOCKET:
        options->socket = value;
        return -1;
    case OPTION_MANAGED_ROOT:
        options->places = (struct managed_places){value, host_uid()};
        return -1;
    case OPTION_NULL:
#ifdef CORDON_TEST_PATHS
        options->platform = platform_null();
#endif
        return -1;
    case OPTION_LOOKUP:
        break;
    }
    return -1;
}

static int options_take(int argc, char **argv, struct supervisor_options *options)
{
    int status = -1;

    for (int i = 1; status < 0 && i < argc; i++) {
        const struct option_row *row = option_find(argv[i]);

        if (row == NULL || (row->argument != NULL && i + 1 == argc)) {
            return complain(row == NULL ? "unknown option" : "an option lacks its argument",
                            "see cordond --help");
        }
#ifndef CORDON_WITH_WORKER
        if (row->id == OPTION_LOOKUP) {
            return host_lookup_main(argc - i - 1, argv + i + 1);
        }
#endif
        status = option_take(row, row->argument == NULL ? NULL : argv[++i], options);
    }
    return status;
}

static int run(int argc, char **argv)
{
    struct supervisor_options options = {
        .platform = platform_host(),
        .client = -1,
        .socket = host_service_socket,
        .places = {"", 0},
        .worker = WORKER_NAME,
        .helper = HELPER_NAME,
#ifdef CORDON_WITH_WORKER
        .worker_main = worker_main,
#endif
    };
    struct cordon_fault fault = {.err = CORDON_OK};
    int status;

    host_fill_stdio();
    status = options_take(argc, argv, &options);
    if (status >= 0) {
        return status;
    }
    if (!options.embedded && options.worker_main != NULL) {
        return complain("not embedded", "cordond is the service");
    }
    if (!options.embedded && !host_is_root() && strcmp(options.socket, host_service_socket) == 0) {
        return complain("the service runs as root", "use `cordon sandbox`, which needs no service");
    }
    if (options.embedded && host_adopt_stream(options.client, &fault) != CORDON_OK) {
        return complain(fault.text, fault.remedy);
    }
    host_harden();
    if (supervisor_run(&options, &fault) != CORDON_OK) {
        (void)complain(fault.text, fault.remedy);
        return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    return service_main(argc, argv, run);
}
