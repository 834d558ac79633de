/* SPDX-License-Identifier: Apache-2.0 */
#include "broker/planned.h"

#include <stdlib.h>
#include <string.h>

#define ARENA_MAX ((size_t)512U * 1024U * 1024U)

static enum cordon_err out_of_memory(struct cordon_fault *fault)
{
    return fault_set(fault, CORDON_E_NOMEM, NULL, "out of memory");
}

static bool is_checked(const struct planned *planned, const char *path)
{
    for (size_t i = 0; i < planned->checked_count; i++) {
        if (strcmp(planned->checked[i], path) == 0) {
            return true;
        }
    }
    return false;
}

/* What does not fit is checked each time. */
static void remember(struct planned *planned, const struct plan_facts *facts)
{
    for (size_t i = 0; i < facts->needed_count && planned->checked_count < PLANNED_CHECKED; i++) {
        const char *copy = is_checked(planned, facts->needed[i])
                               ? NULL
                               : arena_strdup(&planned->arena, facts->needed[i]);

        if (copy != NULL) {
            planned->checked[planned->checked_count++] = copy;
        }
    }
}

static enum cordon_err needed(const struct planned *planned, const struct platform_start *start,
                              struct arena *arena, struct plan_facts *facts,
                              struct cordon_fault *fault)
{
    *facts = planned->resolved.facts;
    if (start->program == NULL) {
        return CORDON_OK;
    }
    return planned->platform->needed(start, arena, facts) == CORDON_OK ? CORDON_OK
                                                                       : out_of_memory(fault);
}

static enum cordon_err make(struct planned *planned, const struct policy *policy,
                            const struct platform_start *start, struct cordon_fault *fault)
{
    const struct platform *platform = planned->platform;
    struct plan_facts facts;
    enum cordon_err err = needed(planned, start, &planned->arena, &facts, fault);

    if (err == CORDON_OK && policy->os == platform->os) {
        err = platform->plan(policy, &facts, &planned->arena, &planned->plan, fault);
    } else if (err == CORDON_OK) {
        err = plan_for_os(policy->os, policy, &facts, &planned->arena, &planned->plan, fault);
    }
    if (err == CORDON_OK) {
        remember(planned, &facts);
    }
    return err;
}

enum cordon_err planned_new(const struct platform *platform, const struct policy *policy,
                            const struct platform_start *start, struct planned **ret_planned,
                            struct cordon_fault *fault)
{
    struct planned *planned = calloc(1, sizeof(*planned));
    struct platform_start here = *start;
    enum cordon_err err;

    if (planned == NULL) {
        return out_of_memory(fault);
    }
    planned->platform = platform;
    planned->embedded = start->embedded;
    planned->host = start->host;
    arena_init(&planned->arena, ARENA_MAX);
    here.cwd = arena_strdup(&planned->arena, start->cwd);
    here.keep = start->keep && policy->os == platform->os;
    err = here.cwd == NULL
              ? out_of_memory(fault)
              : platform->resolve(policy, &here, &planned->arena, &planned->resolved, fault);
    if (err == CORDON_OK) {
        err = make(planned, policy, start, fault);
    }
    if (err != CORDON_OK) {
        planned_free(planned);
        return err;
    }
    *ret_planned = planned;
    return CORDON_OK;
}

void planned_free(struct planned *planned)
{
    if (planned != NULL) {
        planned->platform->resolved_release(&planned->resolved);
        arena_deinit(&planned->arena);
        free(planned);
    }
}

bool planned_is_kept(const struct planned *planned)
{
    return planned->resolved.kept != NULL;
}

bool planned_holds(const struct planned *planned, const struct platform_start *start)
{
    return planned->embedded == start->embedded && planned->host == start->host &&
           planned->platform->resolved_holds(&planned->resolved);
}

enum cordon_err planned_check(struct planned *planned, const struct policy *policy,
                              const struct platform_start *start, struct cordon_fault *fault)
{
    struct arena arena;
    struct plan_facts facts;
    struct plan *ignored;
    enum cordon_err err;
    size_t known = 0;

    arena_init(&arena, ARENA_MAX);
    err = needed(planned, start, &arena, &facts, fault);
    while (err == CORDON_OK && known < facts.needed_count &&
           is_checked(planned, facts.needed[known])) {
        known++;
    }
    if (err == CORDON_OK && known < facts.needed_count) {
        err = planned->platform->plan(policy, &facts, &arena, &ignored, fault);
        if (err == CORDON_OK) {
            remember(planned, &facts);
        }
    }
    arena_deinit(&arena);
    return err;
}
