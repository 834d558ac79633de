/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The programs with the back end that enforces, from the command line to a command's status. What
 * asks for nothing but full access runs; whatever needs a token, an account or a list that Wine has
 * not is refused for just that, and nothing of it is left.
 */
#include "platform/windows/place_win32.h"
#include "tests/support/check.h"
#include "tests/wine/broker.h"
#include "tests/wine/keys.h"
#include "tests/wine/ran.h"

#include <fcntl.h>
#include <io.h>
#include <sys/stat.h>
#include <tlhelp32.h>

#define PIPE "\\\\.\\pipe\\cordon-enforce"
#define STATE "C:\\ProgramData\\cordon\\state"
#define PRINCIPAL PLACE_DOMAIN "-1001"
#define LEFT "C:\\left"
#define BEGUN "C:\\begun"
#define FULL L"-s danger-full-access"
/* A profile whose token alone keeps it in. */
#define TOKEN_ONLY                                                                                 \
    L"-c permissions.p.filesystem={\\\":root\\\"=\\\"read\\\"} "                                   \
    L"-c permissions.p.network.enabled=true -P p"

static struct cordon_fault fault;

static void refused(const struct ran *ran, const char *why, const char *remedy)
{
    CHECK(ran->status == 125);
    SAYS(ran->err, why);
    SAYS(ran->err, remedy);
    CHECK_STR(ran->out, "");
}

/* ---- a private broker ---- */

TEST(without_a_service_a_private_broker_answers)
{
    struct ran ran = ran_run("client\\cordon", L"status");

    CHECK(ran.status == 0);
    SAYS(ran.out, "windows");
    ran = ran_run("client\\cordon", L"ps");
    CHECK(ran.status == 125);
    SAYS(ran.err, "there is no cordon service");
}

TEST(a_command_with_full_access_runs_with_its_status)
{
    struct ran ran = ran_run("client\\cordon", ran_sandbox(FULL, L"--exit 42"));

    CHECK_STR(ran.err, "");
    CHECK(ran.status == 42);
    ran = ran_run("client\\cordon", L"sandbox windows -s danger-full-access -- C:\\nothing.exe");
    CHECK(ran.status == 127);
    SAYS(ran.err, "no such object");
    ran = ran_run("client\\cordon", ran_sandbox(FULL L" --timeout 1", L"--sleep 60"));
    CHECK(ran.status == 124);
    SAYS(ran.err, "its time was up");
}

TEST(it_runs_in_the_folder_that_it_is_given)
{
    struct ran ran;

    CHECK(CreateDirectoryW(L"C:\\a b", NULL));
    ran = ran_run("client\\cordon", ran_sandbox(FULL L" -C \"C:\\a b\"", L"--folder"));
    CHECK_STR(ran.err, "");
    CHECK_STR(ran.out, "C:\\a b\n");
}

/* It has a process object of its own, and none that ends with the broker. */
TEST(what_a_command_started_ends_with_it)
{
    const struct ran ran = ran_run("client\\cordon", ran_sandbox(FULL, L"--leave"));

    CHECK(ran.status == 3);
    Sleep(3000);
    CHECK(!ran_there(LEFT));
}

/* Wine does not lower a token's integrity, and drops restricting SIDs; what it made is read back,
 * in this order. */
TEST(a_token_that_is_not_restricted_starts_nothing)
{
    const struct ran ran = ran_run("client\\cordon", ran_sandbox(TOKEN_ONLY, L"--touch"));

    refused(&ran, "the job's token is not what was asked for: its integrity is above medium", "");
    CHECK(!ran_there(LEFT));
}

TEST(what_a_private_broker_cannot_keep_is_refused_with_what_can)
{
    struct ran ran;

    CHECK(CreateDirectoryA("C:\\ws", NULL));
    ran = ran_run("client\\cordon",
                  ran_sandbox(L"-s workspace-write -c sandbox_workspace_write.network_access=true "
                              L"-C C:\\ws",
                              L"--touch"));
    refused(&ran, "a private broker puts no entries on access lists",
            "start the job through the cordon service");
    ran = ran_run("client\\cordon", ran_sandbox(L"-s read-only", L"--touch"));
    refused(&ran, "a restricted token cannot keep the job from the network",
            "start the job through the cordon service");
    CHECK(!ran_there(LEFT) && !ran_there("C:\\ws\\.git"));
}

