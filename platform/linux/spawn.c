/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/backend.h"
#include "platform/linux/index_start.h"
#include "platform/linux/job.h"
#include "platform/linux/seccomp.h"
#include "platform/posix/siblings.h"

#define CHILD_STACK (64U * 1024U)
#define CHILD_END_MS 500
#define CHILD_FD_BASE 64 /* above every number of enum order_init_fd */

/* What the child needs between clone() and execve(); it shares our memory. */
struct child {
    const char *path;
    int fds[INIT_FD_COUNT]; /* source of each numbered descriptor */
    bool user_ns;
    volatile int code; /* errno of the step that failed */
    pid_t pid;
};

/* execve() drops what a user namespace gave to an unmapped user, unless ambient. */
static int child_keep_capabilities(void)
{
    static const unsigned long needed[] = {CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_SETPCAP};
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];

    if (syscall(SYS_capget, &head, data) != 0) {
        return -1;
    }
    data[0].inheritable = data[0].permitted;
    data[1].inheritable = data[1].permitted;
    if (syscall(SYS_capset, &head, data) != 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
        if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, needed[i], 0, 0) != 0) {
            return -1;
        }
    }
    return 0;
}

static int child_place_fds(const struct child *child)
{
    int high[INIT_FD_COUNT];

    for (int i = INIT_FD_ORDER; i < INIT_FD_COUNT; i++) {
        high[i] = fcntl(child->fds[i], F_DUPFD_CLOEXEC, CHILD_FD_BASE);
        if (high[i] < 0) {
            return -1;
        }
    }
    for (int i = INIT_FD_ORDER; i < INIT_FD_COUNT; i++) {
        if (dup2(high[i], i) != i) {
            return -1;
        }
    }
    for (int i = 0; i < INIT_FD_ORDER; i++) {
        int null = open("/dev/null", O_RDWR);

        if (null < 0 || (null != i && dup2(null, i) != i)) {
            return -1;
        }
        if (null > 2) {
            (void)close(null);
        }
    }
    return (int)syscall(SYS_close_range, (unsigned)INIT_FD_COUNT, ~0U, 0);
}

static int child_main(void *arg)
{
    struct child *child = arg;
    char name[] = "cordon-init";
    char *const argv[] = {name, NULL};
    char *const env[] = {NULL};

    if ((child->user_ns && child_keep_capabilities() != 0) || child_place_fds(child) != 0) {
        child->code = errno;
        _exit(125);
    }
    (void)execve(child->path, argv, env);
    child->code = errno;
    _exit(125);
}

static int clone_flags(const struct order_head *order)
{
    int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC |
                CLONE_NEWUTS;

    if ((order->flags & ORDER_NET_HOST) == 0) {
        flags |= CLONE_NEWNET;
    }
    if ((order->flags & ORDER_USER_NS) != 0) {
        flags |= CLONE_NEWUSER;
    }
    return flags;
}

static const char *clone_remedy(const struct order_head *order, int code)
{
    if ((order->flags & ORDER_USER_NS) == 0) {
        return NULL;
    }
    if (code == EPERM || code == ENOSPC || code == EUSERS) {
        return "user namespaces are off for ordinary users here: install and start the cordon "
               "service, which does not need them";
    }
    return NULL;
}

/* A broker that stayed deaf could only be killed. */
static void signals_restore(const sigset_t *before)
{
    for (int tries = 0; tries < 3 && sigprocmask(SIG_SETMASK, before, NULL) != 0; tries++) {
    }
}

static enum cordon_err child_clone(struct child *child, const struct order_head *order,
                                   int *ret_pidfd, struct cordon_fault *fault)
{
    char *stack = mmap(NULL, CHILD_STACK, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    sigset_t all;
    sigset_t before;
    int pidfd = -1;
    int code;
    pid_t pid;

    if (stack == MAP_FAILED) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "job: out of memory");
    }
    /* Our handlers must not run in a child that shares our memory. */
    (void)sigfillset(&all);
    if (sigprocmask(SIG_SETMASK, &all, &before) != 0) {
        code = errno;
        (void)munmap(stack, CHILD_STACK);
        return fault_os(fault, code, NULL, "cannot prepare the job");
    }
    pid = clone(child_main, stack + CHILD_STACK, clone_flags(order), child, &pidfd);
    code = pid < 0 ? errno : child->code;
    signals_restore(&before);
    (void)munmap(stack, CHILD_STACK);
    if (pid < 0) {
        return fault_os(fault, code, clone_remedy(order, code),
                        "cannot make the namespaces of the job");
    }
    if (code != 0) {
        siginfo_t info;

        (void)waitid(P_PID, (id_t)pid, &info, WEXITED | __WALL);
        (void)close(pidfd);
        return fault_os(fault, code, "reinstall cordon", "cannot start %s", child->path);
    }
    child->pid = pid;
    *ret_pidfd = pidfd;
    return CORDON_OK;
}

