/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker itself, its worker and a job's init, as .exe files with the null back end: from a
 * client's HELLO over the pipe to the exit status of his command.
 */
#include <fcntl.h>
#include <io.h>

#include "platform/windows/pipe_chunk.h"
#include "platform/windows/scm.h"
#include "tests/support/check.h"
#include "tests/wine/broker.h"
#include "tests/wine/talk.h"
#include "tests/wine/token.h"

#include <shellapi.h>

static HANDLE broker;

TEST(a_client_is_greeted)
{
    struct talk talk;

    broker = broker_start();
    talk_open(&talk, BROKER_PIPE);
    CHECK(talk.in.message.u.welcome.mode == MSG_BROKER_SERVICE);
    talk_end(&talk);
}

TEST(a_job_has_its_exit_status)
{
    static const char *const args[] = {"--exit", "42", NULL};
    struct talk talk;
    uint32_t code = 0;

    talk_open(&talk, BROKER_PIPE);
    talk_spawn(&talk, args, NULL);
    CHECK(talk_wait(&talk, &code) == MSG_EXIT_EXITED && code == 42);
    talk_end(&talk);
}

/* Reads @from until its end. */
static void read_all(HANDLE from, char *text, size_t size)
{
    size_t used = 0;
    DWORD len = 0;

    while (used + 1 < size && ReadFile(from, text + used, (DWORD)(size - used - 1), &len, NULL) &&
           len > 0) {
        used += len;
    }
    text[used] = '\0';
}

TEST(a_job_has_its_arguments_its_environment_its_folder_and_its_stream)
{
    static const char *const args[] = {"--tell", "a b", "c\"d\\", "\xc3\xb6", "", NULL};
    struct talk talk;
    HANDLE pipe[2];
    uint32_t code = 0;
    char text[1024];

    CHECK(CreatePipe(&pipe[0], &pipe[1], NULL, 0));
    talk_open(&talk, BROKER_PIPE);
    talk_spawn(&talk, args, pipe[1]);
    (void)CloseHandle(pipe[1]);
    /* The end comes when the job ends: nobody else keeps the stream. */
    read_all(pipe[0], text, sizeof(text));
    (void)CloseHandle(pipe[0]);
    CHECK(talk_wait(&talk, &code) == MSG_EXIT_EXITED && code == 0);
    CHECK_STR(text, "a b\nc\"d\\\n\xc3\xb6\n\nA=\xc3\xb6\nCODEX_SANDBOX=cordon\nC:\\\n");
    talk_end(&talk);
}

TEST(a_command_that_is_not_there_is_said_to_be)
{
    static const char *const args[] = {NULL};
    struct talk talk;

    talk_open(&talk, BROKER_PIPE);
    talk_program = (char[]){"C:\\nothing.exe"};
    talk_spawn(&talk, args, NULL);
    talk_program = NULL;
    CHECK(talk_hear(&talk) == CORDON_MSG_FAILED);
    CHECK(talk.in.message.u.failed.exit_status == 127);
    talk_end(&talk);
}

TEST(a_signal_ends_a_job)
{
    static const char *const args[] = {"--sleep", "60", NULL};
    struct message message = {.type = CORDON_MSG_SIGNAL, .u.signal = {.signo = 15}};
    struct talk talk;
    uint32_t code = 0;
    char job[64];

    talk_open(&talk, BROKER_PIPE);
    talk_spawn(&talk, args, NULL);
    CHECK(talk_hear(&talk) == CORDON_MSG_STARTED);
    (void)snprintf(job, sizeof(job), "%s", talk.in.message.u.started.job);
    message.u.signal.job = job;
    talk_say(&talk, &message, NULL, 0);
    CHECK(talk_wait(&talk, &code) == MSG_EXIT_SIGNALLED && code == 15);
    talk_end(&talk);
}

static void ask_report(struct talk *talk, enum msg_report report, char *text, size_t size)
{
    const struct message message = {.type = CORDON_MSG_STATUS, .u.status = {report, true}};

    talk_say(talk, &message, NULL, 0);
    CHECK(talk_hear(talk) == CORDON_MSG_STATUS_TEXT);
    (void)snprintf(text, size, "%s", talk->in.message.u.status_text.text);
}

