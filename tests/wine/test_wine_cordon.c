/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command as an .exe, from its arguments to what it prints and its status: alone, and with the
 * service (the null back end). With the back end that enforces: test_wine_enforce.c.
 */
#include "tests/support/check.h"
#include "tests/wine/broker.h"
#include "tests/wine/ran.h"

#include <fcntl.h>
#include <io.h>
#include <shellapi.h>

#define FULL L"-s danger-full-access"

static HANDLE broker;

/* A program of client\ with @args. */
static struct ran run(const char *program, const WCHAR *args)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "client\\%s", program);
    return ran_run(path, args);
}

TEST(version_and_help_need_nobody)
{
    struct ran ran = run("cordon", L"version");

    CHECK(ran.status == 0);
    SAYS(ran.out, "cordon ");
    ran = run("cordon", L"help sandbox");
    CHECK(ran.status == 0);
    SAYS(ran.out, "sandbox");
}

TEST(what_makes_no_sense_is_said_with_the_status_of_usage)
{
    struct ran ran = run("cordon", L"sandbox linux -- x");

    CHECK(ran.status == 2);
    SAYS(ran.err, "this host is windows and cannot run it");
    CHECK(run("cordon", L"--no-such-option").status == 2);
}

/* What the restricted token of a private broker cannot hold is refused, plan or no plan. */
TEST(a_private_broker_tells_a_plan_or_why_there_is_none)
{
    struct ran ran = run("cordon", L"sandbox windows -s danger-full-access --print-plan");

    CHECK_STR(ran.err, "");
    CHECK(ran.status == 0);
    SAYS(ran.out, "plan: windows");
    SAYS(ran.out, "backend          restricted-token");
    SAYS(ran.out, "exec             C:");
    ran = run("cordon", L"sandbox windows -s read-only --print-plan");
    CHECK(ran.status == 125);
    SAYS(ran.err, "a restricted token cannot keep the job from the network");
    SAYS(ran.err, "start the job through the cordon service");
    ran = run("cordon", L"sandbox windows -s read-only -- x");
    CHECK(ran.status == 125);
    SAYS(ran.err, "a restricted token cannot keep the job from the network");
}

TEST(a_command_runs_with_its_status_and_its_output)
{
    struct ran ran;

    broker = broker_start();
    CHECK(SetEnvironmentVariableA("CORDON_TEST_SOCKET", BROKER_PIPE));
    ran = run("cordon-test", ran_sandbox(FULL, L"--exit 42"));
    CHECK_STR(ran.err, "");
    CHECK(ran.status == 42);
    ran = run("cordon-test", ran_sandbox(FULL, L"--say \"a b\" \x00f6\x4e2d"));
    CHECK(ran.status == 0);
    CHECK_STR(ran.out, "a b\n\xc3\xb6\xe4\xb8\xad\nTHIS=\xc3\xb6\n");
    ran = run("cordon-test", L"sandbox windows -s danger-full-access -- C:\\nothing.exe");
    CHECK(ran.status == 127);
    SAYS(ran.err, "no such object");
}

TEST(status_ps_and_kill_reach_the_service)
{
    struct ran ran = run("cordon-test", L"status --json");

    CHECK(ran.status == 0);
    SAYS(ran.out, "\"backend\":\"null\"");
    ran = run("cordon-test", L"ps");
    CHECK(ran.status == 0);
    ran = run("cordon-test", L"kill 99");
    CHECK(ran.status == 1);
    SAYS(ran.err, "you have no such job");
    ran = run("cordon-test", L"reload");
    CHECK(ran.status == 0);
    SAYS(ran.out, "generation");
}

TEST(time_that_is_up_ends_a_command)
{
    const struct ran ran = run("cordon-test", ran_sandbox(FULL L" --timeout 1", L"--sleep 60"));

    CHECK(ran.status == 124);
    SAYS(ran.err, "its time was up");
}

TEST(a_service_that_is_gone_is_an_error_and_not_another_broker)
{
    struct ran ran;

    broker_end(broker);
    CHECK(SetEnvironmentVariableA("CORDON_TEST_SOCKET", "\\\\.\\pipe\\cordon-none"));
    ran = run("cordon-test", L"ps");
    CHECK(ran.status == 125);
    SAYS(ran.err, "there is no cordon service");
}

static int say(int argc)
{
    WCHAR value[64];
    char text[256];
    int count;
    WCHAR **argv = CommandLineToArgvW(GetCommandLineW(), &count);

    (void)_setmode(1, _O_BINARY);
    for (int i = 2; argv != NULL && i < argc; i++) {
        (void)WideCharToMultiByte(CP_UTF8, 0, argv[i], -1, text, sizeof(text), NULL, NULL);
        (void)printf("%s\n", text);
    }
    if (GetEnvironmentVariableW(L"THIS", value, 64) > 0) {
        (void)WideCharToMultiByte(CP_UTF8, 0, value, -1, text, sizeof(text), NULL, NULL);
        (void)printf("THIS=%s\n", text);
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--exit") == 0) {
        return (int)strtoul(argv[2], NULL, 10);
    }
    if (argc == 3 && strcmp(argv[1], "--sleep") == 0) {
        Sleep((DWORD)strtoul(argv[2], NULL, 10) * 1000);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "--say") == 0) {
        return say(argc);
    }
    (void)SetEnvironmentVariableW(L"THIS", L"\x00f6");
    return check_main(argc, argv);
}
