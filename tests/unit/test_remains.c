/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs that were killed and are not gone; processes and groups are of the test's own. */
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/remains.h"
#include "tests/support/check.h"

/* By the group's number, which it has in place of a descriptor. */
static bool busy[REMAINS_EACH + 2];
static size_t removed, closed;

bool cgroup_remove(struct cgroup *cgroup)
{
    if (busy[cgroup->dir]) {
        return false;
    }
    removed++;
    return true;
}

void bpf_job_close(struct bpf_job *job)
{
    closed += job->slot != ORDER_NO_SLOT;
    job->slot = ORDER_NO_SLOT;
}

static void keep(uint32_t uid, int pidfd, int group)
{
    struct job_remains *remains = calloc(1, sizeof(*remains));

    CHECK(remains != NULL);
    *remains = (struct job_remains){.uid = uid, .pidfd = pidfd, .cgroup = {.dir = group}};
    remains_keep(remains);
}

static void begin(void)
{
    removed = closed = 0;
    memset(busy, 0, sizeof(busy));
    CHECK(remains_fd() >= 0 && remains_tend() == 0);
}

static bool is_wanted(void)
{
    struct pollfd wanted = {.fd = remains_fd(), .events = POLLIN};

    return poll(&wanted, 1, 0) == 1;
}

static bool is_refused(uint32_t uid)
{
    struct cordon_fault fault;

    if (remains_check(uid, &fault) == CORDON_OK) {
        return false;
    }
    CHECK(fault.err == CORDON_E_QUOTA && fault.remedy[0] != '\0');
    return true;
}

TEST(what_is_gone_is_not_kept)
{
    begin();
    keep(1, -1, 0);
    CHECK(removed == 1 && closed == 1 && !is_wanted() && remains_tend() == 0);
}

TEST(a_group_with_something_in_it_is_removed_later)
{
    begin();
    busy[0] = true;
    keep(1, -1, 0);
    CHECK(is_wanted() && remains_tend() > 0 && !is_wanted() && remains_tend() > 0);
    CHECK(removed == 0 && closed == 1);
    busy[0] = false;
    CHECK(remains_tend() == 0 && removed == 1 && closed == 1);
}

TEST(a_user_with_too_many_gets_no_job_and_others_do)
{
    begin();
    for (int i = 0; i < (int)REMAINS_EACH; i++) {
        CHECK(!is_refused(1));
        busy[i] = true;
        keep(1, -1, i);
    }
    busy[REMAINS_EACH] = true;
    keep(2, -1, (int)REMAINS_EACH);
    CHECK(is_refused(1) && !is_refused(2));
    /* Whoever asks has what is gone by now taken away. */
    busy[7] = false;
    CHECK(!is_refused(1) && removed == 1);
    memset(busy, 0, sizeof(busy));
    CHECK(remains_tend() == 0 && removed == REMAINS_EACH + 1);
}

/* Dead, but a zombie that only its tracer may reap, who does not. */
TEST(a_process_that_does_not_die_is_looked_at_until_it_does)
{
    int pipes[2];
    char byte = 0;
    pid_t tracer;
    pid_t child;
    int pidfd;

    begin();
    CHECK(pipe(pipes) == 0);
    child = fork();
    if (child == 0) {
        (void)pause();
        _exit(0);
    }
    CHECK(child > 0);
    tracer = fork();
    if (tracer == 0) {
        byte = ptrace(PTRACE_SEIZE, child, NULL, NULL) == 0 ? 'y' : 'n';
        CHECK(write(pipes[1], &byte, 1) == 1);
        (void)pause();
        _exit(0);
    }
    CHECK(tracer > 0 && read(pipes[0], &byte, 1) == 1 && byte == 'y');
    pidfd = (int)syscall(SYS_pidfd_open, child, 0);
    CHECK(pidfd >= 0);
    keep(1, pidfd, 0);
    for (int i = 0; i < 20; i++) {
        CHECK(remains_tend() > 0);
        (void)usleep(1000);
    }
    CHECK(closed == 0 && removed == 0);
    CHECK(kill(tracer, SIGKILL) == 0 && waitpid(tracer, NULL, 0) == tracer);
    for (int i = 0; i < 5000 && remains_tend() > 0; i++) {
        (void)usleep(1000);
    }
    CHECK(closed == 1 && removed == 1 && remains_tend() == 0);
    CHECK(waitpid(child, NULL, WNOHANG) < 0);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
}

TEST_MAIN()
