/* SPDX-License-Identifier: Apache-2.0 */
/* Managed policy through a running broker. */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/integration/fixture.h"
#include "tests/support/check.h"

#define OWN "/etc/cordon/requirements.toml"
#define GOOD "[permissions.filesystem]\ndeny_read = [\"/srv/secret\"]\n"
#define DENY_ROOT "[permissions.filesystem]\ndeny_read = [\"/\"]\n"
#define BROKEN "deny_read = [\n"

static struct broker broker;
static struct client client;

static void begin(const char *text)
{
    /* Once without the text, so that the directory is there. */
    broker_begin(&broker);
    if (text != NULL) {
        broker_stop(&broker);
        broker_managed(&broker, OWN, text);
        broker_start(&broker);
    }
    client_open(&broker, &client);
}

static void end(void)
{
    client_close(&client);
    broker_end(&broker);
}

static int generation(void)
{
    static const char key[] = "\"generation\":";
    char text[4096];
    const char *at;

    client_report(&client, MSG_REPORT_STATUS, text, sizeof(text));
    at = strstr(text, key);
    CHECK(at != NULL);
    return atoi(at + sizeof(key) - 1);
}

TEST(an_edit_holds_for_the_next_job_of_an_open_connection)
{
    begin(NULL);
    CHECK(client_run(&client, "exit 0", NULL, 0) == 0);
    CHECK(generation() == 1);
    broker_managed(&broker, OWN, GOOD);
    CHECK(client_run(&client, "exit 0", NULL, 0) == 0);
    CHECK(generation() == 2);
    broker_managed(&broker, OWN, DENY_ROOT);
    CHECK(client_run(&client, "exit 0", NULL, 0) == 125);
    broker_managed(&broker, OWN, GOOD);
    CHECK(client_run(&client, "exit 0", NULL, 0) == 0);
    end();
}

static int is_second(const void *context)
{
    (void)context;
    return generation() == 2;
}

TEST(sighup_reads_it_again_without_losing_a_job)
{
    struct stream_message in;

    begin(NULL);
    client_spawn(&client, 10, "sleep 0.5; exit 7", -1);
    CHECK(client_receive(&client, 5000, &in) == CORDON_MSG_STARTED);
    broker_managed(&broker, OWN, GOOD);
    CHECK(kill(broker.pid, SIGHUP) == 0);
    CHECK(eventually(is_second, NULL));
    CHECK(client_wait(&client, 10, &in) == CORDON_MSG_EXITED && in.message.u.exited.code == 7);
    end();
}

TEST(po01_a_broken_update_raises_the_alarm_and_the_last_good_one_holds)
{
    char *text;

    begin(DENY_ROOT);
    CHECK(client_run(&client, "exit 0", NULL, 0) == 125);
    broker_managed(&broker, OWN, BROKEN);
    CHECK(client_run(&client, "exit 0", NULL, 0) == 125);
    /* A new connection makes the supervisor look, whatever the worker says. */
    client_close(&client);
    client_open(&broker, &client);
    text = broker_audit(&broker);
    CHECK(strstr(text, "\"event\":\"alarm\"") != NULL);
    free(text);
    broker_managed(&broker, OWN, GOOD);
    client_close(&client);
    client_open(&broker, &client);
    CHECK(client_run(&client, "exit 0", NULL, 0) == 0);
    end();
}

TEST(po01_with_no_good_one_jobs_are_refused_with_file_and_line)
{
    struct stream_message in;

    begin(BROKEN);
    client_spawn(&client, 10, "exit 0", -1);
    CHECK(client_wait(&client, 10, &in) == CORDON_MSG_FAILED);
    CHECK(in.message.u.failed.exit_status == 125);
    CHECK(strstr(in.message.u.failed.text, OWN ":") != NULL);
    broker_managed(&broker, OWN, GOOD);
    client_close(&client);
    client_open(&broker, &client);
    CHECK(client_run(&client, "exit 0", NULL, 0) == 0);
    end();
}

TEST(what_is_to_be_redacted_is_in_no_record)
{
    char *text;

    begin(GOOD "[cordon.audit]\nredact = [\"token=[a-z]+\"]\n");
    CHECK(client_run(&client, "true token=secret", NULL, 0) == 0);
    text = broker_audit(&broker);
    CHECK(strstr(text, "true [redacted]") != NULL && strstr(text, "secret") == NULL);
    free(text);
    /* An expression that is none: the last good ones hold. */
    broker_managed(&broker, OWN, GOOD "[cordon.audit]\nredact = [\"(\"]\n");
    CHECK(client_run(&client, "true token=secret", NULL, 0) == 0);
    text = broker_audit(&broker);
    CHECK(strstr(text, "secret") == NULL && strstr(text, "redact: ") != NULL);
    free(text);
    end();
}

TEST_MAIN()
