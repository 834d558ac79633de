/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/limits.h"

static const struct {
    const char *key;
    const char *unit;
} kinds[POLICY_LIMIT_COUNT] = {
    [LIMIT_MEMORY_MIB] = {"memory_mib", " MiB"}, [LIMIT_PIDS] = {"pids", " processes"},
    [LIMIT_CPU_PERCENT] = {"cpu_percent", " %"}, [LIMIT_OPEN_FILES] = {"open_files", " files"},
    [LIMIT_WALL_S] = {"wall_s", " s"},
};

const char *policy_limit_unit(enum policy_limit limit)
{
    return kinds[limit].unit;
}

const char *policy_limit_name(enum policy_limit limit)
{
    return kinds[limit].key;
}

uint32_t policy_limit_least(uint32_t a, uint32_t b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

const struct policy_limit_value *policy_limit_in_force(const struct policy_limits *limits,
                                                       enum policy_limit limit)
{
    const struct policy_limit_value *managed = &limits->managed[limit];
    const struct policy_limit_value *own = &limits->own[limit];

    return policy_limit_least(managed->value, own->value) == managed->value ? managed : own;
}
