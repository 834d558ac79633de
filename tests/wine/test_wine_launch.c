/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole launch with the system's own calls: entries on, a process of the principal in its job,
 * who finds the key closed; the end of the job is the end of what it started; entries off.
 */

#include "tests/support/check.h"
#include "tests/wine/jobs.h"
#include "tests/wine/keys.h"
#include "tests/wine/token.h"

static const struct launch_api *api;
static struct cordon_fault fault;
static HANDLE token;

static struct sid sid_of(const char *text)
{
    struct sid sid;

    CHECK(sid_from_text(text, &sid) == CORDON_OK);
    return sid;
}

/* This program as its own child: with @arguments, and standard output as given. */
static struct launch run(const char *arguments, HANDLE output)
{
    static char line[MAX_PATH + 300];
    struct launch_order order = {.process = {.command_line = line, .folder = "C:\\"},
                                 .processes = 8};
    struct launch launch;
    char program[MAX_PATH];

    if (token == NULL) {
        const struct sd_member members[] = {{sid_of(KEYS_JOB), false}, {sid_everyone(), false}};
        const struct sd_token made = {.members = members, .member_count = 2};

        token = token_make(&made, TRUE);
        CHECK(token != NULL);
        api = wine_launch();
    }
    CHECK(GetModuleFileNameA(NULL, program, sizeof(program)) > 0);
    (void)snprintf(line, sizeof(line), "\"%s\" %s", program, arguments);
    order.process.token = (api_handle)token;
    if (output != NULL) {
        for (size_t i = 0; i < 3; i++) {
            order.process.handles[i] = (api_handle)output;
        }
        order.process.handle_count = 1;
    }
    if (launch_start(api, &order, &launch, &fault) != CORDON_OK) {
        CHECK_STR(fault.text, "");
    }
    return launch;
}

static DWORD status_of(const struct launch *launch)
{
    DWORD status = 0xffff;

    CHECK(WaitForSingleObject((HANDLE)launch->process, 30000) == WAIT_OBJECT_0);
    CHECK(GetExitCodeProcess((HANDLE)launch->process, &status));
    return status;
}

TEST(a_job_finds_closed_what_its_policy_denies)
{
    const struct state_target target = {
        {.object = API_KEY, .type = SD_DENIED, .mask = 0x000d017f, .path = KEYS_A}, STATE_REFUSE};
    const struct state_config config = keys_config(api_win32());
    const struct state_request request = {
        .principal = sid_of(KEYS_JOB), .holder = "s", .targets = &target, .target_count = 1};
    struct state *state = NULL;
    struct launch launch;

    CHECK(keys_make() && state_open(&config, &state, &fault) == CORDON_OK);
    CHECK(state_apply(state, &request, &fault) == CORDON_OK);
    launch = run("--open " KEYS_A, NULL);
    CHECK(status_of(&launch) == API_ACCESS_DENIED);
    CHECK(launch_end(api, &launch));
    launch = run("--open " KEYS_B, NULL);
    CHECK(status_of(&launch) == 0);
    CHECK(launch_end(api, &launch));
    CHECK(state_drop(state, &request.principal, "s", &fault) == CORDON_OK);
    launch = run("--open " KEYS_A, NULL);
    CHECK(status_of(&launch) == 0);
    CHECK(launch_end(api, &launch));
    state_close(state);
}

/* Why wine_launch() is there; once this fails, it has to go. */
TEST(limits_that_read_back_otherwise_refuse_the_launch)
{
    struct launch_order order = {.process = {.command_line = "cmd /c exit 0", .folder = "C:\\"}};
    struct launch launch;

    CHECK(launch_start(launch_win32(), &order, &launch, &fault) != CORDON_OK);
    CHECK_STR(fault.text, "the job object's limits did not stick: 0x0 instead of 0x2000");
}

