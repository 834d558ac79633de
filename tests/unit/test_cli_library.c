/* SPDX-License-Identifier: Apache-2.0 */
/* libcordon against a broker that this test plays, over a socket pair. */
#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/lib.h"
#include "proto/codec.h"
#include "tests/support/check.h"

static struct cordon *cordon;
static struct stream broker;
static int broker_fd = -1;
static struct arena arena;

static void close_fd(void *context, int fd)
{
    (void)context;
    (void)close(fd);
}

/* A connection as cordon_open() would have made it. */
static void connect_pair(void)
{
    const struct stream_config client = {FRAME_TO_CLIENT, 65536, close_fd, NULL};
    const struct stream_config server = {FRAME_TO_BROKER, 1U << 20, close_fd, NULL};
    int pair[2];

    CHECK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0);
    cordon = calloc(1, sizeof(*cordon));
    CHECK(cordon != NULL);
    cordon->fd = pair[0];
    cordon->last_id = LIB_HELLO_ID;
    stream_init(&cordon->in, &client);
    arena_init(&cordon->arena, MSG_ARENA_MAX);
    stream_init(&broker, &server);
    arena_init(&arena, MSG_ARENA_MAX);
    broker_fd = pair[1];
}

static void disconnect(void)
{
    cordon_close(cordon);
    stream_deinit(&broker);
    arena_deinit(&arena);
    if (broker_fd >= 0) {
        (void)close(broker_fd);
    }
    broker_fd = -1;
}

/* What the client sent next. */
static void receive(struct stream_message *ret)
{
    struct cordon_fault fault = {0};

    while (stream_receive(&broker, &arena, ret, &fault) == CORDON_E_AGAIN) {
        unsigned char data[4096];
        union {
            struct cmsghdr head;
            unsigned char bytes[CMSG_SPACE(8 * sizeof(int))];
        } control;
        int fds[8];
        struct iovec iov = {data, sizeof(data)};
        struct msghdr msg = {.msg_iov = &iov,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control.bytes)};
        ssize_t n = recvmsg(broker_fd, &msg, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
        const struct cmsghdr *cmsg = CMSG_FIRSTHDR(&msg);
        struct stream_chunk chunk = {.data = data, .fds = fds};

        CHECK(n > 0);
        chunk.len = (size_t)n;
        if (cmsg != NULL) {
            chunk.fd_count = (cmsg->cmsg_len - CMSG_LEN(0)) / sizeof(int);
            memcpy(fds, CMSG_DATA(&control.head), chunk.fd_count * sizeof(int));
        }
        CHECK(stream_feed(&broker, &chunk, &fault) == CORDON_OK);
    }
    CHECK(fault.err == CORDON_OK || fault.err == CORDON_E_AGAIN);
}

static void answer(uint32_t id, const struct message *message)
{
    struct cordon_fault fault = {0};
    struct stream_pending pending;

    CHECK(stream_send(&broker, id, message, NULL, &fault) == CORDON_OK);
    while (stream_pending(&broker, &pending)) {
        ssize_t n = send(broker_fd, pending.data, pending.len, MSG_NOSIGNAL);

        CHECK(n > 0);
        stream_sent(&broker, (size_t)n);
    }
}

static const char *const true_argv[] = {"true", NULL};
static const char *const true_env[] = {"A=1", "odd", "", NULL};

static struct cordon_spawn_options options(void)
{
    return (struct cordon_spawn_options){.size = sizeof(struct cordon_spawn_options),
                                         .argv = true_argv,
                                         .env = true_env,
                                         .stdio = {0, 1, -1}};
}

/* Spawns and takes HELLO and SPAWN in; the id of the SPAWN. */
static uint32_t spawn(struct cordon_job **ret_job)
{
    const struct cordon_spawn_options wanted = options();
    struct stream_message in;
    struct cordon_error error;
    uint32_t id;

    CHECK(cordon_spawn(cordon, &wanted, ret_job, &error) == 0);
    receive(&in);
    CHECK(in.message.type == CORDON_MSG_HELLO);
    receive(&in);
    CHECK(in.message.type == CORDON_MSG_SPAWN && in.fd_count == 4);
    CHECK(in.message.u.spawn.argv.count == 1 && in.message.u.spawn.env.count == 3);
    id = in.id;
    for (size_t i = 0; i < in.fd_count; i++) {
        CHECK(fcntl(in.fds[i], F_GETFD) >= 0);
        (void)close(in.fds[i]);
    }
    return id;
}

static const struct message welcome = {.type = CORDON_MSG_WELCOME,
                                       .u.welcome = {1, "0", MSG_BROKER_SERVICE}};

static char name[] = "job-1";
static char notice[] = "a notice";
static char *notices[] = {notice, NULL};

static void start(uint32_t id)
{
    const struct message started = {.type = CORDON_MSG_STARTED,
                                    .u.started = {name, false, {notices, 1}}};

    answer(LIB_HELLO_ID, &welcome);
    answer(id, &started);
}

static void finish(uint32_t id, enum msg_exit_kind kind, uint32_t code)
{
    const struct message exited = {.type = CORDON_MSG_EXITED,
                                   .u.exited = {name, kind, code, 3, "a limit"}};

    answer(id, &exited);
}