/* ---- the service ---- */

static struct state *open_state(void)
{
    struct state_config config = keys_config(api_win32());
    struct state *state = NULL;

    config.folder = STATE;
    CHECK(sid_from_text(PLACE_DOMAIN, &config.domain) == CORDON_OK);
    CHECK(state_open(&config, &state, &fault) == CORDON_OK);
    return state;
}

/* An entry of a job whose service died, on a key, where lists are kept. */
static void leave_an_entry(void)
{
    const struct state_target target = {
        {.object = API_KEY, .type = SD_DENIED, .mask = 0x000d017f, .path = KEYS_A}, STATE_REFUSE};
    struct state_request request = {.holder = "job-1", .targets = &target, .target_count = 1};
    struct state *state;

    (void)CreateDirectoryA("C:\\ProgramData", NULL);
    (void)CreateDirectoryA("C:\\ProgramData\\cordon", NULL);
    CHECK(CreateDirectoryA(STATE, NULL) && keys_make());
    CHECK(sid_from_text(PRINCIPAL, &request.principal) == CORDON_OK);
    state = open_state();
    CHECK(state_apply(state, &request, &fault) == CORDON_OK);
    state_close(state);
}

static HANDLE begin_service(void)
{
    const HANDLE broker = broker_run(PIPE, "");

    broker_await(broker, PIPE);
    CHECK(SetEnvironmentVariableA("CORDON_TEST_SOCKET", PIPE));
    return broker;
}

TEST(a_service_takes_off_what_a_dead_one_left)
{
    HANDLE broker;
    struct state *state;

    leave_an_entry();
    CHECK(keys_name(PRINCIPAL));
    broker = begin_service();
    CHECK(!keys_name(PRINCIPAL));
    broker_end(broker);
    state = open_state();
    CHECK(state_size(state) == 0);
    state_close(state);
}

TEST(the_service_starts_what_needs_no_account_as_its_caller)
{
    const HANDLE broker = begin_service();
    struct ran ran = ran_run("client\\cordon-test", ran_sandbox(FULL, L"--exit 42"));

    CHECK_STR(ran.err, "");
    CHECK(ran.status == 42);
    ran = ran_run("client\\cordon-test", L"status --json");
    SAYS(ran.out, "\"backend\":\"windows\"");
    ran = ran_run("client\\cordon-test", L"ps");
    CHECK(ran.status == 0);
    broker_end(broker);
}

/* The plan is whole, and is shown; no account can be logged on here, and no job is without. */
TEST(a_job_without_its_account_is_refused_and_leaves_nothing)
{
    const HANDLE broker = begin_service();
    struct ran ran;
    char *audit;

    (void)CreateDirectoryA("C:\\ws", NULL);
    CHECK(CreateDirectoryA("C:\\ws\\.git", NULL));
    ran = ran_run("client\\cordon-test",
                  L"sandbox windows -s workspace-write -C C:\\ws --print-plan");
    CHECK_STR(ran.err, "");
    CHECK(ran.status == 0);
    SAYS(ran.out, "backend          service");
    SAYS(ran.out, "grant-write      C:\\\\ws dir");
    SAYS(ran.out, "deny-write       C:\\\\ws\\\\.git dir");
    ran = ran_run("client\\cordon-test", ran_sandbox(L"-s workspace-write -C C:\\ws", L"--touch"));
    refused(&ran, "logging the account cordon-job on", "cordon doctor says");
    ran = ran_run("client\\cordon-test", ran_sandbox(L"-s read-only -C C:\\ws", L"--touch"));
    refused(&ran, "logging the account cordon-job on", "cordon doctor says");
    CHECK(!ran_there(LEFT) && !ran_there("C:\\ws\\.codex"));
    ran = ran_run("client\\cordon-test", L"ps --json");
    CHECK(ran.status == 0 && strstr(ran.out, "\"pid\"") == NULL);
    broker_end(broker);
    audit = broker_text(BROKER_FOLDER "\\audit.jsonl");
    SAYS(audit, "logging the account cordon-job on");
    free(audit);
}

/* ---- with a token that Wine can make ---- */

static HANDLE begin_pretending(void)
{
    CHECK(SetEnvironmentVariableA("CORDON_TEST_PRETEND", "1"));
    return begin_service();
}

