/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A secret of the user whose process this is, that no job can have but one with full access: the
 * kernel keeps it among his keys (keyrings(7)), and others may not ask for keys (seccomp.c). It
 * lasts as long as the kernel does.
 */
#ifndef CORDON_LINUX_SECRET_H
#define CORDON_LINUX_SECRET_H

#include "policy/digest.h"

/* Made at random when it is asked for first. False: this kernel keeps none for us. */
bool secret_get(struct digest *ret);

#endif