TEST(the_request_is_sent_before_the_welcome)
{
    struct cordon_job *job;

    connect_pair();
    CHECK(spawn(&job) != LIB_HELLO_ID);
    cordon_job_free(job);
    disconnect();
}

TEST(events_come_in_order)
{
    struct cordon_job *job;
    struct cordon_event event;
    struct cordon_error error;
    uint32_t id;

    connect_pair();
    id = spawn(&job);
    CHECK(cordon_job_wait(job, 0, &event, &error) == CORDON_NOTHING_YET);
    start(id);
    finish(id, MSG_EXIT_EXITED, 7);
    CHECK(cordon_job_wait(job, 1000, &event, &error) == 0);
    CHECK(event.kind == CORDON_EVENT_STARTED);
    CHECK_STR(event.job_id, "job-1");
    CHECK_STR(event.notices[0], "a notice");
    CHECK(event.notices[1] == NULL);
    CHECK(cordon_job_pty(job) == -1);
    CHECK(cordon_job_wait(job, 1000, &event, &error) == 0);
    CHECK(event.kind == CORDON_EVENT_ENDED && event.end == CORDON_END_EXITED);
    CHECK(event.status == 7 && event.violations == 3);
    CHECK(cordon_job_wait(job, 0, &event, &error) == CORDON_STATUS_USAGE);
    cordon_job_free(job);
    disconnect();
}

TEST(every_end_has_its_status)
{
    static const struct {
        enum msg_exit_kind kind;
        uint32_t code;
        int status;
    } rows[] = {{MSG_EXIT_EXITED, 0, 0},           {MSG_EXIT_EXITED, 255, 255},
                {MSG_EXIT_SIGNALLED, 9, 137},      {MSG_EXIT_SIGNALLED, 64, 192},
                {MSG_EXIT_TIMEOUT, 0, 124},        {MSG_EXIT_KILLED, 0, 125},
                {MSG_EXIT_SETUP_FAILED, 126, 126}, {MSG_EXIT_SETUP_FAILED, 127, 127}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct cordon_job *job;
        struct cordon_event event;
        uint32_t id;

        connect_pair();
        id = spawn(&job);
        start(id);
        finish(id, rows[i].kind, rows[i].code);
        CHECK(cordon_job_wait(job, 1000, &event, NULL) == 0);
        CHECK(cordon_job_wait(job, 1000, &event, NULL) == 0);
        CHECK(event.status == rows[i].status);
        cordon_job_free(job);
        disconnect();
    }
}

TEST(a_refusal_ends_the_job_with_its_reason)
{
    const struct message failed = {.type = CORDON_MSG_FAILED,
                                   .u.failed = {CORDON_E_DENIED, "no", "ask", 125}};
    struct cordon_job *job;
    struct cordon_event event;

    connect_pair();
    answer(spawn(&job), &failed);
    CHECK(cordon_job_wait(job, 1000, &event, NULL) == 0);
    CHECK(event.kind == CORDON_EVENT_ENDED && event.end == CORDON_END_FAILED);
    CHECK(event.status == 125);
    CHECK_STR(event.error.text, "no");
    CHECK_STR(event.error.remedy, "ask");
    cordon_job_free(job);
    disconnect();
}

TEST(a_late_signals_failure_is_not_the_jobs)
{
    const struct message failed = {.type = CORDON_MSG_FAILED,
                                   .u.failed = {CORDON_E_NOT_FOUND, "no such job", NULL, 125}};
    struct cordon_job *job;
    struct cordon_event event;
    uint32_t id;

    connect_pair();
    id = spawn(&job);
    start(id);
    answer(id + 1, &failed);
    finish(id, MSG_EXIT_EXITED, 0);
    CHECK(cordon_job_wait(job, 1000, &event, NULL) == 0);
    CHECK(cordon_job_wait(job, 1000, &event, NULL) == 0);
    CHECK(event.end == CORDON_END_EXITED);
    cordon_job_free(job);
    disconnect();
}

TEST(a_signal_before_the_start_is_sent_after_it)
{
    struct cordon_job *job;
    struct cordon_event event;
    struct stream_message in;
    uint32_t id;

    connect_pair();
    id = spawn(&job);
    CHECK(cordon_job_signal(job, SIGTERM, NULL) == 0);
    start(id);
    CHECK(cordon_job_wait(job, 1000, &event, NULL) == 0);
    receive(&in);
    CHECK(in.message.type == CORDON_MSG_SIGNAL && in.message.u.signal.signo == SIGTERM);
    CHECK_STR(in.message.u.signal.job, "job-1");
    CHECK(cordon_job_signal(job, 65, NULL) == CORDON_STATUS_USAGE);
    cordon_job_free(job);
    disconnect();
}

TEST(a_lost_broker_is_a_failure)
{
    struct cordon_job *job;
    struct cordon_event event;
    struct cordon_error error;

    connect_pair();
    (void)spawn(&job);
    (void)close(broker_fd);
    broker_fd = -1;
    CHECK(cordon_job_wait(job, 1000, &event, &error) == CORDON_STATUS_SETUP);
    CHECK(error.text[0] != '\0');
    cordon_job_free(job);
    disconnect();
}

