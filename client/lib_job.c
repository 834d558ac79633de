/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/lib.h"
#include "platform/link.h"

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static enum cordon_err send_signal(struct cordon_job *job, int signo, struct cordon_fault *fault)
{
    const struct message message = {.type = CORDON_MSG_SIGNAL,
                                    .u.signal = {job->name, (uint32_t)signo}};

    return lib_send(job->cordon, &message, ++job->cordon->last_id, NULL, fault);
}

int cordon_job_signal(struct cordon_job *job, int signo, struct cordon_error *ret_error)
{
    struct cordon_fault fault = {0};

    if (signo < 1 || signo > 64) {
        (void)fault_set(&fault, CORDON_E_INVALID, NULL, "signal %d does not exist", signo);
        return lib_error(ret_error, CORDON_STATUS_USAGE, &fault);
    }
    if (job->ended || job->cordon == NULL) {
        return 0;
    }
    if (job->name[0] == '\0') {
        job->signals |= UINT64_C(1) << (signo - 1);
        return 0;
    }
    if (send_signal(job, signo, &fault) != CORDON_OK) {
        return lib_error(ret_error, CORDON_STATUS_SETUP, &fault);
    }
    return 0;
}

static void on_started(struct cordon_job *job, struct stream_message *in,
                       struct cordon_event *ret_event)
{
    static const char *const none[] = {NULL};
    const struct msg_started *started = &in->message.u.started;
    union {
        char *const *in;
        const char *const *out;
    } notices = {.in = started->notices.items};

    (void)snprintf(job->name, sizeof(job->name), "%s", or_empty(started->job));
    if (in->fd_count == 1) {
        job->pty = in->fds[0];
        in->fd_count = 0;
    }
    for (int signo = 1; signo <= 64; signo++) {
        /* A broker that is gone shows at the next read. */
        if ((job->signals >> (signo - 1) & 1) != 0) {
            (void)cordon_job_signal(job, signo, NULL);
        }
    }
    job->signals = 0;
    ret_event->kind = CORDON_EVENT_STARTED;
    ret_event->job_id = job->name;
    ret_event->notices = started->notices.count > 0 ? notices.out : none;
}

/*
 * Always the end of the job: a request refused before there was a job gets
 * nothing else. The EXITED that may follow belongs to no job any more.
 */
static void on_failed(struct cordon_job *job, const struct msg_failed *failed,
                      struct cordon_event *ret_event)
{
    struct cordon_fault fault = {0};

    (void)fault_set(&fault, failed->err, failed->remedy, "%s",
                    failed->text != NULL ? failed->text : "no reason given");
    ret_event->kind = CORDON_EVENT_ENDED;
    ret_event->end = CORDON_END_FAILED;
    ret_event->status = (int)failed->exit_status;
    ret_event->code = ret_event->status;
    (void)lib_error(&ret_event->error, ret_event->status, &fault);
    job->ended = true;
}

static void on_exited(struct cordon_job *job, const struct msg_exited *exited,
                      struct cordon_event *ret_event)
{
    /* @status where it is no constant: the code, plus this. */
    static const struct {
        enum cordon_end end;
        int status, add;
    } ends[] = {
        [MSG_EXIT_EXITED] = {CORDON_END_EXITED, -1, 0},
        [MSG_EXIT_SIGNALLED] = {CORDON_END_SIGNALLED, -1, 128},
        [MSG_EXIT_TIMEOUT] = {CORDON_END_TIMEOUT, CORDON_STATUS_TIMEOUT, 0},
        [MSG_EXIT_SETUP_FAILED] = {CORDON_END_FAILED, -1, 0},
        [MSG_EXIT_KILLED] = {CORDON_END_KILLED, CORDON_STATUS_SETUP, 0},
    };

    ret_event->kind = CORDON_EVENT_ENDED;
    ret_event->end = ends[exited->kind].end;
    ret_event->code = (int)exited->code;
    ret_event->status = ends[exited->kind].status;
    if (ret_event->status < 0) {
        ret_event->status = (int)exited->code + ends[exited->kind].add;
    }
    ret_event->violations = exited->violations;
    ret_event->error.status = ret_event->status;
    (void)snprintf(ret_event->error.text, sizeof(ret_event->error.text), "%s",
                   or_empty(exited->reason));
    job->ended = true;
}

/* True if @in made an event. */
static bool on_message(struct cordon_job *job, struct stream_message *in,
                       struct cordon_event *ret_event)
{
    const struct message *message = &in->message;

    /* A signal that came too late is nobody's failure; one of HELLO or of the stream is. */
    if (in->id != job->id && (message->type != CORDON_MSG_FAILED || in->id > LIB_HELLO_ID)) {
        return false;
    }
    switch (message->type) {
    case CORDON_MSG_STARTED:
        on_started(job, in, ret_event);
        return true;
    case CORDON_MSG_VIOLATION:
        lib_violation(&message->u.violation, ret_event);
        return true;
    case CORDON_MSG_EXITED:
        on_exited(job, &message->u.exited, ret_event);
        return true;
    case CORDON_MSG_FAILED:
        on_failed(job, &message->u.failed, ret_event);
        return true;
    case CORDON_MSG_HELLO:
    case CORDON_MSG_SPAWN:
    case CORDON_MSG_SIGNAL:
    case CORDON_MSG_PLAN:
    case CORDON_MSG_STATUS:
    case CORDON_MSG_BYE:
    case CORDON_MSG_VIOLATIONS:
    case CORDON_MSG_KILL:
    case CORDON_MSG_RELOAD:
    case CORDON_MSG_VIOLATIONS_TOLD:
    case CORDON_MSG_WELCOME:
    case CORDON_MSG_PLAN_TEXT:
    case CORDON_MSG_STATUS_TEXT:
        return false;
    }
    return false;
}

int cordon_job_wait(struct cordon_job *job, int timeout_ms, struct cordon_event *ret_event,
                    struct cordon_error *ret_error)
{
    struct cordon_fault fault = {0};

    if (job->ended || job->cordon == NULL) {
        (void)fault_set(&fault, CORDON_E_STATE, NULL, "the job has ended");
        return lib_error(ret_error, CORDON_STATUS_USAGE, &fault);
    }
    for (;;) {
        struct cordon_event event = {0};
        struct stream_message in;
        enum cordon_err err = lib_receive(job->cordon, timeout_ms, &in, &fault);
        bool made;

        if (err == CORDON_E_AGAIN) {
            return CORDON_NOTHING_YET;
        }
        if (err != CORDON_OK) {
            job->ended = true;
            return lib_error(ret_error, CORDON_STATUS_SETUP, &fault);
        }
        made = on_message(job, &in, &event);
        lib_drop_fds(&in);
        if (made) {
            *ret_event = event;
            return 0;
        }
    }
}

int cordon_job_fd(const struct cordon_job *job)
{
    return job->cordon != NULL ? job->cordon->fd : -1;
}

int cordon_job_pty(const struct cordon_job *job)
{
    return job->pty;
}

void cordon_job_free(struct cordon_job *job)
{
    if (job == NULL) {
        return;
    }
    if (job->cordon != NULL) {
        job->cordon->job = NULL;
        if (!job->ended) {
            /* There is no other way to end it that could not fail. */
            link_shut(job->cordon->fd);
            job->cordon->lost = true;
        }
    }
    link_close(job->pty);
    free(job);
}
