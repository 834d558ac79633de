/* SPDX-License-Identifier: Apache-2.0 */
#include <stdbool.h>
#include <stdint.h>

#include "broker/request.h"
#include "proto/codec.h"
#include "tests/support/check.h"

/* A session's owner that only counts; descriptors are numbers here. */
static struct {
    struct session session;
    int spawned, signalled, planned, closed;
    enum cordon_err answer;
    struct arena kept;
} fake;

static enum cordon_err fake_spawn(void *context, const struct session_request *request,
                                  struct cordon_fault *fault)
{
    (void)context;
    fake.spawned++;
    if (fake.answer != CORDON_OK) {
        return fault_set(fault, fake.answer, NULL, "as told");
    }
    for (size_t i = 0; i < request->in->fd_count; i++) {
        request->in->fds[i] = -1;
    }
    arena_deinit(&fake.kept);
    fake.kept = *request->arena;
    arena_init(request->arena, 0);
    return CORDON_OK;
}

static enum cordon_err fake_signal(void *context, const struct msg_signal *signal,
                                   struct cordon_fault *fault)
{
    (void)context;
    (void)signal;
    fake.signalled++;
    return fault_set(fault, CORDON_E_NOT_FOUND, NULL, "no such job");
}

static enum cordon_err fake_plan(void *context, const struct session_request *request,
                                 struct strbuf *out, struct cordon_fault *fault)
{
    (void)context;
    (void)request;
    (void)fault;
    fake.planned++;
    strbuf_puts(out, "the plan");
    return CORDON_OK;
}

static enum cordon_err fake_query(void *context, const struct session_request *request,
                                  struct cordon_fault *fault)
{
    const struct msg_status_text text = {.text = "{}", .failed = true};

    (void)context;
    if (fake.answer != CORDON_OK) {
        return fault_set(fault, fake.answer, NULL, "as told");
    }
    session_report(&fake.session, request->in->id, &text);
    return CORDON_OK;
}

static enum cordon_err fake_violations(void *context, uint32_t id, bool follow,
                                       struct cordon_fault *fault)
{
    const struct msg_violation violation = {.operation = "open", .path = "/k"};
    const struct msg_violations_told told = {.missed = 2, .last = !follow};

    (void)context;
    if (fake.answer != CORDON_OK) {
        return fault_set(fault, fake.answer, NULL, "as told");
    }
    session_violation(&fake.session, id, &violation);
    session_told(&fake.session, id, &told);
    return CORDON_OK;
}

static void fake_close(void *context, int fd)
{
    (void)context;
    (void)fd;
    fake.closed++;
}

static void begin(void)
{
    static const struct session_owner owner = {.spawn = fake_spawn,
                                               .signal = fake_signal,
                                               .plan = fake_plan,
                                               .query = fake_query,
                                               .violations = fake_violations,
                                               .close_fd = fake_close,
                                               .mode = MSG_BROKER_SERVICE,
                                               .version = "1"};

    session_deinit(&fake.session);
    arena_deinit(&fake.kept);
    memset(&fake, 0, sizeof(fake));
    arena_init(&fake.kept, 0);
    session_init(&fake.session, &owner);
}

static void feed(const void *data, size_t len, size_t fd_count)
{
    static const int fds[] = {100, 101, 102, 103, 104};
    const struct stream_chunk chunk = {.data = data, .len = len, .fds = fds, .fd_count = fd_count};

    session_feed(&fake.session, &chunk);
}

static void encode(const struct message *message, uint32_t id, struct strbuf *out)
{
    unsigned char bytes[FRAME_HEADER_SIZE];
    struct strbuf body = STRBUF_INIT;

    CHECK(msg_encode(message, &body, NULL) == CORDON_OK);
    frame_header_encode(&(struct frame_header){message->type, id, (uint32_t)body.len}, bytes);
    strbuf_add(out, (const char *)bytes, sizeof(bytes));
    if (body.len > 0) {
        strbuf_add(out, body.data, body.len);
    }
    strbuf_deinit(&body);
}

static void request(const struct message *message, uint32_t id, size_t fd_count)
{
    struct strbuf out = STRBUF_INIT;

    encode(message, id, &out);
    feed(out.data, out.len, fd_count);
    strbuf_deinit(&out);
}

static const struct message hello = {.type = CORDON_MSG_HELLO, .u.hello = {1, 1, "test"}};
static const struct message bye = {.type = CORDON_MSG_BYE};

static struct message spawn_message(void)
{
    static char name[] = "true";
    static char *const argv[] = {name, NULL};

    return (struct message){.type = CORDON_MSG_SPAWN, .u.spawn.argv = {argv, 1}};
}

