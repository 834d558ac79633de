/* SPDX-License-Identifier: Apache-2.0 */
/* Guards that begin, and those that they wait for: played here, as are their heirs. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "platform/linux/index/closer.h"
#include "platform/linux/index/former.h"
#include "platform/linux/index/heir.h"
#include "platform/linux/index/hold.h"
#include "platform/linux/index/record.h"
#include "platform/linux/init/batch.h"
#include "tests/support/check.h"

/* One job, as its guard and its pid 1 have it. */
struct job {
    int life; /* the guard's end of HELD_LIFE */
    pid_t init;
    int batch; /* a number: busy */
};

static unsigned heirs, marks;
static pid_t ahead; /* pid 1 of the one job that is made ahead */
static bool begun;
static pid_t taken_in; /* the last */

unsigned closer_count(void)
{
    return 0;
}

void closer_take(int fd)
{
    (void)close(fd);
}

bool batch_is_busy(int fd)
{
    uint32_t busy = 0;

    return pread(fd, &busy, sizeof(busy), 0) == (ssize_t)sizeof(busy) && busy != 0;
}

bool heir_start(const struct held *held, struct heir *ret_heir)
{
    (void)held;
    (void)ret_heir;
    heirs++;
    return false;
}

void former_live(size_t at, uint32_t uid, size_t count)
{
    (void)at;
    (void)uid;
    (void)count;
}

bool former_has_begun(pid_t pid)
{
    CHECK(pid == ahead);
    return begun;
}

void former_is_taken_in(pid_t pid)
{
    taken_in = pid;
}

void former_mark(uint32_t uid, const char *why)
{
    (void)uid;
    (void)why;
    marks++;
}

void former_add(const struct former *former)
{
    (void)former;
}

enum index_status former_answer(uint32_t uid, int *ret_fd)
{
    (void)uid;
    *ret_fd = -1;
    return INDEX_OK;
}

int index_raise_fd(int fd)
{
    return fd;
}

void index_reply_send(int to, struct index_reply *reply, int fd)
{
    CHECK(fd < 0);
    CHECK(send(to, reply, sizeof(*reply), 0) == (ssize_t)sizeof(*reply));
}

static void busy_set(const struct job *job, bool busy)
{
    const uint32_t word = busy;

    CHECK(pwrite(job->batch, &word, sizeof(word), 0) == (ssize_t)sizeof(word));
}

static pid_t process_new(void)
{
    pid_t pid = fork();

    if (pid == 0) {
        (void)pause();
        _exit(0);
    }
    CHECK(pid > 0);
    return pid;
}

static struct job job_add(bool is_ahead)
{
    const struct index_request request = {.want = INDEX_HOLD, .uid = 7, .ahead = is_ahead};
    struct pass pass = {.count = HELD_COUNT};
    struct job job = {.batch = memfd_create("batch", MFD_CLOEXEC), .init = process_new()};
    int life[2];
    int events[2];

    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, life) == 0);
    CHECK(pipe2(events, O_CLOEXEC) == 0);
    job.life = life[0];
    ahead = is_ahead ? job.init : ahead;
    for (size_t i = 0; i < HELD_COUNT; i++) {
        pass.fds[i] = dup(events[0]);
    }
    (void)close(pass.fds[HELD_LIFE]);
    (void)close(pass.fds[HELD_INIT]);
    (void)close(pass.fds[HELD_BATCH]);
    pass.fds[HELD_LIFE] = life[1];
    pass.fds[HELD_INIT] = (int)syscall(SYS_pidfd_open, job.init, 0);
    pass.fds[HELD_BATCH] = dup(job.batch);
    (void)close(events[0]);
    /* Its other end stays open: nothing happens there. */
    hold_add(&request, &pass);
    return job;
}

/* What the index does between two waits. */
static void turn(void)
{
    static struct pollfd polls[HOLD_POLLS];
    const size_t count = hold_polls(polls);

    CHECK(poll(polls, (nfds_t)count, 0) >= 0);
    hold_check(polls, count);
    hold_answer();
}

static void say(const struct job *job, enum record_kind kind, uint64_t turn)
{
    const struct record_message message = {.magic = INDEX_MAGIC, .kind = kind, .turn = turn};

    CHECK(send(job->life, &message, RECORD_MESSAGE_HEAD, 0) == (ssize_t)RECORD_MESSAGE_HEAD);
}

static bool is_answered(const struct job *job)
{
    struct index_reply reply;

    return recv(job->life, &reply, sizeof(reply), MSG_DONTWAIT) == (ssize_t)sizeof(reply) &&
           reply.status == INDEX_OK;
}

/* The turn that it is asked about; 0: it is not. */
static uint64_t asked(const struct job *job)
{
    struct record_message message;

    return recv(job->life, &message, sizeof(message), MSG_DONTWAIT) ==
                       (ssize_t)RECORD_MESSAGE_HEAD &&
                   message.kind == RECORD_ASK
               ? message.turn
               : 0;
}

