/* SPDX-License-Identifier: Apache-2.0 */
/* relay.h and tty.h where a job is given no terminal: its events, and Ctrl-C. */
#include <signal.h>
#include <string.h>

#include "client/output.h"
#include "client/relay.h"
#include "platform/signals.h"

#define LINES_MAX ((size_t)1024U * 1024U) /* kept for the end; what is over is counted */
#define LOOK_MS 100                       /* between looks for Ctrl-C */
#define SIGNAL_INT 1U                     /* place in signal_numbers */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signo)
{
    interrupted = 1;
    (void)signal(signo, on_interrupt); /* it is once only */
}

void tty_find(struct tty *ret_tty)
{
    *ret_tty = (struct tty){.in = -1, .out = -1};
}

void tty_size(const struct tty *tty, uint16_t *ret_rows, uint16_t *ret_cols)
{
    (void)tty;
    *ret_rows = 0;
    *ret_cols = 0;
}

/* True at the end. */
static bool take(const struct cordon_event *event, bool json, struct relay_result *result)
{
    switch (event->kind) {
    case CORDON_EVENT_STARTED:
        for (size_t i = 0; event->notices[i] != NULL; i++) {
            output_notice(event->notices[i], json, &result->lines);
        }
        return false;
    case CORDON_EVENT_VIOLATION:
        if (result->lines.len < LINES_MAX) {
            output_violation(event, json, &result->lines);
            result->told++;
        }
        return false;
    case CORDON_EVENT_TOLD: /* of cordon_violations() */
        return false;
    case CORDON_EVENT_ENDED:
        result->end = *event;
        return true;
    }
    return false;
}

int relay_run(struct cordon_job *job, struct tty *tty, bool json, struct relay_result *ret_result,
              struct cordon_error *ret_error)
{
    bool ended = false;
    int status = 0;

    (void)tty;
    memset(ret_result, 0, sizeof(*ret_result));
    (void)signal(SIGINT, on_interrupt);
    while (status == 0 && !ended) {
        struct cordon_event event;

        if (interrupted != 0) {
            interrupted = 0;
            (void)cordon_job_signal(job, signal_numbers[SIGNAL_INT], NULL);
        }
        status = cordon_job_wait(job, LOOK_MS, &event, ret_error);
        if (status == 0) {
            ended = take(&event, json, ret_result);
        }
        status = status == CORDON_NOTHING_YET ? 0 : status;
    }
    return status;
}
