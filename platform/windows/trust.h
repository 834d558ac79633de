/* SPDX-License-Identifier: Apache-2.0 */
/*
 * May a managed file or registry key be believed? Only if nobody but the system and its
 * administrators can have written it: judged by owner and access list of the thing itself and of
 * all that it lies in. Pure: somebody else read the descriptors, by handle, from the thing
 * outwards.
 *
 * Trusted are SYSTEM, Administrators and TrustedInstaller, who owns the root of a volume and much
 * of what Windows has below it; who can act as that service could replace Windows.
 */
#ifndef CORDON_PLATFORM_WINDOWS_TRUST_H
#define CORDON_PLATFORM_WINDOWS_TRUST_H

#include "platform/windows/sd.h"

enum trust_kind { TRUST_FILE, TRUST_KEY }; /* files and directories; keys of the registry */

enum trust_role {
    TRUST_SOURCE, /* what is read: nobody may change it */
    TRUST_HOLDER, /* a place for managed things alone: nobody may add to it either */
    TRUST_ABOVE   /* shared with others (a volume's root, %ProgramData%): they may add what is new,
                     but not take away or exchange what is there */
};

struct trust_object {
    const char *name; /* for messages */
    enum trust_kind kind;
    enum trust_role role;
    bool link; /* a reparse point, or a key that is a symbolic link */
    const struct sd *sd;
};

/*
 * Looks at all @objects, in this order.
 * CORDON_E_DENIED: the fault names the first object that others may change, and by which entry.
 */
CORDON_MUST_USE enum cordon_err trust_check(const struct trust_object *objects, size_t count,
                                            struct cordon_fault *fault);

#endif