TEST(status_tells_of_the_service_and_ps_of_jobs)
{
    static const char *const args[] = {"--sleep", "60", NULL};
    struct talk talk, other;
    char text[4096];

    talk_open(&talk, BROKER_PIPE);
    talk_open(&other, BROKER_PIPE);
    talk_spawn(&talk, args, NULL);
    CHECK(talk_hear(&talk) == CORDON_MSG_STARTED);
    ask_report(&other, MSG_REPORT_STATUS, text, sizeof(text));
    CHECK(strstr(text, "\"backend\":\"null\"") != NULL);
    ask_report(&other, MSG_REPORT_JOBS, text, sizeof(text));
    CHECK(strstr(text, "--sleep 60") != NULL);
    talk_end(&talk);
    /* Its client has left: the job ends, and its process with it. */
    for (unsigned i = 0; i < 200 && strstr(text, "--sleep 60") != NULL; i++) {
        Sleep(50);
        ask_report(&other, MSG_REPORT_JOBS, text, sizeof(text));
    }
    CHECK(strstr(text, "--sleep 60") == NULL);
    talk_end(&other);
}

TEST(a_plan_is_told)
{
    struct message message = {
        .type = CORDON_MSG_PLAN,
        .u.plan = {.choice = {.mode = "read-only", .profile = "", .cwd_display = "C:\\"}}};
    const HANDLE folder =
        CreateFileA("C:\\", FILE_READ_ATTRIBUTES, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                    OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);
    struct talk talk;

    talk_open(&talk, BROKER_PIPE);
    talk_say(&talk, &message, &folder, 1);
    CHECK(talk_hear(&talk) == CORDON_MSG_PLAN_TEXT);
    CHECK(strncmp(talk.in.message.u.plan_text.text, "plan: windows", 13) == 0);
    (void)CloseHandle(folder);
    talk_end(&talk);
}

TEST(many_bytes_in_pieces_arrive)
{
    static char text[20000];
    static char name[] = "--exit", code[] = "0";
    struct talk talk;
    const char *args[] = {name, code, text, NULL};
    uint32_t status = 1;

    memset(text, 'x', sizeof(text) - 1);
    talk_open(&talk, BROKER_PIPE);
    talk_pieces = 1000;
    talk_spawn(&talk, args, NULL);
    talk_pieces = 0;
    CHECK(talk_wait(&talk, &status) == MSG_EXIT_EXITED && status == 0);
    talk_end(&talk);
}

TEST(what_is_not_the_protocol_is_hung_up_on)
{
    static const char rubbish[] = "GET / HTTP/1.0\r\n\r\n";
    struct talk talk;
    DWORD written;

    talk_start(&talk, BROKER_PIPE);
    CHECK(WriteFile(talk.pipe, rubbish, sizeof(rubbish), &written, NULL));
    CHECK(talk_hear(&talk) == 0);
    talk_end(&talk);
    talk_open(&talk, BROKER_PIPE); /* and nobody else suffers */
    talk_end(&talk);
}

TEST(handles_that_are_none_are_hung_up_on)
{
    uint8_t head[PIPE_HEAD_MAX];
    const uint32_t number = 0x7ffffff0;
    struct talk talk;
    DWORD written;

    talk_open(&talk, BROKER_PIPE);
    CHECK(WriteFile(talk.pipe, head, (DWORD)pipe_chunk_head(1, &number, 1, head), &written, NULL));
    CHECK(WriteFile(talk.pipe, "x", 1, &written, NULL));
    CHECK(talk_hear(&talk) == 0);
    talk_end(&talk);
}

/* That the name is somebody's already is not seen here: Wine makes a second first instance. */
TEST(a_pipe_that_cannot_be_made_is_refused_with_the_reason)
{
    const HANDLE second = broker_run("C:\\no-pipe");
    DWORD status = 0;
    char *log;

    CHECK(WaitForSingleObject(second, BROKER_WAIT_MS) == WAIT_OBJECT_0);
    CHECK(GetExitCodeProcess(second, &status) && status == 1);
    (void)CloseHandle(second);
    log = broker_text(BROKER_FOLDER "\\log");
    CHECK(strstr(log, "making the pipe C:\\no-pipe: failed (error 123)") != NULL);
    free(log);
}

