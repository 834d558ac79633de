/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/worker_process.h"

#include <stdlib.h>
#include <string.h>

#include "broker/control.h"
#include "broker/feed.h"
#include "broker/identity.h"
#include "broker/job.h"
#include "broker/worker.h"

#define COULD_NOT "could not" /* as host_child_reap() begins what is worth a line */

/* A worker that was killed and is not reaped yet; it may take its time in the kernel. */
struct remains {
    struct remains *next;
    struct supervisor *supervisor;
    struct host_child child;
    struct loop_source *source;
};

static void remains_free(struct remains *remains)
{
    struct remains **link = &remains->supervisor->remains;

    while (*link != remains) {
        link = &(*link)->next;
    }
    *link = remains->next;
    loop_source_free(remains->source);
    host_close(remains->child.pidfd);
    free(remains);
}

static void on_remains(void *context, unsigned events)
{
    struct remains *remains = context;
    char how[64];

    (void)events;
    if (host_child_reap(&remains->child, how, sizeof(how)) == CORDON_OK) {
        if (strncmp(how, COULD_NOT, sizeof(COULD_NOT) - 1) == 0) {
            audit_info(&remains->supervisor->audit, "worker %s", how);
        }
        remains_free(remains);
    }
}

static void bury(struct supervisor *supervisor, struct host_child *child)
{
    struct remains *remains = child->pid == 0 ? NULL : calloc(1, sizeof(*remains));

    host_child_kill(child);
    if (remains != NULL) {
        remains->supervisor = supervisor;
        remains->child = *child;
        remains->next = supervisor->remains;
        supervisor->remains = remains;
        child->pidfd = -1;
        if (loop_watch(supervisor->loop, remains->child.pidfd, LOOP_READ, on_remains, remains,
                       &remains->source) != CORDON_OK) {
            remains_free(remains); /* killed all the same; reaped when we end */
        }
    } else {
        host_close(child->pidfd);
        child->pidfd = -1;
    }
}

void worker_remains_free(struct supervisor *supervisor)
{
    while (supervisor->remains != NULL) {
        remains_free(supervisor->remains);
    }
}

static void on_packet(void *context, struct ipc_packet *packet)
{
    struct caller *caller = context;
    const struct ipc_message *message = &packet->message;
    struct cordon_fault ignored;

    switch (message->type) {
    case IPC_SPAWN:
        job_spawn(caller, packet);
        return;
    case IPC_CHECK:
        job_check(caller, message);
        return;
    case IPC_SIGNAL:
        /* A signal that came too late is nobody's failure. */
        (void)!job_signal(caller, message->job, message->u.signo, false, &ignored);
        return;
    case IPC_QUERY:
        control_query(caller, message);
        return;
    case IPC_ASK:
        feed_ask(caller, message);
        return;
    case IPC_SESSION_END:
        caller_session_ended(caller, message->session);
        return;
    }
    audit_info(&caller->supervisor->audit, "worker of user %u: unknown message %u", caller->key.uid,
               message->type);
    worker_kill(caller);
}

static void on_closed(void *context, enum cordon_err why)
{
    struct caller *caller = context;

    if (why != CORDON_E_CLOSED) {
        audit_info(&caller->supervisor->audit, "worker of user %u: channel: %s", caller->key.uid,
                   cordon_err_name(why));
    }
    caller_worker_gone(caller);
}

static void on_ended(void *context, unsigned events)
{
    struct caller *caller = context;
    char how[64];

    (void)events;
    if (host_child_reap(&caller->worker, how, sizeof(how)) == CORDON_OK) {
        audit_info(&caller->supervisor->audit, "worker of user %u %s", caller->key.uid, how);
        caller_worker_gone(caller);
    }
}

/* @as: NULL where it is told later. */
static enum cordon_err start_process(const struct supervisor *supervisor, char *for_whom,
                                     const struct platform_peer *as, int channel,
                                     struct host_child *ret_child, struct cordon_fault *fault)
{
    static char name[] = "cordon-worker";
    static char null[] = "--null";
    char *const argv[] = {name, for_whom,
                          strcmp(supervisor->platform->name, "null") == 0 ? null : NULL, NULL};
    const struct host_start how = {
        .program = supervisor->worker_path,
        .main = supervisor->options->worker_main,
        .argv = argv,
        .as = as,
        .channel = channel,
        .output = -1,
        .keep_stderr = supervisor->options->embedded,
    };

    return host_start(&how, ret_child, fault);
}

static enum cordon_err process_new(const struct supervisor *supervisor, char *for_whom,
                                   const struct platform_peer *as,
                                   struct worker_process *ret_process, struct cordon_fault *fault)
{
    struct worker_process process;
    int pair[2];
    enum cordon_err err = ipc_pair(pair, fault);

    if (err != CORDON_OK) {
        return err;
    }
    err = start_process(supervisor, for_whom, as, pair[1], &process.child, fault);
    host_close(pair[1]);
    if (err != CORDON_OK) {
        host_close(pair[0]);
        return err;
    }
    process.channel = pair[0];
    *ret_process = process;
    return CORDON_OK;
}

/* ---- ahead ---- */

