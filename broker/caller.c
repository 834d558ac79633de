/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/caller.h"

#include <stdlib.h>
#include <string.h>

#include "broker/feed.h"
#include "broker/job.h"
#include "broker/lookup.h"
#include "broker/refuse.h"
#include "broker/worker_process.h"
#include "platform/siblings.h"

#define IDLE_MS 60000U
#define LOOKUP_FRESH_MS 60000U
#define USER_ARENA_MAX ((size_t)4U * HOST_USER_BYTES_MAX)

static void session_free(struct caller_session *session)
{
    host_end_foreign(session->fd);
    peer_deinit(&session->peer);
    quota_release(&session->charge);
    free(session);
}

/* Frees session @id, or with 0 all. */
static void sessions_drop(struct caller *caller, uint32_t id)
{
    struct caller_session **link = &caller->sessions;

    while (*link != NULL) {
        struct caller_session *session = *link;

        if (id != 0 && session->id != id) {
            link = &session->next;
            continue;
        }
        *link = session->next;
        channel_forget(&caller->channel, session->id);
        session_free(session);
    }
    feed_forget(caller, id);
}

/* Tells those who still wait for a worker why they get none. */
static void sessions_refuse(struct caller *caller, const struct cordon_fault *fault)
{
    struct caller_session **link = &caller->sessions;

    while (*link != NULL) {
        struct caller_session *session = *link;

        if (session->delivered) {
            link = &session->next;
            continue;
        }
        *link = session->next;
        audit_failure(&caller->supervisor->audit, "connection refused", fault);
        refuse_connection(session->fd, fault);
        session->fd = -1;
        session_free(session);
    }
}

struct caller_session *caller_find_session(struct caller *caller, uint32_t id)
{
    struct caller_session *session = caller->sessions;

    while (session != NULL && session->id != id) {
        session = session->next;
    }
    return session != NULL && session->delivered ? session : NULL;
}

void caller_free(struct caller *caller)
{
    struct caller **link = &caller->supervisor->callers;

    while (*link != caller) {
        link = &(*link)->next;
    }
    *link = caller->next;
    jobs_free(caller);
    worker_stop(caller);
    sessions_drop(caller, 0);
    lookup_free(caller->lookup);
    loop_source_free(caller->idle);
    managed_rules_deinit(&caller->rules);
    arena_deinit(&caller->user_arena);
    peer_deinit(&caller->key);
    free(caller);
}

static void on_idle(void *context, unsigned events)
{
    (void)events;
    caller_free(context);
}

void caller_check_idle(struct caller *caller)
{
    struct supervisor *supervisor = caller->supervisor;

    if (caller->sessions == NULL && caller->jobs == NULL && caller->idle == NULL) {
        /* Without memory for the timer the worker just stays. */
        (void)!loop_after(supervisor->loop, IDLE_MS, on_idle, caller, &caller->idle);
    }
    supervisor_check_done(supervisor);
}

void caller_worker_gone(struct caller *caller)
{
    struct cordon_fault fault;

    (void)fault_set(&fault, CORDON_E_CLOSED, "try again", "the session's worker ended early");
    worker_stop(caller);
    jobs_doom(caller, 0);
    sessions_refuse(caller, &fault);
    sessions_drop(caller, 0);
    caller_check_idle(caller);
}

void caller_send(struct caller *caller, const struct ipc_message *message)
{
    if (caller->channel.fd < 0) {
        return;
    }
    if (channel_send(&caller->channel, message, NULL, 0) != CORDON_OK) {
        /* From within its own callbacks: the end shows on the channel's next event. */
        worker_kill(caller);
    }
}

void caller_tell(struct caller *caller)
{
    struct supervisor *supervisor = caller->supervisor;
    const struct managed *managed = &supervisor->managed;
    struct cordon_fault fault = {.err = CORDON_OK};
    struct ipc_message message;
    enum cordon_err err;
    int fd = -1;

    if (caller->channel.fd < 0 || !caller->known ||
        (caller->told && caller->told_generation == managed->generation &&
         (managed->generation > 0 || caller->told_signature == managed->signature))) {
        return;
    }
    memset(&message, 0, sizeof(message));
    message.type = IPC_MANAGED;
    err = managed_memfd(managed, &caller->user, &fd, &fault);
    if (err == CORDON_OK) {
        err = channel_send(&caller->channel, &message, &fd, 1);
    }
    if (err != CORDON_OK) {
        worker_kill(caller);
        return;
    }
    caller->told = true;
    caller->told_generation = managed->generation;
    caller->told_signature = managed->signature;
}

