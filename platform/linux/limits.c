/* SPDX-License-Identifier: Apache-2.0 */
/* The supervisor's half of the limits: the same table as the plan's, applied. */
#include <sys/resource.h>

#include "platform/linux/backend.h"
#include "platform/linux/plan_limits.h"
#include "policy/limits.h"

#define MIB ((uint64_t)1024 * 1024)

/* What the rows of LIMIT_BY_RLIMIT set. */
static const struct {
    int which; /* RLIMIT_*; only where a row says so */
    uint64_t unit;
} rlimits[POLICY_LIMIT_COUNT] = {
    [LIMIT_MEMORY_MIB] = {RLIMIT_DATA, MIB},
    [LIMIT_PIDS] = {RLIMIT_NPROC, 1},
    [LIMIT_OPEN_FILES] = {RLIMIT_NOFILE, 1},
};

static struct limit_ask ask_of(const struct platform_spawn *spawn, const struct linux_able *able)
{
    return (struct limit_ask){spawn->limits,
                              spawn->managed->minimum_managed,
                              spawn->managed->minimum_own,
                              {able->controllers, !able->privileged, spawn->peer->uid == 0}};
}

/* One limit that is held in some way. */
typedef enum cordon_err apply_fn(const struct limit_ask *ask, enum policy_limit limit,
                                 uint32_t value, void *context, struct cordon_fault *fault);

static enum cordon_err limits_apply(const struct platform_spawn *spawn,
                                    const struct linux_able *able, enum limit_way way,
                                    apply_fn *apply, void *context, struct cordon_fault *fault)
{
    const struct limit_ask ask = ask_of(spawn, able);
    enum cordon_err err = CORDON_OK;

    for (int i = 0; err == CORDON_OK && i < POLICY_LIMIT_COUNT; i++) {
        const enum policy_limit limit = (enum policy_limit)i;
        const struct limit_means *means;

        err = limit_check(&ask, limit, &means, fault);
        if (err == CORDON_OK && means != NULL && means->way == way) {
            err = apply(&ask, limit, policy_limit_in_force(spawn->limits, limit)->value, context,
                        fault);
        }
    }
    return err;
}

static enum cordon_err apply_rlimit(const struct limit_ask *ask, enum policy_limit limit,
                                    uint32_t value, void *context, struct cordon_fault *fault)
{
    struct order_builder *builder = context;

    (void)fault;
    /* A user namespace counts cordon-init too. */
    builder->head.limit[rlimits[limit].which] =
        value * rlimits[limit].unit + (limit == LIMIT_PIDS && ask->host.user_ns ? 1U : 0U);
    builder->head.limit_mask |= 1U << rlimits[limit].which;
    return CORDON_OK;
}

static enum cordon_err note_group(const struct limit_ask *ask, enum policy_limit limit,
                                  uint32_t value, void *context, struct cordon_fault *fault)
{
    struct limit_group *group = context;

    (void)ask;
    (void)fault;
    group->value[limit] = value;
    return CORDON_OK;
}

enum cordon_err linux_limit_command(const struct platform_spawn *spawn,
                                    const struct linux_able *able, struct order_builder *builder,
                                    struct cordon_fault *fault)
{
    return limits_apply(spawn, able, LIMIT_BY_RLIMIT, apply_rlimit, builder, fault);
}

enum cordon_err linux_limit_group(const struct platform_spawn *spawn, const struct linux_able *able,
                                  struct limit_group *ret_group, struct cordon_fault *fault)
{
    return limits_apply(spawn, able, LIMIT_BY_GROUP, note_group, ret_group, fault);
}
