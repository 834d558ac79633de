/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/blank.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/host.h"
#include "platform/linux/backend.h"

#define KEEP_MS 60000U
#define GRACE_MS 20 /* for one that is killed */
#define NOBODY (~0U)

static struct {
    struct job_parts ready; /* pidfd -1: there is none */
    bool known;             /* @ready was set */
    bool more;              /* of a broker that may have another job */
    uint64_t used_ms;       /* when one was wanted last; 0: never */
} blank;

static struct job_parts *ready(void)
{
    if (!blank.known) {
        job_parts_init(&blank.ready);
        blank.known = true;
    }
    return &blank.ready;
}

static bool lives(const struct job_parts *parts)
{
    return job_init_is_quiet(parts->pidfd, parts->report);
}

/* It has made its network; that can take as long as the kernel likes. */
static bool waits(const struct job_parts *parts)
{
    char word;

    return recv(parts->control, &word, 1, MSG_PEEK | MSG_DONTWAIT) == 1 && word == INIT_WAITS;
}

static enum cordon_err ends_make(struct job_parts *parts, struct cordon_fault *fault)
{
    int control[2];
    int report[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, control) != 0) {
        return fault_os(fault, errno, NULL, "cannot prepare the job");
    }
    parts->control = control[0];
    parts->launch.fds[INIT_FD_CHANNEL] = control[1];
    if (pipe2(report, O_CLOEXEC | O_NONBLOCK) != 0) {
        return fault_os(fault, errno, NULL, "cannot prepare the job");
    }
    parts->report = report[0];
    parts->launch.fds[INIT_FD_REPORT] = report[1];
    return CORDON_OK;
}

static void hand_over(struct job_parts *from, struct job_parts *to)
{
    to->remains = from->remains;
    to->control = from->control;
    to->report = from->report;
    to->pidfd = from->pidfd;
    to->pid = from->pid;
    to->launch.fds[INIT_FD_CHANNEL] = from->launch.fds[INIT_FD_CHANNEL];
    to->launch.fds[INIT_FD_REPORT] = from->launch.fds[INIT_FD_REPORT];
    job_parts_init(from);
}

enum cordon_err blank_take(struct job_parts *parts, bool due, struct cordon_fault *fault)
{
    const bool needs_network = (parts->launch.flags & ORDER_NET_HOST) == 0;

    if (due) {
        blank.used_ms = host_now_ms();
    }
    if (due && lives(ready()) && (needs_network || waits(ready()))) {
        hand_over(ready(), parts);
        return CORDON_OK;
    }
    return ends_make(parts, fault);
}

void blank_end(struct job_parts *parts)
{
    struct pollfd ended = {.fd = parts->pidfd, .events = POLLIN};

    if (parts->pidfd < 0) {
        return;
    }
    (void)syscall(SYS_pidfd_send_signal, parts->pidfd, SIGKILL, NULL, 0);
    (void)poll(&ended, 1, GRACE_MS);
    *parts->remains = (struct job_remains){.uid = NOBODY,
                                           .pidfd = parts->pidfd,
                                           .cgroup = {.dir = -1},
                                           .bpf = {.slot = ORDER_NO_SLOT, .ring = -1}};
    remains_keep(parts->remains);
    parts->remains = NULL;
    parts->pidfd = -1;
}

void blank_forget(void)
{
    if (blank.known) {
        job_parts_close(&blank.ready);
        job_parts_init(&blank.ready);
    }
    blank.used_ms = 0;
}

/* Who cannot have one is told why when his job is to be started. */
static void make(void)
{
    struct job_parts *parts = ready();
    struct cordon_fault ignored;

    if (lives(parts)) {
        return;
    }
    job_parts_close(parts);
    job_parts_init(parts);
    parts->launch.flags = linux_is_privileged() ? 0 : (uint32_t)ORDER_USER_NS;
    parts->remains = calloc(1, sizeof(*parts->remains));
    if (parts->remains == NULL || ends_make(parts, &ignored) != CORDON_OK ||
        launch_start(&parts->launch, &parts->pidfd, &parts->pid, &ignored) != CORDON_OK) {
        job_parts_close(parts);
        job_parts_init(parts);
        blank.used_ms = 0; /* until the next job is wanted */
    }
}

uint32_t blank_tend(void)
{
    const uint64_t now = host_now_ms();

    if (blank.used_ms == 0) {
        return 0;
    }
    if (now - blank.used_ms >= KEEP_MS) {
        blank_forget();
        return 0;
    }
    if (blank.more) {
        make();
    }
    return blank.used_ms == 0 ? 0 : (uint32_t)(blank.used_ms + KEEP_MS - now);
}

void linux_expect(bool embedded)
{
    blank.more = !embedded;
    blank.used_ms = host_now_ms();
    make();
}
