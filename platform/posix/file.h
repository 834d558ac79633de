/* SPDX-License-Identifier: Apache-2.0 */
/* Bounded reading of regular files; shared by the two readers of host.h. */
#ifndef CORDON_POSIX_FILE_H
#define CORDON_POSIX_FILE_H

#include <stddef.h>

#include "platform/base/err.h"

/* CORDON_E_DENIED if @fd is no regular file, CORDON_E_LIMIT over @max bytes, CORDON_E_OS. */
CORDON_MUST_USE enum cordon_err file_size(int fd, const char *path, size_t max, size_t *ret_size,
                                          struct cordon_fault *fault);
/* Reads exactly @size bytes and adds a NUL. CORDON_E_STATE if the file got shorter. */
CORDON_MUST_USE enum cordon_err file_fill(int fd, const char *path, char *ret_text, size_t size,
                                          struct cordon_fault *fault);

#endif
