/* SPDX-License-Identifier: Apache-2.0 */
/* What can happen to the supervisor: clients, workers, jobs, timers. See supervisor_model.c. */
#include <signal.h>
#include <string.h>

#include "broker/worker_process.h"
#include "tests/model/supervisor_model.h"

struct bounds bounds = {1, 2};

struct caller *caller_of(unsigned user)
{
    struct caller *caller = model.supervisor.callers;

    while (caller != NULL && caller->key.uid != uid_of(user)) {
        caller = caller->next;
    }
    return caller;
}

static struct caller_session *session_of(const struct caller *caller, unsigned rank)
{
    struct caller_session *session = caller == NULL ? NULL : caller->sessions;

    while (session != NULL && rank-- > 0) {
        session = session->next;
    }
    return session;
}

/* ---- what can happen ---- */

static size_t connections(void)
{
    size_t count = 0;

    for (const struct caller *c = model.supervisor.callers; c != NULL; c = c->next) {
        for (const struct caller_session *s = c->sessions; s != NULL; s = s->next) {
            count++;
        }
    }
    return count;
}

static bool do_connect(unsigned user, unsigned unused)
{
    struct platform_peer peer = {.uid = uid_of(user), .gid = 1, .pidfd = -1};

    (void)unused;
    if (user >= bounds.users || connections() == bounds.live) {
        return false;
    }
    caller_connect(&model.supervisor, world_fd_sure(), &peer);
    return true;
}

static bool do_lookup(unsigned user, unsigned fails)
{
    struct lookup *lookup = &model.lookups[user];
    struct cordon_fault fault = {.err = CORDON_OK};

    if (lookup->fn == NULL) {
        return false;
    }
    if (fails != 0) {
        (void)fault_set(&fault, CORDON_E_NOT_FOUND, NULL, "no such user");
    }
    lookup->fn(lookup->context, fault.err, "", 0, &fault);
    return true;
}

/* A packet of the worker's. False: it is not there. */
static bool deliver(struct caller *caller, const struct ipc_message *message, size_t fds)
{
    struct ipc_packet packet;

    memset(&packet, 0, sizeof(packet));
    packet.message = *message;
    packet.message.magic = IPC_MAGIC;
    while (packet.fd_count < fds) {
        packet.fds[packet.fd_count++] = world_fd_sure();
    }
    caller->channel.config.on_packet(caller, &packet);
    for (size_t i = 0; i < packet.fd_count; i++) {
        host_close(packet.fds[i]);
    }
    return true;
}

static bool has_worker(const struct caller *caller)
{
    return caller != NULL && caller->channel.fd >= 0;
}

static size_t trees(void)
{
    return trees_of(uid_of(0)) + trees_of(uid_of(1));
}

enum odd { ODD_NONE, ODD_STALE, ODD_SHORT, ODD_TEXTS, ODD_NO_SESSION, ODD_COUNT };

static bool order(unsigned user, unsigned rank, enum odd odd)
{
    struct caller *caller = caller_of(user);
    const struct caller_session *session = session_of(caller, rank);
    struct ipc_message message = {.type = IPC_SPAWN};
    struct order *order = NULL;

    if (!has_worker(caller) || session == NULL || trees() == bounds.live) {
        return false;
    }
    for (size_t i = 0; i < ORDERS && order == NULL; i++) {
        order = model.orders[i].used ? NULL : &model.orders[i];
    }
    message.session = odd == ODD_NO_SESSION ? 77 : session->id;
    message.request = ++model.last_request;
    message.u.spawn.generation = odd == ODD_STALE ? 0 : model.supervisor.managed.generation;
    message.u.spawn.has_texts = odd == ODD_TEXTS;
    *order = (struct order){.used = true,
                            .uid = caller->key.uid,
                            .session = message.session,
                            .request = message.request};
    (void)deliver(caller, &message, odd == ODD_SHORT ? 1 : IPC_SPAWN_GRANTS + (odd == ODD_TEXTS));
    /* Only a worker that could not be written to has no answer; it is killed for it. */
    if (order->answers == 0 && !model.child_killed[child_slot(caller->worker.pidfd)]) {
        explore_wrong("an order is not answered");
    }
    order->used = order->used && order->answers > 0;
    return true;
}

static bool do_order(unsigned user, unsigned rank)
{
    return order(user, rank, ODD_NONE);
}

static bool do_odd_order(unsigned user, unsigned odd)
{
    return order(user, 0, (enum odd)(ODD_STALE + odd));
}

/*
 * What a worker may say of any job, also of another's, and of a connection: also of one that it was
 * not given yet, whose number it can guess.
 */
static bool do_signal(unsigned user, unsigned n)
{
    struct caller *caller = caller_of(user);
    struct ipc_message message = {.type = IPC_SIGNAL, .u.signo = SIGKILL};
    struct platform_job *job = &model.jobs[n];
    const bool killed = job->killed;

    if (!has_worker(caller) || job->stage == STAGE_FREE) {
        return false;
    }
    message.job = job->job;
    (void)deliver(caller, &message, 0);
    if (job->killed != (killed || job->uid == caller->key.uid)) {
        explore_wrong("user %u's signal for user %u's job", caller->key.uid, job->uid);
    }
    return true;
}

