/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Windows host in memory: a tree with access lists, the caller who owns part of it, and what a
 * plan makes of it. Entries are added and passed on by sd.h, and access is decided by it, for the
 * token that the plan describes. So a plan can be asked what a job could do, on every host.
 *
 *   C:\            Users read, Authenticated Users make directories and own what they make
 *   C:\Windows     Users and ALL APPLICATION PACKAGES read; C:\Programs likewise
 *   C:\Users\a     the caller alone
 *   D:\            as C:\; D:\mine the caller alone
 */
#ifndef CORDON_TESTS_WIN_WORLD_H
#define CORDON_TESTS_WIN_WORLD_H

#include "platform/windows/sd.h"
#include "policy/policy.h"
#include "tests/golden/disk.h"

struct win_world {
    struct arena *arena;
    struct disk tree;
    struct sd **base;    /* per node, before any plan */
    struct sd **planned; /* per node */
    size_t base_count;   /* nodes before any plan */
    struct plan_facts facts;
};

/* The world above, with what @lines ("dir PATH", "file PATH", "link PATH TARGET", "open PATH":
 * the object grants Users by itself) add to it. false: a line that means nothing. */
bool win_world_init(struct win_world *world, struct arena *arena, const char *lines);

/* Facts about @policy as resolve would find them, for @principal. In @arena. */
bool win_world_facts(struct win_world *world, const struct policy *policy, const char *principal,
                     struct arena *arena);

/* Takes the last plan back, and does what @plan says. false: a step that cannot be done. */
bool win_world_apply(struct win_world *world, const struct plan *plan);

/* What the caller could do without a job, and what the job of @plan can do; @path native. Where
 * nothing is at @path, what comes to be there later. */
bool win_world_caller_may(const struct win_world *world, const char *path,
                          enum policy_question question);
bool win_world_job_may(const struct win_world *world, const struct plan *plan, const char *path,
                       enum policy_question question);

#endif
