/* SPDX-License-Identifier: Apache-2.0 */
/* Managed policy through a running broker. */
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "broker/quota.h"
#include "broker/session.h"
#include "tests/integration/fixture.h"
#include "tests/support/check.h"

#define OWN "/etc/cordon/requirements.toml"
#define GOOD "[permissions.filesystem]\ndeny_read = [\"/srv/secret\"]\n"
#define DENY_ROOT "[permissions.filesystem]\ndeny_read = [\"/\"]\n"
/* Its spool is empty; the key is that of RFC 8032, 7.1, test 1. */
#define FETCH                                                                                      \
    "url = \"https://policy.example.com/r\"\npublic_keys = "                                       \
    "[\"d75a980182b10ab7d54bfed3c964073a0ee1"                                                      \
    "72f3daa62325af021a68f707511a\"]\n"
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
    struct message message = {.type = CORDON_MSG_SIGNAL, .u.signal.signo = SIGTERM};
    struct stream_message in;
    char job[32];

    begin(NULL);
    client_spawn(&client, 10, "exec sleep 100", -1);
    CHECK(client_receive(&client, 5000, &in) == CORDON_MSG_STARTED);
    (void)snprintf(job, sizeof(job), "%s", in.message.u.started.job);
    broker_managed(&broker, OWN, GOOD);
    CHECK(kill(broker.pid, SIGHUP) == 0);
    CHECK(eventually(is_second, NULL));
    message.u.signal.job = job;
    client_send(&client, 11, &message, NULL, 0);
    CHECK(client_wait(&client, 10, &in) == CORDON_MSG_EXITED);
    CHECK(in.message.u.exited.kind == MSG_EXIT_SIGNALLED && in.message.u.exited.code == SIGTERM);
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

#define SINK "/etc/cordon/records"
#define TO_SINK GOOD "[cordon.audit]\nsink = \"" SINK "\"\n"

/* How many records of kind @event file @name below the managed root has. */
static int records(const char *name, const char *event)
{
    char path[256], wanted[64];
    char *text;
    int count = 0;

    (void)snprintf(path, sizeof(path), "/m%s", name);
    (void)snprintf(wanted, sizeof(wanted), "\"event\":\"%s\"", event);
    text = broker_text(&broker, path);
    for (const char *at = text; (at = strstr(at, wanted)) != NULL; at++) {
        count++;
    }
    free(text);
    return count;
}

static void sink_path(const char *suffix, char ret_path[256])
{
    (void)snprintf(ret_path, 256, "%s/m" SINK "%s", broker.dir, suffix);
}

static int is_first(const void *context)
{
    (void)context;
    return generation() == 1;
}

static int is_there(const void *path)
{
    return access(path, F_OK) == 0;
}

TEST(records_go_to_the_file_that_is_named_and_to_the_next_of_that_name_after_sighup)
{
    char path[256], old[256];
    struct stat st;

    begin(TO_SINK);
    CHECK(client_run(&client, "exit 0", NULL, 0) == 0);
    CHECK(client_run(&client, "exit 0", NULL, 0) == 0);
    sink_path("", path);
    sink_path(".1", old);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
    CHECK(records(SINK, "start") == 2);
    /* As logrotate does it: the name is given away, then we are told. */
    CHECK(rename(path, old) == 0 && kill(broker.pid, SIGHUP) == 0);
    CHECK(eventually(is_there, path));
    CHECK(client_run(&client, "exit 0", NULL, 0) == 0);
    CHECK(records(SINK, "start") == 1 && records(SINK ".1", "start") == 2);
    /* No more of it: nothing is added. */
    broker_managed(&broker, OWN, GOOD);
    CHECK(client_run(&client, "exit 0", NULL, 0) == 0);
    CHECK(records(SINK, "start") == 1);
    end();
}

/* What makes the file no place for records; each is a broken update. */
static void spoil(const char *how)
{
    char path[256], other[256];

    sink_path("", path);
    sink_path(".other", other);
    (void)unlink(path);
    if (strcmp(how, "link") == 0) {
        CHECK(symlink(other, path) == 0);
        return;
    }
    if (strcmp(how, "fifo") == 0) {
        CHECK(mkfifo(path, 0600) == 0);
        return;
    }
    broker_managed(&broker, SINK, "");
    CHECK(chmod(path, strcmp(how, "mode") == 0 ? 0606 : 0600) == 0);
    if (strcmp(how, "names") == 0) {
        (void)unlink(other);
        CHECK(link(path, other) == 0);
    }
}

TEST(a_file_that_others_could_have_made_takes_no_record_and_is_a_broken_update)
{
    static const char *const ways[] = {"link", "fifo", "mode", "names"};

    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
        char *text;

        begin(GOOD);
        spoil(ways[i]);
        broker_managed(&broker, OWN, TO_SINK);
        client_close(&client);
        client_open(&broker, &client);
        /* The last good one holds, with its records where they were. */
        CHECK(client_run(&client, "exit 0", NULL, 0) == 0);
        text = broker_audit(&broker);
        CHECK(strstr(text, "\"event\":\"alarm\"") != NULL);
        CHECK(strstr(text, OWN ":4:1: cordon.audit.sink: " SINK ": ") != NULL);
        free(text);
        /* With none there is no job. */
        client_close(&client);
        broker_stop(&broker);
        broker_start(&broker);
        client_open(&broker, &client);
        CHECK(client_run(&client, "exit 0", NULL, 0) == 125);
        end();
    }
}

