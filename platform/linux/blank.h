/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A cordon-init that was started before anybody asked for its job: in namespaces of its own, with a
 * network of its own, and it knows of no caller. What it has is of no job and of no moment: the
 * host's mounts and name it copies once it is told of its job (init/parts.c). So one will do for
 * whoever comes first, and only who has been told a policy can be made ahead as a whole (spare.h).
 */
#ifndef CORDON_LINUX_BLANK_H
#define CORDON_LINUX_BLANK_H

#include "platform/linux/job.h"

/*
 * The channel and the pipe of a cordon-init into @parts, whose flags are known; @due: of one that
 * waits, if one does. Else it has to be started with them. CORDON_E_OS.
 */
CORDON_MUST_USE enum cordon_err blank_take(struct job_parts *parts, bool due,
                                           struct cordon_fault *fault);
/* Ends the one that @parts has, if there is one that no job was told to. */
void blank_end(struct job_parts *parts);

/* Makes one, or gives it back if none was wanted for long. In how many milliseconds to come again;
 * 0: there is nothing to be done. */
uint32_t blank_tend(void);
void blank_forget(void);

#endif
