/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole job from a command line, for platform/windows/verify.ps1 on a real system. As SYSTEM, who
 * alone may add groups at a logon:
 *
 *   job_tool run FOLDER SID [deny=PATH | write=PATH | offline | terminal]... COMMAND
 *
 * runs COMMAND (one argument, as CreateProcess takes it) for principal SID in C:\, with the account
 * of account.h; FOLDER is the state's. Its status is the command's.
 *
 *   job_tool account make|remove
 *
 * 125: refused, with the reason on standard output.
 */
#include <windows.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/windows/account.h"
#include "platform/windows/job.h"
#include "platform/windows/plan_windows.h"

#define TARGETS_MAX 16
#define REFUSED 125

struct tool {
    struct job_order order;
    struct state_target targets[TARGETS_MAX];
    struct around_terminal terminal;
    struct state *state;
    struct cordon_fault fault;
};

static int refuse(const struct tool *tool)
{
    (void)printf("%s; %s\n", tool->fault.text, tool->fault.remedy);
    return REFUSED;
}

static bool read_option(struct tool *tool, char *option)
{
    struct state_target target = {{.object = API_FILE}, STATE_REFUSE};

    if (strcmp(option, "offline") == 0) {
        for (size_t i = 0; i < AROUND_LAYERS; i++) {
            tool->order.around.filter[i] = true;
        }
        return true;
    }
    if (strcmp(option, "terminal") == 0) {
        HANDLE keys, shown;

        tool->terminal = (struct around_terminal){.columns = 80, .rows = 24};
        if (!CreatePipe((HANDLE *)&tool->terminal.input, &keys, NULL, 0) ||
            !CreatePipe(&shown, (HANDLE *)&tool->terminal.output, NULL, 0)) {
            return false;
        }
        tool->order.around.terminal = &tool->terminal;
        return true;
    }
    target.acl.type = strncmp(option, "deny=", 5) == 0 ? SD_DENIED : SD_ALLOWED;
    target.acl.mask =
        target.acl.type == SD_DENIED ? PLAN_WINDOWS_MASK_DENY : PLAN_WINDOWS_MASK_WRITE;
    target.acl.path = strchr(option, '=') == NULL ? NULL : strchr(option, '=') + 1;
    if (target.acl.path == NULL || tool->order.target_count == TARGETS_MAX) {
        return false;
    }
    tool->targets[tool->order.target_count++] = target;
    return true;
}

static bool read_order(struct tool *tool, int argc, char **argv)
{
    struct token_order *token = &tool->order.token;

    token->kind = TOKEN_WRITE_RESTRICTED;
    token->account = ACCOUNT_NAME;
    token->restricting_count = 3;
    if (sid_from_text(argv[3], &token->principal) != CORDON_OK ||
        sid_from_text("S-1-5-12", &token->restricting[2]) != CORDON_OK) {
        return false;
    }
    token->restricting[0] = token->principal;
    tool->order.around.desktop = true;
    tool->order.around.station = true;
    tool->order.targets = tool->targets;
    tool->order.holder = "job_tool";
    tool->order.launch.process.command_line = argv[argc - 1];
    tool->order.launch.process.folder = "C:\\";
    for (int i = 4; i < argc - 1; i++) {
        if (!read_option(tool, argv[i])) {
            return false;
        }
    }
    return true;
}

static bool open_state(struct tool *tool, const char *folder)
{
    struct state_config config = {.api = api_win32(),
                                  .folder = folder,
                                  .unchecked = true, /* what it is given, for a test */
                                  .domain = tool->order.token.principal,
                                  .walk_objects = 1000000,
                                  .walk_depth = 64,
                                  .walk_ms = 60000};

    /* All but the last number. */
    config.domain.bytes[1]--;
    config.domain.len = (uint8_t)(config.domain.len - 4U);
    return state_open(&config, &tool->state, &tool->fault) == CORDON_OK;
}

static int run(struct tool *tool)
{
    const struct job_host host = {.token = token_win32(),
                                  .around = around_win32(),
                                  .launch = launch_win32(),
                                  .state = tool->state};
    DWORD status = REFUSED;
    struct job job;

    if (job_start(&host, &tool->order, &job, &tool->fault) != CORDON_OK) {
        return refuse(tool);
    }
    (void)WaitForSingleObject((HANDLE)job.launch.process, 60000);
    (void)GetExitCodeProcess((HANDLE)job.launch.process, &status);
    (void)job_end(&host, &job);
    (void)fputs(state_notices(tool->state), stdout);
    return (int)status;
}

int main(int argc, char **argv)
{
    static struct tool tool;
    struct sid sid;
    int status;

    if (argc == 3 && strcmp(argv[1], "account") == 0) {
        const enum cordon_err err =
            strcmp(argv[2], "make") == 0
                ? account_ensure(account_win32(), ACCOUNT_NAME, &sid, &tool.fault)
                : account_remove(account_win32(), ACCOUNT_NAME, &tool.fault);

        return err == CORDON_OK ? 0 : refuse(&tool);
    }
    if (argc < 5 || strcmp(argv[1], "run") != 0 || !read_order(&tool, argc, argv)) {
        (void)fputs("usage: job_tool run FOLDER SID [OPTION...] COMMAND | account make|remove\n",
                    stderr);
        return 2;
    }
    if (!open_state(&tool, argv[2])) {
        return refuse(&tool);
    }
    status = run(&tool);
    state_close(tool.state);
    return status;
}
