/* SPDX-License-Identifier: Apache-2.0 */
/* Where cordon's own programs are: beside the one that runs, never from the environment. */
#ifndef CORDON_PLATFORM_SIBLINGS_H
#define CORDON_PLATFORM_SIBLINGS_H

#include <stddef.h>

#include "platform/base/err.h"

/*
 * Path of the program @name ("cordond", "cordon-worker", "cordon-init",
 * "cordon", "cordon-policy"), found through /proc/self/exe: in a build tree by
 * its layout there, else where it is installed.
 * CORDON_E_NOT_FOUND, CORDON_E_LIMIT when @size is too small, CORDON_E_OS.
 */
CORDON_MUST_USE enum cordon_err sibling_path(const char *name, char *ret_path, size_t size,
                                             struct cordon_fault *fault);

#endif
