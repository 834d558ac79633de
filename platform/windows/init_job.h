/* SPDX-License-Identifier: Apache-2.0 */
/* A job's init (init/main.c) as a back end sees it: what it says on a pipe of its own, and its
 * end. */
#ifndef CORDON_PLATFORM_WINDOWS_INIT_JOB_H
#define CORDON_PLATFORM_WINDOWS_INIT_JOB_H

#include "platform/platform.h"
#include "platform/windows/launch.h"

struct init_job {
    const struct launch *launch; /* borrowed: the init and its job object */
    int status;                  /* what the init says; owned. -1: none */
    uint32_t signo;              /* what ended it; 0: nothing of ours */
    bool ended;                  /* all is told */
};

/* As struct platform says of poll, about and signal. */
enum cordon_err init_job_poll(struct init_job *init, struct ipc_report *ret_report);
void init_job_about(const struct init_job *init, struct platform_about *ret_about);
enum cordon_err init_job_signal(struct init_job *init, int signo);

#endif
