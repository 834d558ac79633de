/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The service from its installation to its removal: the control manager starts and stops it,
 * clients speak the protocol over its pipe, a job finds closed what its policy denies, and what a
 * client leaves behind ends with its connection.
 */
#include "platform/windows/pipe.h"
#include "platform/windows/scm.h"
#include "tests/support/check.h"
#include "tests/wine/keys.h"
#include "tests/wine/service.h"
#include "tests/wine/talk.h"
#include "tests/wine/token.h"

#define WAIT_MS 20000U
#define LINGER_MS 300U

static char self[MAX_PATH];
static uint32_t service_pid;

/* A job of this program with two arguments, started. */
static void spawn(struct talk *talk, const char *what, const char *which)
{
    const char *const args[] = {what, which, NULL};

    talk_spawn(talk, args, NULL);
    if (talk_hear(talk) != CORDON_MSG_STARTED) {
        (void)fprintf(stderr, "  %s\n",
                      talk->in.message.type == CORDON_MSG_FAILED ? talk->in.message.u.failed.text
                                                                 : "hung up");
        CHECK(false);
    }
}

/* ---- the tests; in the order of a service's life ---- */

TEST(it_is_installed_and_starts)
{
    char line[MAX_PATH + 16];
    const struct scm_entry entry = {
        .name = SERVICE_NAME, .title = "cordon's test", .command_line = line};

    CHECK(keys_make());
    (void)snprintf(line, sizeof(line), "\"%s\" --service", self);
    CHECK(scm_make(&entry) == 0);
    CHECK(scm_make(&entry) == SCM_IS_THERE);
    CHECK(scm_start(SERVICE_NAME, WAIT_MS, &service_pid) == 0 && service_pid != 0);
}

TEST(the_pipe_is_the_services)
{
    struct talk talk;
    ULONG pid = 0;

    talk_start(&talk, PIPE_NAME);
    CHECK(GetNamedPipeServerProcessId(talk.pipe, &pid) && pid == service_pid);
    talk_end(&talk);
}

TEST(a_client_is_greeted_and_known_by_its_token)
{
    struct talk talk;
    HANDLE token;
    _Alignas(TOKEN_USER) BYTE info[256];
    DWORD len;
    struct sid user;
    char text[SID_TEXT_MAX];

    talk_open(&talk, PIPE_NAME);
    spawn(&talk, "--open", KEYS_B);
    CHECK(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token));
    CHECK(GetTokenInformation(token, TokenUser, info, sizeof(info), &len));
    CHECK(sid_parse(((TOKEN_USER *)(void *)info)->User.Sid, SID_BYTES_MAX, &user) == CORDON_OK);
    sid_text(&user, text);
    CHECK(talk.in.message.u.started.notices.count == 1);
    CHECK_STR(talk.in.message.u.started.notices.items[0], text);
    CHECK(talk_hear(&talk) == CORDON_MSG_EXITED && talk.in.message.u.exited.code == 0);
    talk_end(&talk);
}

TEST(a_job_finds_closed_what_is_denied)
{
    struct talk talk;

    talk_open(&talk, PIPE_NAME);
    spawn(&talk, "--open", KEYS_A);
    CHECK(talk_hear(&talk) == CORDON_MSG_EXITED);
    CHECK(talk.in.message.u.exited.code == API_ACCESS_DENIED);
    spawn(&talk, "--open", KEYS_B);
    CHECK(talk_hear(&talk) == CORDON_MSG_EXITED && talk.in.message.u.exited.code == 0);
    talk_end(&talk);
    CHECK(keys_open_here(KEYS_A) == 0);
}

/* Runs with the principal's token: what a job would do that talks to the service. */
TEST(another_user_is_told_apart)
{
    const struct sd_member member = {sid_nt(21, 77), false};
    const struct sd_token made = {.members = &member, .member_count = 1};
    const HANDLE token = token_make(&made, TRUE);
    char line[MAX_PATH + 32];
    STARTUPINFOA start = {.cb = sizeof(start)};
    PROCESS_INFORMATION child;
    DWORD status = 1;

    CHECK(token != NULL);
    (void)snprintf(line, sizeof(line), "\"%s\" --client S-1-5-21-77", self);
    CHECK(
        CreateProcessAsUserA(token, NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &start, &child));
    CHECK(WaitForSingleObject(child.hProcess, WAIT_MS) == WAIT_OBJECT_0);
    CHECK(GetExitCodeProcess(child.hProcess, &status) && status == 0);
}

TEST(a_client_that_goes_takes_its_job_and_its_entries_along)
{
    struct talk talk;

    talk_open(&talk, PIPE_NAME);
    spawn(&talk, "--sleep", "60");
    CHECK(keys_name(KEYS_JOB));
    talk_end(&talk);
    for (unsigned i = 0; i < 200 && keys_name(KEYS_JOB); i++) {
        Sleep(50);
    }
    CHECK(!keys_name(KEYS_JOB));
}

TEST(what_is_not_the_protocol_is_hung_up_on)
{
    static const char rubbish[] = "GET / HTTP/1.0\r\n\r\n";
    struct talk talk;
    DWORD written;

    talk_start(&talk, PIPE_NAME);
    CHECK(WriteFile(talk.pipe, rubbish, sizeof(rubbish), &written, NULL));
    CHECK(talk_hear(&talk) == 0);
    talk_end(&talk);
    talk_open(&talk, PIPE_NAME); /* and nobody else suffers */
    talk_end(&talk);
}

/* Its process, too, is gone: it has its files until then. */
TEST(it_stops_leaves_nothing_and_is_removed)
{
    const HANDLE process = OpenProcess(SYNCHRONIZE, FALSE, service_pid);
    struct talk talk;

    CHECK(process != NULL);
    talk_open(&talk, PIPE_NAME);
    spawn(&talk, "--sleep", "60");
    CHECK(scm_stop(SERVICE_NAME, WAIT_MS) == 0);
    CHECK(WaitForSingleObject(process, 0) == WAIT_OBJECT_0 && CloseHandle(process));
    CHECK(talk_hear(&talk) == 0 && !keys_name(KEYS_JOB));
    talk_end(&talk);
    CHECK(scm_remove(SERVICE_NAME) == 0);
    CHECK(scm_start(SERVICE_NAME, 100, &service_pid) == ERROR_SERVICE_DOES_NOT_EXIST);
}

/* ---- children ---- */

static int be_client(const char *user)
{
    struct talk talk;

    talk_open(&talk, PIPE_NAME);
    spawn(&talk, "--open", KEYS_B);
    return strcmp(talk.in.message.u.started.notices.items[0], user) == 0 ? 0 : 2;
}

int main(int argc, char **argv)
{
    int status;

    if (GetModuleFileNameA(NULL, self, sizeof(self)) == 0) {
        return 1;
    }
    if (argc == 2 && strcmp(argv[1], "--service") == 0) {
        const uint32_t code = service_be();

        Sleep(LINGER_MS); /* the manager was told of its end */
        return (int)code;
    }
    if (argc == 3 && strcmp(argv[1], "--sleep") == 0) {
        Sleep((DWORD)strtoul(argv[2], NULL, 10) * 1000);
        return 0;
    }
    if (argc == 3 && strcmp(argv[1], "--client") == 0) {
        return setjmp(check_escape) == 0 ? be_client(argv[2]) : 3;
    }
    return keys_child(argc, argv, &status) ? status : check_main(argc, argv);
}
