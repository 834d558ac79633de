/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/control.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "broker/job.h"
#include "broker/worker_process.h"

static bool is_root(const struct caller *caller)
{
    return caller->key.uid == 0;
}

/* ---- status ---- */

static uint32_t workers_of(const struct supervisor *supervisor, bool all, uint32_t uid)
{
    uint32_t count = 0;

    for (const struct caller *at = supervisor->callers; at != NULL; at = at->next) {
        count += (all || at->key.uid == uid) && at->worker.pidfd >= 0;
    }
    return count;
}

static void put_user(const struct caller *of, struct strbuf *out)
{
    const struct supervisor *supervisor = of->supervisor;
    const uint32_t uid = of->key.uid;
    struct ipc_status_user user;

    memset(&user, 0, sizeof(user));
    user.uid = uid;
    user.sessions = quota_held(&supervisor->quota, uid, QUOTA_SESSIONS);
    user.jobs = quota_held(&supervisor->quota, uid, QUOTA_JOBS);
    user.workers = workers_of(supervisor, false, uid);
    (void)snprintf(user.name, sizeof(user.name), "%.63s", of->user.user);
    strbuf_add(out, (const char *)&user, sizeof(user));
}

/* One user may be several callers: with other groups, or another label. */
static bool is_first_of_user(const struct caller *caller)
{
    const struct caller *at = caller->supervisor->callers;

    while (at != caller && at->key.uid != caller->key.uid) {
        at = at->next;
    }
    return at == caller;
}

static uint32_t put_users(const struct caller *asker, struct strbuf *out)
{
    uint32_t count = 0;

    if (!is_root(asker)) {
        put_user(asker, out);
        return 1;
    }
    for (const struct caller *at = asker->supervisor->callers; at != NULL; at = at->next) {
        if (is_first_of_user(at)) {
            put_user(at, out);
            count++;
        }
    }
    return count;
}

static uint32_t mechanism_of(const struct managed *managed)
{
    return (managed->host & IPC_HOST_BPF) != 0        ? IPC_MECHANISM_BPF
           : (managed->host & IPC_HOST_FANOTIFY) != 0 ? IPC_MECHANISM_FANOTIFY
                                                      : 0;
}

/* The most telling of what is wrong. */
static const struct cordon_fault *trouble_of(const struct managed *managed)
{
    const struct cordon_fault *refusal = managed_refusal(managed);

    return refusal != NULL                   ? refusal
           : managed->fault.err != CORDON_OK ? &managed->fault
                                             : &managed->alarm;
}

static enum cordon_err status_run(struct caller *asker, const struct ipc_message *message,
                                  struct strbuf *out, struct cordon_fault *fault)
{
    const struct supervisor *supervisor = asker->supervisor;
    const struct managed *managed = &supervisor->managed;
    struct strbuf users = STRBUF_INIT;
    struct ipc_status status;

    (void)message;
    (void)fault;
    memset(&status, 0, sizeof(status));
    status.magic = IPC_MAGIC;
    status.all = is_root(asker);
    status.pid = host_pid();
    status.start_ms = supervisor->start_ms;
    status.uptime_ms = host_now_ms() - supervisor->start_tick_ms;
    status.generation = managed->generation;
    status.managed_files = (uint32_t)managed->files.count;
    status.mechanism = mechanism_of(managed);
    status.sessions_max = CORDON_MAX_SESSIONS_ALL;
    status.sessions_each = CORDON_MAX_SESSIONS;
    status.jobs_max = CORDON_MAX_JOBS_ALL;
    status.jobs_each = CORDON_MAX_JOBS;
    if (status.all != 0) {
        status.workers = workers_of(supervisor, true, 0);
        status.sessions = supervisor->quota.total[QUOTA_SESSIONS];
        status.jobs = supervisor->quota.total[QUOTA_JOBS];
    }
    (void)snprintf(status.version, sizeof(status.version), "%s", CORDON_VERSION);
    (void)snprintf(status.backend, sizeof(status.backend), "%s", supervisor->platform->name);
    status.refused = managed_refusal(managed) != NULL;
    status.warning = managed_is_warning(managed);
    fault_to_ipc(trouble_of(managed), &status.fault);
    status.user_count = put_users(asker, &users);
    strbuf_add(out, (const char *)&status, sizeof(status));
    strbuf_add(out, strbuf_text(&users), users.len);
    out->failed = out->failed || users.failed;
    strbuf_deinit(&users);
    return CORDON_OK;
}

/* ---- the others ---- */