/* Why a job is refused; "": it is not. */
static const char *refusal(void)
{
    static const char *const args[] = {"--exit", "0", NULL};
    static char text[1024];
    struct talk talk;
    uint32_t type;

    talk_open(&talk, BROKER_PIPE);
    talk_spawn(&talk, args, NULL);
    type = talk_hear(&talk);
    CHECK(type == CORDON_MSG_FAILED || type == CORDON_MSG_STARTED);
    (void)snprintf(text, sizeof(text), "%s",
                   type == CORDON_MSG_FAILED ? talk.in.message.u.failed.text : "");
    talk_end(&talk);
    return text;
}

static void write_managed(const char *path, const char *text)
{
    FILE *file;

    (void)CreateDirectoryA(BROKER_MANAGED, NULL);
    file = fopen(path, "w");
    CHECK(file != NULL && fputs(text, file) >= 0);
    (void)fclose(file);
}

/* Wine says of its whole disk that it is the user's own: no file on it can be believed, which is
 * what must be refused. That one is believed where all is right only Windows can show. */
TEST(a_managed_file_that_others_may_change_is_not_believed)
{
    const char *const path = BROKER_MANAGED "\\requirements.toml";
    char *log;

    broker_end(broker);
    write_managed(path, "[permissions.filesystem]\ndeny_read = [\"C:\\\\secret\"]\n");
    broker = broker_start();
    CHECK(strstr(refusal(), "C:\\ is owned by S-1-5-21-") != NULL);
    CHECK(DeleteFileA(path));
    CHECK_STR(refusal(), "");
    write_managed(path, "");
    CHECK_STR(refusal(), ""); /* the last good ones stay in force */
    log = broker_text(BROKER_FOLDER "\\log");
    CHECK(strstr(log, "the last good one stays in force") != NULL);
    free(log);
    CHECK(DeleteFileA(path));
}

TEST(requirements_that_are_not_read_here_are_not_passed_over)
{
    const char *const path = BROKER_MANAGED "\\fetch.toml";
    HKEY key;

    broker_end(broker);
    write_managed(path, "");
    broker = broker_start();
    CHECK(strstr(refusal(), "requirements are not fetched on Windows yet") != NULL);
    CHECK(DeleteFileA(path));
    CHECK_STR(refusal(), "");
    broker_end(broker);
    CHECK(RegCreateKeyA(HKEY_LOCAL_MACHINE, "SOFTWARE\\Policies\\cordon", &key) == ERROR_SUCCESS);
    (void)RegCloseKey(key);
    broker = broker_start();
    CHECK(strstr(refusal(), "SOFTWARE\\Policies\\cordon: is not read yet") != NULL);
    CHECK(RegDeleteKeyA(HKEY_LOCAL_MACHINE, "SOFTWARE\\Policies\\cordon") == ERROR_SUCCESS);
    CHECK_STR(refusal(), "");
}

TEST(what_was_done_is_recorded)
{
    char *records = broker_text(BROKER_FOLDER "\\audit.jsonl");

    CHECK(strstr(records, "\"event\":\"end\"") != NULL);
    CHECK(strstr(records, "\"outcome\":\"exited\",\"code\":42") != NULL);
    free(records);
}

TEST(a_worker_that_is_killed_takes_its_jobs_along_and_is_made_anew)
{
    static const char *const args[] = {"--sleep", "60", NULL};
    struct talk talk;
    HANDLE worker;

    talk_open(&talk, BROKER_PIPE);
    talk_spawn(&talk, args, NULL);
    CHECK(talk_hear(&talk) == CORDON_MSG_STARTED);
    worker = broker_child(broker, "cordon-worker-test.exe");
    CHECK(worker != NULL && TerminateProcess(worker, 9));
    (void)CloseHandle(worker);
    CHECK(talk_hear(&talk) == 0);
    talk_end(&talk);
    CHECK_STR(refusal(), "");
}

static void run_one(void)
{
    static const char *const args[] = {"--exit", "7", NULL};
    struct talk talk;
    uint32_t code = 0;

    talk_open(&talk, BROKER_PIPE);
    talk_spawn(&talk, args, NULL);
    CHECK(talk_wait(&talk, &code) == MSG_EXIT_EXITED && code == 7);
    talk_end(&talk);
}

/* SystemExtendedHandleInformation: every handle of every process. */
struct all_handles {
    ULONG_PTR count, reserved;
    struct {
        void *object;
        ULONG_PTR pid, handle;
        ULONG access;
        USHORT trace, type;
        ULONG attributes, unused;
    } items[65536];
};