/* Both filters are compiled when first needed and kept for the broker's life. */
static enum cordon_err seccomp_get(bool full_access, int *ret_fd, struct cordon_fault *fault)
{
    static int cached[2] = {-1, -1};
    enum cordon_err err = CORDON_OK;

    if (cached[full_access] < 0) {
        err = seccomp_compile(full_access, &cached[full_access], fault);
    }
    *ret_fd = cached[full_access];
    return err;
}

static void close_all(const int *fds, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (fds[i] >= 0) {
            (void)close(fds[i]);
        }
    }
}

/* The parts that only this job has; the rest of child->fds is borrowed. */
struct parts {
    int order, table, sockets, procs, report[2], violations, tally, tags, jobs, index;
};

static int null_open(void)
{
    return open("/dev/null", O_RDWR | O_CLOEXEC);
}

/* A guard reports by a socket, the kernel's program by its maps; embedded, nobody does. */
static enum cordon_err reports_open(const struct platform_spawn *spawn, struct parts *parts,
                                    struct job_parts *job, struct cordon_fault *fault)
{
    bool program = job->bpf.slot != ORDER_NO_SLOT;

    parts->tags = program ? fcntl(bpf_tags_fd(), F_DUPFD_CLOEXEC, 3) : null_open();
    parts->jobs = program ? fcntl(bpf_jobs_fd(), F_DUPFD_CLOEXEC, 3) : null_open();
    if (!spawn->embedded && !program) {
        enum cordon_err err = denials_open(&job->denials, &parts->violations, &parts->tally, fault);

        if (err != CORDON_OK) {
            return err;
        }
    } else {
        parts->violations = null_open();
        parts->tally = null_open();
    }
    if (parts->violations < 0 || parts->tally < 0 || parts->tags < 0 || parts->jobs < 0) {
        return fault_os(fault, errno, NULL, "cannot prepare the job");
    }
    return CORDON_OK;
}

static enum cordon_err parts_open(const struct platform_spawn *spawn, struct job_parts *job,
                                  struct parts *parts, struct cordon_fault *fault)
{
    enum cordon_err err = linux_init_order(spawn, &parts->order, &job->bpf, fault);

    if (err == CORDON_OK) {
        err = ipc_memfd("cordon-managed", spawn->managed_table, dfa_size(spawn->managed_table),
                        &parts->table, fault);
    }
    if (err != CORDON_OK) {
        return err;
    }
    parts->sockets = open("/proc/self/net/unix", O_RDONLY | O_CLOEXEC);
    parts->procs = cgroup_procs_fd(&job->cgroup);
    if (parts->sockets < 0 || parts->procs < 0 ||
        pipe2(parts->report, O_CLOEXEC | O_NONBLOCK) != 0) {
        return fault_os(fault, errno, NULL, "cannot prepare the job");
    }
    return CORDON_OK;
}

static bool is_watched(const struct order_head *order)
{
    const struct order_step *steps = order_steps(order);

    for (uint32_t i = 0; i < order->step_count; i++) {
        if (steps[i].op == ORDER_WATCH) {
            return true;
        }
    }
    return false;
}

/* A job without an index looks for older links itself. */
static enum cordon_err index_open_for(const struct platform_spawn *spawn,
                                      const struct order_head *order, int *ret_fd,
                                      struct cordon_fault *fault)
{
    int asks = spawn->embedded || !is_watched(order) ? -1 : index_started();

