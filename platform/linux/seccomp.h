/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls that no job may make: one table, compiled by libseccomp. */
#ifndef CORDON_LINUX_SECCOMP_H
#define CORDON_LINUX_SECCOMP_H

#include <stdbool.h>

#include "platform/base/err.h"

/*
 * Compiles the filter of ordinary jobs, or with @full_access the smaller one
 * that only keeps masks from being undone, into a new sealed memfd of struct
 * sock_filter. Takes some 30 us: done once per broker. CORDON_E_OS, _NOMEM.
 */
CORDON_MUST_USE enum cordon_err seccomp_compile(bool full_access, int *ret_fd,
                                                struct cordon_fault *fault);

#endif
