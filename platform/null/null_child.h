/* SPDX-License-Identifier: Apache-2.0 */
/* The half of the null back end that only test builds have. */
#ifndef CORDON_NULL_CHILD_H
#define CORDON_NULL_CHILD_H

#include "platform/platform.h"

/* In the forked child: becomes the command, or writes errno to @status and exits. */
void null_child(const struct platform_spawn *spawn, int status) __attribute__((noreturn));

#endif
