/* SPDX-License-Identifier: Apache-2.0 */
/* The back end, the user database, the managed policy and the log of supervisor_model.c. */
#include "tests/model/supervisor_model.h"

#include <signal.h>
#include <string.h>

#include "broker/refuse.h"

struct supervisor_model model;

uint32_t uid_of(unsigned user)
{
    return 1000U + user;
}

/* ---- the back end ---- */

static struct order *order_find(uint32_t uid, uint32_t request)
{
    for (size_t i = 0; i < ORDERS; i++) {
        if (model.orders[i].used && model.orders[i].uid == uid &&
            model.orders[i].request == request) {
            return &model.orders[i];
        }
    }
    return NULL;
}

size_t trees_of(uint32_t uid)
{
    size_t count = 0;

    for (size_t i = 0; i <= LIVE_MAX; i++) {
        count += model.jobs[i].stage != STAGE_FREE && model.jobs[i].uid == uid;
    }
    return count;
}

static void tree_must_be(const struct platform_job *job, const char *call)
{
    if (job == NULL || job->stage == STAGE_FREE) {
        explore_wrong("%s of a released job", call);
    }
}

static enum cordon_err tree_spawn(const struct platform_spawn *spawn, struct platform_job **ret_job,
                                  struct cordon_fault *fault)
{
    const uint32_t uid = spawn->peer->uid;

    if (quota_held(&model.supervisor.quota, uid, QUOTA_JOBS) <= trees_of(uid)) {
        explore_wrong("a job of user %u is started without a charge", uid);
    }
    if (!caller_of(uid - uid_of(0))->known) {
        explore_wrong("a job is started for user %u, whom nobody has looked up", uid);
    }
    if (explore_fails("spawn")) {
        return fault_set(fault, CORDON_E_OS, NULL, "no process");
    }
    for (size_t i = 0; i <= LIVE_MAX; i++) {
        struct platform_job *job = &model.jobs[i];

        if (job->stage == STAGE_FREE) {
            *job = (struct platform_job){
                .stage = STAGE_SETUP, .uid = uid, .job = spawn->job, .fd = world_fd_sure()};
            *ret_job = job;
            return CORDON_OK;
        }
    }
    explore_wrong("more jobs than were asked for");
}

static int tree_watch_fd(const struct platform_job *job)
{
    tree_must_be(job, "watch_fd");
    return job->fd;
}

static enum cordon_err tree_poll(struct platform_job *job, struct ipc_report *ret_report)
{
    tree_must_be(job, "poll");
    if (job->final) {
        explore_wrong("a job is asked for its end twice");
    }
    if (job->stage == STAGE_SETUP) {
        return CORDON_E_AGAIN;
    }
    job->final = job->stage == STAGE_ENDED;
    if (job->final && explore_fails("poll")) {
        return CORDON_E_OS;
    }
    memset(ret_report, 0, sizeof(*ret_report));
    ret_report->limit = IPC_NO_LIMIT;
    ret_report->kind = job->stage == STAGE_RUNNING ? IPC_REPORT_RUNNING : IPC_REPORT_EXITED;
    ret_report->more = job->stage == STAGE_OVER ? 1 : 0;
    return CORDON_OK;
}

/* At the broker's end the worst: it provokes them without pause, also while it dies. */
static enum cordon_err tree_violation(struct platform_job *job, struct ipc_violation *ret_violation)
{
    static unsigned flood = 4 * PLATFORM_DENIALS_MAX; /* not in every state: it takes its time */

    tree_must_be(job, "violation");
    if (!model.stopping) {
        return CORDON_E_AGAIN;
    }
    if (!job->killed && !job->final) {
        explore_wrong("at the end denials are taken of a job that nobody killed");
    }
    if (++job->denials > PLATFORM_DENIALS_MAX) {
        explore_wrong("at the end a job that provokes denials is waited for");
    }
    if (flood == 0) {
        return CORDON_E_AGAIN;
    }
    flood--;
    memset(ret_violation, 0, IPC_VIOLATION_HEAD);
    ret_violation->path[0] = '\0';
    return CORDON_OK;
}

static void tree_about(const struct platform_job *job, struct platform_about *ret_about)
{
    tree_must_be(job, "about");
    *ret_about = (struct platform_about){.pid = 1};
}

static enum cordon_err tree_signal(struct platform_job *job, int signo)
{
    tree_must_be(job, "signal");
    job->killed = job->killed || signo == SIGKILL;
    return CORDON_OK;
}

