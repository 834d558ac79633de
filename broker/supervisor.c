/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/supervisor.h"

#include <stdio.h>
#include <string.h>

#include "broker/caller.h"
#include "broker/refuse.h"
#include "broker/worker_process.h"
#include "platform/host.h"
#include "platform/service.h"
#include "platform/siblings.h"

#define ACCEPT_BURST 16
#define ACCEPT_PAUSE_MS 100U
#define TICK_MS 60000U
#define REST_MS 1000U /* at the end, for what was killed */
#define REST_STEP_MS 20U

static void raise_alarm(const struct supervisor *supervisor, const char *what,
                        const struct cordon_fault *fault)
{
    const struct audit_event event = {
        .kind = AUDIT_ALARM, .generation = supervisor->managed.generation, .fault = fault};

    audit_record(&supervisor->audit, &event);
    audit_failure(&supervisor->audit, what, fault);
}

/*
 * What is wrong with fetched requirements, and what comes of it: told once for as long as both are
 * the same. One too old has the same text whether fetch.toml refuses it or keeps it.
 */
static void tell_fetched(struct supervisor *supervisor)
{
    const struct managed *managed = &supervisor->managed;
    const bool refused = managed->refusal.err != CORDON_OK;
    const struct cordon_fault *alarm = refused ? &managed->refusal : &managed->alarm;

    if (supervisor->alarm_refused == refused && strcmp(supervisor->alarm, alarm->text) == 0) {
        return;
    }
    supervisor->alarm_refused = refused;
    memcpy(supervisor->alarm, alarm->text, sizeof(supervisor->alarm));
    if (alarm->err == CORDON_OK) {
        audit_info(&supervisor->audit, "fetched requirements: the alarm is over");
        return;
    }
    raise_alarm(supervisor,
                refused ? "every job is refused" : "the last good requirements stay in force",
                alarm);
}

void supervisor_refresh(struct supervisor *supervisor, bool force)
{
    const bool is_first = !supervisor->has_read;
    enum managed_change change;

    force = force || is_first;
    supervisor->has_read = true;
    change = managed_refresh(&supervisor->managed, force);
    supervisor->audit.sink_fd = supervisor->managed.sink_fd;
    tell_fetched(supervisor);
    if (!is_first && (force || change != MANAGED_SAME)) {
        supervisor->platform->forget();
        host_trim();
        if (supervisor->ahead.child.pidfd >= 0) {
            worker_ahead_free(supervisor); /* its program may be another one by now */
            tend_soon(supervisor);
        }
    }
    if (change == MANAGED_SAME) {
        return;
    }
    if (change == MANAGED_BROKEN) {
        raise_alarm(supervisor,
                    supervisor->managed.generation > 0
                        ? "managed policy: the last good one stays in force"
                        : "managed policy: every job is refused",
                    &supervisor->managed.fault);
    } else {
        audit_info(&supervisor->audit, "managed policy: generation %llu, %zu files",
                   (unsigned long long)supervisor->managed.generation,
                   supervisor->managed.files.count);
    }
    for (struct caller *caller = supervisor->callers; caller != NULL; caller = caller->next) {
        caller_tell(caller);
    }
}

/* An embedded broker with nothing left. */
static bool is_done(const struct supervisor *supervisor)
{
    bool done = supervisor->options->embedded;

    for (const struct caller *caller = supervisor->callers; done && caller != NULL;
         caller = caller->next) {
        done = caller->sessions == NULL && caller->jobs == NULL;
    }
    return done;
}

void supervisor_check_done(struct supervisor *supervisor)
{
    if (lull_ended(&supervisor->lull, supervisor->quota.users == NULL)) {
        host_trim();
    }
    if (is_done(supervisor)) {
        loop_stop(supervisor->loop);
    }
}

static void admit(struct supervisor *supervisor, int fd)
{
    struct cordon_fault fault = {.err = CORDON_OK};
    struct platform_peer peer;

    memset(&peer, 0, sizeof(peer));
    peer.pidfd = -1;
    if (peer_identify(fd, supervisor->options->embedded, &peer, &fault) != CORDON_OK) {
        if (fault.err != CORDON_E_CLOSED) {
            audit_failure(&supervisor->audit, "connection refused", &fault);
        }
        refuse_connection(fd, &fault);
        return;
    }
    caller_connect(supervisor, fd, &peer);
}

