/* SPDX-License-Identifier: Apache-2.0 */
/* ps, kill, status, reload: whose jobs they show and touch is decided by whose connection asks. */
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/fixture.h"
#include "tests/support/check.h"

#define OWN "/etc/cordon/requirements.toml"
#define OTHER_USER 64123
#define WAIT_MS 5000
#define UNLIKELY "9999"

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

/* The answer to KILL of @job; @ret_text: a refusal's words. */
static enum cordon_err kill_job(struct client *asker, const char *job, uint32_t signo,
                                char *ret_text, size_t size)
{
    const struct message message = {.type = CORDON_MSG_KILL, .u.kill = {job, signo}};
    struct stream_message in;
    uint32_t type;

    client_send(asker, 500, &message, NULL, 0);
    do {
        type = client_receive(asker, WAIT_MS, &in);
    } while (type != 0 && in.id != 500);
    if (type == CORDON_MSG_STATUS_TEXT) {
        return CORDON_OK;
    }
    CHECK(type == CORDON_MSG_FAILED && in.message.u.failed.exit_status == 1);
    if (ret_text != NULL) {
        (void)snprintf(ret_text, size, "%s; %s", in.message.u.failed.text,
                       in.message.u.failed.remedy);
    }
    return in.message.u.failed.err;
}

static void start_job(struct client *owner, const char *script, char ret_job[32])
{
    struct stream_message in;

    client_spawn(owner, 10, script, -1);
    CHECK(client_receive(owner, WAIT_MS, &in) == CORDON_MSG_STARTED);
    (void)snprintf(ret_job, 32, "%s", in.message.u.started.job);
}

TEST(a_job_is_listed_until_it_has_ended)
{
    struct stream_message in;
    char text[4096];
    char job[32];
    char want[64];

    begin();
    client_report(&client, MSG_REPORT_JOBS, text, sizeof(text));
    CHECK_STR(text, "{\"jobs\":[]}\n");
    start_job(&client, "sleep 100", job);
    client_report(&client, MSG_REPORT_JOBS, text, sizeof(text));
    (void)snprintf(want, sizeof(want), "{\"jobs\":[{\"job\":\"%s\",\"uid\":%u,", job, getuid());
    CHECK(strstr(text, want) == text);
    CHECK(strstr(text, "\"command\":\"/bin/sh -c sleep 100\"") != NULL ||
          strstr(text, "sleep 100\"") != NULL);
    CHECK(strstr(text, "\"generation\":1,") != NULL);
    CHECK(kill_job(&client, job, SIGKILL, NULL, 0) == CORDON_OK);
    CHECK(client_wait(&client, 10, &in) == CORDON_MSG_EXITED);
    CHECK(in.message.u.exited.kind == MSG_EXIT_SIGNALLED && in.message.u.exited.code == SIGKILL);
    client_report(&client, MSG_REPORT_JOBS, text, sizeof(text));
    CHECK_STR(text, "{\"jobs\":[]}\n");
    end();
}

/* A child, for good. */
static void become_other(void)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (setgroups(0, NULL) != 0 || setgid(OTHER_USER) != 0 || setuid(OTHER_USER) != 0) {
        _exit(9);
    }
}

/* As the other user: what it learns of @job, and that nothing happens to it. */
static void other_user(const char *job)
{
    static const uint32_t signals[] = {SIGKILL, SIGTERM, SIGSTOP, SIGUSR1, 64};
    const struct message reload = {.type = CORDON_MSG_RELOAD};
    struct stream_message in;
    struct client other;
    char text[4096];
    char mine[512];
    char none[512];

    client_open(&broker, &other);
    client_report(&other, MSG_REPORT_JOBS, text, sizeof(text));
    CHECK_STR(text, "{\"jobs\":[]}\n");
    client_report(&other, MSG_REPORT_STATUS, text, sizeof(text));
    CHECK(strstr(text, "\"users\":[{\"uid\":64123,") != NULL);
    CHECK(strstr(text, "\"uid\":0,") == NULL && strstr(text, "\"total\":null") != NULL);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
        CHECK(kill_job(&other, job, signals[i], mine, sizeof(mine)) == CORDON_E_NOT_FOUND);
        CHECK(kill_job(&other, UNLIKELY, signals[i], none, sizeof(none)) == CORDON_E_NOT_FOUND);
        CHECK_STR(mine, none);
    }
    CHECK(kill_job(&other, "x", SIGKILL, none, sizeof(none)) == CORDON_E_NOT_FOUND);
    CHECK_STR(mine, none);
    client_send(&other, 600, &reload, NULL, 0);
    CHECK(client_receive(&other, WAIT_MS, &in) == CORDON_MSG_FAILED);
    CHECK(in.message.u.failed.err == CORDON_E_DENIED);
    client_close(&other);
}

TEST(id19_another_users_job_is_as_one_that_does_not_exist)
{
    struct stream_message in;
    char text[4096];
    char job[32];
    int status = 0;
    pid_t pid;

    begin();
    if (getuid() != 0) {
        end();
        printf("SKIP: needs two users, so root\n");
        exit(77);
    }
    start_job(&client, "sleep 100", job);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        become_other();
        other_user(job);
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    client_report(&client, MSG_REPORT_JOBS, text, sizeof(text));
    CHECK(strstr(text, "sleep 100") != NULL);
    client_report(&client, MSG_REPORT_STATUS, text, sizeof(text));
    CHECK(strstr(text, "\"uid\":64123,") != NULL && strstr(text, "\"total\":{") != NULL);
    CHECK(kill_job(&client, job, SIGTERM, NULL, 0) == CORDON_OK);
    CHECK(client_wait(&client, 10, &in) == CORDON_MSG_EXITED);
    CHECK(in.message.u.exited.code == SIGTERM);
    end();
}

