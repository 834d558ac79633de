/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/worker_process.h"

#include <stdlib.h>
#include <string.h>

#include "broker/control.h"
#include "broker/feed.h"
#include "broker/job.h"

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
        remains_free(remains);
    }
}

static void bury(struct supervisor *supervisor, struct host_child *child)
{
    struct remains *remains = calloc(1, sizeof(*remains));

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

static enum cordon_err start_process(struct caller *caller, int channel, struct cordon_fault *fault)
{
    static char name[] = "cordon-worker";
    static char embedded[] = "--embedded";
    static char service[] = "--service";
    static char null[] = "--null";
    const struct supervisor *supervisor = caller->supervisor;
    const bool is_embedded = supervisor->options->embedded;
    char *const argv[] = {name, is_embedded ? embedded : service,
                          strcmp(supervisor->platform->name, "null") == 0 ? null : NULL, NULL};
    const struct host_start how = {
        .program = supervisor->worker_path,
        .main = supervisor->options->worker_main,
        .argv = argv,
        .as = host_is_root() && !is_embedded ? &caller->key : NULL,
        .channel = channel,
        .output = -1,
        .keep_stderr = is_embedded,
    };

    return host_start(&how, &caller->worker, fault);
}

enum cordon_err worker_start(struct caller *caller, struct cordon_fault *fault)
{
    struct supervisor *supervisor = caller->supervisor;
    const struct channel_config config = {on_packet, on_closed, caller};
    int pair[2];
    enum cordon_err err;

    if (caller->worker.pidfd >= 0) {
        return CORDON_OK;
    }
    err = ipc_pair(pair, fault);
    if (err != CORDON_OK) {
        return err;
    }
    err = start_process(caller, pair[1], fault);
    host_close(pair[1]);
    if (err != CORDON_OK) {
        host_close(pair[0]);
        return err;
    }
    if (channel_init(&caller->channel, supervisor->loop, pair[0], &config) != CORDON_OK ||
        loop_watch(supervisor->loop, caller->worker.pidfd, LOOP_READ, on_ended, caller,
                   &caller->worker_source) != CORDON_OK) {
        worker_stop(caller);
        return fault_set(fault, CORDON_E_NOMEM, NULL, "worker: out of memory");
    }
    caller->told = false;
    return CORDON_OK;
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