static void tree_free(struct platform_job *job)
{
    if (quota_held(&model.supervisor.quota, job->uid, QUOTA_JOBS) < trees_of(job->uid)) {
        explore_wrong("a charge is released before its job");
    }
    host_close(job->fd);
    job->stage = STAGE_FREE;
}

static bool is_answered(const struct platform_job *job)
{
    for (size_t i = 0; i < ORDERS; i++) {
        if (model.orders[i].used && model.orders[i].job == job->job) {
            return true;
        }
    }
    return false;
}

/* Killed and late, at the broker's own end, or before its start was told of. */
static void tree_release(struct platform_job *job)
{
    tree_must_be(job, "release");
    if (!job->final && !job->killed && !model.stopping &&
        (is_answered(job) || job->stage == STAGE_OVER)) {
        explore_wrong("a job that runs, or of which something is left, is released");
    }
    tree_free(job);
}

/* What is made ready for a job is no part of any. */
static void tree_expect(bool embedded)
{
    (void)embedded;
}

const struct platform model_platform = {
    .name = "model",
    .spawn = tree_spawn,
    .watch_fd = tree_watch_fd,
    .poll = tree_poll,
    .violation = tree_violation,
    .about = tree_about,
    .signal = tree_signal,
    .release = tree_release,
    .expect = tree_expect,
};

/* ---- the rest of the world ---- */

enum cordon_err model_sent(struct channel *channel, const struct ipc_message *message)
{
    struct caller *caller = channel->config.context;
    struct order *order = order_find(caller->key.uid, message->request);

    child_remember(caller->worker.pidfd);
    if (model.child_killed[child_slot(caller->worker.pidfd)]) {
        return CORDON_OK; /* it reads no more */
    }
    switch (message->type) {
    case IPC_SESSION:
        for (size_t i = 0; i < ORDERS; i++) {
            if (model.delivered[i] == message->session) {
                explore_wrong("a worker is given a connection twice");
            }
        }
        model.delivered[model.deliveries++ % ORDERS] = message->session;
        break;
    case IPC_STARTED:
    case IPC_REFUSED:
        if (order == NULL || ++order->answers > 1) {
            explore_wrong("an order is answered twice");
        }
        order->job = message->job;
        order->used = message->type == IPC_STARTED;
        break;
    case IPC_REPORT:
        if (order == NULL || order->answers == 0) {
            explore_wrong("a report comes before its job was told of");
        }
        if (caller_find_session(caller, message->session) == NULL) {
            explore_wrong("a report is told to a connection that is gone");
        }
        order->ends += message->u.report.kind != IPC_REPORT_RUNNING;
        if (order->ends > 1) {
            explore_wrong("a job is told to have ended twice");
        }
        order->used = order->ends == 0;
        break;
    }
    return CORDON_OK;
}

size_t child_slot(int pidfd)
{
    size_t slot = 0;

    while (model.child[slot] != pidfd) {
        if (++slot == CHILDREN) {
            explore_wrong("a child that nobody started");
        }
    }
    return slot;
}

static void child_forget_closed(void)
{
    for (size_t i = 0; i < CHILDREN; i++) {
        if (model.child[i] != 0 && !world_is_open(model.child[i])) {
            model.child[i] = 0;
            model.child_killed[i] = false;
            model.child_ended[i] = false;
        }
    }
}

void child_remember(int pidfd)
{
    if (pidfd < 0) {
        return;
    }
    child_forget_closed();
    for (size_t i = 0; i < CHILDREN; i++) {
        if (model.child[i] == pidfd) {
            return;
        }
    }
    model.child[child_slot(0)] = pidfd;
}

void model_killed(int pidfd)
{
    child_remember(pidfd);
    model.child_killed[child_slot(pidfd)] = true;
}

bool model_child_ended(int pidfd)
{
    child_remember(pidfd);
    return model.child_ended[child_slot(pidfd)];
}

bool model_hung_up(int fd)
{
    return fd == model.hung_up[0] || fd == model.hung_up[1];
}

/* Either way; by what fails, since nothing else is asked where. */
bool lookup_at_once(const struct platform_peer *peer, struct strbuf *out)
{
    (void)peer;
    (void)out;
    return explore_fails("lookup_at_once");
}

