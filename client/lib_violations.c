/* SPDX-License-Identifier: Apache-2.0 */
#include "client/lib.h"

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

void lib_violation(const struct msg_violation *violation, struct cordon_event *ret_event)
{
    ret_event->kind = CORDON_EVENT_VIOLATION;
    ret_event->operation = or_empty(violation->operation);
    ret_event->path = or_empty(violation->path);
    ret_event->rule = or_empty(violation->rule);
    ret_event->origin = or_empty(violation->origin);
    ret_event->command = or_empty(violation->comm);
    ret_event->job_id = or_empty(violation->job);
    ret_event->time = or_empty(violation->time);
    ret_event->mechanism = or_empty(violation->mechanism);
    ret_event->pid = violation->pid;
    ret_event->uid = violation->uid;
}

int cordon_violations(struct cordon *cordon, int follow, struct cordon_error *ret_error)
{
    const struct message message = {.type = CORDON_MSG_VIOLATIONS,
                                    .u.violations = {.follow = follow != 0}};

    return lib_request(cordon, &message, ret_error);
}

static bool make_event(const struct message *message, struct cordon_event *ret_event)
{
    const struct msg_violations_told *told = &message->u.violations_told;

    if (message->type == CORDON_MSG_VIOLATION) {
        lib_violation(&message->u.violation, ret_event);
    } else if (message->type == CORDON_MSG_VIOLATIONS_TOLD) {
        ret_event->kind = CORDON_EVENT_TOLD;
        ret_event->missed = told->missed;
        ret_event->last = told->last;
    } else {
        return false;
    }
    return true;
}

int cordon_violations_wait(struct cordon *cordon, int timeout_ms, struct cordon_event *ret_event,
                           struct cordon_error *ret_error)
{
    for (;;) {
        struct cordon_event event = {0};
        struct cordon_fault fault = {0};
        struct stream_message in;
        enum cordon_err err = lib_receive(cordon, timeout_ms, &in, &fault);

        if (err == CORDON_E_AGAIN) {
            return CORDON_NOTHING_YET;
        }
        if (err != CORDON_OK) {
            return lib_error(ret_error, CORDON_STATUS_SETUP, &fault);
        }
        lib_drop_fds(&in);
        if (in.message.type == CORDON_MSG_FAILED) {
            return lib_refused(&in.message.u.failed, ret_error);
        }
        if (make_event(&in.message, &event)) {
            *ret_event = event;
            return 0;
        }
    }
}

int cordon_fd(const struct cordon *cordon)
{
    return cordon->fd;
}