/* While a new worker makes its first plan. */
static void expect(struct supervisor *supervisor)
{
    supervisor->platform->expect(supervisor->options->embedded);
    tend_soon(supervisor);
}

/* Hands waiting connections to the worker once both are ready. */
static void deliver(struct caller *caller)
{
    const bool is_new = !caller->told;

    supervisor_refresh(caller->supervisor, false);
    caller_tell(caller);
    for (struct caller_session *session = caller->sessions; session != NULL;
         session = session->next) {
        struct ipc_message message;
        int fd;

        if (session->delivered) {
            continue;
        }
        fd = host_dup(session->fd);
        memset(&message, 0, sizeof(message));
        message.type = IPC_SESSION;
        message.session = session->id;
        session->delivered = true;
        if (fd < 0 || channel_send(&caller->channel, &message, &fd, 1) != CORDON_OK) {
            worker_kill(caller);
            return;
        }
    }
    if (is_new) {
        expect(caller->supervisor);
    }
}

static enum cordon_err user_take(struct caller *caller, const char *text, size_t len)
{
    struct host_user user;
    struct arena arena;
    enum cordon_err err;

    arena_init(&arena, USER_ARENA_MAX);
    err = host_user_parse(text, len, &arena, &user);
    if (err != CORDON_OK) {
        arena_deinit(&arena);
        return err;
    }
    managed_rules_deinit(&caller->rules);
    arena_deinit(&caller->user_arena);
    caller->user_arena = arena;
    caller->user = user;
    caller->known = true;
    caller->known_ms = host_now_ms();
    caller->told = false;
    return CORDON_OK;
}

static void on_lookup(void *context, enum cordon_err err, const char *text, size_t len,
                      const struct cordon_fault *fault)
{
    struct caller *caller = context;
    struct cordon_fault broken;

    if (err == CORDON_OK && user_take(caller, text, len) != CORDON_OK) {
        err = fault_set(&broken, CORDON_E_INVALID, NULL, "user database: malformed answer");
        fault = &broken;
    }
    if (err != CORDON_OK) {
        sessions_refuse(caller, fault);
    }
    lookup_free(caller->lookup);
    caller->lookup = NULL;
    if (err != CORDON_OK) {
        caller_check_idle(caller);
    } else {
        deliver(caller);
    }
}

/* If that is due; who has to ask takes as long as a worker's start, so it comes first. */
static enum cordon_err look_up(struct caller *caller)
{
    struct supervisor *supervisor = caller->supervisor;
    char *helper = supervisor->helper_path;
    struct cordon_fault ignored;
    struct strbuf text = STRBUF_INIT;
    bool known;

    if (caller->lookup != NULL ||
        (caller->known && host_now_ms() - caller->known_ms < LOOKUP_FRESH_MS)) {
        return CORDON_OK;
    }
    known =
        lookup_at_once(&caller->key, &text) && user_take(caller, text.data, text.len) == CORDON_OK;
    strbuf_deinit(&text);
    if (known) {
        return CORDON_OK;
    }
    if (helper[0] == '\0' && sibling_path(supervisor->options->helper, helper, SUPERVISOR_PATH_MAX,
                                          &ignored) != CORDON_OK) {
        return CORDON_E_NOT_FOUND;
    }
    return lookup_new(supervisor->loop, helper, &caller->key, on_lookup, caller, &caller->lookup);
}

static enum cordon_err caller_get(struct supervisor *supervisor, const struct platform_peer *peer,
                                  struct caller **ret_caller)
{
    struct caller *caller = supervisor->callers;

    while (caller != NULL && !peer_same_key(&caller->key, peer)) {
        caller = caller->next;
    }
    if (caller == NULL) {
        caller = calloc(1, sizeof(*caller));
        if (caller == NULL || peer_copy_key(peer, &caller->key) != CORDON_OK) {
            free(caller);
            return CORDON_E_NOMEM;
        }
        caller->supervisor = supervisor;
        caller->worker.pidfd = -1;
        caller->channel.fd = -1;
        caller->next = supervisor->callers;
        supervisor->callers = caller;
    }
    *ret_caller = caller;
    return CORDON_OK;
}

