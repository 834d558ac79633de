/* SPDX-License-Identifier: Apache-2.0 */
/* The broker's beginning and end: what keeps it from starting jobs, and what is left when it ends.
 */
#include "platform/windows/scm.h"
#include "tests/support/check.h"
#include "tests/wine/broker.h"
#include "tests/wine/child.h"
#include "tests/wine/talk.h"

static HANDLE broker;

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

/* That the name is somebody's already is not seen here: Wine makes a second first instance. */
TEST(a_pipe_that_cannot_be_made_is_refused_with_the_reason)
{
    const HANDLE second = broker_run("C:\\no-pipe", "--null");
    DWORD status = 0;
    char *log;

    CHECK(WaitForSingleObject(second, BROKER_WAIT_MS) == WAIT_OBJECT_0);
    CHECK(GetExitCodeProcess(second, &status) && status == 1);
    (void)CloseHandle(second);
    log = broker_text(BROKER_FOLDER "\\log");
    CHECK(strstr(log, "making the pipe C:\\no-pipe: failed (error 123)") != NULL);
    free(log);
}

/* Wine says of its whole disk that it is the user's own: no file on it can be believed, which is
 * what must be refused. That one is believed where all is right only Windows can show. */
TEST(a_managed_file_that_others_may_change_is_not_believed)
{
    const char *const path = BROKER_MANAGED "\\requirements.toml";
    char *log;

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

/* As the control manager starts it: it runs when it listens, and its end is everybody's. */
TEST(a_service_runs_from_when_it_listens_until_it_is_stopped)
{
    static const char *const args[] = {"--sleep", "60", NULL};
    char path[MAX_PATH], line[MAX_PATH + 256];
    struct talk talk;
    const struct scm_entry entry = {
        .name = "cordond-test", .title = "cordon's test", .command_line = line};
    uint32_t pid = 0;
    ULONG server = 1;

    broker_end(broker);
    broker_path("broker\\cordond-test.exe", path, sizeof(path));
    (void)snprintf(line, sizeof(line), "\"%s\" --service --socket %s --managed-root %s --null",
                   path, BROKER_PIPE, BROKER_FOLDER "\\managed");
    CHECK(scm_make(&entry) == 0);
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
    child_read(pipe[0], text, sizeof(text)); /* ends with the last process that has it */
    (void)CloseHandle(pipe[0]);
    CHECK(talk_hear(&talk) == 0);
    talk_end(&talk);
}

int main(int argc, char **argv)
{
    int status;

    if (child_be(argc, argv, &status)) {
        return status;
    }
    return check_main(argc, argv);
}
