/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "client/lib.h"
#include "platform/link.h"

int lib_refused(const struct msg_failed *failed, struct cordon_error *ret_error)
{
    struct cordon_fault fault = {0};

    (void)fault_set(&fault, failed->err, failed->remedy, "%s",
                    failed->text != NULL ? failed->text : "no reason given");
    return lib_error(ret_error, (int)failed->exit_status, &fault);
}

void lib_drop_fds(struct stream_message *in)
{
    for (size_t i = 0; i < in->fd_count; i++) {
        link_close(in->fds[i]);
    }
}

int lib_text(struct cordon *cordon, enum cordon_msg_type type, char **ret_text, int *ret_failed,
             struct cordon_error *ret_error)
{
    struct cordon_fault fault = {0};
    struct stream_message in;
    enum cordon_err err;
    const char *text = NULL;
    char *copy;

    do {
        err = lib_receive(cordon, -1, &in, &fault);
    } while (err == CORDON_E_AGAIN);
    if (err != CORDON_OK) {
        return lib_error(ret_error, CORDON_STATUS_SETUP, &fault);
    }
    lib_drop_fds(&in);
    if (in.message.type == CORDON_MSG_FAILED) {
        return lib_refused(&in.message.u.failed, ret_error);
    }
    if (in.message.type != type) {
        (void)fault_set(&fault, CORDON_E_PROTO, NULL, "the broker answered something else");
        return lib_error(ret_error, CORDON_STATUS_SETUP, &fault);
    }
    text =
        type == CORDON_MSG_PLAN_TEXT ? in.message.u.plan_text.text : in.message.u.status_text.text;
    copy = strdup(text != NULL ? text : "");
    if (copy == NULL) {
        (void)fault_set(&fault, CORDON_E_NOMEM, NULL, "out of memory");
        return lib_error(ret_error, CORDON_STATUS_SETUP, &fault);
    }
    if (ret_failed != NULL) {
        *ret_failed = type == CORDON_MSG_STATUS_TEXT && in.message.u.status_text.failed ? 1 : 0;
    }
    *ret_text = copy;
    return 0;
}

static int ask(struct cordon *cordon, const struct message *message, char **ret_text,
               int *ret_failed, struct cordon_error *ret_error)
{
    const int status = lib_request(cordon, message, ret_error);

    return status != 0 ? status
                       : lib_text(cordon, CORDON_MSG_STATUS_TEXT, ret_text, ret_failed, ret_error);
}

int cordon_report(struct cordon *cordon, enum cordon_report report, int json, char **ret_text,
                  struct cordon_error *ret_error)
{
    const struct message message = {
        .type = CORDON_MSG_STATUS,
        .u.status = {.report = (enum msg_report)report, .json = json != 0}};

    return ask(cordon, &message, ret_text, NULL, ret_error);
}

int cordon_kill(struct cordon *cordon, const char *job, int signo, struct cordon_error *ret_error)
{
    const struct message message = {.type = CORDON_MSG_KILL,
                                    .u.kill = {.job = job, .signo = (uint32_t)signo}};
    char *text = NULL;
    int status = ask(cordon, &message, &text, NULL, ret_error);

    free(text);
    return status;
}

int cordon_reload(struct cordon *cordon, int json, char **ret_text, int *ret_broken,
                  struct cordon_error *ret_error)
{
    const struct message message = {.type = CORDON_MSG_RELOAD, .u.reload = {.json = json != 0}};

    return ask(cordon, &message, ret_text, ret_broken, ret_error);
}