static int by_number(const void *a, const void *b)
{
    struct ipc_job x;
    struct ipc_job y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return (x.job > y.job) - (x.job < y.job);
}

static enum cordon_err jobs_run(struct caller *asker, const struct ipc_message *message,
                                struct strbuf *out, struct cordon_fault *fault)
{
    struct ipc_jobs_head head = {.magic = IPC_MAGIC, .all = is_root(asker)};
    struct strbuf jobs = STRBUF_INIT;

    (void)message;
    (void)fault;
    for (const struct caller *at = asker->supervisor->callers; at != NULL; at = at->next) {
        if (is_root(asker) || at->key.uid == asker->key.uid) {
            head.count += jobs_list(at, &jobs);
        }
    }
    strbuf_add(out, (const char *)&head, sizeof(head));
    if (jobs.len > 0) {
        qsort(jobs.data, jobs.len / sizeof(struct ipc_job), sizeof(struct ipc_job), by_number);
        strbuf_add(out, strbuf_text(&jobs), jobs.len);
    }
    out->failed = out->failed || jobs.failed;
    strbuf_deinit(&jobs);
    return CORDON_OK;
}

static enum cordon_err kill_run(struct caller *asker, const struct ipc_message *message,
                                struct strbuf *out, struct cordon_fault *fault)
{
    struct supervisor *supervisor = asker->supervisor;
    const uint32_t signo = message->u.query.signo;

    (void)out;
    for (struct caller *at = supervisor->callers; at != NULL; at = at->next) {
        enum cordon_err err;

        if (!is_root(asker) && at->key.uid != asker->key.uid) {
            continue;
        }
        err = job_signal(at, message->job, signo, true, fault);
        if (err == CORDON_E_NOT_FOUND) {
            continue;
        }
        if (err == CORDON_OK && at->key.uid != asker->key.uid) {
            audit_info(&supervisor->audit, "job %llu of user %u: signal %u, by user %u",
                       (unsigned long long)message->job, at->key.uid, signo, asker->key.uid);
        }
        return err;
    }
    /* Word for word the same, whether there is such a job of somebody else's or none. */
    return fault_set(fault, CORDON_E_NOT_FOUND, "cordon ps lists them", "you have no such job");
}

static enum cordon_err reload_run(struct caller *asker, const struct ipc_message *message,
                                  struct strbuf *out, struct cordon_fault *fault)
{
    supervisor_refresh(asker->supervisor, true);
    return status_run(asker, message, out, fault);
}

/* ---- a question ---- */

static const struct {
    bool root; /* and nobody else */
    enum cordon_err (*run)(struct caller *asker, const struct ipc_message *message,
                           struct strbuf *out, struct cordon_fault *fault);
} rows[IPC_QUERY_COUNT] = {
    [IPC_QUERY_STATUS] = {false, status_run},
    [IPC_QUERY_JOBS] = {false, jobs_run},
    [IPC_QUERY_KILL] = {false, kill_run},
    [IPC_QUERY_RELOAD] = {true, reload_run},
};

static enum cordon_err run(struct caller *asker, const struct ipc_message *message,
                           struct strbuf *out, struct cordon_fault *fault)
{
    const uint32_t kind = message->u.query.kind;
    enum cordon_err err;

    if (kind >= IPC_QUERY_COUNT) {
        return fault_set(fault, CORDON_E_PROTO, NULL, "unknown question %u", kind);
    }
    if (rows[kind].root && !is_root(asker)) {
        return fault_set(fault, CORDON_E_DENIED, "ask as root", "only root may do that");
    }
    err = rows[kind].run(asker, message, out, fault);
    return err == CORDON_OK && out->failed ? fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory")
                                           : err;
}

void control_query(struct caller *caller, const struct ipc_message *message)
{
    struct cordon_fault fault = {.err = CORDON_OK};
    struct strbuf out = STRBUF_INIT;
    struct ipc_message answer;

    if (caller_find_session(caller, message->session) == NULL) {
        return; /* it has just ended */
    }
    memset(&answer, 0, sizeof(answer));
    answer.type = IPC_ANSWER;
    answer.session = message->session;
    answer.request = message->request;
    if (run(caller, message, &out, &fault) != CORDON_OK) {
        fault_to_ipc(&fault, &answer.u.fault);
        out.len = 0;
    }
    if (channel_send_block(&caller->channel, &answer, strbuf_text(&out), out.len) != CORDON_OK) {
        worker_kill(caller);
    }
    strbuf_deinit(&out);
}
