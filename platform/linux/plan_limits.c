/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/plan_limits.h"

#include "platform/linux/plan_linux.h"
#include "policy/limits.h"

/* What a row needs to be of use. */
enum need { NEED_NOTHING, NEED_CONTROLLER, NEED_USER_NS, NEED_NO_ROOT };

/* The first row of a limit whose need is met is taken. */
static const struct {
    enum policy_limit limit;
    enum need need;
    uint32_t controller;
    struct limit_means means;
} rows[] = {
    {LIMIT_MEMORY_MIB,
     NEED_CONTROLLER,
     PLAN_CONTROLLER_MEMORY,
     {LIMIT_BY_GROUP, "memory.max of the job's control group", NULL, false}},
    /* Not RLIMIT_AS: address space that is only reserved (Go, node, Java, sanitizers) is no memory.
     */
    {LIMIT_MEMORY_MIB,
     NEED_NOTHING,
     0,
     {LIMIT_BY_RLIMIT, "RLIMIT_DATA",
      "holds for the private memory of each process, not for the job as a whole", true}},
    {LIMIT_PIDS,
     NEED_CONTROLLER,
     PLAN_CONTROLLER_PIDS,
     {LIMIT_BY_GROUP, "pids.max of the job's control group", NULL, false}},
    /* The kernel counts the processes of each user namespace apart, but never root's. */
    {LIMIT_PIDS,
     NEED_USER_NS,
     0,
     {LIMIT_BY_RLIMIT, "RLIMIT_NPROC in the job's user namespace", NULL, false}},
    {LIMIT_PIDS,
     NEED_NO_ROOT,
     0,
     {LIMIT_BY_RLIMIT, "RLIMIT_NPROC",
      "counts what the user runs outside of the job too, so the job may have fewer", false}},
    {LIMIT_PIDS,
     NEED_NOTHING,
     0,
     {LIMIT_BY_NOTHING,
      "the broker has no pids controller, and the kernel counts no processes of "
      "root's otherwise",
      NULL, true}},
    {LIMIT_CPU_PERCENT,
     NEED_CONTROLLER,
     PLAN_CONTROLLER_CPU,
     {LIMIT_BY_GROUP, "cpu.max of the job's control group", NULL, false}},
    {LIMIT_CPU_PERCENT,
     NEED_NOTHING,
     0,
     {LIMIT_BY_NOTHING, "the broker has no cpu controller", NULL, true}},
    {LIMIT_OPEN_FILES, NEED_NOTHING, 0, {LIMIT_BY_RLIMIT, "RLIMIT_NOFILE", NULL, false}},
    {LIMIT_WALL_S, NEED_NOTHING, 0, {LIMIT_BY_BROKER, "the broker's clock", NULL, false}},
};

static const char remedy[] =
    "run the service under cgroup v2 with Delegate=yes and these controllers, or lift the limit";

static bool is_met(enum need need, uint32_t controller, const struct limit_host *host)
{
    switch (need) {
    case NEED_CONTROLLER:
        return (host->controllers & controller) != 0;
    case NEED_USER_NS:
        return host->user_ns && !host->superuser;
    case NEED_NO_ROOT:
        return !host->superuser;
    case NEED_NOTHING:
        break;
    }
    return true;
}

const struct limit_means *limit_means_of(enum policy_limit limit, const struct limit_host *host)
{
    size_t i = 0;

    /* The last row of each limit needs nothing. */
    while (rows[i].limit != limit || !is_met(rows[i].need, rows[i].controller, host)) {
        i++;
    }
    return &rows[i].means;
}

static enum cordon_err refuse(enum policy_limit limit, const struct policy_limit_value *value,
                              const char *why, struct cordon_fault *fault)
{
    struct strbuf origin = STRBUF_INIT;

    plan_origin_text(&value->origin, &origin);
    (void)fault_set(fault, CORDON_E_UNSUPPORTED, remedy, "%s = %u cannot be enforced here: %s (%s)",
                    policy_limit_name(limit), value->value, why, strbuf_text(&origin));
    strbuf_deinit(&origin);
    return CORDON_E_UNSUPPORTED;
}

