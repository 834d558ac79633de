/* SPDX-License-Identifier: Apache-2.0 */
/* The files of a job's control group: what limits it, and what it used (cgroup-v2.rst). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/linux/cgroup.h"

/* In the order they are written; the text is the value times @scale (0: no value), then @tail. */
static const struct {
    enum policy_limit limit;
    bool if_there;
    const char *file;
    uint64_t scale;
    const char *tail;
} limit_files[] = {
    {LIMIT_MEMORY_MIB, false, "memory.oom.group", 0, "1"},
    {LIMIT_MEMORY_MIB, true, "memory.swap.max", 0, "0"}, /* a kernel without swap has none */
    {LIMIT_MEMORY_MIB, false, "memory.max", (uint64_t)1024 * 1024, ""},
    {LIMIT_PIDS, false, "pids.max", 1, ""},
    {LIMIT_CPU_PERCENT, false, "cpu.max", 1000, " 100000"},
};

enum cordon_err cgroup_limit(const struct cgroup *cgroup, enum policy_limit limit, uint32_t value,
                             struct cordon_fault *fault)
{
    char text[48];

    if (cgroup->dir < 0) {
        return fault_set(fault, CORDON_E_UNSUPPORTED, "restart the cordon service",
                         "the job's limits need a control group, and none can be made any more");
    }
    for (size_t i = 0; i < sizeof(limit_files) / sizeof(limit_files[0]); i++) {
        int code;

        if (limit_files[i].limit != limit) {
            continue;
        }
        text[0] = '\0';
        if (limit_files[i].scale != 0) {
            (void)snprintf(text, sizeof(text), "%" PRIu64, value * limit_files[i].scale);
        }
        (void)strncat(text, limit_files[i].tail, sizeof(text) - strlen(text) - 1);
        code = cgroup_write(cgroup->dir, limit_files[i].file, text);
        if (code != 0 && !(code == ENOENT && limit_files[i].if_there)) {
            return fault_os(fault, code, NULL, "cannot set %s of the job's control group to %s",
                            limit_files[i].file, text);
        }
    }
    return CORDON_OK;
}

/* ---- accounts ---- */

/* @key: the line of the file that holds the number; NULL: the number is the whole file. */
static const struct {
    enum ipc_usage_field field;
    const char *file;
    const char *key;
} usage_files[] = {
    {IPC_USAGE_MEMORY_PEAK, "memory.peak", NULL}, /* since Linux 5.19 */
    {IPC_USAGE_MEMORY_HITS, "memory.events", "max"},
    {IPC_USAGE_OOM_KILLS, "memory.events", "oom_kill"},
    {IPC_USAGE_CPU_USER, "cpu.stat", "user_usec"},
    {IPC_USAGE_CPU_SYSTEM, "cpu.stat", "system_usec"},
    {IPC_USAGE_CPU_WAITED, "cpu.stat", "throttled_usec"}, /* with the cpu controller */
    {IPC_USAGE_PIDS_PEAK, "pids.peak", NULL},             /* since Linux 6.5 */
    {IPC_USAGE_PIDS_REFUSED, "pids.events", "max"},
};

static void usage_set(struct ipc_usage *usage, enum ipc_usage_field field, uint64_t value)
{
    usage->known |= 1U << field;
    usage->value[field] = value;
}

/* What follows "@key " at the start of a line. */
static const char *line_find(const char *text, const char *key)
{
    size_t len = strlen(key);

    while (text != NULL && !(strncmp(text, key, len) == 0 && text[len] == ' ')) {
        text = strchr(text, '\n');
        text = text == NULL ? NULL : text + 1;
    }
    return text == NULL ? NULL : text + len + 1;
}

static uint64_t microseconds(const struct timeval *time)
{
    return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

void cgroup_usage(const struct cgroup *cgroup, const struct rusage *used,
                  struct ipc_usage *ret_usage)
{
    char text[2048];
    size_t count = cgroup->dir < 0 ? 0 : sizeof(usage_files) / sizeof(usage_files[0]);

    memset(ret_usage, 0, sizeof(*ret_usage));
    usage_set(ret_usage, IPC_USAGE_CPU_USER, microseconds(&used->ru_utime));
    usage_set(ret_usage, IPC_USAGE_CPU_SYSTEM, microseconds(&used->ru_stime));
    usage_set(ret_usage, IPC_USAGE_LARGEST, (uint64_t)used->ru_maxrss * 1024);
    for (size_t i = 0; i < count; i++) {
        const char *number = text;
        char *end = text;
        uint64_t value = 0;

        if (cgroup_read(cgroup->dir, usage_files[i].file, text, sizeof(text))) {
            number = usage_files[i].key == NULL ? text : line_find(text, usage_files[i].key);
            value = number == NULL ? 0 : strtoull(number, &end, 10);
        }
        if (number != NULL && end > number) {
            usage_set(ret_usage, usage_files[i].field, value);
        }
    }
}
