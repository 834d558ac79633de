/* SPDX-License-Identifier: Apache-2.0 */
/* A spawn order as bytes: read from a worker who may be anybody. */
#include "platform/windows/order.h"

#include <string.h>

#include "platform/windows/api.h"
#include "platform/windows/path.h"

static const struct {
    uint16_t op;    /* of the plan */
    uint16_t kinds; /* that it may be of */
} ways[WIN_ORDER_OP_COUNT] = {
    [WIN_ORDER_MAKE] = {PLAN_WINDOWS_MATERIALISE, PLAN_STEP_DIR | PLAN_STEP_FILE},
    [WIN_ORDER_GRANT_READ] = {PLAN_WINDOWS_GRANT_READ, PLAN_STEP_DIR | PLAN_STEP_FILE},
    [WIN_ORDER_GRANT_WRITE] = {PLAN_WINDOWS_GRANT_WRITE, PLAN_STEP_DIR | PLAN_STEP_FILE},
    [WIN_ORDER_DENY] = {PLAN_WINDOWS_DENY, PLAN_STEP_DIR | PLAN_STEP_FILE | PLAN_STEP_LINK},
    [WIN_ORDER_DENY_WRITE] = {PLAN_WINDOWS_DENY_WRITE,
                              PLAN_STEP_DIR | PLAN_STEP_FILE | PLAN_STEP_LINK},
    [WIN_ORDER_PIN] = {PLAN_WINDOWS_PIN, PLAN_STEP_DIR},
};

/* Where the texts are read. */
struct reading {
    const char *at, *end;
    struct arena *arena;
};

static bool is_one_of(uint16_t kind, uint16_t kinds)
{
    return kind != 0 && (kind & (kind - 1U)) == 0 && (kind & ~(unsigned)kinds) == 0;
}

/* The next text; *ret_key NULL: the arena is exhausted. A line, or NULL for all is well. */
static const char *next_path(struct reading *reading, const char **ret_path, const char **ret_key)
{
    const size_t rest = (size_t)(reading->end - reading->at);
    const char *text = reading->at;
    const char *nul = memchr(text, '\0', rest < API_PATH_MAX ? rest : (size_t)API_PATH_MAX);
    struct win_path path;
    struct cordon_fault fault;
    enum cordon_err err;

    *ret_key = NULL;
    if (nul == NULL) {
        return "a path has no end";
    }
    err = win_path_read(text, (size_t)(nul - text), NULL, reading->arena, &path, &fault);
    if (err == CORDON_E_NOMEM) {
        return "out of memory";
    }
    /* As the planner spells it: whoever else spells it means something else by it. */
    if (err != CORDON_OK || strcmp(path.text, text) != 0) {
        return "a path that is not absolute and in its normal form";
    }
    reading->at = nul + 1;
    *ret_path = text;
    *ret_key = path.key;
    return NULL;
}

static const char *read_step(const struct win_order_step *from, struct reading *reading,
                             struct plan_step *step, const char **ret_key)
{
    if (from->op == 0 || from->op >= WIN_ORDER_OP_COUNT) {
        return "unknown step";
    }
    if (!is_one_of(from->kind, ways[from->op].kinds)) {
        return "a kind of object that the step has not";
    }
    *step = (struct plan_step){.op = ways[from->op].op,
                               .flags = from->kind,
                               .set = PLAN_SET_OWN,
                               .rule = PLAN_NO_RULE,
                               .value = plan_windows_mask(ways[from->op].op)};
    return next_path(reading, &step->path, ret_key);
}

static const char *flags_fault(uint32_t flags)
{
    const uint32_t whole = WIN_ORDER_FULL_ACCESS | WIN_ORDER_ROOT_READABLE | WIN_ORDER_NET_HOST;

    if ((flags & ~(uint32_t)WIN_ORDER_FLAGS) != 0) {
        return "unknown flags";
    }
    if ((flags & WIN_ORDER_FULL_ACCESS) != 0 && flags != whole) {
        return "full access that is less than full";
    }
    if ((flags & WIN_ORDER_PACKAGES) != 0 && (flags & WIN_ORDER_ROOT_READABLE) != 0) {
        return "a token that is restricted for reading and is not";
    }
    return NULL;
}

static enum cordon_err wrong(struct cordon_fault *fault, const char *what)
{
    return fault_set(fault, strcmp(what, "out of memory") == 0 ? CORDON_E_NOMEM : CORDON_E_INVALID,
                     NULL, "spawn order: %s", what);
}

static enum cordon_err read_texts(const struct win_order_step *steps, struct reading *reading,
                                  struct win_order *order, struct cordon_fault *fault)
{
    const char *unused;
    const char *what = next_path(reading, &order->cwd, &unused);

    if (what != NULL) {
        return wrong(fault, what);
    }
    for (size_t i = 0; i < order->step_count; i++) {
        what = read_step(&steps[i], reading, &order->steps[i], &order->keys[i]);
        if (what != NULL) {
            return fault_set(fault,
                             strcmp(what, "out of memory") == 0 ? CORDON_E_NOMEM : CORDON_E_INVALID,
                             NULL, "spawn order, step %zu: %s", i, what);
        }
    }
    return reading->at == reading->end ? CORDON_OK : wrong(fault, "more than its steps");
}

enum cordon_err win_order_read(const void *block, size_t len, struct arena *arena,
                               struct win_order *ret_order, struct cordon_fault *fault)
{
    const struct win_order_head *head = block;
    const struct win_order_step *steps;
    struct reading reading = {.end = (const char *)block + len, .arena = arena};
    struct win_order order;
    enum cordon_err err;

    if (len < sizeof(*head) || len > WIN_ORDER_BYTES_MAX ||
        (uintptr_t)block % _Alignof(struct win_order_head) != 0) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "spawn order: bad size %zu", len);
    }
    if (head->magic != WIN_ORDER_MAGIC || head->size != len ||
        head->step_count > WIN_ORDER_STEPS_MAX ||
        head->step_count > (len - sizeof(*head)) / sizeof(*steps)) {
        return wrong(fault, "bad head");
    }
    if (flags_fault(head->flags) != NULL) {
        return wrong(fault, flags_fault(head->flags));
    }
    steps = (const void *)((const char *)block + sizeof(*head));
    reading.at = (const char *)&steps[head->step_count];
    order = (struct win_order){
        .flags = head->flags,
        .steps = arena_array(arena, head->step_count, sizeof(*order.steps)),
        .keys = arena_array(arena, head->step_count, sizeof(*order.keys)),
        .step_count = head->step_count,
    };
    if (order.steps == NULL || order.keys == NULL) {
        return wrong(fault, "out of memory");
    }
    err = read_texts(steps, &reading, &order, fault);
    if (err == CORDON_OK) {
        *ret_order = order;
    }
    return err;
}
