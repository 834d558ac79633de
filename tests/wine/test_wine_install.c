/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service put on this machine by its own program and taken off again, and what it says to the
 * event log. `cordond` itself refuses here, since Wine keeps no lists of folders; `cordond-test`
 * has the parts in install_parts.c.
 */
#include "platform/windows/eventlog_win32.h"
#include "platform/windows/pipe.h"
#include "platform/windows/place_win32.h"
#include "tests/support/check.h"
#include "tests/wine/broker.h"
#include "tests/wine/install.h"
#include "tests/wine/keys.h"
#include "tests/wine/ran.h"
#include "tests/wine/talk.h"
#include "tests/wine/token.h"

#define SOURCE "SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\cordon"
#define LISTED                                                                                     \
    "SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion\\Winlogon\\SpecialAccounts\\UserList"

static char said[20480]; /* by the last program that ran */

/* The status of a program of broker\ with @option. */
static DWORD run(const char *program, const WCHAR *option)
{
    struct ran ran;
    char path[64];

    (void)snprintf(path, sizeof(path), "broker\\%s", program);
    ran = ran_run(path, option);
    (void)snprintf(said, sizeof(said), "%s%s", ran.err, ran.out);
    return ran.status;
}

/* Ends with 0; what it said else is told. */
static bool does(const char *program, const WCHAR *option)
{
    const DWORD status = run(program, option);

    if (status != 0) {
        (void)fprintf(stderr, "  %s %ls: %lu\n  got: %s\n", program, option, status, said);
    }
    return status == 0;
}

static bool has_key(const char *name)
{
    HKEY key;
    const bool has =
        RegOpenKeyExA(HKEY_LOCAL_MACHINE, name, 0, KEY_QUERY_VALUE, &key) == ERROR_SUCCESS;

    if (has) {
        (void)RegCloseKey(key);
    }
    return has;
}

static bool is_hidden(void)
{
    DWORD value = 1, len = sizeof(value);

    return RegGetValueA(HKEY_LOCAL_MACHINE, LISTED, ACCOUNT_NAME, RRF_RT_REG_DWORD, NULL, &value,
                        &len) == ERROR_SUCCESS &&
           value == 0;
}

/* What the control manager knows; false: no service of that name. */
static bool entry(WCHAR *ret_line, DWORD *ret_start, DWORD *ret_state)
{
    static _Alignas(QUERY_SERVICE_CONFIGW) BYTE bytes[8192];
    QUERY_SERVICE_CONFIGW *config = (QUERY_SERVICE_CONFIGW *)(void *)bytes;
    SERVICE_STATUS status;
    DWORD len;
    const SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    const SC_HANDLE service =
        OpenServiceW(manager, L"cordond", SERVICE_QUERY_CONFIG | SERVICE_QUERY_STATUS);

    (void)CloseServiceHandle(manager);
    if (service == NULL) {
        CHECK(GetLastError() == ERROR_SERVICE_DOES_NOT_EXIST);
        return false;
    }
    CHECK(QueryServiceConfigW(service, config, sizeof(bytes), &len));
    CHECK(QueryServiceStatus(service, &status));
    (void)swprintf(ret_line, MAX_PATH, L"%ls", config->lpBinaryPathName);
    *ret_start = config->dwStartType;
    *ret_state = status.dwCurrentState;
    (void)CloseServiceHandle(service);
    return true;
}

static bool nothing_there(void)
{
    WCHAR line[MAX_PATH];
    DWORD kind, now;

    return !entry(line, &kind, &now) && !has_key(SOURCE) && !has_key(INSTALL_ACCOUNT) &&
           !is_hidden() && !ran_there(place_folder());
}

static void check_all_there(void)
{
    WCHAR line[MAX_PATH];
    DWORD kind, now;
    char state[MAX_PATH];
    struct talk talk;

    CHECK(entry(line, &kind, &now));
    CHECK(line[0] == L'"' && wcsstr(line, L"\\broker\\cordond-test.exe\" --service") != NULL);
    CHECK(kind == SERVICE_AUTO_START && now == SERVICE_RUNNING);
    CHECK(has_key(SOURCE) && has_key(INSTALL_ACCOUNT) && is_hidden());
    (void)snprintf(state, sizeof(state), "%s\\state\\acl.log", place_folder());
    CHECK(ran_there(state));
    talk_open(&talk, PIPE_NAME);
    talk_end(&talk);
}

/* ---- in the order of an installation's life ---- */

TEST(the_real_one_refuses_where_its_programs_are_anybodys)
{
    CHECK(run("cordond", L"--install") == 1);
    if (strstr(said, "cordond: C:\\") == NULL && strstr(said, "cordond: Z:\\") == NULL) {
        (void)fprintf(stderr, "  got: %s\n", said);
        CHECK(false);
    }
    CHECK(strstr(said, "cordond.exe") != NULL && strstr(said, "icacls PATH") != NULL);
    CHECK(nothing_there());
}

TEST(its_options_are_told_and_take_nothing_else)
{
    CHECK(does("cordond", L"--help"));
    CHECK(strstr(said, "--install ") != NULL && strstr(said, "--uninstall ") != NULL);
    CHECK(run("cordond", L"--install now") == 2 && nothing_there());
}

TEST(it_is_installed_and_answers)
{
    CHECK(does("cordond-test", L"--install"));
    CHECK_STR(said, "the service is installed and runs\r\n");
    check_all_there();
}

TEST(once_more_is_the_same)
{
    CHECK(does("cordond-test", L"--install"));
    check_all_there();
}