static bool is_told(const struct supervisor *supervisor)
{
    return !supervisor->options->embedded && host_can_become();
}

/* The one that waits, which is the caller's from here on. */
static struct worker_process ahead_let_go(struct supervisor *supervisor)
{
    const struct worker_process process = supervisor->ahead;

    loop_source_free(supervisor->ahead_source);
    supervisor->ahead_source = NULL;
    supervisor->ahead.child.pidfd = -1;
    return process;
}

/* Another is made with what is made ahead next, and not at once: it might end as fast. */
static void on_ahead_ended(void *context, unsigned events)
{
    struct supervisor *supervisor = context;
    char how[64];

    (void)events;
    if (host_child_reap(&supervisor->ahead.child, how, sizeof(how)) == CORDON_OK) {
        const struct worker_process process = ahead_let_go(supervisor);

        audit_info(&supervisor->audit, "worker of nobody yet %s", how);
        host_close(process.child.pidfd);
        host_close(process.channel);
    }
}

static void ahead_start(struct supervisor *supervisor, char *for_whom)
{
    struct worker_process *ahead = &supervisor->ahead;
    struct cordon_fault ignored;

    /* Who cannot have one is told so when he asks. */
    if (ahead->child.pidfd >= 0 ||
        process_new(supervisor, for_whom, NULL, ahead, &ignored) != CORDON_OK) {
        return;
    }
    if (loop_watch(supervisor->loop, ahead->child.pidfd, LOOP_READ, on_ahead_ended, supervisor,
                   &supervisor->ahead_source) != CORDON_OK) {
        worker_ahead_free(supervisor);
    }
}

void worker_ahead_make(struct supervisor *supervisor)
{
    static char nobody[] = WORKER_AHEAD;

    if (is_told(supervisor)) {
        ahead_start(supervisor, nobody);
    }
}

void worker_ahead_of_client(struct supervisor *supervisor)
{
    static char client[] = WORKER_EMBEDDED;

    ahead_start(supervisor, client);
}

static bool ahead_take(struct supervisor *supervisor, struct worker_process *ret_process)
{
    if (supervisor->ahead.child.pidfd >= 0) {
        on_ahead_ended(supervisor, 0);
    }
    if (supervisor->ahead.child.pidfd < 0) {
        return false;
    }
    *ret_process = ahead_let_go(supervisor);
    tend_soon(supervisor);
    return true;
}

void worker_ahead_free(struct supervisor *supervisor)
{
    if (supervisor->ahead.child.pidfd >= 0) {
        struct worker_process process = ahead_let_go(supervisor);

        host_close(process.channel);
        bury(supervisor, &process.child);
    }
}

/* ---- a caller's ---- */

static enum cordon_err process_of(const struct caller *caller, struct worker_process *ret_process,
                                  struct cordon_fault *fault)
{
    static char client[] = WORKER_EMBEDDED;
    static char service[] = WORKER_SERVICE;
    const struct supervisor *supervisor = caller->supervisor;
    const bool embedded = supervisor->options->embedded;
    const bool told = is_told(supervisor);

    return process_new(supervisor, embedded ? client : service,
                       host_is_root() && !told && !embedded ? &caller->key : NULL, ret_process,
                       fault);
}

/* Takes the process over, also when it fails. */
static enum cordon_err worker_begin(struct caller *caller, const struct worker_process *process,
                                    struct cordon_fault *fault)
{
    struct supervisor *supervisor = caller->supervisor;
    const struct channel_config config = {on_packet, on_closed, caller};
    enum cordon_err err;

    caller->worker = process->child;
    err = channel_init(&caller->channel, supervisor->loop, process->channel, &config);
    if (err == CORDON_OK && is_told(supervisor)) {
        err = identity_send(&caller->channel, &caller->key);
    }
    if (err == CORDON_OK) {
        err = loop_watch(supervisor->loop, caller->worker.pidfd, LOOP_READ, on_ended, caller,
                         &caller->worker_source);
    }
    if (err != CORDON_OK) {
        worker_stop(caller);
        return fault_set(fault, err, "try again", "the session's worker cannot be reached: %s",
                         cordon_err_name(err));
    }
    caller->told = false;
    return CORDON_OK;
}

enum cordon_err worker_start(struct caller *caller, struct cordon_fault *fault)
{
    struct worker_process process;
    enum cordon_err err;

    if (caller->worker.pidfd >= 0) {
        return CORDON_OK;
    }
    /* One that waited may be dying just now. */
    if (ahead_take(caller->supervisor, &process) &&
        worker_begin(caller, &process, fault) == CORDON_OK) {
        return CORDON_OK;
    }
    err = process_of(caller, &process, fault);
    return err == CORDON_OK ? worker_begin(caller, &process, fault) : err;
}

void worker_kill(struct caller *caller)
{
    host_child_kill(&caller->worker);
}

void worker_stop(struct caller *caller)
{
    loop_source_free(caller->worker_source);
    caller->worker_source = NULL;
    channel_deinit(&caller->channel);
    if (caller->worker.pidfd >= 0) {
        bury(caller->supervisor, &caller->worker);
    }
    caller->told = false;
}