static struct caller_session *session_add(struct caller *caller, int fd, struct platform_peer *peer,
                                          const struct quota_charge *charge)
{
    struct caller_session *session = calloc(1, sizeof(*session));

    if (session != NULL) {
        session->fd = fd;
        session->peer = *peer;
        memset(peer, 0, sizeof(*peer));
        peer->pidfd = -1;
        session->charge = *charge;
        session->id = ++caller->supervisor->last_session;
        session->next = caller->sessions;
        caller->sessions = session;
        loop_source_free(caller->idle);
        caller->idle = NULL;
    }
    return session;
}

static void refuse(struct supervisor *supervisor, int fd, const struct platform_peer *peer,
                   const struct cordon_fault *fault)
{
    const struct audit_event event = {.kind = AUDIT_REFUSED,
                                      .uid = peer->uid,
                                      .pid = peer->pid,
                                      .generation = supervisor->managed.generation,
                                      .fault = fault};
    const uint64_t now = host_now_ms();

    if (fault->err != CORDON_E_QUOTA || now >= supervisor->quiet_until_ms) {
        supervisor->quiet_until_ms = now + 1000;
        audit_record(&supervisor->audit, &event);
    }
    refuse_connection(fd, fault);
}

/* A session whose client has left is over, even if its worker never says so. */
static void forget_gone(struct supervisor *supervisor, uint32_t uid)
{
    for (struct caller *caller = supervisor->callers; caller != NULL; caller = caller->next) {
        struct caller_session *session = caller->key.uid == uid ? caller->sessions : NULL;

        while (session != NULL) {
            struct caller_session *next = session->next;

            if (host_hung_up(session->fd)) {
                caller_session_ended(caller, session->id);
            }
            session = next;
        }
    }
}

static enum cordon_err charge_session(struct supervisor *supervisor, uint32_t uid,
                                      struct quota_charge *ret_charge, struct cordon_fault *fault)
{
    enum cordon_err err = quota_charge(&supervisor->quota, uid, QUOTA_SESSIONS, ret_charge, fault);

    if (err == CORDON_E_QUOTA) {
        forget_gone(supervisor, uid);
        err = quota_charge(&supervisor->quota, uid, QUOTA_SESSIONS, ret_charge, fault);
    }
    return err;
}

static void serve(struct caller *caller)
{
    struct cordon_fault fault = {.err = CORDON_OK};
    enum cordon_err err =
        look_up(caller) == CORDON_OK
            ? worker_start(caller, &fault)
            : fault_set(&fault, CORDON_E_OS, NULL, "the user database cannot be asked");

    if (err != CORDON_OK) {
        sessions_refuse(caller, &fault);
        caller_check_idle(caller);
    } else if (caller->lookup == NULL) {
        deliver(caller);
    }
}

void caller_connect(struct supervisor *supervisor, int fd, struct platform_peer *peer)
{
    struct cordon_fault fault = {.err = CORDON_OK};
    struct quota_charge charge = {NULL, NULL, QUOTA_SESSIONS};
    struct caller *caller = NULL;
    enum cordon_err err;

    err = charge_session(supervisor, peer->uid, &charge, &fault);
    if (err == CORDON_OK && (caller_get(supervisor, peer, &caller) != CORDON_OK ||
                             session_add(caller, fd, peer, &charge) == NULL)) {
        err = fault_set(&fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    if (err != CORDON_OK || caller == NULL) {
        quota_release(&charge);
        if (caller != NULL) {
            caller_check_idle(caller);
        }
        refuse(supervisor, fd, peer, &fault);
        peer_deinit(peer);
        return;
    }
    serve(caller);
}

void caller_session_ended(struct caller *caller, uint32_t id)
{
    if (caller_find_session(caller, id) == NULL) {
        return;
    }
    jobs_doom(caller, id);
    sessions_drop(caller, id);
    tend_gone(caller->supervisor);
    caller_check_idle(caller);
}
