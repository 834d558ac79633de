/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For plan_windows.c: scans of an abstract tree, all of one plan within one budget of names and
 * time. Whoever passes it gets an error that names the rule, never a hang and never half a list.
 */
#ifndef CORDON_PLATFORM_WINDOWS_PLAN_SCAN_H
#define CORDON_PLATFORM_WINDOWS_PLAN_SCAN_H

#include "platform/plan_build.h"
#include "platform/windows/facts.h"

/* Why a rule's scan did not see everything. */
enum win_cut {
    WIN_CUT_DEPTH = 1, /* at glob_scan_max_depth */
    WIN_CUT_DENIED = 2 /* the caller may not list a directory */
};

/* The scans of one plan. */
struct win_scan {
    const struct policy *policy;
    const struct plan_facts *known;
    const struct plan_windows_facts *facts;
    struct arena *arena;
    struct cordon_fault *fault;
    uint32_t looked;      /* names seen so far */
    uint8_t *managed_cut; /* enum win_cut, per rule */
    uint8_t *own_cut;
    struct plan_match *matches;
    size_t match_count;
    size_t match_size; /* elements allocated */
};

/*
 * Fills in @ret_scan: nothing looked at yet. CORDON_E_NOMEM
 */
CORDON_MUST_USE enum cordon_err win_scan_init(const struct plan_builder *builder,
                                              struct win_scan *ret_scan);

/* Says so; CORDON_E_NOMEM. */
enum cordon_err win_scan_no_memory(const struct win_scan *scan);

/*
 * Finds what all globs in force match, in the order of the rules, for each breadth first. What
 * matched is not looked into: the match covers it. What a plan is going to make for a missing path
 * counts as well.
 *
 * CORDON_E_UNSUPPORTED  a glob that would walk a whole volume without a bound
 * CORDON_E_LIMIT        more names than scan_entries; CORDON_E_TIMEOUT
 * CORDON_E_INVALID      the tree gave a name that is none
 * CORDON_E_NOMEM, CORDON_E_OS
 */
CORDON_MUST_USE enum cordon_err win_scan_globs(struct win_scan *scan);

/* A directory to be looked into, and how the walk came there. */
struct win_place {
    const char *path;      /* "/C:/a", of all volumes "" */
    const char *canonical; /* normal form, free of links */
    uint32_t depth;        /* below the start of the walk */
    void *mark;            /* the walk's own */
};

/* What a walk does with each name; sets *ret_mark and returns true to have a directory entered. */
struct win_walk {
    struct win_scan *scan;
    const struct policy_rule *rule; /* for messages */
    uint8_t *cut;                   /* of the rule */
    bool (*look)(struct win_walk *walk, const struct win_place *above, const struct win_place *at,
                 const struct win_entry *entry, void **ret_mark);
    void *context;
    enum cordon_err err; /* not OK ends the walk; look() may set it */
    struct win_place *queue;
    size_t count, size, next;
    const struct win_place *above; /* being listed */
};

/*
 * What is at @path, to begin a walk there; nothing to walk unless @ret_entry is a directory. As
 * win_scan_globs().
 */
CORDON_MUST_USE enum cordon_err win_walk_start(struct win_walk *walk, const char *path,
                                               struct win_place *ret_place,
                                               struct win_entry *ret_entry);

/* Walks breadth first from @start. As win_scan_globs(). */
CORDON_MUST_USE enum cordon_err win_walk_run(struct win_walk *walk, const struct win_place *start);

/* "C:\a" for "/C:/a", "C:\" for "/C:", "\\s\h\a" for "/UNC/s/h/a", "" for "/"; NULL when exhausted.
 */
const char *win_native(const char *path, struct arena *arena);

#endif