/* The next frame that the session wants written; its type, or 0. */
static uint32_t reply(struct message *ret_message)
{
    static struct arena arena;
    struct stream_pending pending;
    struct strbuf bytes = STRBUF_INIT;
    struct frame_header header;
    struct message ignored;

    if (!session_pending(&fake.session, &pending)) {
        return 0;
    }
    while (bytes.len < FRAME_HEADER_SIZE ||
           bytes.len < FRAME_HEADER_SIZE + (size_t)bytes.data[12] + (size_t)bytes.data[13] * 256) {
        CHECK(session_pending(&fake.session, &pending));
        strbuf_add(&bytes, pending.data, 1);
        session_sent(&fake.session, 1);
    }
    CHECK(frame_header_decode((const unsigned char *)bytes.data, FRAME_TO_CLIENT, &header, NULL) ==
          CORDON_OK);
    arena_deinit(&arena);
    arena_init(&arena, MSG_ARENA_MAX);
    CHECK(msg_decode(header.type, bytes.data + FRAME_HEADER_SIZE, header.length, &arena,
                     ret_message == NULL ? &ignored : ret_message, NULL) == CORDON_OK);
    strbuf_deinit(&bytes);
    return header.type;
}

TEST(hello_is_welcomed_once)
{
    begin();
    request(&hello, 1, 0);
    CHECK(reply(NULL) == CORDON_MSG_WELCOME);
    CHECK(fake.session.state == SESSION_READY);
    request(&hello, 2, 0);
    CHECK(reply(NULL) == CORDON_MSG_FAILED);
    CHECK(session_finished(&fake.session));
}

TEST(nothing_but_hello_and_bye_is_heard_before_hello)
{
    static const enum cordon_msg_type types[] = {CORDON_MSG_SPAWN, CORDON_MSG_SIGNAL,
                                                 CORDON_MSG_PLAN, CORDON_MSG_STATUS};

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        unsigned char bytes[FRAME_HEADER_SIZE];
        struct message failed;

        begin();
        frame_header_encode(&(struct frame_header){types[i], 1, 0}, bytes);
        feed(bytes, sizeof(bytes), 0);
        CHECK(reply(&failed) == CORDON_MSG_FAILED);
        CHECK(failed.u.failed.err == CORDON_E_STATE && fake.spawned == 0);
        CHECK(session_finished(&fake.session));
    }
}

TEST(every_request_of_the_wire_has_a_row_and_no_reply_has)
{
    const struct frame_rule *frame;

    for (size_t i = 0; (frame = frame_rule_at(i)) != NULL; i++) {
        const struct request_rule *rule = request_find(frame->type);

        CHECK((rule != NULL) == (frame->direction == FRAME_TO_BROKER));
        CHECK(rule == NULL || (rule->body_max <= frame->body_max && rule->states != 0 &&
                               (rule->states & STATE_BIT(SESSION_CLOSING)) == 0));
    }
}

TEST(another_protocol_version_is_refused_with_the_remedy)
{
    const struct message newer = {.type = CORDON_MSG_HELLO, .u.hello = {2, 9, "x"}};
    struct message failed;

    begin();
    request(&newer, 1, 0);
    CHECK(reply(&failed) == CORDON_MSG_FAILED);
    CHECK(failed.u.failed.err == CORDON_E_UNSUPPORTED && failed.u.failed.remedy != NULL);
    CHECK(session_finished(&fake.session));
}

TEST(a_job_is_started_and_ends)
{
    struct message message = spawn_message();
    const struct msg_started started = {.job = "7"};
    const struct msg_exited exited = {.job = "7", .kind = MSG_EXIT_EXITED, .code = 3};

    begin();
    request(&hello, 1, 0);
    CHECK(reply(NULL) == CORDON_MSG_WELCOME);
    request(&message, 2, 4);
    CHECK(fake.spawned == 1 && fake.session.jobs == 1 && reply(NULL) == 0);
    session_job_started(&fake.session, 2, &started, -1);
    CHECK(reply(NULL) == CORDON_MSG_STARTED);
    session_job_exited(&fake.session, 2, &exited);
    CHECK(reply(&message) == CORDON_MSG_EXITED);
    CHECK(message.u.exited.code == 3 && fake.session.jobs == 0 && fake.closed == 0);
}

TEST(a_refused_job_costs_nothing_and_keeps_the_connection)
{
    const struct message message = spawn_message();
    struct message failed;

    begin();
    request(&hello, 1, 0);
    (void)reply(NULL);
    fake.answer = CORDON_E_DENIED;
    request(&message, 2, 4);
    CHECK(reply(&failed) == CORDON_MSG_FAILED);
    CHECK(failed.u.failed.err == CORDON_E_DENIED && failed.u.failed.exit_status == STATUS_SETUP);
    CHECK(fake.session.jobs == 0 && fake.closed == 4 && fake.session.state == SESSION_READY);
}

TEST(jobs_of_a_connection_are_limited_before_decoding)
{
    unsigned char bytes[FRAME_HEADER_SIZE];
    struct message failed;

    begin();
    request(&hello, 1, 0);
    (void)reply(NULL);
    fake.session.jobs = SESSION_JOBS_MAX;
    /* A body of nothing would not decode; it is not looked at. */
    frame_header_encode(&(struct frame_header){CORDON_MSG_SPAWN, 2, 0}, bytes);
    feed(bytes, sizeof(bytes), 0);
    CHECK(reply(&failed) == CORDON_MSG_FAILED);
    CHECK(failed.u.failed.err == CORDON_E_QUOTA && fake.spawned == 0);
}

