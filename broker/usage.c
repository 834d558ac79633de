/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/usage.h"

static const char *const names[IPC_USAGE_COUNT] = {
    [IPC_USAGE_MEMORY_PEAK] = "memory_peak_bytes", [IPC_USAGE_MEMORY_HITS] = "memory_limit_hits",
    [IPC_USAGE_OOM_KILLS] = "oom_kills",           [IPC_USAGE_CPU_USER] = "cpu_user_us",
    [IPC_USAGE_CPU_SYSTEM] = "cpu_system_us",      [IPC_USAGE_CPU_WAITED] = "cpu_throttled_us",
    [IPC_USAGE_PIDS_PEAK] = "pids_peak",           [IPC_USAGE_PIDS_REFUSED] = "pids_refused",
    [IPC_USAGE_LARGEST] = "largest_process_bytes",
};

const char *usage_name(int field)
{
    return names[field];
}
