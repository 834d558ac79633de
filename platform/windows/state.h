/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which entries are on which objects, for whom and on whose behalf: kept across crashes in a
 * journal (journal.h) that is written before each step. A row is one (holder, principal, object,
 * entry); an entry stays on its object while any row wants it, so the reference count of a
 * (principal, path) is the number of its rows and can never be wrong. What was made to carry an
 * entry goes with the last row at or below it.
 *
 * Only SIDs of the service's own domain are ever put on or taken off: whatever the journal says, an
 * entry of somebody else is out of reach. A journal that cannot be believed is set aside, and what
 * it may have stood for is looked for on the disk.
 *
 * One process at a time; not thread-safe.
 */
#ifndef CORDON_PLATFORM_WINDOWS_STATE_H
#define CORDON_PLATFORM_WINDOWS_STATE_H

#include "platform/windows/acl.h"
#include "platform/windows/trust.h"

struct state;

struct state_config {
    const struct api *api;
    const char *folder; /* native, exists; it and what it lies in are the system's alone */
    bool unchecked;     /* ... which is not looked at: for tests on what keeps no access lists */
    struct sid domain;  /* principals are this and one number more */
    /* Where entries are looked for when the journal is lost; folders or keys. */
    enum api_object root_object;
    const char *const *roots;
    size_t root_count;
    /* Bounds of every walk below a folder. */
    uint32_t walk_objects, walk_depth, walk_ms;
};

/* What becomes of a target that is missing. */
enum state_missing {
    STATE_REFUSE, /* CORDON_E_NOT_FOUND */
    STATE_SKIP,
    STATE_MAKE_FILE, /* made, empty, with the folders it needs */
    STATE_MAKE_CONTAINER
};

struct state_target {
    struct acl_target acl;
    enum state_missing missing;
};

struct state_request {
    struct sid principal;
    api_handle token;   /* see struct acl; of one kind in all requests of a holder and principal:
                           what this one cannot reach is not looked at again for another */
    api_handle caller;  /* see struct acl */
    struct sid owner;   /* see struct acl */
    const char *holder; /* on whose behalf; not empty */
    const struct state_target *targets;
    size_t target_count;
};

/*
 * Takes the folder's lock, reads the journal, finishes what a crash left half done, and writes the
 * journal anew. @config is copied, its strings are borrowed. What could not be undone now is tried
 * again by every later call; state_notices() says so.
 *
 * CORDON_E_STATE   another process has the folder
 * CORDON_E_DENIED  others than SYSTEM and Administrators could change what is in it
 */
CORDON_MUST_USE enum cordon_err state_open(const struct state_config *config,
                                           struct state **ret_state, struct cordon_fault *fault);
void state_close(struct state *state); /* NULL is allowed */

/*
 * Makes the request's targets what @holder holds for @principal: puts on what is missing, checks
 * everything, and then takes off what only an earlier request of the same holder wanted. Below a
 * denied container whatever does not inherit the denial gets one of its own.
 *
 * On any error everything that this call put on or made is taken off again, and what was held
 * before stays: the job must not be started. Errors: those of acl.h, and
 *
 * CORDON_E_INVALID  the principal is not of the domain, or the holder is empty
 * CORDON_E_OS       the journal cannot be written
 */
CORDON_MUST_USE enum cordon_err
state_apply(struct state *state, const struct state_request *request, struct cordon_fault *fault);

/*
 * Ends what @holder holds for @principal. CORDON_OK also if something could not be taken off: it
 * is no longer wanted, and every later call tries again.
 */
CORDON_MUST_USE enum cordon_err state_drop(struct state *state, const struct sid *principal,
                                           const char *holder, struct cordon_fault *fault);

/* Ends what is held by those of whom @alive says no: the jobs of a service that died. */
CORDON_MUST_USE enum cordon_err state_retain(struct state *state,
                                             bool (*alive)(void *context, const char *holder),
                                             void *context, struct cordon_fault *fault);

/* Rows that want an entry for @principal on @path. */
size_t state_count(const struct state *state, const struct sid *principal, const char *path);
/* All rows and made objects, those that wait to be undone included. */
size_t state_size(const struct state *state);

/* A line for each thing that went wrong without being an error; "" for none. Cleared by the next
 * call but state_count() and state_size(). */
const char *state_notices(const struct state *state);

/* What it keeps in its folder; NULL behind the last. */
extern const char *const state_file_names[];

/* Whether a file or folder, all that it lies in and, for TRUST_SOURCE, what may be put beside it is
 * the system's and its administrators' alone: as trust_check() says, and what opening it says. */
CORDON_MUST_USE enum cordon_err state_check_place(const struct api *api, const char *path,
                                                  enum trust_role role, struct cordon_fault *fault);

#endif