/* What the viewer does with an event: the message is in the program that the source names. */
TEST(every_event_has_its_message_in_the_program)
{
    static const struct {
        enum events_id id;
        const WCHAR *want;
    } rows[] = {{EVENTS_START, L"A job was started.\r\n\r\nthe %2 line"},
                {EVENTS_END, L"A job has ended.\r\n\r\nthe %2 line"},
                {EVENTS_REFUSED, L"A job was refused.\r\n\r\nthe %2 line"},
                {EVENTS_ALARM, L"The managed policy is broken.\r\n\r\nthe %2 line"},
                {EVENTS_VIOLATION, L"An access was denied.\r\n\r\nthe %2 line"},
                {EVENTS_LINE, L"the %2 line"}};
    WCHAR file[MAX_PATH], text[512];
    DWORD len = sizeof(file), types = 0;
    DWORD_PTR inserted[] = {(DWORD_PTR)L"the %2 line"};
    HMODULE program;

    CHECK(RegGetValueW(HKEY_LOCAL_MACHINE, L"" SOURCE, L"EventMessageFile", RRF_RT_REG_SZ, NULL,
                       file, &len) == ERROR_SUCCESS);
    len = sizeof(types);
    CHECK(RegGetValueW(HKEY_LOCAL_MACHINE, L"" SOURCE, L"TypesSupported", RRF_RT_REG_DWORD, NULL,
                       &types, &len) == ERROR_SUCCESS &&
          types == 7);
    program = LoadLibraryExW(file, NULL, LOAD_LIBRARY_AS_DATAFILE);
    CHECK(program != NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        CHECK(FormatMessageW(FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_ARGUMENT_ARRAY, program,
                             (DWORD)rows[i].id, 0x409, text, 512, (va_list *)(void *)inserted) > 0);
        CHECK(wcsncmp(text, rows[i].want, wcslen(rows[i].want)) == 0);
    }
    CHECK(FormatMessageW(FORMAT_MESSAGE_FROM_HMODULE, program, 6, 0x409, text, 512, NULL) == 0);
    (void)FreeLibrary(program);
}

TEST(the_event_log_takes_an_event_and_what_is_no_text_is_an_error)
{
    const struct service_field fields[] = {{"CORDON_JOB", "1"},
                                           {"MESSAGE_ID", "2a31beb074e54fa09ea043db5a288cba"}};
    struct events_event event;

    CHECK(events_make(SERVICE_INFO, "job 1 \xc3\xa4", fields, 2, &event) == CORDON_OK);
    CHECK(events_report(&event) == 0);
    events_deinit(&event);
    CHECK(events_make(SERVICE_INFO, "\xff", NULL, 0, &event) == CORDON_OK);
    CHECK(events_report(&event) == ERROR_NO_UNICODE_TRANSLATION);
    events_deinit(&event);
}

/* As a service that was killed leaves it; the next one would take it off when it starts. */
static void leave_an_entry(void)
{
    const struct state_target target = {
        {.object = API_KEY, .type = SD_DENIED, .mask = 0x000d017f, .path = KEYS_A, .managed = true},
        STATE_REFUSE};
    struct sd_member members[2] = {{.deny_only = false}, {sid_everyone(), false}};
    const struct sd_token token = {.members = members, .member_count = 2};
    struct state_request request = {.holder = "job-1", .targets = &target, .target_count = 1};
    struct install what;
    struct state *state;
    struct cordon_fault fault;

    CHECK(keys_make() && install_parts(&what));
    CHECK(sid_from_text(PLACE_DOMAIN "-7", &request.principal) == CORDON_OK);
    members[0].sid = request.principal;
    request.token = (api_handle)token_make(&token, TRUE);
    CHECK(request.token != 0);
    CHECK(scm_stop(SCM_CORDON, 20000) == 0);
    CHECK(state_open(what.state, &state, &fault) == CORDON_OK);
    CHECK(state_apply(state, &request, &fault) == CORDON_OK);
    state_close(state);
}

/* With the service there; its programs are anybody's here, which is what is found. */
TEST(doctor_looks_at_what_is_installed)
{
    struct ran ran = ran_run("client\\cordon", L"doctor");

    CHECK(ran.status == 1);
    SAYS(ran.out, "ok    entry              LocalSystem's, automatic, running");
    SAYS(ran.out, "bad   programs           ");
    SAYS(ran.out, "bad   state              ");
    SAYS(ran.out, "remedy: let only SYSTEM and Administrators own and change it");
    SAYS(ran.out, "ok    event log          the source is registered");
    CHECK(RegDeleteKeyA(HKEY_LOCAL_MACHINE, SOURCE) == ERROR_SUCCESS);
    CHECK(scm_stop(SCM_CORDON, 20000) == 0);
    ran = ran_run("client\\cordon", L"doctor");
    SAYS(ran.out, "bad   entry              it does not run; it ended with 0");
    SAYS(ran.out, "bad   event log          the source is not registered");
    CHECK(does("cordond-test", L"--install"));
}

TEST(it_is_removed_with_what_its_jobs_left)
{
    leave_an_entry();
    CHECK(keys_name(PLACE_DOMAIN));
    CHECK(does("cordond-test", L"--uninstall"));
    CHECK_STR(said, "the service is removed\r\n");
    CHECK(!keys_name(PLACE_DOMAIN) && nothing_there());
}

TEST(nothing_is_removed_twice_and_a_policy_stays)
{
    char path[MAX_PATH];

    CHECK(does("cordond-test", L"--uninstall"));
    CHECK(does("cordond-test", L"--install"));
    (void)snprintf(path, sizeof(path), "%s\\requirements.toml", place_folder());
    CHECK(CloseHandle(CreateFileA(path, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL)));
    CHECK(does("cordond-test", L"--uninstall"));
    CHECK(strstr(said, "\\cordon is not empty and stays") != NULL && ran_there(path));
    CHECK(DeleteFileA(path) && does("cordond-test", L"--uninstall") && nothing_there());
}

TEST_MAIN()