enum cordon_err lookup_new(struct loop *loop, const char *program, const struct platform_peer *peer,
                           lookup_fn *fn, void *context, struct lookup **ret_lookup)
{
    struct lookup *lookup = &model.lookups[peer->uid - uid_of(0)];

    (void)loop;
    (void)program;
    if (lookup->fn != NULL) {
        explore_wrong("two look-ups of one user");
    }
    if (explore_fails("lookup_new")) {
        return CORDON_E_OS;
    }
    *lookup = (struct lookup){fn, context};
    *ret_lookup = lookup;
    return CORDON_OK;
}

void lookup_free(struct lookup *lookup)
{
    if (lookup != NULL) {
        lookup->fn = NULL;
    }
}

enum cordon_err __wrap_host_user_parse(const char *text, size_t len, struct arena *arena,
                                       struct host_user *ret_user);
enum cordon_err __wrap_host_user_parse(const char *text, size_t len, struct arena *arena,
                                       struct host_user *ret_user)
{
    (void)text;
    (void)len;
    (void)arena;
    memset(ret_user, 0, sizeof(*ret_user));
    return explore_fails("host_user_parse") ? CORDON_E_INVALID : CORDON_OK;
}

enum cordon_err __wrap_managed_memfd(const struct managed *managed, const struct host_user *user,
                                     int *ret_fd, struct cordon_fault *fault);
enum cordon_err __wrap_managed_memfd(const struct managed *managed, const struct host_user *user,
                                     int *ret_fd, struct cordon_fault *fault)
{
    (void)managed;
    (void)user;
    *ret_fd = world_fd();
    return *ret_fd < 0 ? fault_set(fault, CORDON_E_OS, NULL, "no memfd") : CORDON_OK;
}

enum cordon_err __wrap_managed_rules_update(const struct managed *managed,
                                            const struct host_user *user,
                                            struct managed_rules *rules,
                                            struct cordon_fault *fault);
enum cordon_err __wrap_managed_rules_update(const struct managed *managed,
                                            const struct host_user *user,
                                            struct managed_rules *rules, struct cordon_fault *fault)
{
    static struct policy none;

    (void)managed;
    (void)user;
    if (explore_fails("managed_rules_update")) {
        return fault_set(fault, CORDON_E_STATE, NULL, "no managed policy");
    }
    rules->policy = &none;
    return CORDON_OK;
}

enum cordon_err __real_quota_charge(struct quota *quota, uint32_t uid, enum quota_kind kind,
                                    struct quota_charge *ret_charge, struct cordon_fault *fault);
enum cordon_err __wrap_quota_charge(struct quota *quota, uint32_t uid, enum quota_kind kind,
                                    struct quota_charge *ret_charge, struct cordon_fault *fault);
enum cordon_err __wrap_quota_charge(struct quota *quota, uint32_t uid, enum quota_kind kind,
                                    struct quota_charge *ret_charge, struct cordon_fault *fault)
{
    if (explore_fails("quota_charge")) {
        return fault_set(fault, CORDON_E_QUOTA, NULL, "too many");
    }
    return __real_quota_charge(quota, uid, kind, ret_charge, fault);
}

void __wrap_refuse_connection(int fd, const struct cordon_fault *fault);
void __wrap_refuse_connection(int fd, const struct cordon_fault *fault)
{
    if (fault->err == CORDON_OK) {
        explore_wrong("a connection is refused without a reason");
    }
    host_close(fd);
}

void __wrap_audit_record(const struct audit *audit, const struct audit_event *event);
void __wrap_audit_record(const struct audit *audit, const struct audit_event *event)
{
    (void)audit;
    model.started += event->kind == AUDIT_START;
    model.ended += event->kind == AUDIT_END;
}

void supervisor_refresh(struct supervisor *supervisor, bool force)
{
    (void)supervisor;
    (void)force;
}

void tend_soon(struct supervisor *supervisor)
{
    (void)supervisor;
}

void tend_hold(struct supervisor *supervisor)
{
    supervisor->tend.waiting++;
}

void tend_go_on(struct supervisor *supervisor)
{
    if (supervisor->tend.waiting-- == 0) {
        explore_wrong("more jobs have waited than were set up");
    }
}

void tend_rest(struct supervisor *supervisor)
{
    (void)supervisor;
}

void tend_gone(struct supervisor *supervisor)
{
    (void)supervisor;
}

void supervisor_check_done(struct supervisor *supervisor)
{
    (void)supervisor;
}
