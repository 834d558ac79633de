/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A spawn order: what a worker asks the supervisor to start. It says what a job may do, and which
 * entries the caller's own rules need; who the job is, what its token is made of and what managed
 * rules need, the supervisor says itself. Pure.
 *
 * One block without offsets: the head, @step_count steps, then as many texts and one more, each
 * with its NUL: the working directory, and the path of each step. Nothing is behind them.
 */
#ifndef CORDON_PLATFORM_WINDOWS_ORDER_H
#define CORDON_PLATFORM_WINDOWS_ORDER_H

#include "platform/plan.h"
#include "platform/windows/plan_windows.h"

#define WIN_ORDER_MAGIC 0x4f4e4957U
#define WIN_ORDER_STEPS_MAX 4096U
#define WIN_ORDER_BYTES_MAX (8U * 1024U * 1024U)
/* What reading one takes at most, and carrying it out. */
#define WIN_ORDER_ARENA (64U * 1024U * 1024U)

enum win_order_op {
    WIN_ORDER_MAKE = 1, /* missing: made, empty, to carry the entry of a later step */
    WIN_ORDER_GRANT_READ,
    WIN_ORDER_GRANT_WRITE,
    WIN_ORDER_DENY,
    WIN_ORDER_DENY_WRITE,
    WIN_ORDER_PIN,
    WIN_ORDER_OP_COUNT
};

enum win_order_flag {
    WIN_ORDER_FULL_ACCESS = 1U << 0,   /* managed rules alone hold; with the next and NET_HOST */
    WIN_ORDER_ROOT_READABLE = 1U << 1, /* what other users may read is readable */
    WIN_ORDER_PACKAGES = 1U << 2,      /* else the system's directories are */
    WIN_ORDER_NET_HOST = 1U << 3,
    WIN_ORDER_FLAGS = (1U << 4) - 1U
};

struct win_order_step {
    uint16_t op;   /* enum win_order_op */
    uint16_t kind; /* PLAN_STEP_DIR, PLAN_STEP_FILE or PLAN_STEP_LINK */
};

struct win_order_head {
    uint32_t magic;
    uint32_t size;  /* of the whole block */
    uint32_t flags; /* enum win_order_flag */
    uint32_t step_count;
};

/* An order that was read: everything in it is of its form. Strings are the block's. */
struct win_order {
    uint32_t flags;
    const char *cwd;
    struct plan_step *steps; /* of the caller's rules */
    const char **keys;       /* by which their paths are compared (path.h) */
    size_t step_count;
};

/*
 * The worker's half: @plan as a block, malloc'ed. What is denied by managed rules is not in it.
 * CORDON_E_LIMIT, CORDON_E_NOMEM; CORDON_E_INVALID: a plan to be looked at alone.
 */
CORDON_MUST_USE enum cordon_err win_order_make(const struct policy *policy, const struct plan *plan,
                                               void **ret_block, size_t *ret_len,
                                               struct cordon_fault *fault);

/*
 * Reads a block from the other side: sizes, flags, ops and kinds, and that each path is the normal
 * form of an absolute one. CORDON_E_INVALID with the first thing wrong; CORDON_E_NOMEM.
 */
CORDON_MUST_USE enum cordon_err win_order_read(const void *block, size_t len, struct arena *arena,
                                               struct win_order *ret_order,
                                               struct cordon_fault *fault);

/* What the supervisor holds an order against. Borrowed. */
struct win_order_terms {
    bool embedded;
    const struct policy *managed; /* allowances and rules */
    /* Of its rules alone, under full access, by the supervisor's own look at the disk; NULL where
     * it has none. */
    const struct plan *managed_plan;
    const char *principal; /* the job's SID */
};

/*
 * The supervisor's half: what it asks to be granted is allowed, and opens nothing that a managed
 * rule closes; then the plan of the job, with the managed entries before its own. In @arena and of
 * @order's and @terms' strings.
 *
 * CORDON_E_DENIED       the managed policy does not allow it
 * CORDON_E_UNSUPPORTED  embedded: it asks for what only the service does
 * CORDON_E_INVALID      it contradicts itself; CORDON_E_NOMEM
 */
CORDON_MUST_USE enum cordon_err win_order_plan(const struct win_order *order,
                                               const struct win_order_terms *terms,
                                               struct arena *arena, struct plan **ret_plan,
                                               struct cordon_fault *fault);

#endif