/* It has been answered, and has something to tell since. */
static struct job busy_add(bool is_ahead)
{
    struct job job = job_add(is_ahead);

    turn();
    CHECK(is_answered(&job));
    busy_set(&job, true);
    return job;
}

/* Nobody waits for it. */
static struct job parked_add(void)
{
    begun = false;
    return busy_add(true);
}

/* @second has asked @first, and waits for it. The turn that it is asked about. */
static uint64_t asking_add(struct job *first, struct job *second)
{
    uint64_t about;

    *first = busy_add(false);
    *second = job_add(false);
    turn();
    about = asked(first);
    CHECK(about > 0 && !is_answered(second));
    return about;
}

static void job_end(const struct job *job)
{
    (void)close(job->life);
    (void)kill(job->init, SIGKILL);
    (void)waitpid(job->init, NULL, 0);
    (void)close(job->batch);
    turn();
}

static bool nobody_is_held(void)
{
    static struct pollfd polls[HOLD_POLLS];

    return hold_polls(polls) == 0;
}

TEST(who_is_alone_is_answered_at_once)
{
    struct job first = job_add(false);

    CHECK(hold_is_new());
    turn();
    CHECK(is_answered(&first) && !hold_is_new());
    job_end(&first);
    CHECK(nobody_is_held() && heirs == 0 && marks == 0 && taken_in == first.init);
}

TEST(who_is_idle_is_not_asked)
{
    struct job first = job_add(false);
    struct job second;

    turn();
    CHECK(is_answered(&first));
    second = job_add(false);
    turn();
    CHECK(is_answered(&second) && asked(&first) == 0);
    job_end(&first);
    job_end(&second);
    CHECK(nobody_is_held());
}

TEST(who_is_busy_is_asked_and_waited_for)
{
    struct job first;
    struct job second;
    const uint64_t about = asking_add(&first, &second);

    say(&first, RECORD_DONE, about - 1);
    turn();
    CHECK(!is_answered(&second));
    say(&first, RECORD_DONE, about);
    turn();
    CHECK(is_answered(&second));
    busy_set(&first, false);
    job_end(&first);
    job_end(&second);
    CHECK(nobody_is_held());
}

/* What the second waits for is heard as the third asks: nothing else would wake us for it. */
TEST(an_answer_that_is_heard_for_somebody_else_counts_for_all)
{
    struct job first;
    struct job second;
    struct job third;

    say(&first, RECORD_DONE, asking_add(&first, &second));
    busy_set(&first, false);
    third = job_add(false);
    hold_answer();
    CHECK(is_answered(&third));
    CHECK(is_answered(&second));
    job_end(&first);
    job_end(&second);
    job_end(&third);
    CHECK(nobody_is_held());
}

TEST(who_is_parked_is_not_waited_for_until_it_begins)
{
    struct job parked = parked_add();
    struct job second = job_add(false);
    struct job third;

    turn();
    CHECK(is_answered(&second) && asked(&parked) == 0);
    begun = true;
    third = job_add(false);
    turn();
    CHECK(asked(&parked) > 0 && !is_answered(&third));
    busy_set(&parked, false);
    job_end(&parked);
    CHECK(is_answered(&third) && taken_in == parked.init);
    job_end(&second);
    job_end(&third);
    CHECK(nobody_is_held() && heirs == 0);
}

/* It began after the second had asked, who waits for the first alone. */
TEST(who_began_later_is_not_waited_for)
{
    struct job parked = parked_add();
    struct job first;
    struct job second;
    struct job third;

    (void)asking_add(&first, &second);
    begun = true;
    third = job_add(false);
    turn();
    busy_set(&first, false);
    job_end(&first);
    CHECK(is_answered(&second) && !is_answered(&third));
    job_end(&parked);
    CHECK(heirs == 1 && marks == 1 && is_answered(&third));
    heirs = marks = 0;
    job_end(&second);
    job_end(&third);
    CHECK(nobody_is_held());
}

TEST(who_never_began_leaves_nothing)
{
    struct job parked = parked_add();

    job_end(&parked);
    CHECK(heirs == 0 && marks == 0 && nobody_is_held() && taken_in == parked.init);
}

/* Nobody could take it out of the table. */
TEST(whose_pid_cannot_be_told_is_not_held)
{
    const struct index_request request = {.want = INDEX_HOLD, .uid = 7};
    struct pass pass = {.count = HELD_COUNT};
    int life[2];
    char byte;

    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, life) == 0);
    for (size_t i = 0; i < HELD_COUNT; i++) {
        pass.fds[i] = dup(life[1]);
    }
    (void)close(life[1]);
    hold_add(&request, &pass);
    CHECK(nobody_is_held() && recv(life[0], &byte, 1, MSG_DONTWAIT) == 0);
    (void)close(life[0]);
}

TEST(what_a_busy_guard_leaves_an_heir_takes_in_or_it_is_lost)
{
    struct job first = busy_add(false);

    job_end(&first);
    CHECK(heirs == 1 && marks == 1 && nobody_is_held());
    heirs = marks = 0;
}

TEST_MAIN()