TEST(a_job_is_ended_from_another_connection_of_its_user)
{
    struct stream_message in;
    struct client second;
    char text[512];
    char job[32];
    char byte;
    int pair[2];

    begin();
    client_open(&broker, &second);
    CHECK(pipe2(pair, O_CLOEXEC) == 0);
    client_spawn(&client, 10, "trap 'exit 42' USR1; echo; while :; do sleep 0.01; done", pair[1]);
    (void)close(pair[1]);
    CHECK(client_receive(&client, WAIT_MS, &in) == CORDON_MSG_STARTED);
    (void)snprintf(job, sizeof(job), "%s", in.message.u.started.job);
    CHECK(kill_job(&second, job, SIGSTOP, text, sizeof(text)) == CORDON_E_INVALID);
    CHECK(strstr(text, "TSTP") != NULL);
    CHECK(read(pair[0], &byte, 1) == 1);
    CHECK(kill_job(&second, job, SIGUSR1, NULL, 0) == CORDON_OK);
    CHECK(client_wait(&client, 10, &in) == CORDON_MSG_EXITED && in.message.u.exited.code == 42);
    CHECK(kill_job(&second, job, SIGKILL, NULL, 0) == CORDON_E_NOT_FOUND);
    client_close(&second);
    (void)close(pair[0]);
    end();
}

/* As the other user: starts a job, tells its number, and waits for its end. */
static void own_job(int tell)
{
    struct stream_message in;
    struct client other;
    char job[32] = "";

    client_open(&broker, &other);
    client_spawn(&other, 10, "exec sleep 100", -1);
    CHECK(client_receive(&other, WAIT_MS, &in) == CORDON_MSG_STARTED);
    (void)snprintf(job, sizeof(job), "%s", in.message.u.started.job);
    CHECK(write(tell, job, sizeof(job)) == (ssize_t)sizeof(job));
    CHECK(client_wait(&other, 10, &in) == CORDON_MSG_EXITED && in.message.u.exited.code == SIGTERM);
    client_close(&other);
}

TEST(roots_signal_to_somebody_elses_job_is_in_the_log_once_it_was_sent)
{
    char want[128];
    char job[32];
    char *log;
    int pipe_fds[2];
    int status = 0;
    pid_t pid;

    begin();
    if (getuid() != 0) {
        end();
        printf("SKIP: needs two users, so root\n");
        exit(77);
    }
    CHECK(pipe(pipe_fds) == 0);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        become_other();
        own_job(pipe_fds[1]);
        _exit(0);
    }
    CHECK(read(pipe_fds[0], job, sizeof(job)) == (ssize_t)sizeof(job));
    CHECK(kill_job(&client, job, SIGSTOP, NULL, 0) == CORDON_E_INVALID);
    log = broker_text(&broker, "/log");
    CHECK(strstr(log, "by user 0") == NULL);
    free(log);
    CHECK(kill_job(&client, job, SIGTERM, NULL, 0) == CORDON_OK);
    (void)snprintf(want, sizeof(want), "job %s of user %d: signal %d, by user 0\n", job, OTHER_USER,
                   SIGTERM);
    log = broker_text(&broker, "/log");
    CHECK(strstr(log, want) != NULL);
    free(log);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    (void)close(pipe_fds[0]);
    (void)close(pipe_fds[1]);
    end();
}

static uint32_t reload(struct stream_message *ret_in)
{
    const struct message message = {.type = CORDON_MSG_RELOAD, .u.reload.json = true};

    client_send(&client, 700, &message, NULL, 0);
    return client_receive(&client, WAIT_MS, ret_in);
}

TEST(reload_tells_the_generation_in_force_and_what_is_wrong_with_the_files)
{
    struct stream_message in;

    begin();
    if (getuid() != 0) {
        CHECK(reload(&in) == CORDON_MSG_FAILED && in.message.u.failed.err == CORDON_E_DENIED);
        end();
        return;
    }
    broker_managed(&broker, OWN, "[permissions.filesystem]\ndeny_read = [\"/srv/x\"]\n");
    CHECK(reload(&in) == CORDON_MSG_STATUS_TEXT && !in.message.u.status_text.failed);
    CHECK_STR(in.message.u.status_text.text,
              "{\"ok\":true,\"generation\":2,\"files\":1,\"refused\":false,\"error\":null,"
              "\"warning\":null}\n");
    broker_managed(&broker, OWN, "[permissions\n");
    CHECK(reload(&in) == CORDON_MSG_STATUS_TEXT && in.message.u.status_text.failed);
    CHECK(strstr(in.message.u.status_text.text, "{\"ok\":false,\"generation\":2,") != NULL);
    CHECK(strstr(in.message.u.status_text.text, OWN ":1:") != NULL);
    CHECK(client_run(&client, "exit 5", NULL, 0) == 5);
    end();
}

TEST(a_connection_that_asks_too_much_at_once_is_told_so)
{
    const struct message status = {.type = CORDON_MSG_STATUS};
    struct stream_message in;
    uint32_t answered = 0;
    uint32_t refused = 0;

    begin();
    for (uint32_t i = 0; i < 100; i++) {
        client_send(&client, 1000 + i, &status, NULL, 0);
    }
    for (uint32_t i = 0; i < 100; i++) {
        uint32_t type = client_receive(&client, WAIT_MS, &in);

        answered += type == CORDON_MSG_STATUS_TEXT;
        refused += type == CORDON_MSG_FAILED && in.message.u.failed.err == CORDON_E_QUOTA;
    }
    CHECK(answered >= 8 && answered + refused == 100);
    CHECK(client_run(&client, "exit 3", NULL, 0) == 3);
    end();
}

TEST_MAIN()
