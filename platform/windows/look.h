/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only step that looks at a real disk for a plan: the reader behind facts.h, and the facts
 * about what a policy names. With the caller's rights, by handles, through the table of api.h.
 */
#ifndef CORDON_PLATFORM_WINDOWS_LOOK_H
#define CORDON_PLATFORM_WINDOWS_LOOK_H

#include "platform/windows/api.h"
#include "platform/windows/facts.h"
#include "policy/policy.h"

/* Large: on the heap. */
struct look {
    const struct api *api;
    api_handle caller;    /* acted as; 0: as ourselves */
    uint64_t deadline_ms; /* of api->now_ms() */
    struct win_tree tree; /* what is handed out; it points to this struct */
    char found[API_PATH_MAX];
};

/* @allowed_ms: for all that is looked at from now on. */
void look_init(struct look *look, const struct api *api, api_handle caller, uint32_t allowed_ms);

struct look_order {
    const char *cwd; /* native, absolute */
    bool privileged; /* the plan is for the service */
    const char *principal;
    uint32_t names; /* that all scans may look at, together */
    /* Directories that may be the caller's alone, besides his profile and what the working
     * directory lies in; NULL: none. */
    const char *const *private_dirs;
    size_t private_count;
};

/*
 * Facts about @policy on this host, in @arena; they use @look as long as they live. Rules of the
 * caller are looked at as him, an administrator's as ourselves.
 *
 * CORDON_E_DENIED  what a rule names cannot be looked at: whether it is there, and a link, is not
 *                  known, so nothing may be planned for it
 * CORDON_E_OS      anything else; CORDON_E_NOMEM, CORDON_E_LIMIT (a path)
 */
CORDON_MUST_USE enum cordon_err look_facts(struct look *look, const struct policy *policy,
                                           const struct look_order *order, struct arena *arena,
                                           struct plan_facts *ret_facts,
                                           struct cordon_fault *fault);

#endif
