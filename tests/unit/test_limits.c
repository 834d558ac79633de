/* SPDX-License-Identifier: Apache-2.0 */
/* A job's limits: which files of its control group are written, which are read. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/linux/cgroup.h"
#include "platform/linux/plan_limits.h"
#include "tests/support/check.h"

static char folder[] = "/tmp/test_limits.XXXXXX";
static struct cgroup group;
static struct cordon_fault fault;

static const char *const names[] = {"memory.max",    "memory.swap.max", "memory.oom.group",
                                    "pids.max",      "cpu.max",         "memory.peak",
                                    "memory.events", "cpu.stat",        "pids.events"};

/* A control group of ordinary files, but for @lacking. */
static void begin(const char *lacking)
{
    memcpy(folder + sizeof(folder) - 7, "XXXXXX", 6);
    CHECK(mkdtemp(folder) != NULL);
    group.dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (strcmp(names[i], lacking) != 0) {
            (void)close(openat(group.dir, names[i], O_CREAT | O_WRONLY, 0600));
        }
    }
}

static void end(void)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        (void)unlinkat(group.dir, names[i], 0);
    }
    (void)close(group.dir);
    CHECK(rmdir(folder) == 0);
}

static bool holds(const char *name, const char *wanted)
{
    char text[256] = "";
    int fd = openat(group.dir, name, O_RDONLY);
    bool same = read(fd, text, sizeof(text) - 1) >= 0 && strcmp(text, wanted) == 0;

    (void)close(fd);
    return same;
}

static void put(const char *name, const char *text)
{
    int fd = openat(group.dir, name, O_WRONLY | O_TRUNC);

    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    (void)close(fd);
}

TEST(each_limit_is_written_in_its_unit)
{
    begin("");
    CHECK(cgroup_limit(&group, LIMIT_MEMORY_MIB, 4096, &fault) == CORDON_OK);
    CHECK(cgroup_limit(&group, LIMIT_PIDS, 7, &fault) == CORDON_OK);
    CHECK(cgroup_limit(&group, LIMIT_CPU_PERCENT, 150, &fault) == CORDON_OK);
    CHECK(holds("memory.max", "4294967296") && holds("memory.swap.max", "0"));
    CHECK(holds("memory.oom.group", "1") && holds("pids.max", "7"));
    CHECK(holds("cpu.max", "150000 100000"));
    end();
}

TEST(a_file_that_is_not_there_refuses_but_for_swap)
{
    static const struct {
        const char *name;
        enum policy_limit limit;
        enum cordon_err err;
    } rows[] = {{"memory.max", LIMIT_MEMORY_MIB, CORDON_E_OS},
                {"memory.oom.group", LIMIT_MEMORY_MIB, CORDON_E_OS},
                {"memory.swap.max", LIMIT_MEMORY_MIB, CORDON_OK},
                {"pids.max", LIMIT_PIDS, CORDON_E_OS},
                {"cpu.max", LIMIT_CPU_PERCENT, CORDON_E_OS}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        begin(rows[i].name);
        CHECK(cgroup_limit(&group, rows[i].limit, 9, &fault) == rows[i].err);
        CHECK(rows[i].err == CORDON_OK || strstr(fault.text, rows[i].name) != NULL);
        end();
    }
}

TEST(no_group_refuses)
{
    const struct cgroup none = {.dir = -1};

    CHECK(cgroup_limit(&none, LIMIT_PIDS, 9, &fault) == CORDON_E_UNSUPPORTED);
}

TEST(what_the_group_tells_replaces_what_wait_tells)
{
    const struct rusage used = {.ru_utime = {2, 5}, .ru_stime = {0, 7}, .ru_maxrss = 3};
    struct ipc_usage usage;

    begin("pids.events");
    put("memory.peak", "4096\n");
    put("memory.events", "low 0\nhigh 0\nmax 12\noom 2\noom_kill 3\noom_group_kill 1\n");
    put("cpu.stat", "usage_usec 30\nuser_usec 11\n");
    cgroup_usage(&group, &used, &usage);
    CHECK(usage.value[IPC_USAGE_MEMORY_PEAK] == 4096 && usage.value[IPC_USAGE_OOM_KILLS] == 3);
    CHECK(usage.value[IPC_USAGE_MEMORY_HITS] == 12);
    CHECK(usage.value[IPC_USAGE_CPU_USER] == 11 && usage.value[IPC_USAGE_CPU_SYSTEM] == 7);
    CHECK(usage.value[IPC_USAGE_LARGEST] == 3072);
    CHECK((usage.known & (1U << IPC_USAGE_PIDS_REFUSED)) == 0);
    CHECK((usage.known & (1U << IPC_USAGE_CPU_WAITED)) == 0);
    end();
}

TEST(without_a_group_wait_tells)
{
    const struct cgroup none = {.dir = -1};
    const struct rusage used = {.ru_utime = {2, 5}};
    struct ipc_usage usage;

    cgroup_usage(&none, &used, &usage);
    CHECK(usage.value[IPC_USAGE_CPU_USER] == 2000005);
    CHECK((usage.known & (1U << IPC_USAGE_MEMORY_PEAK)) == 0);
}

/* ---- the table ---- */

static enum cordon_err check(enum policy_limit limit, uint32_t managed, uint32_t own,
                             const struct limit_host *host, const struct limit_means **ret_means)
{
    struct policy_limits limits;
    const struct limit_ask ask = {&limits, ENFORCE_SNAPSHOT, ENFORCE_KERNEL, *host};

    memset(&limits, 0, sizeof(limits));
    limits.managed[limit].value = managed;
    limits.own[limit].value = own;
    return limit_check(&ask, limit, ret_means, &fault);
}

TEST(what_nothing_holds_is_refused_but_for_the_callers_own_share)
{
    const struct limit_host root = {.superuser = true};
    const struct limit_means *means;

    CHECK(check(LIMIT_PIDS, 5, 0, &root, &means) == CORDON_E_UNSUPPORTED);
    CHECK(check(LIMIT_PIDS, 0, 5, &root, &means) == CORDON_E_UNSUPPORTED);
    CHECK(check(LIMIT_CPU_PERCENT, 5, 0, &root, &means) == CORDON_E_UNSUPPORTED);
    CHECK(check(LIMIT_CPU_PERCENT, 5, 1, &root, &means) == CORDON_E_UNSUPPORTED);
    CHECK(check(LIMIT_CPU_PERCENT, 0, 5, &root, &means) == CORDON_OK && means == NULL);
    CHECK(check(LIMIT_PIDS, 0, 0, &root, &means) == CORDON_OK && means == NULL);
}

TEST(level_kernel_refuses_what_holds_for_each_process_only)
{
    const struct limit_host none = {0};
    const struct limit_host all = {.controllers = PLAN_CONTROLLER_ALL};
    const struct limit_means *means;

    CHECK(check(LIMIT_MEMORY_MIB, 5, 0, &none, &means) == CORDON_OK && means->weaker);
    CHECK(check(LIMIT_MEMORY_MIB, 5, 9, &none, &means) == CORDON_E_UNSUPPORTED);
    CHECK(check(LIMIT_MEMORY_MIB, 5, 9, &all, &means) == CORDON_OK);
    CHECK(means->way == LIMIT_BY_GROUP);
}

TEST_MAIN()
