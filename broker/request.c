/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/request.h"

#include <string.h>

#include "proto/codec.h"

#define KIB 1024U

static enum cordon_err reply(struct session *session, uint32_t id, const struct message *message,
                             struct cordon_fault *fault)
{
    return stream_send(&session->stream, id, message, NULL, fault);
}

static enum cordon_err hello_run(struct session *session, const struct session_request *request,
                                 struct cordon_fault *fault)
{
    const struct msg_hello *hello = &request->in->message.u.hello;
    const struct message welcome = {.type = CORDON_MSG_WELCOME,
                                    .u.welcome = {.protocol = CORDON_PROTOCOL_VERSION,
                                                  .broker_version = session->owner.version,
                                                  .mode = session->owner.mode}};

    if (hello->protocol_min > CORDON_PROTOCOL_VERSION ||
        hello->protocol_max < CORDON_PROTOCOL_VERSION) {
        session->state = SESSION_CLOSING;
        return fault_set(fault, CORDON_E_UNSUPPORTED, "install client and broker of one version",
                         "the client speaks protocol %u to %u, the broker %u", hello->protocol_min,
                         hello->protocol_max, CORDON_PROTOCOL_VERSION);
    }
    session->state = SESSION_READY;
    return reply(session, request->in->id, &welcome, fault);
}

static enum cordon_err spawn_run(struct session *session, const struct session_request *request,
                                 struct cordon_fault *fault)
{
    enum cordon_err err = session->owner.spawn(session->owner.context, request, fault);

    if (err != CORDON_OK) {
        session->jobs--;
    }
    return err;
}

static enum cordon_err signal_run(struct session *session, const struct session_request *request,
                                  struct cordon_fault *fault)
{
    return session->owner.signal(session->owner.context, &request->in->message.u.signal, fault);
}

static enum cordon_err plan_run(struct session *session, const struct session_request *request,
                                struct cordon_fault *fault)
{
    struct strbuf text = STRBUF_INIT;
    struct message message = {.type = CORDON_MSG_PLAN_TEXT};
    enum cordon_err err = session->owner.plan(session->owner.context, request, &text, fault);

    if (err == CORDON_OK) {
        message.u.plan_text.text = strbuf_text(&text);
        err = text.failed ? fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory")
                          : reply(session, request->in->id, &message, fault);
    }
    strbuf_deinit(&text);
    return err;
}

static enum cordon_err query_run(struct session *session, const struct session_request *request,
                                 struct cordon_fault *fault)
{
    return session->owner.query(session->owner.context, request, fault);
}

static enum cordon_err violations_run(struct session *session,
                                      const struct session_request *request,
                                      struct cordon_fault *fault)
{
    return session->owner.violations(session->owner.context, request->in->id,
                                     request->in->message.u.violations.follow, fault);
}

static enum cordon_err bye_run(struct session *session, const struct session_request *request,
                               struct cordon_fault *fault)
{
    (void)request;
    (void)fault;
    session->state = SESSION_CLOSING;
    return CORDON_OK;
}

/* What is not listed here cannot reach a handler. */
static const struct request_rule rules[] = {
    {CORDON_MSG_HELLO, 0, STATE_BIT(SESSION_NEW), KIB, hello_run},
    {CORDON_MSG_SPAWN, REQ_JOB, STATE_BIT(SESSION_READY), FRAME_BODY_MAX, spawn_run},
    {CORDON_MSG_SIGNAL, 0, STATE_BIT(SESSION_READY), KIB, signal_run},
    {CORDON_MSG_PLAN, 0, STATE_BIT(SESSION_READY), KIB *KIB, plan_run},
    {CORDON_MSG_STATUS, REQ_PLAIN, STATE_BIT(SESSION_READY), KIB, query_run},
    {CORDON_MSG_KILL, REQ_PLAIN, STATE_BIT(SESSION_READY), KIB, query_run},
    {CORDON_MSG_RELOAD, REQ_PLAIN, STATE_BIT(SESSION_READY), KIB, query_run},
    {CORDON_MSG_VIOLATIONS, 0, STATE_BIT(SESSION_READY), KIB, violations_run},
    {CORDON_MSG_BYE, 0, STATE_BIT(SESSION_NEW) | STATE_BIT(SESSION_READY), KIB, bye_run},
};

const struct request_rule *request_find(enum cordon_msg_type type)
{
    for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
        if (rules[i].type == type) {
            return &rules[i];
        }
    }
    return NULL;
}

static enum cordon_err admit(struct session *session, const struct request_rule *rule,
                             const struct frame_header *header, struct cordon_fault *fault)
{
    if (rule == NULL) {
        return fault_set(fault, CORDON_E_PROTO, NULL, "unknown request %u", (unsigned)header->type);
    }
    if ((rule->states & STATE_BIT(session->state)) == 0) {
        return fault_set(fault, CORDON_E_STATE, NULL, "%s is not allowed now",
                         frame_type_name(header->type));
    }
    if (header->length > rule->body_max) {
        return fault_set(fault, CORDON_E_LIMIT, NULL, "%s is too long",
                         frame_type_name(header->type));
    }
    /* Before decoding: a peer over its quota must not make us parse. */
    if ((rule->flags & REQ_JOB) != 0) {
        if (session->jobs >= SESSION_JOBS_MAX) {
            return fault_set(fault, CORDON_E_QUOTA, "end some first",
                             "the connection has %u jobs already", SESSION_JOBS_MAX);
        }
        session->jobs++;
    }
    return CORDON_OK;
}

static void close_rest(struct session *session, const struct stream_message *in)
{
    for (size_t i = 0; i < in->fd_count; i++) {
        if (in->fds[i] >= 0) {
            session->owner.close_fd(session->owner.context, in->fds[i]);
        }
    }
}

static void run(struct session *session, const struct request_rule *rule,
                const struct session_request *request)
{
    struct cordon_fault fault = {.err = CORDON_OK};
    const uint32_t id = request->in->id;
    const uint32_t status = (rule->flags & REQ_PLAIN) != 0 ? STATUS_FAILED : STATUS_SETUP;
    enum cordon_err err = rule->run(session, request, &fault);

    if (err != CORDON_OK) {
        const struct message failed = {
            .type = CORDON_MSG_FAILED,
            .u.failed = {
                .err = err, .text = fault.text, .remedy = fault.remedy, .exit_status = status}};

        if (reply(session, id, &failed, NULL) != CORDON_OK) {
            session->state = SESSION_CLOSING;
        }
    }
    close_rest(session, request->in);
}

enum cordon_err request_dispatch(struct session *session, const struct stream_frame *frame,
                                 struct cordon_fault *fault)
{
    const struct request_rule *rule = request_find(frame->header.type);
    struct stream_message in;
    struct arena arena;
    const struct session_request request = {&in, &arena};
    enum cordon_err err = admit(session, rule, &frame->header, fault);

    if (err != CORDON_OK) {
        return err;
    }
    memset(&in, 0, sizeof(in));
    in.id = frame->header.id;
    arena_init(&arena, MSG_ARENA_MAX);
    err = msg_decode(frame->header.type, frame->body, frame->header.length, &arena, &in.message,
                     fault);
    if (err == CORDON_OK) {
        in.fd_count = msg_fd_count(&in.message);
        err = stream_take_fds(&session->stream, in.fd_count, in.fds, fault);
    }
    if (err == CORDON_OK) {
        run(session, rule, &request);
    } else if ((rule->flags & REQ_JOB) != 0) {
        session->jobs--;
    }
    arena_deinit(&arena);
    return err;
}
