/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine from a command line, for platform/windows/verify.ps1 on a real system:
 *
 *   acl_tool FOLDER DOMAIN apply SID HOLDER PATH...
 *
 * denies these; "PATH\" and "PATH?" are made if missing, as a folder and as a file.
 *
 *   acl_tool FOLDER DOMAIN drop SID HOLDER
 *
 * ends that.
 *
 *   acl_tool FOLDER DOMAIN count SID PATH
 *
 * prints how many rows want it.
 *
 * FOLDER is the state's; exists. 0: done; 1: refused, with the reason on standard output.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/plan_windows.h"
#include "platform/windows/state.h"

#define TARGETS_MAX 64

static struct state_target target_of(char *path)
{
    const size_t len = strlen(path);
    struct state_target target = {{.object = API_FILE, .type = SD_DENIED, .path = path},
                                  STATE_REFUSE};

    target.acl.mask = PLAN_WINDOWS_MASK_DENY;
    if (strncmp(path, "HKLM\\", 5) == 0) {
        target.acl.object = API_KEY;
    }
    if (len > 3 && (path[len - 1] == '\\' || path[len - 1] == '?')) {
        target.missing = path[len - 1] == '?' ? STATE_MAKE_FILE : STATE_MAKE_CONTAINER;
        path[len - 1] = '\0';
    }
    return target;
}

static int run(struct state *state, int argc, char **argv)
{
    struct state_target targets[TARGETS_MAX];
    struct state_request request = {.holder = argc > 5 ? argv[5] : "", .targets = targets};
    struct cordon_fault fault = {0};
    enum cordon_err err = sid_from_text(argv[4], &request.principal);

    for (int i = 6; i < argc && request.target_count < TARGETS_MAX; i++) {
        targets[request.target_count++] = target_of(argv[i]);
    }
    if (err != CORDON_OK) {
        return 2;
    }
    if (strcmp(argv[3], "count") == 0) {
        (void)printf("%zu\n", state_count(state, &request.principal, argv[5]));
        return 0;
    }
    err = strcmp(argv[3], "apply") == 0
              ? state_apply(state, &request, &fault)
              : state_drop(state, &request.principal, request.holder, &fault);
    (void)fputs(state_notices(state), stdout);
    if (err != CORDON_OK) {
        (void)printf("%s; %s\n", fault.text, fault.remedy);
    }
    return err == CORDON_OK ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct state_config config = {
        .api = api_win32(), .walk_objects = 1000000, .walk_depth = 64, .walk_ms = 60000};
    struct cordon_fault fault = {0};
    struct state *state;
    int status;

    if (argc < 6 || sid_from_text(argv[2], &config.domain) != CORDON_OK) {
        (void)fputs("usage: acl_tool FOLDER DOMAIN apply|drop|count SID HOLDER|PATH PATH...\n",
                    stderr);
        return 2;
    }
    config.folder = argv[1];
    config.unchecked = true; /* what it is given, for a test */
    if (state_open(&config, &state, &fault) != CORDON_OK) {
        (void)printf("%s; %s\n", fault.text, fault.remedy);
        return 1;
    }
    status = run(state, argc, argv);
    state_close(state);
    return status;
}