static void on_resume(void *context, unsigned events)
{
    struct supervisor *supervisor = context;

    (void)events;
    loop_source_free(supervisor->listen_pause);
    supervisor->listen_pause = NULL;
    (void)!loop_watch_for(supervisor->listen_source, LOOP_READ);
}

/* Out of descriptors: a ready listener would only keep the loop spinning. */
static void pause_listening(struct supervisor *supervisor)
{
    audit_info(&supervisor->audit, "out of descriptors: connections have to wait");
    if (supervisor->listen_pause == NULL &&
        loop_after(supervisor->loop, ACCEPT_PAUSE_MS, on_resume, supervisor,
                   &supervisor->listen_pause) == CORDON_OK) {
        (void)!loop_watch_for(supervisor->listen_source, 0);
    }
}

static void on_connection(void *context, unsigned events)
{
    struct supervisor *supervisor = context;
    enum cordon_err err = CORDON_OK;

    (void)events;
    for (int i = 0; err == CORDON_OK && i < ACCEPT_BURST; i++) {
        int fd = -1;

        err = host_accept(supervisor->listen_fd, &fd);
        if (err == CORDON_OK) {
            admit(supervisor, fd);
        }
    }
    if (err == CORDON_E_LIMIT) {
        pause_listening(supervisor);
    }
}

static void on_stop(void *context, unsigned events)
{
    struct supervisor *supervisor = context;

    (void)events;
    loop_stop(supervisor->loop);
}

static void on_reload(void *context, unsigned events)
{
    (void)events;
    supervisor_refresh(context, true);
}

/* A document grows too old without anybody asking for a job. */
static void on_tick(void *context, unsigned events)
{
    (void)events;
    supervisor_refresh(context, false);
}

static enum cordon_err watch_signals(struct supervisor *supervisor)
{
    static const struct {
        enum loop_signal which;
        loop_fn *fn;
    } rows[] = {{LOOP_TERM, on_stop}, {LOOP_INTERRUPT, on_stop}, {LOOP_RELOAD, on_reload}};
    enum cordon_err err = CORDON_OK;

    for (size_t i = 0; err == CORDON_OK && i < sizeof(rows) / sizeof(rows[0]); i++) {
        err = loop_on_signal(supervisor->loop, rows[i].which, rows[i].fn, supervisor,
                             &supervisor->signals[i]);
    }
    return err;
}

static enum cordon_err watch_platform(struct supervisor *supervisor, struct cordon_fault *fault)
{
    const int fd = supervisor->platform->tend_fd();

    return fd < 0 || loop_watch(supervisor->loop, fd, LOOP_READ, tend_now, supervisor,
                                &supervisor->tend_wanted) == CORDON_OK
               ? CORDON_OK
               : fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
}

static enum cordon_err listen_service(struct supervisor *supervisor, struct cordon_fault *fault)
{
    enum cordon_err err = service_listen_fd(&supervisor->listen_fd, fault);

    if (err == CORDON_OK && supervisor->listen_fd < 0) {
        err = host_listen(supervisor->options->socket, &supervisor->listen_fd, fault);
        supervisor->own_socket = err == CORDON_OK;
    }
    if (err == CORDON_OK &&
        (loop_watch(supervisor->loop, supervisor->listen_fd, LOOP_READ, on_connection, supervisor,
                    &supervisor->listen_source) != CORDON_OK ||
         loop_every(supervisor->loop, TICK_MS, on_tick, supervisor, &supervisor->tick) !=
             CORDON_OK)) {
        err = fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    return err;
}

/* What workers, who are their callers, cannot find out. */
static uint32_t host_find(const struct platform *platform)
{
    struct platform_probe probe;

    memset(&probe, 0, sizeof(probe));
    platform->probe(&probe);
    return (probe.host.fanotify ? IPC_HOST_FANOTIFY : 0U) | (probe.host.bpf ? IPC_HOST_BPF : 0U) |
           probe.host.controllers * IPC_HOST_MEMORY;
}

static enum cordon_err prepare(struct supervisor *supervisor, struct cordon_fault *fault)
{
    const struct supervisor_options *options = supervisor->options;
    const struct audit_options audit = {options->embedded, options->audit_file};
    enum cordon_err err = audit_init(&supervisor->audit, &audit, fault);

