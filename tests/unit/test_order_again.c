/* SPDX-License-Identifier: Apache-2.0 */
/* A second order of what was found once: of the same objects, or none. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/backend.h"
#include "platform/linux/plan_linux.h"
#include "tests/support/top.h"

/* In memory: top/ws (granted), top/tree/.git (a file), top/real/, top/late/ */
static char ws[64], git[64];
static struct arena arena;
static struct policy_rule rules[2];
static struct policy policy;
static struct plan_step step;
static struct plan plan;
static struct platform_resolved resolved;
static struct platform_order order;
static struct cordon_fault fault;

static void git_write(const char *target)
{
    FILE *file = fopen(git, "we");

    CHECK(file != NULL && fprintf(file, "gitdir: ../%s\n", target) > 0 && fclose(file) == 0);
}

static enum cordon_err order_make(void)
{
    const struct platform_parts parts = {.policy = &policy,
                                         .plan = &plan,
                                         .resolved = &resolved,
                                         .own_fd = STDERR_FILENO,
                                         .channel = STDERR_FILENO,
                                         .cwd_fd = STDERR_FILENO};

    return platform_host()->order(&parts, &order, &fault);
}

static void order_close(void)
{
    for (size_t i = 0; i < order.fd_count; i++) {
        CHECK(close(order.fds[i]) == 0);
    }
    order.fd_count = 0;
}

static unsigned descriptors(void)
{
    unsigned count = 0;

    for (int fd = 0; fd < 256; fd++) {
        count += fcntl(fd, F_GETFD) >= 0;
    }
    return count;
}

static ino_t granted(void)
{
    struct stat st;

    CHECK(order.fd_count == IPC_SPAWN_GRANTS + 1 && fstat(order.fds[IPC_SPAWN_GRANTS], &st) == 0);
    return st.st_ino;
}

/* Found, and an order made of it. */
static void begin(void)
{
    struct platform_start start = {.keep = true, .host = IPC_HOST_FANOTIFY, .cwd = ws};

    top_make("again");
    (void)snprintf(ws, sizeof(ws), "%s", in_top("ws"));
    (void)snprintf(git, sizeof(git), "%s", in_top("tree/.git"));
    CHECK(mkdir(ws, 0755) == 0 && mkdir(in_top("tree"), 0755) == 0 &&
          mkdir(in_top("real"), 0755) == 0 && mkdir(in_top("late"), 0755) == 0);
    git_write("real");
    arena_init(&arena, (size_t)1U << 20U);
    rules[0] = (struct policy_rule){.pattern = ws, .access = ACCESS_WRITE};
    rules[1] = (struct policy_rule){.pattern = git, .access = ACCESS_DENY_WRITE};
    policy = (struct policy){.os = POLICY_OS_LINUX, .own = {.rules = rules, .count = 2}};
    step = (struct plan_step){.op = PLAN_LINUX_GRANT_WRITE, .set = PLAN_SET_OWN, .path = ws};
    plan = (struct plan){.os = POLICY_OS_LINUX, .steps = &step, .step_count = 1};
    CHECK(platform_host()->resolve(&policy, &start, &arena, &resolved, &fault) == CORDON_OK);
    CHECK_STR(resolved.facts.own[1].gitdir, in_top("real"));
    CHECK(!platform_host()->resolved_holds(&resolved)); /* no order was made of it yet */
    CHECK(order_make() == CORDON_OK);
}

static void end(void)
{
    order_close();
    platform_host()->resolved_release(&resolved);
    arena_deinit(&arena);
    top_remove();
}

TEST(nothing_changed_is_the_same_order_and_no_descriptor_stays)
{
    unsigned before;
    ino_t first;

    begin();
    first = granted();
    order_close();
    before = descriptors();
    for (int i = 0; i < 100; i++) {
        CHECK(platform_host()->resolved_holds(&resolved));
        CHECK(order_make() == CORDON_OK && granted() == first);
        order_close();
    }
    CHECK(descriptors() == before);
    end();
}

/* After it was asked whether all holds, and before the order: what is granted would be another. */
TEST(what_is_put_in_the_place_of_a_grant_is_not_granted)
{
    unsigned before;

    begin();
    order_close();
    before = descriptors();
    CHECK(platform_host()->resolved_holds(&resolved));
    CHECK(rename(ws, in_top("old")) == 0 && symlink("real", ws) == 0);
    CHECK(order_make() == CORDON_E_AGAIN);
    CHECK(descriptors() == before);
    CHECK(unlink(ws) == 0 && !platform_host()->resolved_holds(&resolved));
    CHECK(order_make() == CORDON_E_AGAIN);
    CHECK(descriptors() == before);
    end();
}

TEST(what_a_git_file_says_is_read_again)
{
    begin();
    git_write("real");
    CHECK(platform_host()->resolved_holds(&resolved));
    git_write("late");
    CHECK(!platform_host()->resolved_holds(&resolved));
    end();
}

TEST(what_is_written_through_a_mapping_takes_no_event)
{
    char *text;
    int fd;

    begin();
    fd = open(git, O_RDWR | O_CLOEXEC);
    text = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(fd >= 0 && text != MAP_FAILED);
    memcpy(text, "gitdir: ../late\n", 16);
    CHECK(munmap(text, 4096) == 0 && close(fd) == 0);
    CHECK(!platform_host()->resolved_holds(&resolved));
    end();
}

TEST(a_git_file_that_names_something_else_by_then)
{
    begin();
    CHECK(rmdir(in_top("real")) == 0);
    CHECK(!platform_host()->resolved_holds(&resolved));
    end();
}

TEST_MAIN()
