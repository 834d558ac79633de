/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Windows host in memory: a tree with access lists, the caller who owns part of it, and what a
 * plan makes of it. The entries are put on by the engine itself (targets.h, state.h), on a disk in
 * memory, with the token that the plan describes; access is decided by sd.h. So a plan can be asked
 * what a job could do, on every host; and when it goes, nothing of it may be left on the disk.
 *
 *   C:\            Users read, Authenticated Users make directories and own what they make
 *   C:\Windows     Users and ALL APPLICATION PACKAGES read; C:\Program Files likewise
 *   C:\Users\a     the caller alone
 *   D:\            as C:\; D:\mine the caller alone
 */
#ifndef CORDON_TESTS_WIN_WORLD_H
#define CORDON_TESTS_WIN_WORLD_H

#include "platform/windows/look.h"
#include "platform/windows/state.h"
#include "tests/golden/disk.h"
#include "tests/support/fake_api.h"

/* What @token is granted by @sd: sd_granted(), or the system's own answer. */
typedef uint32_t win_world_granted(const struct sd *sd, const struct sd_token *token);

struct win_world {
    struct arena *arena;
    win_world_granted *granted;
    struct disk tree;
    struct sd **base;  /* per node, before any plan */
    bool *opened;      /* per node: it grants Users by itself */
    size_t base_count; /* nodes before any plan */
    struct plan_facts facts;
    struct fake *disk; /* the same nodes, for the engine */
    struct fake *before;
    api_handle caller;   /* his token */
    struct look *look;   /* at the same nodes, as the caller */
    struct state *state; /* NULL: nothing was planned yet */
    struct sid held_for; /* whose entries are on the disk */
    struct cordon_fault fault;
};

/* The world above, with what @lines ("dir PATH", "file PATH", "link PATH TARGET", "open PATH":
 * the object grants Users by itself) add to it. false: a line that means nothing. */
bool win_world_init(struct win_world *world, struct arena *arena, const char *lines);

/* Facts about @policy for @principal, in @arena: as the tree in memory has them. Takes the last
 * plan back. */
bool win_world_facts(struct win_world *world, const struct policy *policy, const char *principal,
                     struct arena *arena);

/* The same facts as look.h finds them on the disk; after win_world_facts(). */
enum cordon_err win_world_look(struct win_world *world, const struct policy *policy,
                               const char *principal, struct arena *arena,
                               struct plan_facts *ret_facts);

/* Takes the last plan back, and does what @plan says. false, with a line on stderr: a step that
 * cannot be done, or something of the last plan is left. */
bool win_world_apply(struct win_world *world, const struct plan *plan);

/* Takes the last plan back and frees what is not in the arena. false: something of it is left. */
bool win_world_deinit(struct win_world *world);

/* Rights (winnt.h) that a question is about: all of them are wanted, or none is. Reading data and
 * extended attributes, and running; of what is denied to be read also deleting it and changing its
 * list or owner. Changing data and attributes. */
#define WIN_WORLD_READ 0x29U
#define WIN_WORLD_TAMPER 0xd0000U
#define WIN_WORLD_WRITE 0x116U

/* The rights that the caller would have without a job, and those that the job of @plan has; @path
 * native. Where nothing is at @path, of what comes to be there later. */
uint32_t win_world_caller(const struct win_world *world, const char *path);
uint32_t win_world_job(const struct win_world *world, const struct plan *plan, const char *path);

#endif
