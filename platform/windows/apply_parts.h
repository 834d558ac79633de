/* SPDX-License-Identifier: Apache-2.0 */
/* What state_apply.c and state_below.c share; for nobody else. */
#ifndef CORDON_PLATFORM_WINDOWS_APPLY_PARTS_H
#define CORDON_PLATFORM_WINDOWS_APPLY_PARTS_H

#include "platform/windows/state_parts.h"

/* One object of an apply, held open until its end. */
struct piece {
    struct acl_target target;
    enum state_missing missing;
    const char *via; /* of what was found below: the path that was asked for; else "" */
    char *owned;     /* target.path where it is our copy; else NULL */
    bool skipped;    /* it is missing, and may be */
    bool fresh;      /* what lies below is to be looked at */
    struct acl_object object;
};

struct apply {
    struct state *state;
    const struct state_request *request;
    struct cordon_fault *fault;
    struct piece *pieces;
    size_t count, size;
    const char **places;       /* paths of the request's denials */
    bool narrowed;             /* something was granted to this holder that is not any more */
    const struct piece *above; /* whose below is being looked at */
    bool nomem;
};

/* Copies @piece behind the others, which may move. false: no memory; @apply knows. */
bool apply_add(struct apply *apply, const struct piece *piece);
CORDON_MUST_USE enum cordon_err apply_no_memory(struct apply *apply);
/* Whether @row is of the request's holder and principal. */
bool apply_owns(const struct apply *apply, const struct state_row *row);

/* ---- state_below.c ---- */

/* What earlier applies of the same holder found below @target and is still to be denied joins the
 * pieces. false: no memory. */
bool apply_known_below(struct apply *apply, const struct acl_target *target);

/* Looks below a piece whose denial is new, or around which something is no longer granted: what
 * does not inherit the denial joins the pieces, to be dealt with in the next round. */
CORDON_MUST_USE enum cordon_err apply_below(struct apply *apply, size_t index);

#endif