TEST(one_job_at_a_time)
{
    const struct cordon_spawn_options wanted = options();
    struct cordon_spawn_options old = options();
    struct cordon_job *job;
    struct cordon_job *second;

    connect_pair();
    (void)spawn(&job);
    CHECK(cordon_spawn(cordon, &wanted, &second, NULL) == CORDON_STATUS_USAGE);
    cordon_job_free(job);
    old.size = 1;
    CHECK(cordon_spawn(cordon, &old, &second, NULL) == CORDON_STATUS_USAGE);
    disconnect();
}

TEST(nothing_but_its_job_is_sent_on_a_connection)
{
    const struct cordon_spawn_options wanted = options();
    struct cordon_job *job;
    struct cordon_error error;
    char *text = NULL;
    char byte;

    connect_pair();
    (void)spawn(&job);
    CHECK(cordon_violations(cordon, 0, NULL) == CORDON_STATUS_USAGE);
    CHECK(cordon_plan(cordon, &wanted, &text, &error) == CORDON_STATUS_USAGE);
    CHECK_STR(error.text, "the connection has a job");
    CHECK(cordon_report(cordon, CORDON_REPORT_JOBS, 0, &text, NULL) == CORDON_STATUS_USAGE);
    CHECK(cordon_reload(cordon, 0, &text, NULL, NULL) == CORDON_STATUS_USAGE);
    CHECK(cordon_kill(cordon, "12", SIGTERM, NULL) == CORDON_STATUS_USAGE);
    CHECK(text == NULL && recv(broker_fd, &byte, 1, MSG_DONTWAIT) < 0);
    cordon_job_free(job);
    disconnect();
}

/* The answer waits already when the question is asked. */
static void prepare(const struct message *message)
{
    connect_pair();
    answer(LIB_HELLO_ID + 1, message);
}

static struct message question(void)
{
    struct stream_message in;

    receive(&in);
    CHECK(in.message.type == CORDON_MSG_HELLO);
    receive(&in);
    return in.message;
}

TEST(a_report_is_the_text_that_was_answered)
{
    const struct message text = {.type = CORDON_MSG_STATUS_TEXT, .u.status_text = {"{}\n", true}};
    struct message asked;
    char *got = NULL;
    int broken = 0;

    prepare(&text);
    CHECK(cordon_report(cordon, CORDON_REPORT_JOBS, 1, &got, NULL) == 0);
    CHECK_STR(got, "{}\n");
    free(got);
    asked = question();
    CHECK(asked.type == CORDON_MSG_STATUS && asked.u.status.report == MSG_REPORT_JOBS);
    CHECK(asked.u.status.json);
    disconnect();
    prepare(&text);
    CHECK(cordon_reload(cordon, 0, &got, &broken, NULL) == 0 && broken == 1);
    free(got);
    asked = question();
    CHECK(asked.type == CORDON_MSG_RELOAD && !asked.u.reload.json);
    disconnect();
}

TEST(a_kill_is_done_or_says_why_not)
{
    const struct message done = {.type = CORDON_MSG_STATUS_TEXT};
    const struct message none = {
        .type = CORDON_MSG_FAILED,
        .u.failed = {CORDON_E_NOT_FOUND, "you have no such job", "look", 1}};
    struct cordon_error error;
    struct message asked;

    prepare(&done);
    CHECK(cordon_kill(cordon, "12", SIGUSR1, &error) == 0);
    asked = question();
    CHECK(asked.type == CORDON_MSG_KILL && asked.u.kill.signo == SIGUSR1);
    CHECK_STR(asked.u.kill.job, "12");
    disconnect();
    prepare(&none);
    CHECK(cordon_kill(cordon, "12", SIGTERM, &error) == CORDON_STATUS_FAILED);
    CHECK_STR(error.text, "you have no such job");
    disconnect();
    /* What the protocol has no place for is the caller's mistake. */
    prepare(&done);
    CHECK(cordon_kill(cordon, "", SIGTERM, &error) == CORDON_STATUS_USAGE);
    CHECK(cordon_kill(cordon, "1", 65, &error) == CORDON_STATUS_USAGE);
    CHECK(cordon_kill(cordon, "1", -1, &error) == CORDON_STATUS_USAGE);
    disconnect();
}

TEST(a_broker_that_closed_is_heard_first)
{
    const struct message refused = {.type = CORDON_MSG_FAILED,
                                    .u.failed = {CORDON_E_QUOTA, "too many", "wait", 125}};
    struct cordon_error error;

    connect_pair();
    answer(0, &refused);
    (void)close(broker_fd);
    broker_fd = -1;
    CHECK(cordon_kill(cordon, "12", SIGTERM, &error) == CORDON_STATUS_SETUP);
    CHECK_STR(error.text, "too many");
    disconnect();
}

TEST(destructors_take_null)
{
    cordon_job_free(NULL);
    cordon_close(NULL);
    CHECK(1);
}

TEST_MAIN()
