/* SPDX-License-Identifier: Apache-2.0 */
/* When a plan is used again, and that what is not its own is looked up each time; made by a
 * platform of ours. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "broker/pipeline.h"
#include "broker/planned.h"
#include "tests/support/check.h"

static struct {
    unsigned resolved, planned, needed; /* calls */
    size_t alive;                       /* resolved and not released */
    bool holds, keeps;
    enum cordon_err resolve, plan, need; /* what they answer */
    const char *needs[40];
    size_t need_count;
    const char *denies; /* a needed path */
    char cwd[64];       /* as resolve() was given it, at a place of its own */
    bool kept_asked;
    unsigned orders;
    enum cordon_err order[3]; /* what the next ones come to */
    bool breaks;              /* an order that fails with _AGAIN shows that nothing holds */
} world;

static struct platform_kept *const kept = (struct platform_kept *)&world;

static enum cordon_err fake_resolve(const struct policy *policy, const struct platform_start *start,
                                    struct arena *arena, struct platform_resolved *ret_resolved,
                                    struct cordon_fault *fault)
{
    (void)policy;
    (void)arena;
    world.resolved++;
    world.kept_asked = start->keep;
    if (world.resolve != CORDON_OK) {
        return fault_set(fault, world.resolve, NULL, "resolve");
    }
    (void)snprintf(world.cwd, sizeof(world.cwd), "%s", start->cwd);
    *ret_resolved = (struct platform_resolved){.facts = {.cwd = start->cwd},
                                               .kept = start->keep && world.keeps ? kept : NULL};
    world.alive++;
    return CORDON_OK;
}

static void fake_release(struct platform_resolved *resolved)
{
    if (resolved->facts.cwd != NULL) {
        world.alive--;
    }
    memset(resolved, 0, sizeof(*resolved));
}

static bool fake_holds(const struct platform_resolved *resolved)
{
    return resolved->kept != NULL && world.holds;
}

static enum cordon_err fake_needed(const struct platform_start *start, struct arena *arena,
                                   struct plan_facts *facts)
{
    const char **needs = arena_array(arena, world.need_count, sizeof(*needs));

    CHECK(start->program != NULL && needs != NULL);
    world.needed++;
    /* In the arena: what is remembered of them must be a copy. */
    for (size_t i = 0; i < world.need_count; i++) {
        needs[i] = arena_strdup(arena, world.needs[i]);
    }
    facts->needed = needs;
    facts->needed_count = world.need_count;
    return world.need;
}

static enum cordon_err fake_plan(const struct policy *policy, const struct plan_facts *facts,
                                 struct arena *arena, struct plan **ret_plan,
                                 struct cordon_fault *fault)
{
    struct plan *plan = arena_alloc(arena, sizeof(*plan));

    CHECK(plan != NULL);
    world.planned++;
    for (size_t i = 0; i < facts->needed_count; i++) {
        if (world.denies != NULL && strcmp(facts->needed[i], world.denies) == 0) {
            return fault_set(fault, CORDON_E_DENIED, NULL, "%s", facts->needed[i]);
        }
    }
    plan->os = policy->os;
    *ret_plan = plan;
    return world.plan == CORDON_OK ? CORDON_OK : fault_set(fault, world.plan, NULL, "plan");
}

static enum cordon_err fake_order(const struct platform_parts *parts,
                                  struct platform_order *ret_order, struct cordon_fault *fault)
{
    const enum cordon_err err = world.order[world.orders++ % 3];

    CHECK(parts->plan != NULL && parts->resolved->facts.cwd != NULL);
    ret_order->fd_count = 0;
    world.holds = world.holds && !(err == CORDON_E_AGAIN && world.breaks);
    return err == CORDON_OK ? err : fault_set(fault, err, NULL, "order");
}

static const struct platform fake = {.name = "fake",
                                     .os = POLICY_OS_LINUX,
                                     .resolve = fake_resolve,
                                     .resolved_release = fake_release,
                                     .resolved_holds = fake_holds,
                                     .needed = fake_needed,
                                     .plan = fake_plan,
                                     .order = fake_order};

static struct policy policy;
static struct platform_start start;
static struct cordon_fault fault;

static void begin(void)
{
    memset(&world, 0, sizeof(world));
    world.holds = world.keeps = true;
    world.needs[0] = "/bin/sh";
    world.need_count = 1;
    policy = (struct policy){.os = POLICY_OS_LINUX};
    start = (struct platform_start){.keep = true, .host = 5, .cwd = "/ws", .program = "sh"};
}

static struct planned *made(void)
{
    struct planned *planned = NULL;

    CHECK(planned_new(&fake, &policy, &start, &planned, &fault) == CORDON_OK && planned != NULL);
    CHECK(world.alive == 1);
    return planned;
}

static void end(struct planned *planned)
{
    planned_free(planned);
    CHECK(world.alive == 0);
}