/* What he may ask for, from any of his connections: of another's job nothing comes. */
static bool do_query(unsigned user, unsigned n)
{
    struct caller *caller = caller_of(user);
    const struct caller_session *session = session_of(caller, 0);
    struct ipc_message message = {.type = IPC_QUERY,
                                  .u.query = {.kind = IPC_QUERY_KILL, .signo = SIGKILL}};
    struct platform_job *job = &model.jobs[n];
    const bool killed = job->killed;
    bool may;

    if (!has_worker(caller) || session == NULL || job->stage == STAGE_FREE) {
        return false;
    }
    may = session->delivered && job->uid == caller->key.uid;
    message.session = session->id;
    message.job = job->job;
    (void)deliver(caller, &message, 0);
    if (job->killed != (killed || may)) {
        explore_wrong("user %u's kill of user %u's job", caller->key.uid, job->uid);
    }
    message.u.query.kind = IPC_QUERY_JOBS;
    return has_worker(caller) ? deliver(caller, &message, 0) : true;
}

static bool do_session_end(unsigned user, unsigned rank)
{
    struct caller *caller = caller_of(user);
    const struct caller_session *session = session_of(caller, rank);
    struct ipc_message message = {.type = IPC_SESSION_END};

    if (!has_worker(caller) || session == NULL) {
        return false;
    }
    message.session = session->id;
    return deliver(caller, &message, 0);
}

static bool do_ask(unsigned user, unsigned rank)
{
    struct caller *caller = caller_of(user);
    const struct caller_session *session = session_of(caller, rank);
    struct ipc_message message = {.type = IPC_ASK, .u.ask.wait = 1};

    if (!has_worker(caller) || session == NULL || caller->wait_count > 0) {
        return false;
    }
    message.session = session->id;
    return deliver(caller, &message, 0);
}

static bool do_nonsense(unsigned user, unsigned unused)
{
    struct caller *caller = caller_of(user);
    struct ipc_message message = {.type = 99};

    (void)unused;
    return has_worker(caller) && deliver(caller, &message, 0);
}

static bool do_channel_closed(unsigned user, unsigned broken)
{
    struct caller *caller = caller_of(user);

    if (!has_worker(caller)) {
        return false;
    }
    caller->channel.config.on_closed(caller, broken != 0 ? CORDON_E_PROTO : CORDON_E_CLOSED);
    return true;
}

static bool do_worker_ends(unsigned user, unsigned unused)
{
    struct caller *caller = caller_of(user);
    struct loop_source *source;

    (void)unused;
    if (!has_worker(caller)) {
        return false;
    }
    child_remember(caller->worker.pidfd);
    model.child_ended[child_slot(caller->worker.pidfd)] = true;
    source = world_source(caller->worker.pidfd);
    if (source == NULL) {
        explore_wrong("nobody would notice the end of a worker");
    }
    world_fire(source);
    return true;
}

static bool is_worker(unsigned user, int pidfd)
{
    const struct caller *caller = caller_of(user);

    return caller != NULL && caller->worker.pidfd == pidfd;
}

/* One that was killed before, and took its time. */
static bool do_remains(unsigned unused, unsigned also_unused)
{
    struct remains *remains = model.supervisor.remains;

    (void)unused;
    (void)also_unused;
    if (remains == NULL) {
        return false;
    }
    for (size_t i = 0; i < CHILDREN; i++) {
        if (world_is_open(model.child[i]) && !is_worker(0, model.child[i]) &&
            !is_worker(1, model.child[i])) {
            model.child_ended[i] = true;
            world_fire(world_source(model.child[i]));
            return true;
        }
    }
    explore_wrong("a worker that was killed is not waited for");
}

static bool do_job(unsigned n, unsigned step)
{
    static const enum stage stages[] = {STAGE_RUNNING, STAGE_OVER, STAGE_ENDED};
    struct platform_job *job = &model.jobs[n];
    struct loop_source *source = job->stage == STAGE_FREE ? NULL : world_source(job->fd);

    if (source == NULL || job->stage >= stages[step]) {
        return false;
    }
    job->stage = stages[step];
    world_fire(source);
    return true;
}

static bool do_timer(unsigned n, unsigned unused)
{
    struct loop_source *timer = world_timer(n);

    (void)unused;
    if (timer == NULL) {
        return false;
    }
    world_fire(timer);
    return true;
}

static bool do_hang_up(unsigned user, unsigned rank)
{
    const struct caller_session *session = session_of(caller_of(user), rank);

    if (session == NULL || model_hung_up(session->fd)) {
        return false;
    }
    model.hung_up[model.hung_up[0] > 0 && world_is_open(model.hung_up[0])] = session->fd;
    return true;
}

const struct explore_action model_actions[] = {
    {"connection of user %u", do_connect, USERS, 1},
    {"the user database answers for user %u, or (%u) fails", do_lookup, USERS, 2},
    {"order of user %u, connection %u", do_order, USERS, LIVE_MAX},
    {"odd order of user %u: %u", do_odd_order, USERS, ODD_COUNT - 1},
    {"user %u kills job %u", do_signal, USERS, LIVE_MAX},
    {"user %u asks for the end of job %u", do_query, USERS, LIVE_MAX},
    {"user %u's connection %u ends", do_session_end, USERS, LIVE_MAX},
    {"user %u's connection %u waits for denials", do_ask, USERS, LIVE_MAX},
    {"nonsense of user %u's worker", do_nonsense, USERS, 1},
    {"the channel of user %u's worker is closed, or (%u) broken", do_channel_closed, USERS, 2},
    {"user %u's worker ends", do_worker_ends, USERS, 1},
    {"a killed worker ends", do_remains, 1, 1},
    {"job %u runs, or (%u): is over, has ended", do_job, LIVE_MAX, 3},
    {"timer %u is up", do_timer, LIVE_MAX + USERS, 1},
    {"user %u's client %u hangs up", do_hang_up, USERS, LIVE_MAX},
};
const size_t model_action_count = sizeof(model_actions) / sizeof(model_actions[0]);
