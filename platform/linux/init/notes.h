/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was found under the names that a set-up looked up, if it is made ahead of time.
 *
 * Most names that rules lead to are missing, many in one folder. That nothing was added there the
 * folder's date tells, for all of them at once: the kernel sets it whenever a name comes, whoever
 * makes it, and nobody can set it to what it was. It has the clock's last tick, and on some file
 * systems whole seconds: so only a folder that had been left alone for a while before it was looked
 * at is believed, on file systems that date their directories (fstype.h). Elsewhere each name is
 * looked at.
 */
#ifndef CORDON_LINUX_INIT_NOTES_H
#define CORDON_LINUX_INIT_NOTES_H

#include "platform/linux/init/init.h"

/* What there is at @path will have to be the same; if a command is due already, nothing will.
 * @path is copied; @set: with whose rights it is looked up. CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err note_add(struct init *init, uint32_t set, const char *path,
                                         bool follow);
/* Looks at all of them. CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err notes_look(struct init *init);
/* Each is as it was then. */
bool notes_hold(const struct init *init);

#endif