enum cordon_err limit_check(const struct limit_ask *ask, enum policy_limit limit,
                            const struct limit_means **ret_means, struct cordon_fault *fault)
{
    const struct limit_means *means = limit_means_of(limit, &ask->host);
    const struct {
        const struct policy_limit_value *value;
        enum policy_enforcement minimum;
        bool must;
    } sides[] = {
        {&ask->limits->managed[limit], ask->minimum_managed, true},
        {&ask->limits->own[limit], ask->minimum_own, limit != LIMIT_CPU_PERCENT},
    };
    bool asked = false;

    for (size_t i = 0; i < sizeof(sides) / sizeof(sides[0]); i++) {
        if (sides[i].value->value == 0) {
            continue;
        }
        asked = true;
        if (means->way == LIMIT_BY_NOTHING && sides[i].must) {
            return refuse(limit, sides[i].value, means->text, fault);
        }
        if (means->way != LIMIT_BY_NOTHING && means->weaker && sides[i].minimum == ENFORCE_KERNEL) {
            return refuse(limit, sides[i].value,
                          "it would hold for each process only, and level kernel is required",
                          fault);
        }
    }
    *ret_means = asked && means->way != LIMIT_BY_NOTHING ? means : NULL;
    return CORDON_OK;
}

/* ---- the planner ---- */

static struct limit_ask ask_of(const struct plan_builder *b)
{
    const struct policy *policy = b->policy;

    return (struct limit_ask){&policy->limits,
                              policy->minimum_managed,
                              policy->minimum_own,
                              {b->facts->privileged ? b->facts->host.controllers : 0,
                               !b->facts->privileged, b->facts->superuser}};
}

enum cordon_err plan_check_limits(const struct plan_builder *builder)
{
    const struct limit_ask ask = ask_of(builder);
    enum cordon_err err = CORDON_OK;

    for (int limit = 0; err == CORDON_OK && limit < POLICY_LIMIT_COUNT; limit++) {
        const struct limit_means *means;

        err = limit_check(&ask, (enum policy_limit)limit, &means, builder->fault);
    }
    return err;
}

static void add_limit(struct plan_builder *b, enum policy_limit limit,
                      const struct policy_limit_value *value, const struct limit_means *means)
{
    const char *name = policy_limit_name(limit);
    struct strbuf origin = STRBUF_INIT;
    struct plan_step step = {.op = PLAN_LINUX_LIMIT, .rule = PLAN_NO_RULE, .value = value->value};

    plan_origin_text(&value->origin, &origin);
    step.text = arena_printf(b->arena, "%s: %s (%s)", name, means->text, strbuf_text(&origin));
    b->failed = b->failed || step.text == NULL || origin.failed;
    strbuf_deinit(&origin);
    (void)plan_add(b, &step);
    if (means->note != NULL) {
        plan_notice(b, "%s = %u %s (%s)", name, value->value, means->note, means->text);
    }
}

void plan_add_limits(struct plan_builder *builder)
{
    const struct limit_ask ask = ask_of(builder);

    for (int i = 0; i < POLICY_LIMIT_COUNT; i++) {
        const enum policy_limit limit = (enum policy_limit)i;
        const struct policy_limit_value *value =
            policy_limit_in_force(&builder->policy->limits, limit);
        const struct limit_means *means;

        if (value->value == 0 || limit_check(&ask, limit, &means, builder->fault) != CORDON_OK) {
            continue;
        }
        if (means != NULL) {
            add_limit(builder, limit, value, means);
        } else {
            plan_notice(builder, "%s = %u is not enforced: %s", policy_limit_name(limit),
                        value->value, limit_means_of(limit, &ask.host)->text);
        }
    }
}
