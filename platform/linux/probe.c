/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this host can enforce. Everything here is asked of the kernel by doing
 * or by a call that changes nothing, never read off a list of names.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/backend.h"
#include "platform/linux/bpf_jobs.h"
#include "platform/linux/cgroup.h"
#include "platform/linux/init/sys.h"
#include "platform/linux/plan_limits.h"

bool linux_is_privileged(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];

    return geteuid() == 0 && syscall(SYS_capget, &head, data) == 0 &&
           (data[0].effective & (1U << CAP_SYS_ADMIN)) != 0;
}

uint32_t linux_landlock_abi(void)
{
    /* No kernel loses it: a call that fails once must not leave a job without. */
    static uint32_t seen;
    const long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    seen = abi > 0 ? (uint32_t)abi : seen;
    return seen;
}

static struct platform_layer *add(struct platform_probe *probe, const char *name, const char *since,
                                  const char *remedy)
{
    struct platform_layer *layer = &probe->layers[probe->layer_count++];

    *layer = (struct platform_layer){.name = name, .since = since, .remedy = remedy};
    return layer;
}

static void probe_kernel(struct platform_probe *probe)
{
    struct platform_layer *layer =
        add(probe, "kernel", "6.1 / none: refused", "run Linux 6.1 or newer");
    struct utsname name;
    unsigned major = 0;
    unsigned minor = 0;

    layer->needed = true;
    if (uname(&name) == 0 && sscanf(name.release, "%u.%u", &major, &minor) == 2) {
        layer->available = major > 6 || (major == 6 && minor >= 1);
        (void)snprintf(layer->evidence, sizeof(layer->evidence), "Linux %.100s", name.release);
    }
}

static void probe_landlock(struct platform_probe *probe)
{
    struct platform_layer *layer =
        add(probe, "landlock", "5.13, scopes 6.12 / mounts and namespaces alone",
            "enable it with the kernel parameter lsm=landlock,...");

    probe->host.landlock_abi = linux_landlock_abi();
    layer->available = probe->host.landlock_abi > 0;
    (void)snprintf(layer->evidence, sizeof(layer->evidence), "ABI %u", probe->host.landlock_abi);
}

static int user_namespace_child(void *arg)
{
    (void)arg;
    return 0;
}

/* Made and left at once: the only answer that counts limits, sysctls and LSMs. */
bool linux_user_namespaces(void)
{
    char stack[8192] __attribute__((aligned(16)));
    int status;
    pid_t pid = clone(user_namespace_child, stack + sizeof(stack),
                      CLONE_NEWUSER | CLONE_VM | CLONE_VFORK, NULL);

    if (pid > 0) {
        (void)waitpid(pid, &status, __WALL);
    }
    return pid > 0;
}

static void probe_user_namespaces(struct platform_probe *probe)
{
    struct platform_layer *layer =
        add(probe, "user namespaces", "3.8 / the service, which needs none",
            "install the cordon service, or set user.max_user_namespaces and "
            "kernel.apparmor_restrict_unprivileged_userns=0");

    layer->available = linux_user_namespaces();
    probe->host.user_namespaces = layer->available;
    (void)snprintf(layer->evidence, sizeof(layer->evidence), "%s",
                   layer->available ? "one was made" : strerror(errno));
}

static void probe_mounts(struct platform_probe *probe)
{
    struct platform_layer *layer = add(probe, "mount descriptors", "5.12 / none: refused",
                                       "run Linux 6.1 or newer, outside a filtering container");
    int code;

    layer->needed = true;
    /* A bad descriptor is refused only by a kernel that knows the call. */
    (void)sys_mount_setattr(-1, 0, &(struct mount_attr){.attr_set = MOUNT_ATTR_RDONLY});
    code = errno;
    layer->available = code == EBADF || code == EPERM;
    (void)snprintf(layer->evidence, sizeof(layer->evidence), "mount_setattr: %s", strerror(code));
}

static void probe_seccomp(struct platform_probe *probe)
{
    struct platform_layer *layer =
        add(probe, "seccomp", "3.17 / none: refused", "enable CONFIG_SECCOMP_FILTER");
    unsigned action = 0x00050000U; /* SECCOMP_RET_ERRNO */

    layer->needed = true;
    layer->available = syscall(SYS_seccomp, 2 /* SECCOMP_GET_ACTION_AVAIL */, 0, &action) == 0;
    (void)snprintf(layer->evidence, sizeof(layer->evidence), "%s",
                   layer->available ? "filters with errno" : strerror(errno));
}

static void probe_cgroup(struct platform_probe *probe)
{
    struct platform_layer *layer = add(probe, "control groups", "cgroup v2 5.14 / pid namespace",
                                       "run the service with Delegate=yes under cgroup v2");
    const char *why = "";

    layer->available = cgroup_available(&why);
    (void)snprintf(layer->evidence, sizeof(layer->evidence), "%s", why);
}