    *ret_fd = asks < 0 ? open("/dev/null", O_RDWR | O_CLOEXEC) : fcntl(asks, F_DUPFD_CLOEXEC, 0);
    return *ret_fd < 0 ? fault_os(fault, errno, NULL, "cannot prepare the job") : CORDON_OK;
}

static enum cordon_err start(const struct platform_spawn *spawn, struct parts *parts,
                             struct job_parts *job, struct cordon_fault *fault)
{
    char path[512];
    struct child child = {.path = path};
    const void *block;
    const struct order_head *order;
    enum cordon_err err;
    size_t len;
    int filter;

    err = sibling_path("cordon-init", path, sizeof(path), fault);
    if (err != CORDON_OK) {
        return err;
    }
    err = ipc_map(parts->order, ORDER_BYTES_MAX, &block, &len, fault);
    if (err != CORDON_OK) {
        return err;
    }
    order = block;
    err = seccomp_get((order->flags & ORDER_FULL_ACCESS) != 0, &filter, fault);
    if (err == CORDON_OK) {
        err = index_open_for(spawn, order, &parts->index, fault);
    }
    if (err == CORDON_OK) {
        child.user_ns = (order->flags & ORDER_USER_NS) != 0;
        child.fds[INIT_FD_ORDER] = parts->order;
        child.fds[INIT_FD_OWN] = spawn->fds[IPC_SPAWN_TABLE];
        child.fds[INIT_FD_MANAGED] = parts->table;
        child.fds[INIT_FD_CHANNEL] = spawn->fds[IPC_SPAWN_CHANNEL];
        child.fds[INIT_FD_REPORT] = parts->report[1];
        child.fds[INIT_FD_SOCKETS] = parts->sockets;
        child.fds[INIT_FD_SECCOMP] = filter;
        child.fds[INIT_FD_CGROUP] = parts->procs;
        child.fds[INIT_FD_VIOLATIONS] = parts->violations;
        child.fds[INIT_FD_TALLY] = parts->tally;
        child.fds[INIT_FD_TAGS] = parts->tags;
        child.fds[INIT_FD_INDEX] = parts->index;
        child.fds[INIT_FD_JOBS] = parts->jobs;
        err = child_clone(&child, order, &job->pidfd, fault);
        if (err == CORDON_OK) {
            job->pid = child.pid;
            bpf_job_seen(&job->bpf, child.pid);
        }
    }
    ipc_unmap(block, len);
    return err;
}

enum cordon_err linux_spawn(const struct platform_spawn *spawn, struct platform_job **ret_job,
                            struct cordon_fault *fault)
{
    struct parts parts = {-1, -1, -1, -1, {-1, -1}, -1, -1, -1, -1, -1};
    struct job_parts job = {.pidfd = -1,
                            .cgroup = {.dir = -1},
                            .denials = {.channel = -1},
                            .bpf = {.slot = ORDER_NO_SLOT, .ring = -1}};
    enum cordon_err err = CORDON_OK;

    if (!spawn->embedded) {
        err = cgroup_make(spawn->job, &job.cgroup, fault);
    }
    if (err == CORDON_OK) {
        err = linux_limit_group(spawn, &job.cgroup, fault);
    }
    if (err == CORDON_OK) {
        err = parts_open(spawn, &job, &parts, fault);
    }
    if (err == CORDON_OK) {
        err = reports_open(spawn, &parts, &job, fault);
    }
    if (err == CORDON_OK) {
        err = start(spawn, &parts, &job, fault);
    }
    if (err == CORDON_OK) {
        job.report = parts.report[0];
        err = job_new(&job, ret_job, fault);
    }
    if (err == CORDON_OK) {
        parts.report[0] = -1;
    } else {
        if (job.pidfd >= 0) {
            job_kill(job.pidfd, CHILD_END_MS);
        }
        /* While the descriptor keeps the number of its pid namespace from others. */
        bpf_job_close(&job.bpf);
        if (job.pidfd >= 0) {
            (void)close(job.pidfd);
        }
        denials_close(&job.denials);
        cgroup_remove(&job.cgroup);
    }
    close_all((const int[]){parts.order, parts.table, parts.sockets, parts.procs, parts.report[0],
                            parts.report[1], parts.violations, parts.tally, parts.tags, parts.jobs,
                            parts.index},
              11);
    return err;
}
