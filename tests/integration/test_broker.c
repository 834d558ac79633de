/* SPDX-License-Identifier: Apache-2.0 */
/* The happy path and its ends, over a real socket. */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/fixture.h"
#include "tests/support/check.h"

static struct broker broker;
static struct client client;

static void begin(void)
{
    broker_begin(&broker);
    client_open(&broker, &client);
}

static void end(void)
{
    client_close(&client);
    broker_end(&broker);
}

TEST(a_command_runs_and_its_status_comes_back)
{
    static const char *const scripts[] = {"exit 0", "exit 1", "exit 255", "kill -9 $$",
                                          "kill -TERM $$"};
    static const uint32_t statuses[] = {0, 1, 255, 137, 143};
    char text[256];

    begin();
    for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++) {
        CHECK(client_run(&client, scripts[i], NULL, 0) == statuses[i]);
    }
    CHECK(client_run(&client, "echo hello; pwd", text, sizeof(text)) == 0);
    CHECK_STR(text, "hello\n/\n");
    end();
}

TEST(the_job_is_told_where_it_is_and_gets_nothing_else)
{
    char text[512];

    begin();
    CHECK(client_run(&client, "env | grep -v ^PWD= | grep -v ^_= | sort", text, sizeof(text)) == 0);
    CHECK_STR(text, "CODEX_SANDBOX=cordon\nCODEX_SANDBOX_NETWORK_DISABLED=1\nCORDON_JOB=1\n"
                    "PATH=/usr/bin:/bin\n");
    end();
}

TEST(id08_umask_and_limits_are_the_callers)
{
    char text[64];

    begin();
    CHECK(client_run(&client, "umask", text, sizeof(text)) == 0);
    CHECK_STR(text, "0027\n");
    end();
}

TEST(a_missing_command_is_127_and_one_that_is_no_program_126)
{
    static char missing[] = "/nonexistent/program";
    static char text[] = "/etc/passwd";
    char *const rows[] = {missing, text};
    const uint32_t statuses[] = {127, 126};
    int cwd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    const int fds[] = {cwd, null, null, null};

    begin();
    for (uint32_t i = 0; i < 2; i++) {
        char *const argv[] = {rows[i], NULL};
        const struct message message = {.type = CORDON_MSG_SPAWN, .u.spawn.argv = {argv, 1}};
        struct stream_message in;

        client_send(&client, 10 + i, &message, fds, 4);
        CHECK(client_wait(&client, 10 + i, &in) == CORDON_MSG_FAILED);
        CHECK(in.message.u.failed.exit_status == statuses[i]);
    }
    (void)close(cwd);
    (void)close(null);
    end();
}

TEST(jobs_of_one_connection_run_side_by_side)
{
    struct message message = {.type = CORDON_MSG_SIGNAL, .u.signal.signo = SIGTERM};
    struct stream_message in;
    char job[32];

    begin();
    client_spawn(&client, 10, "exec sleep 100", -1);
    CHECK(client_receive(&client, 5000, &in) == CORDON_MSG_STARTED && in.id == 10);
    (void)snprintf(job, sizeof(job), "%s", in.message.u.started.job);
    client_spawn(&client, 11, "exit 2", -1);
    CHECK(client_wait(&client, 11, &in) == CORDON_MSG_EXITED && in.message.u.exited.code == 2);
    message.u.signal.job = job;
    client_send(&client, 12, &message, NULL, 0);
    CHECK(client_wait(&client, 10, &in) == CORDON_MSG_EXITED);
    CHECK(in.message.u.exited.kind == MSG_EXIT_SIGNALLED && in.message.u.exited.code == SIGTERM);
    end();
}

TEST(a_signal_reaches_the_command)
{
    struct message message = {.type = CORDON_MSG_SIGNAL, .u.signal.signo = SIGUSR1};
    struct stream_message in;
    char job[32];
    char byte;
    int pair[2];

    begin();
    CHECK(pipe2(pair, O_CLOEXEC) == 0);
    client_spawn(&client, 10, "trap 'exit 42' USR1; echo; while :; do sleep 0.01; done", pair[1]);
    CHECK(client_receive(&client, 5000, &in) == CORDON_MSG_STARTED);
    (void)snprintf(job, sizeof(job), "%s", in.message.u.started.job);
    CHECK(read(pair[0], &byte, 1) == 1);
    message.u.signal.job = job;
    client_send(&client, 11, &message, NULL, 0);
    CHECK(client_wait(&client, 10, &in) == CORDON_MSG_EXITED && in.message.u.exited.code == 42);
    message.u.signal.job = "9999";
    client_send(&client, 12, &message, NULL, 0);
    CHECK(client_wait(&client, 12, &in) == CORDON_MSG_FAILED);
    CHECK(in.message.u.failed.err == CORDON_E_NOT_FOUND);
    (void)close(pair[0]);
    (void)close(pair[1]);
    end();
}