TEST(what_holds_is_used_again_without_a_look)
{
    struct planned *planned;

    begin();
    planned = made();
    CHECK(planned_is_kept(planned) && planned->plan != NULL && world.kept_asked);
    for (int i = 0; i < 100; i++) {
        CHECK(planned_holds(planned, &start));
        CHECK(planned_check(planned, &policy, &start, &fault) == CORDON_OK);
    }
    CHECK(world.resolved == 1 && world.planned == 1 && world.needed == 101);
    end(planned);
    planned_free(NULL);
}

TEST(it_outlives_what_it_was_made_for)
{
    char cwd[] = "/ws";
    struct planned *planned;

    begin();
    start.cwd = cwd;
    planned = made();
    memset(cwd, 'x', sizeof(cwd) - 1);
    CHECK_STR(planned->resolved.facts.cwd, "/ws");
    CHECK_STR(world.cwd, "/ws");
    end(planned);
}

TEST(what_changed_is_not)
{
    struct planned *planned;

    begin();
    planned = made();
    world.holds = false;
    CHECK(!planned_holds(planned, &start));
    world.holds = true;
    /* What the supervisor can decide with is part of each plan. */
    for (uint32_t bit = 1; bit != 0; bit <<= 1U) {
        start.host = 5U ^ bit;
        CHECK(!planned_holds(planned, &start));
    }
    start.host = 5;
    start.embedded = true;
    CHECK(!planned_holds(planned, &start));
    start.embedded = false;
    CHECK(planned_holds(planned, &start));
    end(planned);
}

TEST(what_cannot_be_kept_is_not_asked_for)
{
    struct planned *planned;

    begin();
    world.keeps = false;
    planned = made();
    CHECK(!planned_is_kept(planned) && !planned_holds(planned, &start));
    end(planned);
    begin();
    start.keep = false;
    planned = made();
    CHECK(!world.kept_asked && !planned_is_kept(planned));
    end(planned);
    /* A plan that is only printed needs no program. */
    begin();
    start.program = NULL;
    planned = made();
    CHECK(world.needed == 0);
    end(planned);
}

TEST(facts_for_another_system_are_not_kept)
{
    struct planned *planned = NULL;
    enum cordon_err err;

    begin();
    policy.os = POLICY_OS_MACOS;
    policy.profile = ":read-only";
    err = planned_new(&fake, &policy, &start, &planned, &fault);
    /* Its own planner was asked, whatever it says to a policy without a rule. */
    CHECK(world.planned == 0 && !world.kept_asked);
    if (err == CORDON_OK) {
        CHECK(!planned_is_kept(planned));
        planned_free(planned);
    }
    CHECK(world.alive == 0);
}

TEST(a_command_that_needs_something_new_is_planned_and_then_known)
{
    struct planned *planned;
    const struct plan *plan;

    begin();
    planned = made();
    plan = planned->plan;
    world.needs[1] = "/usr/bin/python3";
    world.need_count = 2;
    CHECK(planned_check(planned, &policy, &start, &fault) == CORDON_OK && world.planned == 2);
    CHECK(planned_check(planned, &policy, &start, &fault) == CORDON_OK && world.planned == 2);
    CHECK(planned->plan == plan);
    end(planned);
}

TEST(what_is_needed_and_denied_is_refused_each_time)
{
    struct planned *planned;

    begin();
    planned = made();
    world.needs[0] = world.denies = "/usr/bin/denied";
    for (int i = 0; i < 3; i++) {
        CHECK(planned_check(planned, &policy, &start, &fault) == CORDON_E_DENIED);
        CHECK_STR(fault.text, "/usr/bin/denied");
    }
    CHECK(world.planned == 4);
    /* The plan is good for other commands. */
    world.needs[0] = "/bin/sh";
    CHECK(planned_holds(planned, &start));
    CHECK(planned_check(planned, &policy, &start, &fault) == CORDON_OK && world.planned == 4);
    end(planned);
    begin();
    world.denies = "/bin/sh";
    CHECK(planned_new(&fake, &policy, &start, &planned, &fault) == CORDON_E_DENIED);
    CHECK(world.alive == 0);
}

/* Twice as many as are remembered: the rest is planned each time, and a denied one among them
 * found. */
TEST(what_is_not_remembered_is_checked_each_time)
{
    static char names[2 * PLANNED_CHECKED][16];
    struct planned *planned;

    begin();
    planned = made();
    for (size_t i = 0; i < 2 * PLANNED_CHECKED; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "/bin/%zu", i);
        world.needs[0] = names[i];
        CHECK(planned_check(planned, &policy, &start, &fault) == CORDON_OK);
    }
    CHECK(planned->checked_count == PLANNED_CHECKED);
    CHECK(world.planned == 1 + 2 * PLANNED_CHECKED);
    for (size_t i = 0; i < 2 * PLANNED_CHECKED; i++) {
        world.needs[0] = names[i];
        CHECK(planned_check(planned, &policy, &start, &fault) == CORDON_OK);
    }
    /* "/bin/sh" has one place. */
    CHECK(world.planned == 1 + 3 * PLANNED_CHECKED + 1);
    world.denies = names[2 * PLANNED_CHECKED - 1];
    CHECK(planned_check(planned, &policy, &start, &fault) == CORDON_E_DENIED);
    end(planned);
}