TEST(a_file_in_no_directory_or_one_of_others_is_a_broken_update)
{
    char path[256];

    begin(GOOD "[cordon.audit]\nsink = \"/none/records\"\n");
    CHECK(client_run(&client, "exit 0", NULL, 0) == 125);
    (void)snprintf(path, sizeof(path), "%s/m/none", broker.dir);
    CHECK(mkdir(path, 0700) == 0 && chmod(path, 0777) == 0);
    CHECK(kill(broker.pid, SIGHUP) == 0);
    CHECK(client_run(&client, "exit 0", NULL, 0) == 125);
    CHECK(chmod(path, 0755) == 0);
    CHECK(kill(broker.pid, SIGHUP) == 0);
    CHECK(eventually(is_first, NULL));
    CHECK(client_run(&client, "exit 0", NULL, 0) == 0);
    CHECK(records("/none/records", "start") == 1);
    end();
}

TEST(without_a_level_there_are_records_and_with_off_there_are_none)
{
    begin(TO_SINK "level = \"off\"\n");
    CHECK(client_run(&client, "exit 0", NULL, 0) == 0);
    CHECK(records(SINK, "start") == 0 && records(SINK, "end") == 0);
    broker_managed(&broker, OWN, TO_SINK "level = \"jobs\"\n");
    CHECK(client_run(&client, "exit 0", NULL, 0) == 0);
    CHECK(records(SINK, "start") == 1);
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

#define REDACT(text) "[cordon.audit]\nredact = [\"" text "=[a-z]+\"]\n"

/* Whether the last record is of this event, and what it tells of the command; NULL: nothing. */
static bool last_record(const char *event, const char *command)
{
    char want[128];
    char *text = broker_audit(&broker);
    char *line;
    bool fits;

    text[strlen(text) - 1] = '\0';
    line = strrchr(text, '\n');
    (void)snprintf(want, sizeof(want), "\"event\":\"%s\"", event);
    fits = line != NULL && strstr(line, want) != NULL;
    fits = fits &&
           (command == NULL ? strstr(line, "\"command\":") == NULL : strstr(line, command) != NULL);
    free(text);
    return fits;
}

/* A client may hear of the end before it is recorded. */
static int is_ended(const void *command)
{
    return last_record("end", command);
}

TEST(a_refused_job_is_recorded_as_the_generation_that_refused_it_redacts)
{
    begin(GOOD REDACT("one"));
    CHECK(client_run(&client, "true one=secret two=secret", NULL, 0) == 0);
    CHECK(eventually(is_ended, "true [redacted] two=secret\""));
    broker_managed(&broker, OWN, DENY_ROOT REDACT("two"));
    CHECK(client_run(&client, "true one=secret two=secret", NULL, 0) == 125);
    CHECK(last_record("refused", "true one=secret [redacted]\""));
    /* Every job is refused: there are no rules that anybody could be judged by. */
    broker_managed(&broker, "/etc/cordon/fetch.toml", FETCH);
    CHECK(client_run(&client, "true one=secret two=secret", NULL, 0) == 125);
    CHECK(last_record("refused", NULL));
    end();
}

static void fill(struct client *owner, uint32_t count)
{
    struct stream_message in;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t type;

        client_spawn(owner, 10 + i, "sleep 100", -1);
        do {
            type = client_receive(owner, 5000, &in);
            CHECK(type != CORDON_MSG_FAILED && type != 0);
        } while (type != CORDON_MSG_STARTED);
    }
}

/* Over quota nothing of a job is looked at but what its record must not say. */
TEST(a_job_over_quota_is_recorded_as_the_generation_in_force_redacts)
{
    struct client owners[CORDON_MAX_JOBS / SESSION_JOBS_MAX];
    struct stream_message in;

    begin(GOOD REDACT("one"));
    for (size_t i = 0; i < CORDON_MAX_JOBS / SESSION_JOBS_MAX; i++) {
        client_open(&broker, &owners[i]);
        fill(&owners[i], SESSION_JOBS_MAX);
    }
    broker_managed(&broker, OWN, GOOD REDACT("two"));
    client_spawn(&client, 10, "true one=secret two=secret", -1);
    CHECK(client_wait(&client, 10, &in) == CORDON_MSG_FAILED);
    CHECK(in.message.u.failed.err == CORDON_E_QUOTA);
    CHECK(last_record("refused", "true one=secret [redacted]\""));
    for (size_t i = 0; i < CORDON_MAX_JOBS / SESSION_JOBS_MAX; i++) {
        client_close(&owners[i]);
    }
    end();
}

TEST_MAIN()