/* The child starts one that would sleep for long, prints its number and sleeps, too. */
TEST(the_end_of_a_job_ends_all_it_started)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};
    HANDLE reads, writes, grandchild;
    struct launch launch;
    char text[32] = "";
    DWORD got = 0;

    CHECK(CreatePipe(&reads, &writes, &inherited, 0));
    launch = run("--tree x", writes);
    CHECK(ReadFile(reads, text, sizeof(text) - 1, &got, NULL) && got > 0);
    grandchild = OpenProcess(SYNCHRONIZE, FALSE, (DWORD)strtoul(text, NULL, 10));
    CHECK(grandchild != NULL && WaitForSingleObject(grandchild, 0) == WAIT_TIMEOUT);
    CHECK(launch_end(api, &launch));
    CHECK(WaitForSingleObject(grandchild, 10000) == WAIT_OBJECT_0);
    (void)CloseHandle(grandchild);
    (void)CloseHandle(reads);
    (void)CloseHandle(writes);
}

TEST(nothing_is_inherited_that_is_not_listed)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof(inherited), .bInheritHandle = TRUE};
    HANDLE listed = CreateEventA(&inherited, TRUE, FALSE, NULL);
    HANDLE other = CreateEventA(&inherited, TRUE, FALSE, NULL);
    char arguments[64];
    struct launch launch;

    CHECK(listed != NULL && other != NULL);
    (void)snprintf(arguments, sizeof(arguments), "--handle %llu",
                   (unsigned long long)(uintptr_t)listed);
    launch = run(arguments, listed);
    CHECK(status_of(&launch) == 0);
    CHECK(launch_end(api, &launch));
    (void)snprintf(arguments, sizeof(arguments), "--handle %llu",
                   (unsigned long long)(uintptr_t)other);
    launch = run(arguments, listed);
    CHECK(status_of(&launch) == ERROR_INVALID_HANDLE);
    CHECK(launch_end(api, &launch));
    (void)CloseHandle(listed);
    (void)CloseHandle(other);
}

TEST(what_was_lent_to_a_job_is_inherited_by_nobody_else)
{
    HANDLE listed = CreateEventA(NULL, TRUE, FALSE, NULL);
    char arguments[64];
    struct launch launch;
    DWORD flags = HANDLE_FLAG_INHERIT;

    CHECK(listed != NULL);
    (void)snprintf(arguments, sizeof(arguments), "--handle %llu",
                   (unsigned long long)(uintptr_t)listed);
    launch = run(arguments, listed);
    CHECK(status_of(&launch) == 0);
    CHECK(launch_end(api, &launch));
    CHECK(GetHandleInformation(listed, &flags) && (flags & HANDLE_FLAG_INHERIT) == 0);
    (void)CloseHandle(listed);
}

TEST(no_process_breaks_away_from_its_job)
{
    struct launch launch = run("--breakaway x", NULL);

    CHECK(status_of(&launch) == ERROR_ACCESS_DENIED);
    CHECK(launch_end(api, &launch));
}

static DWORD start_sleeper(DWORD flags, DWORD *ret_pid)
{
    char program[MAX_PATH], line[MAX_PATH + 32];
    STARTUPINFOA start = {.cb = sizeof(start)};
    PROCESS_INFORMATION child;

    (void)GetModuleFileNameA(NULL, program, sizeof(program));
    (void)snprintf(line, sizeof(line), "\"%s\" --sleep x", program);
    if (!CreateProcessA(NULL, line, NULL, NULL, FALSE, flags, NULL, NULL, &start, &child)) {
        return GetLastError();
    }
    *ret_pid = child.dwProcessId;
    return 0;
}

static int in_child(char **argv)
{
    char text[32];
    DWORD pid, written;

    if (strcmp(argv[1], "--sleep") == 0) {
        Sleep(60000);
        return 0;
    }
    if (strcmp(argv[1], "--handle") == 0) {
        const HANDLE handle = (HANDLE)(uintptr_t)strtoull(argv[2], NULL, 10);

        return SetEvent(handle) ? 0 : (int)GetLastError();
    }
    if (strcmp(argv[1], "--breakaway") == 0) {
        return (int)start_sleeper(CREATE_BREAKAWAY_FROM_JOB, &pid);
    }
    if (start_sleeper(0, &pid) != 0) {
        return 1;
    }
    (void)snprintf(text, sizeof(text), "%lu\n", pid);
    (void)WriteFile(GetStdHandle(STD_INPUT_HANDLE), text, (DWORD)strlen(text), &written, NULL);
    Sleep(60000);
    return 0;
}

int main(int argc, char **argv)
{
    int status;

    if (keys_child(argc, argv, &status)) {
        return status;
    }
    return argc == 3 ? in_child(argv) : check_main(argc, argv);
}
