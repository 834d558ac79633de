/* SPDX-License-Identifier: Apache-2.0 */
/* The operations of the Linux back end, by the process that calls them. */
#ifndef CORDON_LINUX_BACKEND_H
#define CORDON_LINUX_BACKEND_H

#include "platform/linux/bpf_jobs.h"
#include "platform/linux/cgroup.h"
#include "platform/linux/order.h"
#include "platform/platform.h"

/* probe.c; both sides */
void linux_probe(struct platform_probe *ret_probe);
uint32_t linux_landlock_abi(void);
/* Makes one; errno if not. */
bool linux_user_namespaces(void);
/* Permission events were seen to deny an open; asked once.
 * *ret_why is the evidence. */
bool linux_fanotify(const char **ret_why);
/*
 * How many groups root may have (sysctl user.max_fanotify_groups; the kernel's own number is 128);
 * 0: unknown. A job that fanotify decides for has two, and the index closes up to 48 more; 2048
 * jobs there can be. packaging/systemd/cordon.sysctl.conf sets it, the service never does.
 */
#define LINUX_FANOTIFY_GROUPS 8192U
unsigned linux_fanotify_groups(void);
/* Holds CAP_SYS_ADMIN: builds views without a user namespace. */
bool linux_is_privileged(void);

/* What was read in a file; whoever maps it changes it untold. */
struct kept_text {
    struct kept_text *next;
    const char *path, *text;
};

/* What is good for further orders. */
struct platform_kept {
    struct witness *witness;
    struct kept_text *texts; /* in the arena */
    int order;               /* sealed memfd: the block of the first one; -1: none was made yet */
    /* What it grants, as a path to open again each time; in the packet's order, in the arena. */
    const char *grants[IPC_FDS_MAX];
    size_t grant_count;
};

/* resolve.c, order_make.c; worker */
enum cordon_err linux_resolve(const struct policy *policy, const struct platform_start *start,
                              struct arena *arena, struct platform_resolved *ret_resolved,
                              struct cordon_fault *fault);
void linux_resolved_release(struct platform_resolved *resolved);
bool linux_resolved_holds(const struct platform_resolved *resolved);
/* Closes the objects; the facts stay. */
void linux_resolved_idle(struct platform_resolved *resolved);
enum cordon_err linux_order(const struct platform_parts *parts, struct platform_order *ret_order,
                            struct cordon_fault *fault);
/* needed.c: what @program cannot start without; paths live in @arena. */
enum cordon_err linux_needed(const struct platform_start *start, struct arena *arena,
                             struct plan_facts *facts);

/* What this host can at this moment; asked once for each job. */
struct linux_able {
    bool privileged;
    bool program;         /* the kernel's program decides at each access */
    bool at_access;       /* ... or fanotify */
    uint32_t controllers; /* cgroup_controllers() */
    uint32_t landlock_abi;
};
struct linux_able linux_able(bool embedded);

/*
 * grant_check.c: a worker's order against the managed policy, and cordon-init's from it, without a
 * slot. *ret_block is malloc'ed. *ret_program: the kernel's program is to decide.
 */
CORDON_MUST_USE enum cordon_err linux_init_order(const struct platform_spawn *spawn,
                                                 const struct linux_able *able, void **ret_block,
                                                 size_t *ret_len, bool *ret_program,
                                                 struct cordon_fault *fault);
/*
 * ... and all that it is made from beside that, the sealed files and the managed policy: who asks,
 * from where, what each of his descriptors is. As a block of bytes, malloc'ed; comes first, since
 * it looks whether there are enough descriptors.
 */
CORDON_MUST_USE enum cordon_err linux_init_asked(const struct platform_spawn *spawn,
                                                 const struct linux_able *able, void **ret_block,
                                                 size_t *ret_len, struct cordon_fault *fault);

/* managed_steps.c: denials, what holds them in place, and where they are decided; @at_access: at
 * each access. CORDON_E_NOMEM. */
enum cordon_err linux_managed_steps(const struct policy *managed, bool at_access,
                                    struct order_builder *builder, struct cordon_fault *fault);

/* limits.c: what the command is limited to by setrlimit(2), into the order; then by its group. */
/* CORDON_E_UNSUPPORTED where a limit cannot be held. */
CORDON_MUST_USE enum cordon_err linux_limit_command(const struct platform_spawn *spawn,
                                                    const struct linux_able *able,
                                                    struct order_builder *builder,
                                                    struct cordon_fault *fault);
struct limit_group {
    uint32_t value[POLICY_LIMIT_COUNT]; /* 0: not by the group */
};
CORDON_MUST_USE enum cordon_err linux_limit_group(const struct platform_spawn *spawn,
                                                  const struct linux_able *able,
                                                  struct limit_group *ret_group,
                                                  struct cordon_fault *fault);

/* spawn.c, job.c; supervisor */
enum cordon_err linux_spawn(const struct platform_spawn *spawn, struct platform_job **ret_job,
                            struct cordon_fault *fault);
int linux_watch_fd(const struct platform_job *job);
enum cordon_err linux_poll(struct platform_job *job, struct ipc_report *ret_report);
enum cordon_err linux_violation(struct platform_job *job, struct ipc_violation *ret_violation);
void linux_about(const struct platform_job *job, struct platform_about *ret_about);
enum cordon_err linux_signal(struct platform_job *job, int signo);
void linux_release(struct platform_job *job);
void linux_cleanup(bool embedded);

/* spare.c; supervisor */
/*
 * True: something was mounted or unmounted in our namespace, whose mounts every view begins with,
 * since this was asked last, or it cannot be said. poll(2) of /proc/self/mountinfo knows before
 * mount(2) returns, see proc(5).
 */
bool linux_mounts_changed(void);
uint32_t linux_tend(void);
/* blank.c; supervisor */
void linux_expect(bool embedded);
void linux_forget(void);

#endif
