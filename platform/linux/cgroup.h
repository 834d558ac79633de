/* SPDX-License-Identifier: Apache-2.0 */
/* One control group per job, below the one the service was given (Delegate=yes). */
#ifndef CORDON_LINUX_CGROUP_H
#define CORDON_LINUX_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "platform/base/err.h"

struct cgroup {
    int dir; /* of the job's group; -1: there is none here */
    char name[40];
};

/* True when this process may make groups below its own; *ret_why says why not. */
bool cgroup_available(const char **ret_why);
/* Makes the group of @job. Where there is none to be had, dir is -1 and that is no error. */
CORDON_MUST_USE enum cordon_err cgroup_make(uint64_t job, struct cgroup *ret_cgroup,
                                            struct cordon_fault *fault);
/* Write end of cgroup.procs, or of /dev/null; close it. -1 with errno. */
int cgroup_procs_fd(const struct cgroup *cgroup);
/* Kills what is in it, removes it. */
void cgroup_remove(struct cgroup *cgroup);
/* Removes groups that a dead broker left. */
void cgroup_cleanup(void);

#endif
