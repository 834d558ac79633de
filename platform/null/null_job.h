/* SPDX-License-Identifier: Apache-2.0 */
/* The half of the null back end that each system has its own of; as struct platform says. */
#ifndef CORDON_NULL_JOB_H
#define CORDON_NULL_JOB_H

#include "platform/platform.h"

enum policy_os null_os(void);
/* True in test builds. */
bool null_may_run(void);

enum cordon_err null_order(const struct platform_parts *parts, struct platform_order *ret_order,
                           struct cordon_fault *fault);
enum cordon_err null_spawn(const struct platform_spawn *spawn, struct platform_job **ret_job,
                           struct cordon_fault *fault);
int null_watch_fd(const struct platform_job *job);
enum cordon_err null_poll(struct platform_job *job, struct ipc_report *ret_report);
void null_about(const struct platform_job *job, struct platform_about *ret_about);
enum cordon_err null_signal(struct platform_job *job, int signo);
void null_release(struct platform_job *job);

#endif
