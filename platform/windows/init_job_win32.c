/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/init_job.h"

#include <string.h>

#include "platform/windows/io.h"
#include "platform/windows/job_words.h"

#define ENDED 192U

static void set_fault(struct ipc_fault *fault, uint32_t code)
{
    struct cordon_fault text;

    fault->err = (uint32_t)api_fault(&text, code, NULL, "command");
    fault->os_code = (int32_t)code;
    memcpy(fault->text, text.text, sizeof(fault->text) - 1);
}

static void report_word(const struct job_word *word, struct init_job *init,
                        struct ipc_report *report)
{
    if (word->kind == JOB_RUNNING) {
        report->kind = IPC_REPORT_RUNNING;
        return;
    }
    if (word->kind == JOB_FAILED) {
        report->kind = api_is_absent(word->code) ? IPC_REPORT_NOT_FOUND : IPC_REPORT_NOT_EXECUTABLE;
        set_fault(&report->fault, word->code);
    } else {
        report->kind = IPC_REPORT_EXITED;
        report->code = word->code;
    }
    init->ended = true;
}

/* What the command started ends with it, before anybody hears of its end. */
static void end_rest(const struct init_job *init)
{
    const struct launch_api *api = launch_win32();

    (void)api->job_end(api->self, init->launch->job, ENDED);
    (void)api->job_wait(api->self, init->launch->job, LAUNCH_END_MS);
}

enum cordon_err init_job_poll(struct init_job *init, struct ipc_report *ret_report)
{
    struct ipc_report report;
    struct job_word word;
    size_t len = 0;
    enum cordon_err err;

    memset(&report, 0, sizeof(report));
    report.limit = IPC_NO_LIMIT;
    err = init->ended ? CORDON_E_AGAIN : io_read(init->status, &word, sizeof(word), &len);
    if (err == CORDON_E_AGAIN) {
        return err;
    }
    if (err == CORDON_OK && len == sizeof(word)) {
        report_word(&word, init, &report);
    } else {
        /* It ended without a word: somebody ended the job. */
        init->ended = true;
        report.kind = IPC_REPORT_SIGNALLED;
        report.code = init->signo == 0 ? HOST_SIGNAL_KILL : init->signo;
    }
    if (init->ended) {
        end_rest(init);
    }
    *ret_report = report;
    return CORDON_OK;
}

void init_job_about(const struct init_job *init, struct platform_about *ret_about)
{
    *ret_about =
        (struct platform_about){.pid = (int32_t)GetProcessId((HANDLE)init->launch->process)};
}

/* There is nothing gentler here: each ends the job, and is told as what did. */
enum cordon_err init_job_signal(struct init_job *init, int signo)
{
    const struct launch_api *api = launch_win32();

    if (init->ended) {
        return CORDON_E_NOT_FOUND;
    }
    init->signo = (uint32_t)signo;
    return api->job_end(api->self, init->launch->job, ENDED) == API_OK ? CORDON_OK : CORDON_E_OS;
}
