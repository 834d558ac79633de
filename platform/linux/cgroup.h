/* SPDX-License-Identifier: Apache-2.0 */
/* One control group per job, below the one the service was given (Delegate=yes). */
#ifndef CORDON_LINUX_CGROUP_H
#define CORDON_LINUX_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include <sys/resource.h>

#include "platform/base/err.h"
#include "platform/ipc.h"
#include "policy/types.h"

struct cgroup {
    int dir; /* of the job's group; -1: there is none here */
    char name[48];
};

/* True when this process may make groups below its own; *ret_why says why not. */
bool cgroup_available(const char **ret_why);
/*
 * enum plan_controller: what jobs can be limited with. In the supervisor, after cgroup_start(),
 * what works; elsewhere what is offered. *ret_why says which, or why none.
 */
uint32_t cgroup_controllers(const char **ret_why);
/*
 * The service's, once: moves this process, alone in the group it was given, into one below that, so
 * that those of the jobs can have controllers; tries each of these.
 */
void cgroup_start(void);
/* Directory of the group that the jobs' are made in; -1: there is none. */
int cgroup_parent_open(const char **ret_why);
/* A file of the group at @dir: what it holds, cut to fit; an errno. */
bool cgroup_read(int dir, const char *name, char *text, size_t size);
int cgroup_write(int dir, const char *name, const char *text);

/* cgroup_use.c */
/* Lets the group have no more than @value of @limit. CORDON_E_UNSUPPORTED: there is no group. */
CORDON_MUST_USE enum cordon_err cgroup_limit(const struct cgroup *cgroup, enum policy_limit limit,
                                             uint32_t value, struct cordon_fault *fault);
/* What was used in it, completed by what its init's wait4(2) says. */
void cgroup_usage(const struct cgroup *cgroup, const struct rusage *used,
                  struct ipc_usage *ret_usage);

/* Makes the group of @job. Where there is none to be had, dir is -1 and that is no error. */
CORDON_MUST_USE enum cordon_err cgroup_make(uint64_t job, struct cgroup *ret_cgroup,
                                            struct cordon_fault *fault);
/* Write end of cgroup.procs, or of /dev/null; close it. -1 with errno. */
int cgroup_procs_fd(const struct cgroup *cgroup);
/* Kills what is in it, removes it; never waits. False: something is in it still, call it again. */
bool cgroup_remove(struct cgroup *cgroup);
/* Removes groups that a dead broker left. */
void cgroup_cleanup(void);

#endif
