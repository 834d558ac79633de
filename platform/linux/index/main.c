/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cordon-index: knows, for each file system that it was asked about, the files
 * with several names; and, for the jobs to come, the names that guards saw go
 * (former.h). Root, for it must look into every directory, but without any other
 * privilege than that and CAP_SYS_ADMIN, which marks and clones of mounts need
 * whenever a file system is asked about that was not there before. It reads no
 * caller's bytes but names of files, which it only hands on, and it knows no
 * policy; a process of its own knows one job's (heir.h), and names directories as
 * guards do, for which it needs CAP_SYS_CHROOT. Descriptor 3: the questions; it
 * ends with the last asker.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "platform/linux/index/closer.h"
#include "platform/linux/index/former.h"
#include "platform/linux/index/hold.h"
#include "platform/linux/index/kept.h"
#include "platform/linux/init/init.h"
#include "platform/linux/init/sys.h"

#define FD_QUESTIONS 3 /* as it is born */
#define KEPT_MAX 32U
#define LULL_MS 100
#define FILES_MAX 16384U /* descriptors: of HOLD_MAX jobs */
#define CAPABILITIES (1ULL << CAP_DAC_READ_SEARCH | 1ULL << CAP_SYS_ADMIN | 1ULL << CAP_SYS_CHROOT)

static struct kept *keeping[KEPT_MAX];
static size_t count;
static int questions;

static void forget(struct kept *kept)
{
    size_t at = 0;

    while (keeping[at] != kept) {
        at++;
    }
    kept_free(kept);
    keeping[at] = keeping[--count];
}

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
    const struct pass pass = {{fd}, fd >= 0};

    reply->fds = (uint32_t)pass.count;
    /* The asker's own socket, and nothing was sent on it yet: there is room, or he is gone. */
    (void)pass_send(to, reply, sizeof(*reply), &pass);
}

static struct kept *find(uint64_t dev, enum index_status *ret_status)
{
    struct kept *kept;

    for (size_t i = 0; i < count; i++) {
        if (keeping[i]->dev == dev && kept_is_alive(keeping[i])) {
            return keeping[i];
        }
        if (keeping[i]->dev == dev) {
            forget(keeping[i]);
            break;
        }
    }
    /* Those that were unmounted go first, then whichever. */
    for (size_t i = count; count == KEPT_MAX && i-- > 0;) {
        if (i == 0 || !kept_is_alive(keeping[i])) {
            forget(keeping[i]);
        }
    }
    kept = kept_new(dev, ret_status);
    if (kept != NULL) {
        keeping[count++] = kept;
    }
    return kept;
}

static void tell(const struct kept *kept, uint64_t build_us)
{
    if (build_us > 0 && kept->built) {
        (void)fprintf(stderr,
                      "cordon-index: device %u:%u: %zu files with several names among %llu, "
                      "walked in %llu ms\n",
                      major(kept->dev), minor(kept->dev), kept->store.files.count,
                      (unsigned long long)kept->walked, (unsigned long long)(build_us / 1000));
    }
}

static void answer(const struct index_request *request, int to)
{
    struct index_reply reply = {.magic = INDEX_MAGIC, .status = INDEX_FAILED};
    enum index_status status = INDEX_OK;
    struct kept *kept = find(request->dev, &status);
    int fd = -1;

    if (kept != NULL) {
        status = kept_ask(kept, &fd, &reply.build_us);
    }
    reply.status = (uint32_t)status;
    index_reply_send(to, &reply, status == INDEX_OK ? fd : -1);
    if (kept != NULL) {
        tell(kept, reply.build_us);
        roots_close(kept);
        if (status != INDEX_OK) {
            forget(kept);
        }
    }
}

/* False: nobody is left to ask. */
static bool question_take(void)
{
    struct index_request request;
    struct pass pass;
    const ssize_t len = pass_receive(questions, &request, sizeof(request), MSG_DONTWAIT, &pass);

    if (len <= 0) {
        return len < 0 && (errno == EAGAIN || errno == EINTR);
    }
    if (len == (ssize_t)sizeof(request) && request.magic == INDEX_MAGIC && pass.count > 0) {
        if (request.want == INDEX_HOLD) {
            hold_add(&request, &pass);
            return true;
        }
        if (request.want == INDEX_STORE && pass.count == 1) {
            return former_open(pass.fds[0]);
        }
        pass.fds[0] = index_raise_fd(pass.fds[0]);
        answer(&request, pass.fds[0]);
    }
    for (size_t i = 0; i < pass.count; i++) {
        (void)close(pass.fds[i]);
    }
    return true;
}

/* Events are taken in ten times a second at most: the host may be busy. */
static bool wait_once(void)
{
    static struct pollfd polls[1 + KEPT_MAX + HOLD_POLLS];
    static bool lull;
    size_t watched = lull ? 0 : count;
    size_t held = hold_polls(polls + 1 + watched);
    int ready;

    polls[0] = (struct pollfd){.fd = questions, .events = POLLIN};
    for (size_t i = 0; i < watched; i++) {
        polls[i + 1] = (struct pollfd){.fd = keeping[i]->group, .events = POLLIN};
    }
    /* What guards said before somebody asked is heard before he is answered. */
    ready = poll(polls, (nfds_t)(1 + watched + held), hold_is_new() ? 0 : lull ? LULL_MS : -1);
    if (ready < 0) {
        return errno == EINTR;
    }
    lull = ready == 0 && !hold_is_new() ? false : lull;
    for (size_t i = 0; i < watched; i++) {
        if (polls[i + 1].revents != 0) {
            lull = true;
            kept_idle(keeping[i]);
        }
    }
    hold_check(polls + 1 + watched, held);
    hold_answer();
    return polls[0].revents == 0 || question_take();
}

/* The table of descriptors is copied for each heir: no more of it than is needed. */
static bool files_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return false;
    }
    limit.rlim_cur = limit.rlim_max < FILES_MAX ? limit.rlim_max : FILES_MAX;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

int main(void)
{
    static struct init init; /* of which the faults alone are used */

    if (syscall(SYS_close_range, FD_QUESTIONS + 1U, ~0U, 0) != 0 || !files_limit() ||
        !closer_start(&init) || identity_narrow(&init, CAPABILITIES) != CORDON_OK) {
        return EXIT_FAILURE;
    }
    questions = index_raise_fd(FD_QUESTIONS);
    while (wait_once()) {
    }
    return EXIT_SUCCESS;
}
