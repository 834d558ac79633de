/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Windows planner: a principal of the job's own, its token and job object,
 * and the entries to add to the access lists (DACLs) of what the rules name.
 * Entries are for that principal only; those of the caller are left alone.
 */
#ifndef CORDON_PLATFORM_PLAN_WINDOWS_H
#define CORDON_PLATFORM_PLAN_WINDOWS_H

#include "platform/plan.h"

enum plan_windows_op {
    PLAN_WINDOWS_PRINCIPAL, /* text: its SID, or "job" for one made at start */
    /* text: "write-restricted" (reads go by the principal's groups too), "restricted" (what
     * no entry grants is denied, reads included) or "plain" (full access). */
    PLAN_WINDOWS_TOKEN,
    PLAN_WINDOWS_JOB, /* text: limits of the job object */

    /* path: missing; made, empty, with missing parents; kind. A name can only be denied
     * where an object carries the entry. Undone with the job. */
    PLAN_WINDOWS_MATERIALISE,

    /* path: gets an allow or deny entry, inherited below; value: its ACCESS_MASK. With
     * LINK: the reparse point itself, not what it leads to. */
    PLAN_WINDOWS_GRANT_READ,
    PLAN_WINDOWS_GRANT_WRITE,
    PLAN_WINDOWS_DENY,
    PLAN_WINDOWS_DENY_WRITE,

    PLAN_WINDOWS_DESKTOP,  /* a window station and desktop of the job's own */
    PLAN_WINDOWS_NET_OFF,  /* filters for the principal: no address family */
    PLAN_WINDOWS_NET_HOST, /* no filter */
    PLAN_WINDOWS_EXEC,     /* path: working directory */
    PLAN_WINDOWS_OP_COUNT
};

extern const char *const plan_windows_op_names[PLAN_WINDOWS_OP_COUNT];

/*
 * Access masks (winnt.h). A deny leaves FILE_READ_ATTRIBUTES, READ_CONTROL and
 * SYNCHRONIZE alone: that an object exists may show, and denying SYNCHRONIZE
 * breaks opens that have nothing to do with its content. A write grant has no
 * FILE_DELETE_CHILD, which would overrule a deny on the child.
 */
#define PLAN_WINDOWS_MASK_DENY 0x000d017fU
#define PLAN_WINDOWS_MASK_DENY_WRITE 0x000d0156U
#define PLAN_WINDOWS_MASK_READ 0x001200a9U
#define PLAN_WINDOWS_MASK_WRITE 0x001301bfU

/*
 * See plan_fn. CORDON_E_UNSUPPORTED "cannot be planned yet: RULE" for globs and
 * for the host's network outside of full access, and for a rule that would
 * rewrite the access list of a whole volume.
 */
CORDON_MUST_USE enum cordon_err plan_windows(const struct policy *policy,
                                             const struct plan_facts *facts, struct arena *arena,
                                             struct plan **ret_plan, struct cordon_fault *fault);

#endif
