/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The Windows planner: a principal of the job's own, its token, job object, desktop and filters,
 * and the entries to add to the access lists (DACLs) of what the rules name. Entries are for that
 * principal only; those of others are left alone. Pure: the disk is looked at through facts.h.
 *
 * Two back ends. The *service* logs on a sandbox account with the principal's SID among its groups:
 * an entry that denies the SID counts for reading too. The *restricted token* (embedded mode) is
 * made of the caller's own token, with the principal's SID as a restricting one; it counts for
 * writing alone, so every policy that asks for more is refused.
 */
#ifndef CORDON_PLATFORM_PLAN_WINDOWS_H
#define CORDON_PLATFORM_PLAN_WINDOWS_H

#include "platform/plan.h"
#include "platform/windows/facts.h"

enum plan_windows_op {
    PLAN_WINDOWS_BACKEND,   /* text: "service" or "restricted-token" */
    PLAN_WINDOWS_PRINCIPAL, /* text: its SID, or "job" for one made at start */

    /*
     * text: "plain" (the caller's own token: nothing is denied); "write-restricted" (what the
     * other groups may read is readable, writing needs a grant to one of the RESTRICTs);
     * "restricted" (reading does, too).
     */
    PLAN_WINDOWS_TOKEN,
    PLAN_WINDOWS_RESTRICT, /* text: a restricting SID, or "principal" or "logon" for those */
    PLAN_WINDOWS_JOB,      /* text: limits of the job object */

    /* path: missing; made, empty, with missing parents; kind. A name can only be denied
     * where an object carries the entry. Undone with the job. */
    PLAN_WINDOWS_MATERIALISE,

    /* path: gets an allow or deny entry, see plan_windows_ace(); value: its ACCESS_MASK. With
     * LINK: the reparse point itself, not what it leads to. */
    PLAN_WINDOWS_GRANT_READ,
    PLAN_WINDOWS_GRANT_WRITE,
    PLAN_WINDOWS_DENY,
    PLAN_WINDOWS_DENY_WRITE,
    PLAN_WINDOWS_PIN, /* stays where it is, under its name; not inherited */

    PLAN_WINDOWS_DESKTOP,  /* a window station and desktop of the job's own */
    PLAN_WINDOWS_NET_OFF,  /* no address family; the filters follow */
    PLAN_WINDOWS_FILTER,   /* text: what is blocked for the principal, loopback included */
    PLAN_WINDOWS_NET_HOST, /* no filter */
    PLAN_WINDOWS_EXEC,     /* path: working directory */
    PLAN_WINDOWS_OP_COUNT
};

extern const char *const plan_windows_op_names[PLAN_WINDOWS_OP_COUNT];

enum win_token { WIN_TOKEN_PLAIN, WIN_TOKEN_WRITE_RESTRICTED, WIN_TOKEN_RESTRICTED };
extern const char *const plan_windows_token_names[WIN_TOKEN_RESTRICTED + 1];

/* A restricting SID by which the token reads the system's directories: ALL APPLICATION PACKAGES. */
#define PLAN_WINDOWS_PACKAGES "S-1-15-2-1"

/* What a plan says of a job beside its entries; all other steps follow from this. */
struct plan_windows_job {
    bool service;          /* else the restricted token */
    const char *principal; /* its SID; NULL: one made at start */
    enum win_token token;
    bool packages;    /* PLAN_WINDOWS_PACKAGES is restricting */
    bool full_access; /* and so are the groups that let people write */
    bool network;
    const char *cwd; /* native */
};

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
#define PLAN_WINDOWS_MASK_PIN 0x00010040U /* DELETE, FILE_DELETE_CHILD */

/* The entry that a step adds, in the list's explicit part, denials before grants. What is inherited
 * follows from what the object is when it is opened (acl.h): all but links, files and pins. */
struct plan_windows_ace {
    bool deny;
    uint32_t mask;
};

/* false: @step adds no entry. */
bool plan_windows_ace(const struct plan_step *step, struct plan_windows_ace *ret_ace);

/* The mask of the entries of @op; 0: it adds none. */
uint32_t plan_windows_mask(uint16_t op);

/*
 * The plan of a job that is known already, with @entries as they are: what is carried out where a
 * plan of somebody else's is not to be believed. Strings are borrowed. CORDON_E_NOMEM.
 */
CORDON_MUST_USE enum cordon_err plan_windows_of(const struct plan_windows_job *job,
                                                const struct plan_step *entries, size_t entry_count,
                                                struct arena *arena, struct plan **ret_plan);

/*
 * See plan_fn; with facts->windows NULL the plan is one to be looked at: for the service, paths
 * need not be of Windows, and globs are refused for want of a tree. Moreover
 *
 * CORDON_E_UNSUPPORTED  a rule that would rewrite the access list of a whole volume, or read one
 *                       volume and not others; a glob where level kernel is required; what the
 *                       restricted token cannot enforce
 * CORDON_E_INVALID      a rule spelled as Windows would not take it (see path.h)
 * CORDON_E_LIMIT, CORDON_E_TIMEOUT, CORDON_E_OS   scanning for a glob
 */
CORDON_MUST_USE enum cordon_err plan_windows(const struct policy *policy,
                                             const struct plan_facts *facts, struct arena *arena,
                                             struct plan **ret_plan, struct cordon_fault *fault);

#endif
