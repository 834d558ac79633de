/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/usage.h"

static const char *const names[IPC_USAGE_COUNT] = {
    [IPC_USAGE_MEMORY_PEAK] = "memory_peak_bytes", [IPC_USAGE_MEMORY_HITS] = "memory_limit_hits",
    [IPC_USAGE_OOM_KILLS] = "oom_kills",           [IPC_USAGE_CPU_USER] = "cpu_user_us",
    [IPC_USAGE_CPU_SYSTEM] = "cpu_system_us",      [IPC_USAGE_CPU_WAITED] = "cpu_throttled_us",
    [IPC_USAGE_PIDS_PEAK] = "pids_peak",           [IPC_USAGE_PIDS_REFUSED] = "pids_refused",
    [IPC_USAGE_LARGEST] = "largest_process_bytes",
};

void usage_put(const struct ipc_usage *usage, struct jsonw *json)
{
    for (int field = 0; field < IPC_USAGE_COUNT; field++) {
        if ((usage->known & (1U << field)) != 0) {
            jsonw_uint(json, names[field], usage->value[field]);
        }
    }
}
