/* SPDX-License-Identifier: Apache-2.0 */
/* A worker's plan and its order, and what the supervisor holds against it; shared by the tests of
 * them. */
#ifndef CORDON_TESTS_WIN_ORDER_WORLD_H
#define CORDON_TESTS_WIN_ORDER_WORLD_H

#include "platform/windows/order.h"
#include "tests/golden/plan_case.h"
#include "tests/support/check.h"

#include <stdlib.h>
#include <string.h>

#define PRINCIPAL "S-1-5-21-1-2-3-1001"
#define TREE                                                                                       \
    "profile dev\nwindows\ncwd C:\\w\nprincipal " PRINCIPAL                                        \
    "\ntree dir C:\\w\ntree dir C:\\w\\b\n"                                                        \
    "tree file C:\\w\\b\\f\ntree dir C:\\s\ntree dir C:\\s\\in\n"
#define BASE                                                                                       \
    TREE "workspace /C:/w\nown read / spelled=:root\nown write /C:/w spelled=:workspace_roots\n"
#define MANAGED "managed deny /C:/s\nmanaged deny-write /C:/w/b\n"

static struct plan_case worker, ours;
static struct cordon_fault fault;
static struct win_order_terms terms;
static void *block;
static size_t block_len;
static struct arena arena;
static struct win_order order;
static struct plan *plan;

static inline struct plan *plan_case_of(struct plan_case *c, const char *text)
{
    struct plan *made = NULL;

    plan_case_deinit(c);
    CHECK(plan_case_parse(c, text));
    c->policy.os = POLICY_OS_WINDOWS;
    if (plan_windows(&c->policy, &c->facts, &c->arena, &made, &fault) != CORDON_OK) {
        CHECK_STR(fault.text, "");
    }
    return made;
}

/* The supervisor knows of @managed rules, and allows what is said. */
static inline void supervise(const char *managed)
{
    char text[4096];

    (void)snprintf(text, sizeof(text), "%sfull-access\n%s", TREE, managed);
    terms = (struct win_order_terms){.managed = &ours.policy, .principal = PRINCIPAL};
    terms.managed_plan = plan_case_of(&ours, text);
    ours.policy.full_access = false;
    ours.policy.managed_allows_write = true;
    ours.policy.managed_allows_full_access = true;
    if (managed[0] == '\0') {
        terms.managed_plan = NULL;
    }
}

/* What a worker that does as it should makes of this policy. */
static inline void order_text(const char *policy)
{
    const struct plan *made = plan_case_of(&worker, policy);

    free(block);
    block = NULL;
    CHECK(win_order_make(&worker.policy, made, &block, &block_len, &fault) == CORDON_OK);
}

static inline enum cordon_err read_order(const void *bytes, size_t len)
{
    arena_deinit(&arena);
    arena_init(&arena, WIN_ORDER_ARENA);
    memset(&fault, 0, sizeof(fault));
    return win_order_read(bytes, len, &arena, &order, &fault);
}

static inline enum cordon_err judge(void)
{
    const enum cordon_err err = read_order(block, block_len);

    return err == CORDON_OK ? win_order_plan(&order, &terms, &arena, &plan, &fault) : err;
}

/* ---- orders by hand ---- */

struct hand {
    uint16_t op, kind;
    const char *path;
};

static inline void by_hand(uint32_t flags, const struct hand *steps, size_t count)
{
    struct win_order_head head = {
        .magic = WIN_ORDER_MAGIC, .flags = flags, .step_count = (uint32_t)count};
    struct strbuf out = STRBUF_INIT;

    strbuf_add(&out, (const char *)&head, sizeof(head));
    for (size_t i = 0; i < count; i++) {
        const struct win_order_step step = {steps[i].op, steps[i].kind};

        strbuf_add(&out, (const char *)&step, sizeof(step));
    }
    strbuf_add(&out, "C:\\w", 5);
    for (size_t i = 0; i < count; i++) {
        strbuf_add(&out, steps[i].path, strlen(steps[i].path) + 1);
    }
    head.size = (uint32_t)out.len;
    memcpy(out.data, &head, sizeof(head));
    free(block);
    block_len = out.len;
    block = strbuf_steal(&out);
    CHECK(block != NULL);
}

#endif
