/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cordon-index: what must be known beyond one job. It keeps, for the jobs to
 * come, the names that guards saw go (former.h), and a process of its own knows,
 * for each file system that it was asked about, the files with several names
 * (links.h). Root, for they must look into every directory, but without any other
 * privilege than that, CAP_SYS_ADMIN, which marks and clones of mounts need
 * whenever a file system is asked about that was not there before, and
 * CAP_SYS_CHROOT, with which heirs name directories as guards do (heir.h). It
 * reads no caller's bytes but names of files, which it only hands on, and it knows
 * no policy but in an heir. Descriptor 3: the questions; it ends with the last
 * asker.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "platform/linux/index/closer.h"
#include "platform/linux/index/former.h"
#include "platform/linux/index/hold.h"
#include "platform/linux/index/links.h"
#include "platform/linux/init/init.h"
#include "platform/linux/init/sys.h"

#define FD_QUESTIONS 3 /* as it is born */
#define NAP_NS 1000000
#define FILES_MAX 16384U /* descriptors: of HOLD_MAX jobs */
#define CAPABILITIES (1ULL << CAP_DAC_READ_SEARCH | 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_SYS_CHROOT)

static int questions;

int index_raise_fd(int fd)
{
    int high = fcntl(fd, F_DUPFD_CLOEXEC, (int)FILES_MAX / 2);

    if (high < 0) {
        return fd;
    }
    (void)close(fd);
    return high;
}

void index_reply_send(int to, struct index_reply *reply, int fd)
{
    const struct pass pass = {.fds = {fd}, .count = fd >= 0};

    reply->fds = (uint32_t)pass.count;
    /* The asker's own socket, and nothing was sent on it yet: there is room, or he is gone. Where
     * the kernel has no memory for it he hears that there will be no answer. */
    if (!pass_send(to, reply, sizeof(*reply), &pass)) {
        (void)shutdown(to, SHUT_RDWR);
    }
}

/* False: nobody is left to ask. */
static bool question_take(void)
{
    struct index_request request;
    struct pass pass;
    const ssize_t len = pass_receive(questions, &request, sizeof(request), MSG_DONTWAIT, &pass);

    if (len < 0 && errno != EAGAIN) {
        /* No memory for it, say: the question waits, and we do not end for that, with all that
         * guards told. It may take a while. */
        (void)nanosleep(&(const struct timespec){.tv_nsec = NAP_NS}, NULL);
    }
    if (len <= 0) {
        return len < 0;
    }
    if (len == (ssize_t)sizeof(request) && request.magic == INDEX_MAGIC && pass.count > 0) {
        if (request.want == INDEX_HOLD) {
            hold_add(&request, &pass);
            return true;
        }
        if (request.want == INDEX_STORE && pass.count == 1) {
            return former_open(pass.fds[0]);
        }
        links_ask(&request, &pass);
    }
    pass_close(&pass);
    return true;
}

static bool wait_once(void)
{
    static struct pollfd polls[2 + HOLD_POLLS];
    size_t held = hold_polls(polls + 2);

    polls[0] = (struct pollfd){.fd = questions, .events = POLLIN};
    polls[1] = (struct pollfd){.fd = links_fd()};
    /* What guards said before somebody asked is heard before he is answered. */
    if (poll(polls, (nfds_t)(2 + held), hold_is_new() ? 0 : -1) < 0) {
        return errno == EINTR;
    }
    if (polls[1].revents != 0) {
        links_check();
    }
    hold_check(polls + 2, held);
    hold_answer();
    return polls[0].revents == 0 || question_take();
}

/* The table of descriptors is copied for each heir: no more of it than is needed. */
static bool files_limit(void)
{
    struct rlimit limit;
    rlim_t had;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return false;
    }
    had = limit.rlim_cur;
    limit.rlim_cur = limit.rlim_max < FILES_MAX ? limit.rlim_max : FILES_MAX;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0 || had >= limit.rlim_cur;
}

int main(void)
{
    static struct init init; /* of which the faults alone are used */

    if (syscall(SYS_close_range, FD_QUESTIONS + 1U, ~0U, 0) != 0 || !files_limit() ||
        !closer_start(&init) || identity_narrow(&init, CAPABILITIES) != CORDON_OK) {
        return EXIT_FAILURE;
    }
    questions = index_raise_fd(FD_QUESTIONS);
    while (questions >= 0 && wait_once()) {
    }
    return EXIT_SUCCESS;
}
