/* SPDX-License-Identifier: Apache-2.0 */
/* The worker's half of a spawn order: a plan into one block. */
#include <stdlib.h>
#include <string.h>

#include "platform/windows/order.h"

/* How plan steps travel; what is missing here the supervisor says itself. */
static const struct {
    uint16_t op; /* enum win_order_op; 0: no step */
    bool narrows;
} ways[PLAN_WINDOWS_OP_COUNT] = {
    [PLAN_WINDOWS_MATERIALISE] = {WIN_ORDER_MAKE, true},
    [PLAN_WINDOWS_GRANT_READ] = {WIN_ORDER_GRANT_READ, false},
    [PLAN_WINDOWS_GRANT_WRITE] = {WIN_ORDER_GRANT_WRITE, false},
    [PLAN_WINDOWS_DENY] = {WIN_ORDER_DENY, true},
    [PLAN_WINDOWS_DENY_WRITE] = {WIN_ORDER_DENY_WRITE, true},
    [PLAN_WINDOWS_PIN] = {WIN_ORDER_PIN, true},
};

/* Managed denials are the supervisor's to add; a grant that a managed rule left is the job's. */
static bool travels(const struct plan_step *step)
{
    return ways[step->op].op != 0 && !(ways[step->op].narrows && step->set == PLAN_SET_MANAGED);
}

static bool is_text(const char *text, const char *word)
{
    return text != NULL && strcmp(text, word) == 0;
}

static uint32_t flag_of(const struct plan_step *step)
{
    if (step->op == PLAN_WINDOWS_NET_HOST) {
        return WIN_ORDER_NET_HOST;
    }
    if (step->op == PLAN_WINDOWS_TOKEN &&
        !is_text(step->text, plan_windows_token_names[WIN_TOKEN_RESTRICTED])) {
        return WIN_ORDER_ROOT_READABLE;
    }
    return step->op == PLAN_WINDOWS_RESTRICT && is_text(step->text, PLAN_WINDOWS_PACKAGES)
               ? WIN_ORDER_PACKAGES
               : 0;
}

struct making {
    struct win_order_head head;
    struct strbuf steps, texts;
};

static void add_step(struct making *making, const struct plan_step *step)
{
    const struct win_order_step made = {
        ways[step->op].op, step->flags & (PLAN_STEP_DIR | PLAN_STEP_FILE | PLAN_STEP_LINK)};

    strbuf_add(&making->steps, (const char *)&made, sizeof(made));
    strbuf_add(&making->texts, step->path, strlen(step->path) + 1);
    making->head.step_count++;
}

static enum cordon_err collect(struct making *making, const struct plan *plan,
                               struct cordon_fault *fault)
{
    const char *cwd = NULL;

    for (size_t i = 0; i < plan->step_count; i++) {
        cwd = plan->steps[i].op == PLAN_WINDOWS_EXEC ? plan->steps[i].path : cwd;
    }
    if (plan->os != POLICY_OS_WINDOWS || cwd == NULL) {
        return fault_set(fault, CORDON_E_INVALID, NULL, "spawn order: no plan that can be started");
    }
    strbuf_add(&making->texts, cwd, strlen(cwd) + 1);
    for (size_t i = 0; i < plan->step_count; i++) {
        making->head.flags |= flag_of(&plan->steps[i]);
        if (travels(&plan->steps[i])) {
            add_step(making, &plan->steps[i]);
        }
    }
    return CORDON_OK;
}

static enum cordon_err finish(struct making *making, void **ret_block, size_t *ret_len,
                              struct cordon_fault *fault)
{
    struct win_order_head *head = &making->head;
    const size_t len = sizeof(*head) + making->steps.len + making->texts.len;
    char *block;

    if (head->step_count > WIN_ORDER_STEPS_MAX || len > WIN_ORDER_BYTES_MAX) {
        return fault_set(fault, CORDON_E_LIMIT, "use fewer or more general rules",
                         "spawn order: more than %u steps or %u bytes", WIN_ORDER_STEPS_MAX,
                         WIN_ORDER_BYTES_MAX);
    }
    block = making->steps.failed || making->texts.failed ? NULL : malloc(len);
    if (block == NULL) {
        return fault_set(fault, CORDON_E_NOMEM, NULL, "spawn order: out of memory");
    }
    head->size = (uint32_t)len;
    memcpy(block, head, sizeof(*head));
    memcpy(block + sizeof(*head), strbuf_text(&making->steps), making->steps.len);
    memcpy(block + sizeof(*head) + making->steps.len, making->texts.data, making->texts.len);
    *ret_block = block;
    *ret_len = len;
    return CORDON_OK;
}

enum cordon_err win_order_make(const struct policy *policy, const struct plan *plan,
                               void **ret_block, size_t *ret_len, struct cordon_fault *fault)
{
    struct making making = {.head = {.magic = WIN_ORDER_MAGIC}};
    enum cordon_err err;

    if (policy->full_access) {
        making.head.flags = WIN_ORDER_FULL_ACCESS;
    }
    err = collect(&making, plan, fault);
    if (err == CORDON_OK) {
        err = finish(&making, ret_block, ret_len, fault);
    }
    strbuf_deinit(&making.steps);
    strbuf_deinit(&making.texts);
    return err;
}
