/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/index/links.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/index/closer.h"
#include "platform/linux/index/hold.h"
#include "platform/linux/index/kept.h"
#include "platform/linux/init/files.h"

#define KEPT_MAX 32U
#define LULL_MS 100

/* ---- the process that knows ---- */

static struct kept *keeping[KEPT_MAX];
static size_t count;

static void forget(struct kept *kept)
{
    size_t at = 0;

    while (keeping[at] != kept) {
        at++;
    }
    kept_free(kept);
    keeping[at] = keeping[--count];
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
static bool question_take(int questions)
{
    struct index_request request;
    struct pass pass;
    const ssize_t len = pass_receive(questions, &request, sizeof(request), MSG_DONTWAIT, &pass);

    if (len <= 0) {
        return len < 0 && (errno == EAGAIN || errno == EINTR);
    }
    if (pass.count > 0) {
        pass.fds[0] = index_raise_fd(pass.fds[0]);
        answer(&request, pass.fds[0]);
    }
    pass_close(&pass);
    return true;
}

/* Events are taken in ten times a second at most: the host may be busy. */
static bool wait_once(int questions)
{
    static struct pollfd polls[1 + KEPT_MAX];
    static bool lull;
    size_t watched = lull ? 0 : count;
    int ready;

    polls[0] = (struct pollfd){.fd = questions, .events = POLLIN};
    for (size_t i = 0; i < watched; i++) {
        polls[i + 1] = (struct pollfd){.fd = keeping[i]->group, .events = POLLIN};
    }
    ready = poll(polls, (nfds_t)(1 + watched), lull ? LULL_MS : -1);
    if (ready < 0) {
        return errno == EINTR;
    }
    lull = ready == 0 ? false : lull;
    for (size_t i = 0; i < watched; i++) {
        if (polls[i + 1].revents != 0) {
            lull = true;
            kept_idle(keeping[i]);
        }
    }
    return polls[0].revents == 0 || question_take(questions);
}

/* What else cordon-index holds must end when others let go of it. */
static _Noreturn void links_main(int ours)
{
    /* Should we be killed, whoever asks hears of that before our groups end: see closer.h. */
    const int questions = index_raise_fd(ours);
    int kept[] = {0, 1, 2, questions, closer_links()};

    (void)prctl(PR_SET_NAME, "cordon-links", 0, 0, 0);
    if (!files_close_but(kept, sizeof(kept) / sizeof(kept[0])) || write(questions, "", 1) != 1) {
        _exit(1);
    }
    while (wait_once(questions)) {
    }
    /* In a call of its own: what is queued there, as who asks is told, ends one step later. */
    (void)close(questions);
    _exit(0);
}

/* ---- who asks it ---- */

#define ENDING_MAX 8U
#define ASKERS_MAX 512U

static int asks = -1; /* it runs, as far as we know */
static pid_t child, ending[ENDING_MAX];
static size_t ending_count;
static int askers[ASKERS_MAX]; /* whose questions it has, until they have the answer */
static size_t asker_count;

/*
 * A question that it had not read yet goes with its end, but after its groups, for which the kernel
 * waits as long as an open is being decided: so by this we tell who asked it.
 */
static void has_ended(void)
{
    while (asker_count > 0) {
        const int asker = askers[--asker_count];

        (void)shutdown(asker, SHUT_RDWR);
        (void)close(asker);
    }
    (void)close(asks);
    asks = -1;
    ending[ending_count++] = child;
}

static void reap(void)
{
    for (size_t i = ending_count; i-- > 0;) {
        if (waitpid(ending[i], NULL, WNOHANG) != 0) {
            ending[i] = ending[--ending_count];
        }
    }
}

static bool is_over(int fd)
{
    struct pollfd other = {.fd = fd};

    return poll(&other, 1, 0) != 0;
}

/* Those who have their answer, or do not want it any more. */
static void askers_drop(void)
{
    for (size_t i = asker_count; i-- > 0;) {
        if (is_over(askers[i])) {
            (void)close(askers[i]);
            askers[i] = askers[--asker_count];
        }
    }
}

/*
 * It was born with the groups of all jobs, and has closed them. Until then none of them is let go
 * of: the last to close one waits until no open is being decided, and that may wait for an answer
 * of this very process.
 */
static bool has_closed(void)
{
    ssize_t len;
    char byte;

    do {
        len = read(asks, &byte, 1);
    } while (len < 0 && errno == EINTR);
    return len == 1;
}

static bool start(void)
{
    int pair[2];

    if (ending_count == ENDING_MAX ||
        socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0) {
        return false;
    }
    child = fork();
    if (child == 0) {
        links_main(pair[1]);
    }
    (void)close(pair[1]);
    if (child < 0) {
        (void)close(pair[0]);
        return false;
    }
    asks = pair[0];
    if (!has_closed()) {
        has_ended();
        return false;
    }
    return true;
}

int links_fd(void)
{
    return asks;
}

void links_check(void)
{
    if (asks >= 0 && is_over(asks)) {
        has_ended();
    }
}

void links_ask(const struct index_request *request, const struct pass *pass)
{
    int asker;

    links_check();
    reap();
    askers_drop();
    asker = asker_count < ASKERS_MAX ? fcntl(pass->fds[0], F_DUPFD_CLOEXEC, 3) : -1;
    if (asker < 0) {
        return;
    }
    asker = index_raise_fd(asker);
    if ((asks >= 0 || start()) && pass_send(asks, request, sizeof(*request), pass)) {
        askers[asker_count++] = asker;
    } else {
        (void)close(asker);
    }
}
