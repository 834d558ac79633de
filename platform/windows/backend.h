/* SPDX-License-Identifier: Apache-2.0 */
/* The two halves of the back end of this system, and what the null one shares with it. */
#ifndef CORDON_PLATFORM_WINDOWS_BACKEND_H
#define CORDON_PLATFORM_WINDOWS_BACKEND_H

#include "platform/platform.h"
#include "platform/windows/job.h"
#include "platform/windows/win32.h"

/* An order of @len bytes with its descriptors, of which @cwd is the last. */
enum cordon_err windows_pack(const void *order, size_t len, const struct platform_parts *parts,
                             int cwd, struct platform_order *ret_order, struct cordon_fault *fault);

/* A primary token of our own that is the peer's; in embedded mode that is ours. NULL: the last
 * error says why. */
HANDLE windows_token(const struct platform_peer *peer);

/* What is kept of the service's entries, and where: place_state(); the tests' own program has
 * another, which comes first. False: it cannot be told. */
bool windows_state(struct state_config *ret_config);
/* The system's own tables; without a state. The tests' program has others on demand. */
struct job_host windows_tables(void);

/* ---- the supervisor's half; as struct platform says ---- */

enum cordon_err windows_spawn(const struct platform_spawn *spawn, struct platform_job **ret_job,
                              struct cordon_fault *fault);
int windows_watch_fd(const struct platform_job *job);
enum cordon_err windows_poll(struct platform_job *job, struct ipc_report *ret_report);
void windows_about(const struct platform_job *job, struct platform_about *ret_about);
enum cordon_err windows_signal(struct platform_job *job, int signo);
void windows_release(struct platform_job *job);
void windows_cleanup(bool embedded);

#endif