TEST(what_fails_leaves_nothing)
{
    static const enum cordon_err errors[] = {CORDON_E_NOMEM, CORDON_E_TIMEOUT,
                                             CORDON_E_UNSUPPORTED};
    struct planned *planned = NULL;

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        begin();
        world.resolve = errors[i];
        CHECK(planned_new(&fake, &policy, &start, &planned, &fault) == errors[i]);
        CHECK_STR(fault.text, "resolve");
        begin();
        world.plan = errors[i];
        CHECK(planned_new(&fake, &policy, &start, &planned, &fault) == errors[i]);
        CHECK_STR(fault.text, "plan");
        CHECK(planned == NULL && world.alive == 0);
    }
    begin();
    world.need = CORDON_E_NOMEM;
    CHECK(planned_new(&fake, &policy, &start, &planned, &fault) == CORDON_E_NOMEM);
    CHECK(planned == NULL && world.alive == 0 && world.planned == 0);
    begin();
    planned = made();
    world.need = CORDON_E_NOMEM;
    CHECK(planned_check(planned, &policy, &start, &fault) == CORDON_E_NOMEM);
    world.need = CORDON_OK;
    world.needs[0] = "/bin/other";
    world.plan = CORDON_E_NOMEM;
    CHECK(planned_check(planned, &policy, &start, &fault) == CORDON_E_NOMEM);
    /* Not taken for checked. */
    world.plan = CORDON_E_DENIED;
    CHECK(planned_check(planned, &policy, &start, &fault) == CORDON_E_DENIED);
    end(planned);
}

/* ---- in the pipeline: who keeps which ---- */

static struct worker worker;
static struct msg_choice choice;

/* One job; what its order came to. */
static enum cordon_err job(void)
{
    const int cwd = open("/usr", O_PATH | O_DIRECTORY | O_CLOEXEC);
    const struct pipeline_input input = {
        .worker = &worker, .choice = &choice, .cwd_fd = cwd, .program = "sh"};
    struct platform_order order;
    struct pipeline pipeline;
    enum cordon_err err;

    worker.platform = &fake;
    pipeline_init(&pipeline);
    err = pipeline_plan(&pipeline, &input, &fault);
    if (err == CORDON_OK) {
        err = pipeline_order(&pipeline, &input, -1, &order, &fault);
    }
    pipeline_deinit(&pipeline);
    (void)close(cwd);
    return err;
}

TEST(a_plan_is_kept_with_its_policy)
{
    begin();
    CHECK(job() == CORDON_OK && world.resolved == 1 && world.alive == 1);
    CHECK(job() == CORDON_OK && world.resolved == 1 && world.orders == 2);
    world.holds = false;
    CHECK(job() == CORDON_OK && world.resolved == 2 && world.alive == 1);
    world.keeps = false;
    CHECK(job() == CORDON_OK && world.resolved == 3 && world.alive == 1);
    memo_deinit(&worker.memo);
    CHECK(world.alive == 0);
}

/* What it grants is something else by then: it is looked up once more. */
TEST(a_kept_plan_whose_order_cannot_be_made_again_is_made_anew)
{
    begin();
    CHECK(job() == CORDON_OK);
    world.order[1] = CORDON_E_AGAIN;
    world.breaks = true;
    world.keeps = true;
    CHECK(job() == CORDON_OK && world.resolved == 2 && world.orders == 3 && world.alive == 1);
    memo_deinit(&worker.memo);
    CHECK(world.alive == 0);
    /* Once; and what was kept stays for the next. */
    begin();
    CHECK(job() == CORDON_OK);
    world.order[1] = world.order[2] = CORDON_E_AGAIN;
    CHECK(job() == CORDON_E_AGAIN && world.orders == 3 && world.alive == 1);
    CHECK(job() == CORDON_OK && world.resolved == 1);
    /* Nor does any other failure take it away, or leave the new one. */
    world.orders = 0;
    world.order[0] = CORDON_E_NOMEM;
    CHECK(job() == CORDON_E_NOMEM && world.orders == 1 && world.alive == 1);
    world.orders = 0;
    world.holds = false;
    CHECK(job() == CORDON_E_NOMEM && world.alive == 1);
    world.orders = 1;
    world.order[1] = CORDON_E_AGAIN;
    world.holds = world.breaks = true;
    world.resolve = CORDON_E_TIMEOUT;
    CHECK(job() == CORDON_E_TIMEOUT && world.alive == 1);
    memo_deinit(&worker.memo);
    CHECK(world.alive == 0);
}

TEST_MAIN()
