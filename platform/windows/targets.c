/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/windows/targets.h"

#include <string.h>

#include "platform/windows/plan_windows.h"

/* What a step that adds an entry is to the engine; false: it adds none. */
static bool read_step(const struct plan_step *step, struct state_target *target)
{
    struct plan_windows_ace ace;

    if (!plan_windows_ace(step, &ace)) {
        return false;
    }
    *target = (struct state_target){.acl = {.object = API_FILE,
                                            .type = ace.deny ? SD_DENIED : SD_ALLOWED,
                                            .mask = ace.mask,
                                            .link = (step->flags & PLAN_STEP_LINK) != 0,
                                            .alone = step->op == PLAN_WINDOWS_PIN,
                                            .managed = step->set == PLAN_SET_MANAGED,
                                            .path = step->path},
                                    .missing = ace.deny ? STATE_REFUSE : STATE_SKIP};
    return true;
}

enum cordon_err targets_of_plan(const struct plan *plan, struct arena *arena,
                                struct state_target **ret_targets, size_t *ret_count)
{
    struct state_target *targets = arena_array(arena, plan->step_count, sizeof(*targets));
    const struct plan_step *made = NULL; /* waits for the entry on it, which follows */
    size_t count = 0;

    if (targets == NULL) {
        return CORDON_E_NOMEM;
    }
    for (size_t i = 0; i < plan->step_count; i++) {
        const struct plan_step *step = &plan->steps[i];

        if (step->op == PLAN_WINDOWS_MATERIALISE) {
            if (made != NULL) {
                return CORDON_E_INVALID;
            }
            made = step;
        } else if (read_step(step, &targets[count])) {
            if (made != NULL) {
                /* By another name before it comes by its own, it is made there just as well. */
                targets[count].missing =
                    (made->flags & PLAN_STEP_FILE) != 0 ? STATE_MAKE_FILE : STATE_MAKE_CONTAINER;
                made = strcmp(made->path, step->path) == 0 ? NULL : made;
            }
            count++;
        }
    }
    if (made != NULL) {
        return CORDON_E_INVALID;
    }
    *ret_targets = targets;
    *ret_count = count;
    return CORDON_OK;
}
