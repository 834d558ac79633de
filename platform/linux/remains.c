/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/remains.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define AGAIN_MS 100U

static struct {
    struct job_remains *first;
    int fd;    /* eventfd(2) */
    bool told; /* ... and it is readable */
} left = {.fd = -1};

static bool is_reaped(int pidfd)
{
    siginfo_t info;

    memset(&info, 0, sizeof(info));
    /* Again each time: one call that failed is not the end. */
    (void)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
    if (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED | WNOHANG | __WALL) != 0) {
        return errno == ECHILD;
    }
    return info.si_pid != 0;
}

static bool is_gone(struct job_remains *remains)
{
    if (remains->pidfd >= 0 && !is_reaped(remains->pidfd)) {
        return false;
    }
    if (remains->pidfd >= 0) {
        (void)close(remains->pidfd);
        remains->pidfd = -1;
    }
    bpf_job_close(&remains->bpf);
    return cgroup_remove(&remains->cgroup);
}

void remains_keep(struct job_remains *remains)
{
    const uint64_t one = 1;

    if (is_gone(remains)) {
        free(remains);
        return;
    }
    remains->next = left.first;
    left.first = remains;
    left.told = left.told || write(left.fd, &one, sizeof(one)) == (ssize_t)sizeof(one);
}

uint32_t remains_tend(void)
{
    uint64_t count;

    if (left.told) {
        left.told = read(left.fd, &count, sizeof(count)) != (ssize_t)sizeof(count);
    }
    for (struct job_remains **link = &left.first; *link != NULL;) {
        struct job_remains *remains = *link;

        if (is_gone(remains)) {
            *link = remains->next;
            free(remains);
        } else {
            link = &remains->next;
        }
    }
    return left.first == NULL ? 0 : AGAIN_MS;
}

enum cordon_err remains_check(uint32_t uid, struct cordon_fault *fault)
{
    unsigned count = 0;

    if (left.first != NULL) {
        (void)remains_tend();
    }
    for (const struct job_remains *remains = left.first; remains != NULL; remains = remains->next) {
        count += remains->uid == uid;
    }
    if (count < REMAINS_EACH) {
        return CORDON_OK;
    }
    return fault_set(fault, CORDON_E_QUOTA,
                     "end what they wait for: a file system that does not answer, or a tracer",
                     "user %u has %u jobs that were killed and cannot end", uid, count);
}

int remains_fd(void)
{
    if (left.fd < 0) {
        left.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    }
    return left.fd;
}
