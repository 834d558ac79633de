/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/linux/fstype.h"

#include <stddef.h>
#include <string.h>

#define COUNT (sizeof(telling) / sizeof(telling[0]))

/*
 * Not so overlayfs, whose layers may change below it or lie with a file server, and ZFS, which
 * rolls back what is mounted. Numbers as statfs(2) gives them. Images that nobody writes have none
 * here: what is on them has the dates of whoever made them, and another image may have the same;
 * nor has bcachefs, whose snapshots have the numbers of what they are of.
 */
static const struct {
    const char *name;
    uint32_t number;
} telling[] = {
    {"ext2", 0xef53U},         {"ext3", 0xef53U},      {"ext4", 0xef53U},    {"xfs", 0x58465342U},
    {"btrfs", 0x9123683eU},    {"f2fs", 0xf2f52010U},  {.name = "bcachefs"}, {"tmpfs", 0x01021994U},
    {"devtmpfs", 0x01021994U}, {"ramfs", 0x858458f6U}, {.name = "squashfs"}, {.name = "erofs"},
};

bool fstype_tells(const char *type)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (strcmp(type, telling[i].name) == 0) {
            return true;
        }
    }
    return false;
}

bool fstype_dates(uint32_t number)
{
    for (size_t i = 0; i < COUNT; i++) {
        if (number != 0 && number == telling[i].number) {
            return true;
        }
    }
    return false;
}
