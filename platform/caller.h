/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program that runs as the caller needs of a host besides host.h: who and where it is, where
 * paths lead, and what a caller can see of the service. It may take as long as the disk and the
 * user database do: this is the caller's own process.
 */
#ifndef CORDON_PLATFORM_CALLER_H
#define CORDON_PLATFORM_CALLER_H

#include "platform/base/arena.h"
#include "policy/policy.h"

/* Goes to @folder (NULL: stays); *ret_cwd is where that is, absolute. CORDON_E_OS, _NOMEM. */
CORDON_MUST_USE enum cordon_err caller_enter(const char *folder, struct arena *arena,
                                             const char **ret_cwd, struct cordon_fault *fault);

/* Home, name and groups of this process's user; what is unknown is left out. */
void caller_user(struct arena *arena, struct policy_context *context);

/* The place that a variable of the environment names; NULL: it is unset, or not absolute. */
const char *caller_place(const char *variable, struct arena *arena);

/* @path made absolute with the folder or, after "~/", the home of @context; "." and ".." taken
 * out by name. NULL: no memory, or no path at all. */
const char *caller_absolute(const struct policy_context *context, const char *path,
                            struct arena *arena);

/* Where links lead what caller_absolute() gave, its last components that do not exist appended;
 * NULL when that is itself. */
const char *caller_leads(const char *path, struct arena *arena);

/* Something about the service besides that it answers. */
struct caller_finding {
    const char *name;
    bool bad;
    const char *evidence;
    const char *remedy; /* "": none is needed */
};
#define CALLER_FINDINGS_MAX 8U
/* How many there are; of an installed service alone. Texts are the arena's or constants. */
size_t caller_findings(struct arena *arena, struct caller_finding findings[CALLER_FINDINGS_MAX]);

#endif