static DWORD count_handles(DWORD pid)
{
    static struct all_handles all;
    ULONG len;
    DWORD count = 0;

    CHECK(NtQuerySystemInformation((SYSTEM_INFORMATION_CLASS)64, &all, sizeof(all), &len) >= 0);
    for (ULONG_PTR i = 0; i < all.count; i++) {
        count += all.items[i].pid == pid ? 1 : 0;
    }
    return count;
}

/* Once nothing changes any more. */
static DWORD handles_of(HANDLE process)
{
    DWORD count = 0, before;

    do {
        before = count;
        Sleep(300);
        count = count_handles(GetProcessId(process));
        CHECK(count > 0);
    } while (count != before);
    return count;
}

/* What a job held is given back when it and its connection have ended. */
TEST(jobs_leave_no_handles_behind)
{
    const HANDLE worker = broker_child(broker, "cordon-worker-test.exe");
    DWORD before[2], after[2];

    CHECK(worker != NULL);
    for (unsigned i = 0; i < 3; i++) {
        run_one();
    }
    before[0] = handles_of(broker);
    before[1] = handles_of(worker);
    for (unsigned i = 0; i < 30; i++) {
        run_one();
    }
    after[0] = handles_of(broker);
    after[1] = handles_of(worker);
    if (after[0] != before[0] || after[1] != before[1]) {
        (void)fprintf(stderr, "  broker %lu, then %lu; worker %lu, then %lu\n", before[0], after[0],
                      before[1], after[1]);
    }
    CHECK(after[0] <= before[0] && after[1] <= before[1]);
    (void)CloseHandle(worker);
}

TEST(many_jobs_run_at_once)
{
    enum { MANY = 40 };
    static const char *const args[] = {"--sleep", "1", NULL};
    static struct talk talks[MANY];
    uint32_t code = 1;

    for (size_t i = 0; i < MANY; i++) {
        talk_open(&talks[i], BROKER_PIPE);
        talk_spawn(&talks[i], args, NULL);
    }
    for (size_t i = 0; i < MANY; i++) {
        CHECK(talk_wait(&talks[i], &code) == MSG_EXIT_EXITED && code == 0);
        talk_end(&talks[i]);
    }
}

/* Runs with another user's token: a job of his runs as him, whoever the broker is. */
TEST(another_user_is_another_caller)
{
    const struct sid user = sid_nt(21, 77);
    const struct sd_member member = {user, false};
    const struct sd_token made = {.members = &member, .member_count = 1};
    const HANDLE token = token_make(&made, TRUE);
    char self[MAX_PATH], line[MAX_PATH + 32];
    STARTUPINFOA start = {.cb = sizeof(start)};
    PROCESS_INFORMATION child;
    DWORD status = 1;
    char *records;

    CHECK(token != NULL && GetModuleFileNameA(NULL, self, sizeof(self)) > 0);
    (void)snprintf(line, sizeof(line), "\"%s\" --client", self);
    CHECK(
        CreateProcessAsUserA(token, NULL, line, NULL, NULL, FALSE, 0, NULL, NULL, &start, &child));
    CHECK(WaitForSingleObject(child.hProcess, BROKER_WAIT_MS) == WAIT_OBJECT_0);
    CHECK(GetExitCodeProcess(child.hProcess, &status) && status == 0);
    records = broker_text(BROKER_FOLDER "\\audit.jsonl");
    CHECK(strstr(records, "\"uid\":1,") != NULL);
    free(records);
}

/* As the control manager starts it: it runs when it listens, and its end is everybody's. */
TEST(a_service_runs_from_when_it_listens_until_it_is_stopped)
{
    static const char *const args[] = {"--sleep", "60", NULL};
    char path[MAX_PATH], line[MAX_PATH + 256];
    struct talk talk;
    uint32_t pid = 0;
    ULONG server = 1;

    broker_end(broker);
    broker_path("broker\\cordond-test.exe", path, sizeof(path));
    (void)snprintf(line, sizeof(line), "\"%s\" --service --socket %s --managed-root %s --null",
                   path, BROKER_PIPE, BROKER_FOLDER "\\managed");
    CHECK(scm_install("cordond-test", "cordon's test", line) == 0);
    CHECK(scm_start("cordond-test", BROKER_WAIT_MS, &pid) == 0 && pid != 0);
    talk_open(&talk, BROKER_PIPE);
    CHECK(GetNamedPipeServerProcessId(talk.pipe, &server) && server == pid);
    talk_spawn(&talk, args, NULL);
    CHECK(talk_hear(&talk) == CORDON_MSG_STARTED);
    CHECK(scm_stop("cordond-test", BROKER_WAIT_MS) == 0);
    CHECK(talk_hear(&talk) == 0);
    talk_end(&talk);
    CHECK(scm_remove("cordond-test") == 0);
    broker = broker_start();
}

