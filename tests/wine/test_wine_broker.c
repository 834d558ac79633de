/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The broker itself, its worker and a job's init, as .exe files with the null back end: from a
 * client's HELLO over the pipe to the exit status of his command.
 */
#include "platform/windows/pipe_chunk.h"
#include "tests/support/check.h"
#include "tests/wine/broker.h"
#include "tests/wine/child.h"
#include "tests/wine/talk.h"
#include "tests/wine/token.h"

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
    child_read(pipe[0], text, sizeof(text));
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

TEST(what_was_done_is_recorded)
{
    char *records = broker_text(BROKER_FOLDER "\\audit.jsonl");

    CHECK(strstr(records, "\"event\":\"end\"") != NULL);
    CHECK(strstr(records, "\"outcome\":\"exited\",\"code\":42") != NULL);
    free(records);
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

/* ---- children ---- */

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
    child_read(pipe[0], text, sizeof(text));
    CHECK(talk_wait(&talk, &code) == MSG_EXIT_EXITED && code == 0);
    talk_end(&talk);
    (void)fprintf(stderr, "  a job of %s", text);
    return strncmp(text, "S-1-5-21-77\r\n", 13) == 0 ? 0 : 2;
}

int main(int argc, char **argv)
{
    int status;

    if (argc == 2 && strcmp(argv[1], "--client") == 0) {
        return setjmp(check_escape) == 0 ? be_client() : 3;
    }
    if (child_be(argc, argv, &status)) {
        return status;
    }
    status = check_main(argc, argv);
    broker_end(broker);
    return status;
}