TEST(a_job_without_its_descriptors_ends_the_connection)
{
    const struct message message = spawn_message();

    begin();
    request(&hello, 1, 0);
    (void)reply(NULL);
    request(&message, 2, 3);
    CHECK(reply(NULL) == CORDON_MSG_FAILED);
    CHECK(fake.spawned == 0 && fake.session.jobs == 0 && fake.closed == 3);
    CHECK(session_finished(&fake.session));
}

TEST(other_requests_are_answered)
{
    const struct message status = {.type = CORDON_MSG_STATUS};
    const struct message plan = {.type = CORDON_MSG_PLAN};
    const struct message signal = {.type = CORDON_MSG_SIGNAL, .u.signal = {"7", 15}};
    const struct message violations = {.type = CORDON_MSG_VIOLATIONS};

    begin();
    request(&hello, 1, 0);
    (void)reply(NULL);
    request(&status, 2, 0);
    CHECK(reply(NULL) == CORDON_MSG_STATUS_TEXT);
    request(&plan, 3, 1);
    CHECK(reply(NULL) == CORDON_MSG_PLAN_TEXT);
    CHECK(fake.planned == 1 && fake.closed == 1);
    request(&signal, 4, 0);
    CHECK(reply(NULL) == CORDON_MSG_FAILED);
    CHECK(fake.signalled == 1 && fake.session.state == SESSION_READY);
    request(&violations, 5, 0);
    CHECK(reply(NULL) == CORDON_MSG_VIOLATION && reply(NULL) == CORDON_MSG_VIOLATIONS_TOLD);
    fake.answer = CORDON_E_QUOTA;
    request(&violations, 6, 0);
    CHECK(reply(NULL) == CORDON_MSG_FAILED && fake.session.state == SESSION_READY);
    request(&bye, 7, 0);
    CHECK(session_finished(&fake.session));
}

TEST(what_is_only_asked_is_answered_or_fails_with_one_and_keeps_the_connection)
{
    const struct message questions[] = {
        {.type = CORDON_MSG_STATUS, .u.status = {MSG_REPORT_JOBS, true}},
        {.type = CORDON_MSG_KILL, .u.kill = {"7", 15}},
        {.type = CORDON_MSG_RELOAD},
    };

    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        const struct cordon_fault fault = {.err = CORDON_E_NOT_FOUND, .text = "there is none"};
        struct message got;

        begin();
        request(&hello, 1, 0);
        (void)reply(NULL);
        request(&questions[i], 2, 0);
        CHECK(reply(&got) == CORDON_MSG_STATUS_TEXT);
        CHECK_STR(got.u.status_text.text, "{}");
        CHECK(got.u.status_text.failed);
        fake.answer = CORDON_E_QUOTA;
        request(&questions[i], 3, 0);
        CHECK(reply(&got) == CORDON_MSG_FAILED && got.u.failed.exit_status == STATUS_FAILED);
        session_refused(&fake.session, 4, &fault);
        CHECK(reply(&got) == CORDON_MSG_FAILED && got.u.failed.exit_status == STATUS_FAILED);
        CHECK(got.u.failed.err == CORDON_E_NOT_FOUND);
        CHECK(fake.session.state == SESSION_READY);
    }
}

TEST(id02_any_split_of_the_bytes_gives_the_same_session)
{
    const struct message message = spawn_message();
    struct strbuf all = STRBUF_INIT;

    size_t first;

    encode(&hello, 1, &all);
    first = all.len;
    encode(&message, 2, &all);
    for (size_t split = 1; split < all.len; split++) {
        begin();
        feed(all.data, split, split > first ? 4 : 0);
        feed(all.data + split, all.len - split, split > first ? 0 : 4);
        CHECK(fake.spawned == 1 && fake.closed == 0);
        begin();
        feed(all.data, split, split > first ? 4 : 0);
        CHECK(fake.spawned == 0 && fake.session.jobs == 0);
        session_deinit(&fake.session);
        CHECK(fake.closed == (split > first ? 4 : 0));
    }
    strbuf_deinit(&all);
}

TEST(id11_garbage_is_refused_and_nothing_more_is_read)
{
    static const unsigned char garbage[64] = {'G', 'E', 'T', ' ', '/'};
    struct message failed;

    begin();
    feed(garbage, sizeof(garbage), 2);
    CHECK(reply(&failed) == CORDON_MSG_FAILED);
    CHECK(failed.u.failed.err == CORDON_E_PROTO && fake.closed == 2);
    CHECK(session_finished(&fake.session));
    request(&hello, 1, 0);
    CHECK(reply(NULL) == 0 || fake.session.state == SESSION_CLOSING);
    begin();
}

TEST_MAIN()