/* Everything that was started is in job objects of processes that are gone. */
TEST(a_broker_that_is_killed_leaves_nothing_running)
{
    static const char *const args[] = {"--sleep", "60", NULL};
    struct talk talk;
    HANDLE pipe[2];
    char text[16];

    CHECK(CreatePipe(&pipe[0], &pipe[1], NULL, 0));
    talk_open(&talk, BROKER_PIPE);
    talk_spawn(&talk, args, pipe[1]);
    (void)CloseHandle(pipe[1]);
    CHECK(talk_hear(&talk) == CORDON_MSG_STARTED);
    broker_end(broker);
    read_all(pipe[0], text, sizeof(text)); /* ends with the last process that has it */
    (void)CloseHandle(pipe[0]);
    CHECK(talk_hear(&talk) == 0);
    talk_end(&talk);
}

/* ---- children ---- */

static void put_line(const WCHAR *text)
{
    char narrow[1024];

    if (WideCharToMultiByte(CP_UTF8, 0, text, -1, narrow, sizeof(narrow), NULL, NULL) > 0) {
        (void)printf("%s\n", narrow);
    }
}

static int tell_all(void)
{
    static const WCHAR *const names[] = {L"A", L"CODEX_SANDBOX"};
    WCHAR text[512], line[600];
    int argc;
    WCHAR **argv = CommandLineToArgvW(GetCommandLineW(), &argc);

    (void)_setmode(1, _O_BINARY);
    for (int i = 2; argv != NULL && i < argc; i++) {
        put_line(argv[i]);
    }
    for (size_t i = 0; i < 2; i++) {
        if (GetEnvironmentVariableW(names[i], text, 512) > 0) {
            (void)swprintf(line, 600, L"%ls=%ls", names[i], text);
            put_line(line);
        }
    }
    (void)GetCurrentDirectoryW(512, text);
    put_line(text);
    return 0;
}

/* The SID of who runs this, as a line. */
static int who(void)
{
    _Alignas(TOKEN_USER) BYTE info[256];
    HANDLE token;
    struct sid user;
    char text[SID_TEXT_MAX] = "?";
    DWORD len;

    if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token) &&
        GetTokenInformation(token, TokenUser, info, sizeof(info), &len) &&
        sid_parse(((TOKEN_USER *)(void *)info)->User.Sid, SID_BYTES_MAX, &user) == CORDON_OK) {
        sid_text(&user, text);
    }
    (void)printf("%s\n", text);
    return 0;
}

/* A client with a job that says who it is: 0, if that is us. */
static int be_client(void)
{
    static const char *const args[] = {"--who", "", NULL};
    struct talk talk;
    HANDLE pipe[2];
    uint32_t code = 0;
    char text[256];

    CHECK(CreatePipe(&pipe[0], &pipe[1], NULL, 0));
    talk_open(&talk, BROKER_PIPE);
    talk_spawn(&talk, args, pipe[1]);
    (void)CloseHandle(pipe[1]);
    read_all(pipe[0], text, sizeof(text));
    CHECK(talk_wait(&talk, &code) == MSG_EXIT_EXITED && code == 0);
    talk_end(&talk);
    (void)fprintf(stderr, "  a job of %s", text);
    return strncmp(text, "S-1-5-21-77\r\n", 13) == 0 ? 0 : 2;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "--exit") == 0) {
        return (int)strtoul(argv[2], NULL, 10);
    }
    if (argc == 3 && strcmp(argv[1], "--sleep") == 0) {
        Sleep((DWORD)strtoul(argv[2], NULL, 10) * 1000);
        return 0;
    }
    if (argc > 1 && strcmp(argv[1], "--tell") == 0) {
        return tell_all();
    }
    if (argc > 1 && strcmp(argv[1], "--who") == 0) {
        return who();
    }
    if (argc == 2 && strcmp(argv[1], "--client") == 0) {
        return setjmp(check_escape) == 0 ? be_client() : 3;
    }
    return check_main(argc, argv);
}
