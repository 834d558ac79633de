/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/parity/run_table.h"

#include <stdio.h>
#include <string.h>

#include "tests/parity/parity.h"
#include "tests/parity/table.h"

#define CASES_LEAST 300U

struct run {
    struct parity parity;
    const char *principal;
    unsigned cases, failed;
};

static void fail(struct run *run, const struct table_policy *policy, const char *what)
{
    (void)fprintf(stderr, "FAIL %s: %s\n", policy->name, what);
    run->failed++;
}

static void check_case(struct run *run, const struct table_policy *policy,
                       const struct table_ask *ask, enum policy_question question)
{
    uint32_t all = question == ASK_READ ? WIN_WORLD_READ : WIN_WORLD_WRITE;
    uint32_t written = (question == ASK_READ ? ask->read : ask->write) ? all : 0;
    uint32_t wanted = parity_wanted(&run->parity, ask->path, question);
    uint32_t got = parity_got(&run->parity, ask->path, question);

    run->cases++;
    if (written != wanted || wanted != got) {
        (void)fprintf(stderr, "line %u: %s %s: written %x, oracle %x, plan %x\n", ask->line,
                      question == ASK_READ ? "read" : "write", ask->path, written, wanted, got);
        fail(run, policy, "decided differently");
    }
}

static void check_policy(struct run *run, const struct table_policy *policy)
{
    const struct parity_text text = {.config = policy->config,
                                     .require = policy->require,
                                     .choice = {.mode = policy->mode,
                                                .profile = policy->profile,
                                                .overrides = policy->overrides,
                                                .override_count = policy->override_count}};

    if (!parity_set(&run->parity, &text, run->principal)) {
        fail(run, policy, "does not load, or cannot be done");
        return;
    }
    if (policy->refused != NULL) {
        run->cases++;
        if (run->parity.plan != NULL || strstr(run->parity.fault.text, policy->refused) == NULL) {
            fail(run, policy, run->parity.fault.text);
        }
        return;
    }
    if (run->parity.plan == NULL) {
        fail(run, policy, run->parity.fault.text);
        return;
    }
    for (size_t i = 0; i < policy->ask_count; i++) {
        check_case(run, policy, &policy->asks[i], ASK_READ);
        check_case(run, policy, &policy->asks[i], ASK_WRITE);
    }
}

static unsigned run_for(const struct table *table, const char *principal,
                        win_world_granted *granted, unsigned *ret_failed)
{
    struct arena arena;
    struct win_world world;
    struct run run = {.principal = principal};

    arena_init(&arena, (size_t)512 << 20);
    run.parity.world = &world;
    if (win_world_init(&world, &arena, table->world)) {
        world.granted = granted;
        for (size_t i = 0; i < table->policy_count; i++) {
            check_policy(&run, &table->policies[i]);
        }
    } else {
        run.failed++;
    }
    run.failed += win_world_deinit(&world) ? 0U : 1U;
    parity_deinit(&run.parity);
    arena_deinit(&arena);
    *ret_failed += run.failed;
    return run.cases;
}

bool run_table(const char *path, win_world_granted *granted)
{
    static const char *const principals[] = {"S-1-5-21-1-1-1-5001", "S-1-5-21-2-2-2-5002"};
    static struct table table;
    struct arena arena;
    unsigned cases = 0;
    unsigned failed = 0;
    bool good;

    arena_init(&arena, (size_t)16 << 20);
    good = table_read(path, &arena, &table);
    for (size_t i = 0; good && i < 2; i++) {
        cases = run_for(&table, principals[i], granted, &failed);
    }
    (void)printf("%u policies, %u cases for each of 2 principals, %u failed\n",
                 (unsigned)table.policy_count, cases, failed);
    arena_deinit(&arena);
    return good && failed == 0 && cases >= CASES_LEAST;
}
