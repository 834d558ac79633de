/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/pass.h"
#include "platform/siblings.h"

#define CHILD_STACK (64U * 1024U)

/* What the child needs between clone() and execve(); it shares our memory. */
struct child {
    const struct launch *launch;
    const char *path;
    volatile int code; /* errno of the step that failed */
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

static int child_place_fds(const struct launch *launch)
{
    int high[INIT_FD_ORDER];

    for (int i = INIT_FD_CHANNEL; i < INIT_FD_ORDER; i++) {
        high[i] = fcntl(launch->fds[i], F_DUPFD_CLOEXEC, INIT_FD_COUNT);
        if (high[i] < 0) {
            return -1;
        }
    }
    for (int i = INIT_FD_CHANNEL; i < INIT_FD_ORDER; i++) {
        if (dup2(high[i], i) != i) {
            return -1;
        }
    }
    for (int i = 0; i < INIT_FD_CHANNEL; i++) {
        int null = open("/dev/null", O_RDWR);

        if (null < 0 || (null != i && dup2(null, i) != i)) {
            return -1;
        }
        if (null > 2) {
            (void)close(null);
        }
    }
    return (int)syscall(SYS_close_range, (unsigned)INIT_FD_ORDER, ~0U, 0);
}

static int child_main(void *arg)
{
    struct child *child = arg;
    char name[] = "cordon-init";
    char *const argv[] = {name, NULL};
    char *const env[] = {NULL};

    if (((child->launch->flags & ORDER_USER_NS) != 0 && child_keep_capabilities() != 0) ||
        child_place_fds(child->launch) != 0) {
        child->code = errno;
        _exit(125);
    }
    (void)execve(child->path, argv, env);
    child->code = errno;
    _exit(125);
}

/*
 * What is not a copy of something of the host's, which would be of the moment when cordon-init was
 * started and not of its job. The network namespace, the dearest, it makes itself: nobody waits for
 * us meanwhile.
 */
static int clone_flags(uint32_t order_flags)
{
    const int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | CLONE_NEWPID | CLONE_NEWIPC;

    return (order_flags & ORDER_USER_NS) != 0 ? flags | CLONE_NEWUSER : flags;
}

static enum cordon_err clone_fault(const struct launch *launch, int code,
                                   struct cordon_fault *fault)
{
    /* By a limit, or by a kernel or a security module that has none for such a user. */
    static const int refused[] = {EPERM, EACCES, EINVAL, ENOSPC, EUSERS};
    bool is_refused = false;

    for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
        is_refused = is_refused || refused[i] == code;
    }
    if ((launch->flags & ORDER_USER_NS) == 0 || !is_refused) {
        return fault_os(fault, code,
                        code == ENOSPC ? "raise the limit (sysctl user.max_*_namespaces)" : NULL,
                        "cannot make the namespaces of the job");
    }
    /* Which of them is over its limit is not told. */
    return fault_set(fault, CORDON_E_UNSUPPORTED,
                     "install and start the cordon service, which needs no user namespaces, or "
                     "allow them (sysctl user.max_*_namespaces)",
                     "embedded mode needs user namespaces, and others in them, which this host "
                     "refuses: %s",
                     strerror(code));
}

/* A broker that stayed deaf could only be killed. */
static void signals_restore(const sigset_t *before)
{
    for (int tries = 0; tries < 3 && sigprocmask(SIG_SETMASK, before, NULL) != 0; tries++) {
    }
}

static enum cordon_err child_clone(struct child *child, int *ret_pidfd, int *ret_pid,
                                   struct cordon_fault *fault)
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
    pid = clone(child_main, stack + CHILD_STACK, clone_flags(child->launch->flags), child, &pidfd);
    code = pid < 0 ? errno : child->code;
    signals_restore(&before);
    (void)munmap(stack, CHILD_STACK);
    if (pid < 0) {
        return clone_fault(child->launch, code, fault);
    }
    if (code != 0) {
        siginfo_t info;

        (void)waitid(P_PID, (id_t)pid, &info, WEXITED | __WALL);
        (void)close(pidfd);
        return fault_os(fault, code, "reinstall cordon", "cannot start %s", child->path);
    }
    *ret_pid = pid;
    *ret_pidfd = pidfd;
    return CORDON_OK;
}

void launch_init(struct launch *launch)
{
    launch->flags = 0;
    launch->asks = false;
    for (int i = 0; i < INIT_FD_COUNT; i++) {
        launch->fds[i] = -1;
    }
}

void launch_close(struct launch *launch)
{
    for (int i = 0; i < INIT_FD_COUNT; i++) {
        if (launch->fds[i] >= 0) {
            (void)close(launch->fds[i]);
        }
        launch->fds[i] = -1;
    }
}

enum cordon_err launch_tell(const struct launch *launch, int control, bool ahead,
                            struct cordon_fault *fault)
{
    const struct init_parts parts = {.magic = INIT_PARTS_MAGIC, .ahead = ahead ? 1 : 0};
    struct pass pass = {.count = INIT_FD_COUNT - INIT_FD_ORDER};

    _Static_assert(INIT_FD_COUNT - INIT_FD_ORDER <= PASS_MAX, "they are sent together");
    memcpy(pass.fds, &launch->fds[INIT_FD_ORDER], pass.count * sizeof(int));
    return pass_send(control, &parts, sizeof(parts), &pass)
               ? CORDON_OK
               : fault_os(fault, errno, "try again", "the job's set-up cannot be told of its job");
}

enum cordon_err launch_start(const struct launch *launch, int *ret_pidfd, int *ret_pid,
                             struct cordon_fault *fault)
{
    char path[512];
    struct child child = {.launch = launch, .path = path};
    enum cordon_err err = sibling_path("cordon-init", path, sizeof(path), fault);

    return err == CORDON_OK ? child_clone(&child, ret_pidfd, ret_pid, fault) : err;
}
