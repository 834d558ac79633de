/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Windows paths: from the ways people (and attackers) spell them to one normal form, and what is
 * compared of it. Pure. Grammar: "Naming Files, Paths, and Namespaces" and "File path formats on
 * Windows systems" of the Windows documentation; [MS-DTYP] 2.2.57 (UNC).
 *
 * Two spellings that Windows takes for one place give one key. A spelling that it takes for
 * something else than it seems to say (a device, a stream, a shortened name, a name whose end is
 * dropped, a place relative to a state of the process) is refused with what to write instead: a
 * rule on the wrong place protects nothing.
 */
#ifndef CORDON_PLATFORM_WINDOWS_PATH_H
#define CORDON_PLATFORM_WINDOWS_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/arena.h"
#include "platform/base/err.h"

#define WIN_NAME_UNITS_MAX 255U   /* UTF-16 units of one component on NTFS */
#define WIN_PATH_UNITS_MAX 32759U /* of a path, with room for "\\?\UNC\" in 32767 */

enum win_path_kind {
    WIN_PATH_DRIVE, /* C:\... */
    WIN_PATH_UNC    /* \\server\share\... */
};

/* All text in the arena given. */
struct win_path {
    enum win_path_kind kind;
    const char *text; /* normal form: "C:\Users\a", "\\server\share\x"; of a root "C:\",
                         "\\server\share\". Letters as spelled, but for the drive's */
    const char *key;  /* compared with strcmp(): @text in upper case, roots without the last '\' */
    uint32_t depth;   /* components below the root of the volume; 0: the root */
    bool directory;   /* spelled with a separator at its end, or a root */
};

/*
 * Reads @spelled (@len bytes). What is relative without a drive is taken from @base, a normal form,
 * or refused where that is NULL.
 *
 * CORDON_E_INVALID  not UTF-8, a character or length that no name has, or one of the spellings
 *                   above; the fault says which and its remedy what to write
 * CORDON_E_NOMEM
 */
CORDON_MUST_USE enum cordon_err win_path_read(const char *spelled, size_t len, const char *base,
                                              struct arena *arena, struct win_path *ret_path,
                                              struct cordon_fault *fault);

/*
 * Checks one component as it stands between separators, as win_path_read() does: characters,
 * length, device names, shortened (8.3) names, a dropped end. CORDON_E_INVALID.
 */
CORDON_MUST_USE enum cordon_err win_name_check(const char *name, size_t len,
                                               struct cordon_fault *fault);

/* @text in upper case as win_upcase(); bytes that are no UTF-8 as they are. NULL when exhausted. */
char *win_fold(const char *text, size_t len, struct arena *arena) CORDON_MUST_USE;

/* The place of key @above is that of @key or contains it, by components. */
bool win_key_covers(const char *above, const char *key);

#endif