/* All of the way: order, token, station and desktop, job object, the init, whom the worker hands
 * the caller's handles, its words. */
TEST(a_confined_job_runs_as_its_principal)
{
    const HANDLE broker = begin_pretending();
    struct ran ran = ran_run("client\\cordon-test", ran_sandbox(TOKEN_ONLY, L"--who"));

    CHECK_STR(ran.err, "");
    CHECK(ran.status == 0);
    SAYS(ran.out, "user " KEYS_DOMAIN "-900\n");
    SAYS(ran.out, "group " PLACE_DOMAIN "-");
    SAYS(ran.out, "station cordon-");
    ran = ran_run("client\\cordon-test", ran_sandbox(TOKEN_ONLY, L"--exit 42"));
    CHECK(ran.status == 42);
    ran = ran_run("client\\cordon-test", ran_sandbox(TOKEN_ONLY L" -C \"C:\\a b\"", L"--folder"));
    CHECK_STR(ran.out, "C:\\a b\n");
    ran = ran_run("client\\cordon-test", ran_sandbox(TOKEN_ONLY L" --timeout 1", L"--sleep 60"));
    CHECK(ran.status == 124);
    ran = ran_run("client\\cordon-test", ran_sandbox(TOKEN_ONLY, L"--leave"));
    CHECK(ran.status == 3);
    Sleep(3000);
    CHECK(!ran_there(LEFT));
    (void)DeleteFileA(BEGUN);
    broker_end(broker);
}

/* By its handles the command could say what became of it, and read what was said to it. */
TEST(a_command_does_not_get_at_its_init)
{
    const HANDLE broker = begin_pretending();
    const struct ran ran = ran_run("client\\cordon-test", ran_sandbox(TOKEN_ONLY, L"--parent"));

    CHECK(ran.status == 0);
    CHECK_STR(ran.out, "cordon-init.exe 5\n");
    broker_end(broker);
}

static DWORD WINAPI run_later(void *unused)
{
    (void)unused;
    return ran_run("client\\cordon-test", ran_sandbox(TOKEN_ONLY, L"--later")).status;
}

TEST(a_service_that_is_killed_takes_its_jobs_with_it)
{
    const HANDLE broker = begin_pretending();
    const HANDLE client = CreateThread(NULL, 0, run_later, NULL, 0, NULL);
    DWORD status = 0;

    CHECK(client != NULL);
    for (unsigned i = 0; i < 200 && !ran_there(BEGUN); i++) {
        Sleep(50);
    }
    CHECK(ran_there(BEGUN));
    broker_end(broker);
    CHECK(WaitForSingleObject(client, BROKER_WAIT_MS) == WAIT_OBJECT_0);
    CHECK(GetExitCodeThread(client, &status) && status == 125);
    (void)CloseHandle(client);
    Sleep(3000);
    CHECK(!ran_there(LEFT));
}

/* An entry on a file is not kept here: the job is refused for that, and what was made is gone. */
TEST(a_list_that_does_not_stick_starts_nothing)
{
    const HANDLE broker = begin_pretending();
    struct state *state;
    struct ran ran;

    ran = ran_run("client\\cordon-test",
                  ran_sandbox(L"-s workspace-write -c sandbox_workspace_write.network_access=true "
                              L"-C C:\\ws",
                              L"--touch"));
    refused(&ran, "the access list of C:\\ws did not stick: what was set is not what is there",
            "use a file system that keeps access lists (NTFS)");
    CHECK(!ran_there(LEFT) && ran_there("C:\\ws\\.git") && !ran_there("C:\\ws\\.codex"));
    broker_end(broker);
    state = open_state();
    CHECK(state_size(state) == 0);
    state_close(state);
}

TEST(a_job_whose_entries_nobody_keeps_is_refused_with_the_reason)
{
    HANDLE broker;
    struct ran ran;

    CHECK(MoveFileA(STATE, STATE "-away"));
    broker = begin_pretending();
    ran = ran_run("client\\cordon-test",
                  ran_sandbox(L"-s workspace-write -c sandbox_workspace_write.network_access=true "
                              L"-C C:\\ws",
                              L"--touch"));
    refused(&ran, "what is denied cannot be kept track of: locking " STATE "\\acl.lock", "");
    CHECK(MoveFileA(STATE "-away", STATE));
    ran = ran_run("client\\cordon-test", ran_sandbox(TOKEN_ONLY, L"--exit 42"));
    CHECK(ran.status == 42);
    broker_end(broker);
    CHECK(SetEnvironmentVariableA("CORDON_TEST_PRETEND", NULL));
}

