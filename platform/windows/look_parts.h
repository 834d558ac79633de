/* SPDX-License-Identifier: Apache-2.0 */
/* What look.c and look_facts.c share; for nobody else. */
#ifndef CORDON_PLATFORM_WINDOWS_LOOK_PARTS_H
#define CORDON_PLATFORM_WINDOWS_LOOK_PARTS_H

#include "platform/windows/look.h"

/* What an opened object is, and where it lies. */
struct seen {
    struct api_info info;
    const char *path; /* free of links; in @found of the look, until the next. NULL: not asked */
};

/* FILE_READ_ATTRIBUTES: the holder of the directory may have it, too. */
#define LOOK_AT 0x80U
#define LOOK_LIST (LOOK_AT | 0x1U)

/* A code that says of a path that it leads to nothing, now. */
bool look_leads_nowhere(uint32_t code);

/* Opens an object and looks at it; @named: and asks where it lies. A Win32 code. @ret_handle may be
 * NULL: it is closed again. */
CORDON_MUST_USE uint32_t look_open(struct look *look, const struct api_open *how, bool named,
                                   struct seen *ret_seen, api_handle *ret_handle);

/* The object that a link leads to is another than itself; *@ret_seen is the former. Not a link:
 * false, and @ret_seen as it is. *@ret_code: API_OK, or why where it leads is not known. */
bool look_is_link(struct look *look, const struct api_open *how, const struct api_info *itself,
                  struct seen *ret_seen, uint32_t *ret_code);

/* As look() of facts.h, as whoever the thread acts. */
CORDON_MUST_USE enum cordon_err look_place(struct look *look, const char *path, struct arena *arena,
                                           struct win_entry *ret_entry, struct cordon_fault *fault);

#endif
