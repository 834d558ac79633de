/* SPDX-License-Identifier: Apache-2.0 */
/* What was found under the names that a set-up looked up, if it is made ahead of time. */
#ifndef CORDON_LINUX_INIT_NOTES_H
#define CORDON_LINUX_INIT_NOTES_H

#include "platform/linux/init/init.h"

/* What there is at @path will have to be the same; if a command is due already, nothing will.
 * @path is copied; @set: with whose rights it is looked up. CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err note_add(struct init *init, uint32_t set, const char *path,
                                         bool follow);
/* Looks at all of them. */
void notes_look(struct init *init);
/* Each is as it was then. */
bool notes_hold(const struct init *init);

#endif