static void probe_controllers(struct platform_probe *probe)
{
    struct platform_layer *layer =
        add(probe, "controllers", "cgroup v2 / rlimits, or refused",
            "run the service with Delegate=yes where cgroup v2 has its memory, pids and cpu");
    const char *why = "";

    probe->host.controllers = cgroup_controllers(&why);
    layer->available = probe->host.controllers == PLAN_CONTROLLER_ALL;
    (void)snprintf(layer->evidence, sizeof(layer->evidence), "%s", why);
}

/* A row a limit: what would hold it in a job of this user's, or, for root, of the service's. */
static void probe_limits(struct platform_probe *probe)
{
    static const char *const names[POLICY_LIMIT_COUNT] = {
        "limit memory_mib", "limit pids", "limit cpu_percent", "limit open_files", "limit wall_s"};
    const struct limit_host host = {geteuid() == 0 ? probe->host.controllers : 0,
                                    !linux_is_privileged(), geteuid() == 0};

    for (int i = 0; i < POLICY_LIMIT_COUNT; i++) {
        const struct limit_means *means = limit_means_of((enum policy_limit)i, &host);
        struct platform_layer *layer = add(probe, names[i], "see controllers", "see controllers");

        layer->available = means->way != LIMIT_BY_NOTHING && means->note == NULL;
        (void)snprintf(layer->evidence, sizeof(layer->evidence), "%s%s%s", means->text,
                       means->note == NULL ? "" : ": ", means->note == NULL ? "" : means->note);
    }
}

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77
#endif

static void probe_peer(struct platform_probe *probe)
{
    struct platform_layer *layer =
        add(probe, "peer pidfd", "6.5 / uid, gid and groups alone", "run Linux 6.5 or newer");
    int pair[2] = {-1, -1};
    int fd = -1;
    socklen_t len = sizeof(fd);

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0 &&
        getsockopt(pair[0], SOL_SOCKET, SO_PEERPIDFD, &fd, &len) == 0) {
        layer->available = true;
        (void)close(fd);
    }
    (void)snprintf(layer->evidence, sizeof(layer->evidence), "SO_PEERPIDFD: %s",
                   layer->available ? "ok" : strerror(errno));
    if (pair[0] >= 0) {
        (void)close(pair[0]);
        (void)close(pair[1]);
    }
}

/* The first that works decides; the other is not even asked. */
static void probe_decision(struct platform_probe *probe)
{
    struct platform_layer *layer =
        add(probe, "access-time decision", "bpf 6.1 / fanotify 5.17 / start-time snapshot",
            "use the service, on a kernel with CONFIG_FANOTIFY_ACCESS_PERMISSIONS");
    const char *bpf;
    const char *why = "";

    probe->host.bpf = bpf_decides(&bpf);
    probe->host.fanotify = !probe->host.bpf && linux_fanotify(&why);
    layer->available = probe->host.bpf || probe->host.fanotify;
    if (probe->host.bpf) {
        (void)snprintf(layer->evidence, sizeof(layer->evidence), "bpf: %.150s", bpf);
    } else {
        (void)snprintf(layer->evidence, sizeof(layer->evidence), "fanotify: %s; bpf: %.100s", why,
                       bpf);
    }
}

/* Nothing is weaker where there are few: jobs wait for room, and are refused in the end. */
static void probe_groups(struct platform_probe *probe)
{
    struct platform_layer *layer =
        add(probe, "fanotify groups", "5.13 / jobs wait for one another",
            "set user.max_fanotify_groups = 8192 by sysctl.d, as cordon's packages do");
    const unsigned groups = linux_fanotify_groups();

    layer->available = probe->host.bpf || groups >= LINUX_FANOTIFY_GROUPS;
    if (probe->host.bpf) {
        (void)snprintf(layer->evidence, sizeof(layer->evidence), "bpf decides: not needed");
    } else {
        (void)snprintf(layer->evidence, sizeof(layer->evidence),
                       "%u: more than some %u jobs at once wait up to 10 s, then are refused",
                       groups, groups / 2);
    }
}

static void probe_sockets(struct platform_probe *probe)
{
    struct platform_layer *layer =
        add(probe, "host sockets", "bpf 6.1 / masks over those bound when the job starts",
            "use the service, on a kernel that takes its program");

    layer->available = probe->host.bpf;
    (void)snprintf(layer->evidence, sizeof(layer->evidence), "%s",
                   probe->host.bpf ? "every connection is judged"
                                   : "not covered: unix sockets of the host bound after a job's "
                                     "start, or under a relative name");
}

void linux_probe(struct platform_probe *ret_probe)
{
    static void (*const rows[])(struct platform_probe *) = {
        probe_kernel, probe_mounts,      probe_seccomp, probe_landlock, probe_user_namespaces,
        probe_cgroup, probe_controllers, probe_limits,  probe_peer,     probe_decision,
        probe_groups, probe_sockets};

    memset(ret_probe, 0, sizeof(*ret_probe));
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        rows[i](ret_probe);
    }
}