/* ---- the command ---- */

static int touch(const char *path)
{
    return _close(_open(path, _O_CREAT | _O_WRONLY, _S_IWRITE)) == 0 ? 0 : 1;
}

static int leave(void)
{
    char self[MAX_PATH], line[MAX_PATH + 32];
    STARTUPINFOA start = {.cb = sizeof(start)};
    PROCESS_INFORMATION made;

    if (GetModuleFileNameA(NULL, self, MAX_PATH) == 0) {
        return 1;
    }
    (void)snprintf(line, sizeof(line), "\"%s\" --later", self);
    return CreateProcessA(NULL, line, NULL, NULL, FALSE, DETACHED_PROCESS, NULL, NULL, &start,
                          &made)
               ? 3
               : 1;
}

static int say_folder(void)
{
    WCHAR wide[MAX_PATH];
    char text[2 * MAX_PATH];

    (void)_setmode(1, _O_BINARY);
    if (GetCurrentDirectoryW(MAX_PATH, wide) == 0 ||
        win32_narrow(wide, wcslen(wide), text, sizeof(text)) != API_OK) {
        return 1;
    }
    (void)printf("%s\n", text);
    return 0;
}

static void print_sid(const char *what, PSID from)
{
    char text[SID_TEXT_MAX];
    struct sid sid;

    if (sid_parse(from, SID_BYTES_MAX, &sid) == CORDON_OK) {
        sid_text(&sid, text);
        (void)printf("%s %s\n", what, text);
    }
}

/* Who it is, and on which window station. */
static int say_who(void)
{
    _Alignas(16) static BYTE user[512], groups[4096];
    const TOKEN_GROUPS *list = (const void *)groups;
    char station[128] = "";
    HANDLE token;
    DWORD len;

    (void)_setmode(1, _O_BINARY);
    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token) ||
        !GetTokenInformation(token, TokenUser, user, sizeof(user), &len) ||
        !GetTokenInformation(token, TokenGroups, groups, sizeof(groups), &len) ||
        !GetUserObjectInformationA(GetProcessWindowStation(), UOI_NAME, station, sizeof(station),
                                   &len)) {
        return 1;
    }
    print_sid("user", ((const TOKEN_USER *)(const void *)user)->User.Sid);
    for (DWORD i = 0; i < list->GroupCount; i++) {
        print_sid("group", list->Groups[i].Sid);
    }
    (void)printf("station %s\n", station);
    return 0;
}

/* The program that started it, and the code of opening that as one who would take its handles. */
static int say_parent(void)
{
    const HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    PROCESSENTRY32 entry = {.dwSize = sizeof(entry)};
    DWORD parent = 0, code;

    for (BOOL more = Process32First(all, &entry); more; more = Process32Next(all, &entry)) {
        parent = entry.th32ProcessID == GetCurrentProcessId() ? entry.th32ParentProcessID : parent;
    }
    code = OpenProcess(PROCESS_DUP_HANDLE, FALSE, parent) == NULL ? GetLastError() : 0;
    (void)_setmode(1, _O_BINARY);
    for (BOOL more = Process32First(all, &entry); more; more = Process32Next(all, &entry)) {
        if (entry.th32ProcessID == parent) {
            (void)printf("%s %lu\n", entry.szExeFile, code);
        }
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if (strcmp(what, "--exit") == 0 && argc == 3) {
        return (int)strtoul(argv[2], NULL, 10);
    }
    if (strcmp(what, "--sleep") == 0 && argc == 3) {
        Sleep((DWORD)strtoul(argv[2], NULL, 10) * 1000);
        return 0;
    }
    if (strcmp(what, "--folder") == 0) {
        return say_folder();
    }
    if (strcmp(what, "--who") == 0) {
        return say_who();
    }
    if (strcmp(what, "--parent") == 0) {
        return say_parent();
    }
    if (strcmp(what, "--leave") == 0) {
        return leave();
    }
    if (strcmp(what, "--later") == 0) {
        (void)touch(BEGUN);
        Sleep(2000);
        return touch(LEFT);
    }
    return strcmp(what, "--touch") == 0 ? touch(LEFT) : check_main(argc, argv);
}
