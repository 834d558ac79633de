/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any bytes as a worker's spawn order. What is taken is a plan that keeps every managed entry,
 * grants nothing at or below what is denied, and has the caller's own token for nobody whom rules
 * hold.
 */
#include <stdlib.h>
#include <string.h>

#include "platform/windows/order.h"
#include "platform/windows/path.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define DENIED "C:\\s"
#define KEPT "C:\\w\\k"

static void require(bool condition)
{
    if (!condition) {
        abort();
    }
}

static struct policy_rule rules[] = {
    {.access = ACCESS_DENY, .pattern = "/C:/s", .pattern_len = 5},
    {.access = ACCESS_DENY_WRITE, .pattern = "/C:/w/k", .pattern_len = 7}};

/* As the planner has it: what denies, and what must stay where it is. */
static struct plan_step managed_steps[] = {
    {.op = PLAN_WINDOWS_DENY,
     .flags = PLAN_STEP_DIR,
     .set = PLAN_SET_MANAGED,
     .value = PLAN_WINDOWS_MASK_DENY,
     .path = DENIED},
    {.op = PLAN_WINDOWS_DENY_WRITE,
     .flags = PLAN_STEP_DIR,
     .set = PLAN_SET_MANAGED,
     .rule = 1,
     .value = PLAN_WINDOWS_MASK_DENY_WRITE,
     .path = KEPT},
    {.op = PLAN_WINDOWS_PIN,
     .flags = PLAN_STEP_DIR,
     .set = PLAN_SET_MANAGED,
     .rule = 1,
     .value = PLAN_WINDOWS_MASK_PIN,
     .path = "C:\\w"},
};
#define MANAGED (sizeof(managed_steps) / sizeof(managed_steps[0]))

static bool lies_in(const char *path, const char *above, struct arena *arena)
{
    struct win_path inner, outer;

    require(win_path_read(path, strlen(path), NULL, arena, &inner, NULL) == CORDON_OK);
    require(win_path_read(above, strlen(above), NULL, arena, &outer, NULL) == CORDON_OK);
    require(strcmp(inner.text, path) == 0);
    return win_key_covers(outer.key, inner.key);
}

static void require_step(const struct plan_step *step, bool allows_write, struct arena *arena)
{
    const bool read = step->op == PLAN_WINDOWS_GRANT_READ;
    const bool write = step->op == PLAN_WINDOWS_GRANT_WRITE;

    require(step->op < PLAN_WINDOWS_OP_COUNT);
    require(step->value == plan_windows_mask(step->op));
    require(!(write && !allows_write));
    require(!((read || write) && lies_in(step->path, DENIED, arena)));
    require(!(write && lies_in(step->path, KEPT, arena)));
    require(!(step->op == PLAN_WINDOWS_TOKEN && strcmp(step->text, "plain") == 0));
}

static void judge(const struct win_order *order, bool embedded, bool allows)
{
    static struct plan managed_plan = {
        .os = POLICY_OS_WINDOWS, .steps = managed_steps, .step_count = MANAGED};
    const struct policy managed = {.os = POLICY_OS_WINDOWS,
                                   .profile = "",
                                   .managed = {.rules = rules, .count = 2},
                                   .managed_allows_write = allows,
                                   .managed_allows_full_access = allows};
    const struct win_order_terms terms = {.embedded = embedded,
                                          .managed = &managed,
                                          .managed_plan = &managed_plan,
                                          .principal = "S-1-5-21-1-2-3-1001"};
    struct cordon_fault fault = {0};
    struct arena arena;
    struct plan *plan = NULL;
    enum cordon_err err;
    size_t kept = 0;

    arena_init(&arena, WIN_ORDER_ARENA);
    err = win_order_plan(order, &terms, &arena, &plan, &fault);
    require(err == CORDON_OK || (fault.err == err && fault.text[0] != '\0'));
    for (size_t i = 0; err == CORDON_OK && i < plan->step_count; i++) {
        require_step(&plan->steps[i], allows, &arena);
        kept += plan->steps[i].set == PLAN_SET_MANAGED;
    }
    require(err != CORDON_OK || kept == MANAGED);
    arena_deinit(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct win_order order;
    struct cordon_fault fault = {0};
    struct arena arena;
    void *copy = malloc(size + 1); /* aligned, as a memory file is */
    enum cordon_err err;

    if (copy == NULL) {
        return 0;
    }
    memcpy(copy, data, size);
    arena_init(&arena, WIN_ORDER_ARENA);
    err = win_order_read(copy, size, &arena, &order, &fault);
    if (err == CORDON_OK) {
        judge(&order, false, true);
        judge(&order, false, false);
        judge(&order, true, true);
    } else {
        require(fault.err == err && fault.text[0] != '\0');
    }
    arena_deinit(&arena);
    free(copy);
    return 0;
}