    if (err == CORDON_OK && options->worker_main == NULL) {
        err = sibling_path(options->worker, supervisor->worker_path, SUPERVISOR_PATH_MAX, fault);
    }
    if (err == CORDON_OK && !options->embedded) {
        err = sibling_path(options->helper, supervisor->helper_path, SUPERVISOR_PATH_MAX, fault);
    }
    if (err == CORDON_OK &&
        (loop_new(&supervisor->loop) != CORDON_OK || watch_signals(supervisor) != CORDON_OK)) {
        err = fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
    }
    if (err == CORDON_OK) {
        supervisor->platform->cleanup(options->embedded);
        err = watch_platform(supervisor, fault);
    }
    if (err == CORDON_OK) {
        quota_init(&supervisor->quota);
        managed_init(&supervisor->managed, &options->places, supervisor->platform->os);
        supervisor->managed.keeps = !options->embedded;
        if (!options->embedded) {
            supervisor->managed.host = host_find(supervisor->platform);
        }
    }
    return err;
}

/* For its one client. What takes longest, his worker and his job's pid 1, is begun before anything
 * else. */
static void serve_one(struct supervisor *supervisor)
{
    worker_ahead_of_client(supervisor);
    supervisor->platform->expect(true);
    admit(supervisor, supervisor->options->client);
    supervisor_refresh(supervisor, false);
}

/* Nothing is ready any more, so tend() only looks at what was killed; what stays is left. */
static void rest(struct supervisor *supervisor)
{
    for (unsigned ms = 0; ms < REST_MS && supervisor->platform->tend() != 0; ms += REST_STEP_MS) {
        struct loop_source *step = NULL;

        if (loop_after(supervisor->loop, REST_STEP_MS, on_stop, supervisor, &step) != CORDON_OK) {
            return;
        }
        loop_run(supervisor->loop);
        loop_source_free(step);
    }
}

static void finish(struct supervisor *supervisor)
{
    if (supervisor->own_socket) {
        /* First of all: from here on nobody should wait for an answer. */
        host_unlisten(supervisor->options->socket);
    }
    while (supervisor->callers != NULL) {
        caller_free(supervisor->callers);
    }
    worker_ahead_free(supervisor);
    worker_remains_free(supervisor);
    for (size_t i = 0; i < sizeof(supervisor->signals) / sizeof(supervisor->signals[0]); i++) {
        loop_source_free(supervisor->signals[i]);
    }
    loop_source_free(supervisor->listen_source);
    loop_source_free(supervisor->listen_pause);
    loop_source_free(supervisor->tick);
    tend_end(supervisor);
    loop_source_free(supervisor->tend_wanted);
    supervisor->platform->forget();
    rest(supervisor);
    host_close(supervisor->listen_fd);
    managed_deinit(&supervisor->managed);
    rings_deinit(&supervisor->rings);
    quota_deinit(&supervisor->quota);
    loop_free(supervisor->loop);
    audit_deinit(&supervisor->audit);
}

enum cordon_err supervisor_run(const struct supervisor_options *options, struct cordon_fault *fault)
{
    struct supervisor supervisor;
    enum cordon_err err;

    memset(&supervisor, 0, sizeof(supervisor));
    supervisor.options = options;
    supervisor.platform = options->platform;
    supervisor.listen_fd = -1;
    supervisor.ahead.child.pidfd = -1;
    supervisor.start_ms = host_unix_ms();
    supervisor.start_tick_ms = host_now_ms();
    err = prepare(&supervisor, fault);
    if (err == CORDON_OK && !options->embedded) {
        supervisor_refresh(&supervisor, false);
        err = listen_service(&supervisor, fault);
    }
    if (err == CORDON_OK) {
        if (options->embedded) {
            serve_one(&supervisor);
        } else {
            service_ready();
            tend_soon(&supervisor);
        }
        /* A loop forgets what stopped it before. */
        if (!is_done(&supervisor)) {
            loop_run(supervisor.loop);
        }
        service_stopping();
    }
    finish(&supervisor);
    return err;
}
