/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looking at a path asks whoever serves its file system, and may never end:
 * neither for a signal nor for a deadline. So where the host has such file
 * systems mounted, a child looks first, and is left behind if it must be.
 */
#ifndef CORDON_LINUX_REHEARSE_H
#define CORDON_LINUX_REHEARSE_H

#include "platform/platform.h"
#include "policy/types.h"

/* @scans: patterns will be looked for on the disk. CORDON_E_TIMEOUT names the path. */
CORDON_MUST_USE enum cordon_err linux_rehearse(const struct policy *policy,
                                               const struct platform_start *start, bool scans,
                                               struct cordon_fault *fault);

#endif
