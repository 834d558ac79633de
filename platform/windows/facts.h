/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the Windows planner knows of a host beyond plan_facts: a way to look at its directories, and
 * places with access lists of their own kind. Everything is borrowed.
 */
#ifndef CORDON_PLATFORM_WINDOWS_FACTS_H
#define CORDON_PLATFORM_WINDOWS_FACTS_H

#include "platform/plan.h"

/* One name in a directory. */
struct win_entry {
    const char *name;        /* as the volume spells it, UTF-8; valid during the visit */
    enum plan_object object; /* what it leads to; PLAN_MISSING: a link that dangles */
    bool link;               /* a reparse point that leads elsewhere: junction, symbolic link,
                                mounted volume. Others (cloud files, ...) are plain */
    const char *target;      /* of a link: what it leads to, free of links, normal form of path.h;
                                NULL: it dangles. Valid during the visit */
    uint64_t volume, file;   /* of what it leads to, which they identify; both 0: unknown */
};

typedef enum cordon_err win_visit(void *context, const struct win_entry *entry);

/*
 * Reads directories with the caller's rights; the planner's only look at the world. The disk on
 * Windows, a list of lines in tests.
 */
struct win_tree {
    void *context;

    /*
     * Visits what is in directory @path (normal form; links in it are followed); of "" the roots
     * of all volumes, named "C:". An error of the visit ends it and is returned.
     *
     * CORDON_E_NOT_FOUND  it is gone, or no directory
     * CORDON_E_DENIED     the caller may not list it
     * CORDON_E_OS, CORDON_E_NOMEM   anything else: nothing may be concluded; sets @fault
     */
    enum cordon_err (*list)(void *context, const char *path, win_visit *visit, void *visit_context,
                            struct cordon_fault *fault);

    /*
     * What is at @path, links in it and at its end followed; ret_entry->target is then its
     * canonical path, in @arena, and the name has no meaning. Errors as list().
     */
    enum cordon_err (*look)(void *context, const char *path, struct arena *arena,
                            struct win_entry *ret_entry, struct cordon_fault *fault);

    /* Whether the time allowed for all scans of this plan has run out. */
    bool (*is_late)(void *context);
};

struct plan_windows_facts {
    const struct win_tree *tree;
    uint32_t scan_entries; /* names that all scans of this plan may look at, together */

    /* Directories that the caller may read and other users may not, his profile first; normal
     * form. The job's principal needs a grant there for what the policy grants by ":root". */
    const char *const *private_dirs;
    size_t private_count;

    /* Directories of the system that every program needs and whose access lists grant reading to
     * ALL APPLICATION PACKAGES (S-1-15-2-1): \Windows, \Program Files, ...; normal form. */
    const char *const *system_dirs;
    size_t system_count;
};

#endif
