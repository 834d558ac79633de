/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk from a few lines of text, for tests that need a Windows tree to look at: paths in normal
 * form ("C:\a\b"), what is above them is there by itself. Names are compared as NTFS does.
 */
#ifndef CORDON_TESTS_DISK_H
#define CORDON_TESTS_DISK_H

#include "platform/windows/facts.h"

#define DISK_NODES_MAX 4096U

struct disk_node {
    const char *path; /* as made */
    const char *key;  /* what is compared */
    size_t parent;    /* index; of a volume its own */
    enum plan_object object;
    const char *target; /* of a link */
    bool unlisted;      /* listing it is denied */
    bool broken;        /* listing it fails */
};

struct disk {
    struct arena *arena;
    struct disk_node *nodes;
    size_t count;
    uint32_t late_after; /* calls of is_late() until it is; 0: never */
    uint32_t asked;
    uint32_t listed;
    struct win_tree tree;
    struct plan_windows_facts facts;
    const char *private_dirs[8];
    const char *system_dirs[8];
};

void disk_init(struct disk *tree, struct arena *arena);

/* Adds @path with all above it; an existing one is given anew. NULL: too many. */
struct disk_node *disk_add(struct disk *tree, const char *path, enum plan_object object);

/* The node that @path leads to, links in it and at its end followed; NULL: none. */
const struct disk_node *disk_find(const struct disk *tree, const char *path);

/* The node of exactly this path, not followed. */
const struct disk_node *disk_at(const struct disk *tree, const char *path);

/* Path with the links in it followed; NULL when it leads nowhere. */
const char *disk_resolve(const struct disk *tree, const char *path);

/* What resolve would see of @pattern ("/C:/a"). A volume's root, and what is none, is left alone.
 */
void disk_look_up(const struct disk *tree, const char *pattern, struct plan_fact *fact);

#endif
