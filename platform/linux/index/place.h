/* SPDX-License-Identifier: Apache-2.0 */
/* Where a directory is, asked of the file system. */
#ifndef CORDON_LINUX_INDEX_PLACE_H
#define CORDON_LINUX_INDEX_PLACE_H

#include "platform/linux/index/kept.h"

enum place {
    PLACE_SEEN,
    PLACE_OUTSIDE, /* removed, or below none of the roots */
    PLACE_BROKEN   /* no memory, or it is moved faster than we look */
};

/* The directory in the store, looked up if it is not there or was moved, with all above it. */
enum place place_find(struct kept *kept, const struct object *key,
                      struct directory **ret_directory);

#endif
