/* SPDX-License-Identifier: Apache-2.0 */
/* What the readers of root's files and of fetched ones share. */
#ifndef CORDON_POSIX_MANAGED_H
#define CORDON_POSIX_MANAGED_H

#include <sys/stat.h>

#include "platform/host.h"

/*
 * A readable descriptor of a regular file that nobody but its owner could have put
 * there. CORDON_E_NOT_FOUND, _DENIED, _LIMIT, _OS.
 */
CORDON_MUST_USE enum cordon_err managed_open(const struct managed_places *places, const char *path,
                                             int *ret_fd, struct cordon_fault *fault);

/*
 * The same of whatever is there, a directory too, as an O_PATH descriptor: what managed_open()
 * opens.
 */
CORDON_MUST_USE enum cordon_err managed_find(const struct managed_places *places, const char *path,
                                             int *ret_fd, struct cordon_fault *fault);

struct managed_hash {
    uint64_t value;
    uint64_t newest_ms; /* change of anything that was mixed in, since 1970 */
};
/* Mixes what changes when a file does into a signature; NULL: it is not there. */
void managed_mix(struct managed_hash *hash, const struct stat *st);
/* ... of what cordon-fetch wrote. */
void fetched_mix(const struct managed_places *places, struct managed_hash *hash);

#endif
