/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/job_plan.h"

#include <string.h>

#include "platform/windows/plan_windows.h"
#include "platform/windows/targets.h"

/* The place of @text in a list of words; @count: it is none of them. */
static size_t word(const char *const *words, size_t count, const char *text)
{
    size_t i = 0;

    while (i < count && (text == NULL || strcmp(words[i], text) != 0)) {
        i++;
    }
    return i;
}

/* ---- one step each; false: it is not understood ---- */

static bool read_backend(const struct plan_step *step, struct job_order *order)
{
    static const char *const words[] = {"service", "restricted-token"};
    const size_t which = word(words, 2, step->text);

    order->around.station = which == 0;
    if (which == 1) {
        order->token.account = NULL;
    }
    return which < 2 && (which == 1 || order->token.account != NULL);
}

static bool read_principal(const struct plan_step *step, struct job_order *order)
{
    return sid_from_text(step->text, &order->token.principal) == CORDON_OK;
}

static bool read_token(const struct plan_step *step, struct job_order *order)
{
    static const char *const words[] = {[TOKEN_OWN] = "plain",
                                        [TOKEN_WRITE_RESTRICTED] = "write-restricted",
                                        [TOKEN_RESTRICTED] = "restricted"};
    const size_t which = word(words, 3, step->text);

    order->token.kind = (enum token_kind)(which < 3 ? which : TOKEN_RESTRICTED);
    if (order->token.kind == TOKEN_OWN) {
        order->token.account = NULL;
    }
    return which < 3;
}

static bool read_restrict(const struct plan_step *step, struct job_order *order)
{
    struct token_order *token = &order->token;
    struct sid sid = {0};

    if (token->restricting_count == TOKEN_SIDS_MAX) {
        return false;
    }
    if (strcmp(step->text, "principal") == 0) {
        sid = token->principal;
    } else if (strcmp(step->text, "logon") != 0 && sid_from_text(step->text, &sid) != CORDON_OK) {
        return false;
    }
    token->restricting[token->restricting_count++] = sid;
    return true;
}

/* launch_start() makes no other kind of job object. */
static bool read_job(const struct plan_step *step, struct job_order *order)
{
    (void)order;
    return strcmp(step->text, "kill-on-close no-breakaway") == 0;
}

static bool read_desktop(const struct plan_step *step, struct job_order *order)
{
    (void)step;
    order->around.desktop = true;
    return true;
}

static bool read_filter(const struct plan_step *step, struct job_order *order)
{
    static const char *const words[] = {[AROUND_CONNECT_V4] = "connect v4",
                                        [AROUND_CONNECT_V6] = "connect v6",
                                        [AROUND_ACCEPT_V4] = "accept v4",
                                        [AROUND_ACCEPT_V6] = "accept v6"};
    const size_t which = word(words, AROUND_LAYERS, step->text);

    if (which == AROUND_LAYERS) {
        return false;
    }
    order->around.filter[which] = true;
    return true;
}

/* What is said in full by other steps. */
static bool read_nothing(const struct plan_step *step, struct job_order *order)
{
    (void)step;
    (void)order;
    return true;
}

static bool read_exec(const struct plan_step *step, struct job_order *order)
{
    order->launch.process.folder = step->path;
    return step->path != NULL;
}

static bool (*const readers[PLAN_WINDOWS_OP_COUNT])(const struct plan_step *,
                                                    struct job_order *) = {
    [PLAN_WINDOWS_BACKEND] = read_backend,
    [PLAN_WINDOWS_PRINCIPAL] = read_principal,
    [PLAN_WINDOWS_TOKEN] = read_token,
    [PLAN_WINDOWS_RESTRICT] = read_restrict,
    [PLAN_WINDOWS_JOB] = read_job,
    [PLAN_WINDOWS_MATERIALISE] = read_nothing, /* targets.h */
    [PLAN_WINDOWS_GRANT_READ] = read_nothing,
    [PLAN_WINDOWS_GRANT_WRITE] = read_nothing,
    [PLAN_WINDOWS_DENY] = read_nothing,
    [PLAN_WINDOWS_DENY_WRITE] = read_nothing,
    [PLAN_WINDOWS_PIN] = read_nothing,
    [PLAN_WINDOWS_DESKTOP] = read_desktop,
    [PLAN_WINDOWS_NET_OFF] = read_nothing, /* the filters follow */
    [PLAN_WINDOWS_FILTER] = read_filter,
    [PLAN_WINDOWS_NET_HOST] = read_nothing,
    [PLAN_WINDOWS_EXEC] = read_exec,
};

static bool has_op(const struct plan *plan, uint16_t op)
{
    for (size_t i = 0; i < plan->step_count; i++) {
        if (plan->steps[i].op == op) {
            return true;
        }
    }
    return false;
}

/* What the steps must be together. */
static bool is_whole(const struct plan *plan, const struct job_order *order)
{
    size_t filters = 0;

    for (size_t i = 0; i < AROUND_LAYERS; i++) {
        filters += order->around.filter[i] ? 1U : 0U;
    }
    return has_op(plan, PLAN_WINDOWS_BACKEND) && has_op(plan, PLAN_WINDOWS_TOKEN) &&
           has_op(plan, PLAN_WINDOWS_JOB) && has_op(plan, PLAN_WINDOWS_EXEC) &&
           has_op(plan, PLAN_WINDOWS_NET_OFF) != has_op(plan, PLAN_WINDOWS_NET_HOST) &&
           filters == (has_op(plan, PLAN_WINDOWS_NET_OFF) ? (size_t)AROUND_LAYERS : 0) &&
           (order->token.kind == TOKEN_OWN ? order->target_count == 0
                                           : order->token.restricting_count > 0);
}

enum cordon_err job_of_plan(const struct plan *plan, struct arena *arena, struct job_order *order,
                            struct cordon_fault *fault)
{
    struct state_target *targets;
    enum cordon_err err;

    order->token.restricting_count = 0;
    for (size_t i = 0; i < plan->step_count; i++) {
        const struct plan_step *step = &plan->steps[i];

        if (step->op >= PLAN_WINDOWS_OP_COUNT || !readers[step->op](step, order)) {
            return fault_set(
                fault, CORDON_E_INVALID, NULL, "the plan's step \"%s %s\" cannot be carried out",
                plan_op_name(POLICY_OS_WINDOWS, step->op), step->text == NULL ? "" : step->text);
        }
    }
    err = targets_of_plan(plan, arena, &targets, &order->target_count);
    if (err == CORDON_OK) {
        order->targets = targets;
        err = is_whole(plan, order) ? CORDON_OK : CORDON_E_INVALID;
    }
    return err == CORDON_OK ? CORDON_OK
                            : fault_set(fault, err, NULL, "the plan cannot be carried out");
}