TEST(a_job_ends_when_its_time_is_up)
{
    static char sleeper[] = "/bin/sleep";
    static char seconds[] = "100";
    char *const argv[] = {sleeper, seconds, NULL};
    const struct message message = {.type = CORDON_MSG_SPAWN,
                                    .u.spawn = {.argv = {argv, 2}, .timeout_ms = 200}};
    int cwd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    const int fds[] = {cwd, null, null, null};
    struct stream_message in;

    begin();
    client_send(&client, 10, &message, fds, 4);
    CHECK(client_wait(&client, 10, &in) == CORDON_MSG_EXITED);
    CHECK(in.message.u.exited.kind == MSG_EXIT_TIMEOUT);
    (void)close(cwd);
    (void)close(null);
    end();
}

/* Starts `sleep` and gives back its process id. */
static pid_t start_sleeper(struct client *with)
{
    struct stream_message in;
    char text[32] = "";
    int pair[2];

    CHECK(pipe2(pair, O_CLOEXEC) == 0);
    client_spawn(with, 10, "echo $$; exec sleep 1000", pair[1]);
    CHECK(client_receive(with, 5000, &in) == CORDON_MSG_STARTED);
    CHECK(read(pair[0], text, sizeof(text) - 1) > 0);
    (void)close(pair[0]);
    (void)close(pair[1]);
    return (pid_t)strtol(text, NULL, 10);
}

TEST(id17_a_job_ends_with_its_client)
{
    struct client other;
    pid_t pid;

    begin();
    client_open(&broker, &other);
    pid = start_sleeper(&other);
    CHECK(pid > 0 && !is_gone(&pid));
    client_close(&other);
    CHECK(eventually(is_gone, &pid));
    CHECK(client_run(&client, "exit 3", NULL, 0) == 3);
    end();
}

TEST(id23_a_killed_worker_ends_its_jobs_and_is_made_again)
{
    struct stream_message in;
    struct client other;
    pid_t worker;
    pid_t pid;

    begin();
    pid = start_sleeper(&client);
    worker = broker_child(&broker, "cordon-worker");
    CHECK(worker > 0 && kill(worker, SIGKILL) == 0);
    CHECK(client_receive(&client, 5000, &in) == 0);
    CHECK(eventually(is_gone, &pid));
    client_open(&broker, &other);
    CHECK(client_run(&other, "exit 3", NULL, 0) == 3);
    CHECK(broker_child(&broker, "cordon-worker") != worker);
    client_close(&other);
    end();
}

TEST(id18_nothing_is_left_of_a_killed_supervisor)
{
    pid_t worker;
    pid_t pid;

    begin();
    pid = start_sleeper(&client);
    worker = broker_child(&broker, "cordon-worker");
    CHECK(kill(broker.pid, SIGKILL) == 0 && waitpid(broker.pid, NULL, 0) == broker.pid);
    CHECK(eventually(is_gone, &pid) && eventually(is_gone, &worker));
    client_close(&client);
    broker_start(&broker);
    client_open(&broker, &client);
    CHECK(client_run(&client, "exit 3", NULL, 0) == 3);
    end();
}

TEST(an_orderly_end_ends_the_jobs)
{
    pid_t pid;

    begin();
    pid = start_sleeper(&client);
    broker_stop(&broker);
    CHECK(eventually(is_gone, &pid));
    client_close(&client);
    broker_remove(&broker);
}

TEST(lg01_every_job_has_a_record_of_its_start_and_end_on_one_line_each)
{
    char *text;
    const char *line;
    int lines = 0;

    begin();
    CHECK(client_run(&client, "exit 4 # \n\033[31m\"\\\x80", NULL, 0) == 4);
    text = broker_audit(&broker);
    for (line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        lines++;
    }
    CHECK(lines == 2);
    CHECK(strstr(text, "\"event\":\"start\"") != NULL);
    CHECK(strstr(text, "\"outcome\":\"exited\",\"code\":4") != NULL);
    CHECK(strchr(text, '\033') == NULL && strchr(text, '\x80') == NULL);
    free(text);
    end();
}

TEST(an_embedded_broker_serves_one_client_and_leaves_with_him)
{
    const struct message hello = {.type = CORDON_MSG_HELLO, .u.hello = {1, 1, "test"}};
    struct stream_message in;
    struct client own;
    int status = -1;
    int pair[2];
    pid_t pid;

    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        (void)dup2(pair[1], 9);
        (void)execl(CORDOND_TEST, "cordond-test", "--null", "--embedded", "9", (char *)NULL);
        _exit(127);
    }
    (void)close(pair[1]);
    client_adopt(pair[0], &own);
    client_send(&own, 1, &hello, NULL, 0);
    CHECK(client_receive(&own, 5000, &in) == CORDON_MSG_WELCOME);
    CHECK(in.message.u.welcome.mode == MSG_BROKER_EMBEDDED);
    CHECK(client_run(&own, "exit 5", NULL, 0) == 5);
    client_close(&own);
    CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

int main(int argc, char **argv)
{
    (void)umask(027);
    return check_main(argc, argv);
}
