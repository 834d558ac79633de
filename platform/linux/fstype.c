/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/fstype.h"

#include <stddef.h>
#include <string.h>

/*
 * Not so overlayfs, whose layers may change below it or lie with a file server, and ZFS, which
 * rolls back what is mounted.
 */
static const char *const telling[] = {"ext2",     "ext3",  "ext4",     "xfs",
                                      "btrfs",    "f2fs",  "bcachefs", "tmpfs",
                                      "devtmpfs", "ramfs", "squashfs", "erofs"};

bool fstype_tells(const char *type)
{
    for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++) {
        if (strcmp(type, telling[i]) == 0) {
            return true;
        }
    }
    return false;
}
