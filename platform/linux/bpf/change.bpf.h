/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Renames, links and removals: a job's own are judged; what anybody does is noted
 * for every job, so that an object stays denied under its later names.
 */
#ifndef CORDON_LINUX_BPF_CHANGE_H
#define CORDON_LINUX_BPF_CHANGE_H

#include "platform/linux/bpf/hook.bpf.h"

/* @from is the name that there is, @to the one that will be; 0: none. */
struct change {
    uint64_t from, to;
    uint32_t except; /* the job that does it: it was asked itself */
};

/* What is denied called @name, which it is or is to be, stays denied. */
APART int remember_file(uint32_t slot, uint32_t index, uint64_t name, uint64_t inode)
{
    struct scratch *scratch = scratch_at(index);

    if (scratch != 0 && inode != 0 && is_denied(slot, index, name, inode)) {
        place_deny(slot, inode, scratch->set, scratch->rule);
    }
    return 0;
}

INLINE void links_unknown(uint32_t slot)
{
    struct shape_job *job = job_at(slot);

    if (job != 0) {
        __sync_fetch_and_or(&job->flags, SHAPE_LINKS_UNKNOWN);
    }
}

/* The names of whatever is called @dentry become the scratch's other ones. */
INLINE int names_other(uint32_t slot, uint32_t index, uint64_t dentry)
{
    struct scratch *scratch = scratch_at(index);

    if (scratch == 0) {
        return -1;
    }
    names_find(slot, index, dentry, 0);
    scratch->other_count = scratch->count;
    scratch->other_flags = scratch->flags;
    for (uint32_t i = 0; i < SHAPE_NAMES; i++) {
        scratch->other[i] = scratch->name[i];
    }
    return 0;
}

/*
 * A directory keeps its old names for the job, if anything below is judged by them. What is below
 * may have further links elsewhere, which the new names would concern as well: nobody can look.
 */
APART int remember_directory(uint32_t slot, uint32_t index, uint64_t from, uint64_t to)
{
    struct scratch *scratch = scratch_at(index);

    if (scratch == 0) {
        return 0;
    }
    names_other(slot, index, to);
    if (is_denied(slot, index, from, inode_of(from))) {
        place_deny(slot, inode_of(from), scratch->set, scratch->rule);
        links_unknown(slot);
    } else if (!same_below(slot, index)) {
        place_names(slot, index, inode_of(from));
        links_unknown(slot);
    }
    return 0;
}

INLINE int is_directory(uint64_t dentry)
{
    return (mode_of(dentry) & MODE_TYPE) == MODE_DIRECTORY;
}

/* UINT32_MAX: @slot is not to be told, or cannot be and is broken. */
INLINE uint32_t claim_for(uint32_t slot, const struct change *change)
{
    uint32_t index;

    const int state = state_of(slot);

    if (slot == change->except || (state != SHAPE_ACTIVE && state != SHAPE_SETTING)) {
        return UINT32_MAX;
    }
    index = scratch_claim();
    if (index == UINT32_MAX) {
        job_break(slot);
    }
    return index;
}

static long renamed_for(uint32_t slot, const struct change *change)
{
    const uint32_t index = claim_for(slot, change);

    if (index == UINT32_MAX) {
        return 0;
    }
    if (is_directory(change->from)) {
        remember_directory(slot, index, change->from, change->to);
    } else {
        remember_file(slot, index, change->from, inode_of(change->from));
        /* The name that it is to have is its other links' as well. */
        remember_file(slot, index, change->to, inode_of(change->from));
    }
    /* What it replaces may have other links. */
    remember_file(slot, index, change->to, inode_of(change->to));
    scratch_release(index);
    return 0;
}

static long linked_for(uint32_t slot, const struct change *change)
{
    const uint32_t index = claim_for(slot, change);

    if (index == UINT32_MAX) {
        return 0;
    }
    remember_file(slot, index, change->from, inode_of(change->from));
    remember_file(slot, index, change->to, inode_of(change->from));
    scratch_release(index);
    return 0;
}

/* A file with other links loses a name: if that was denied, they are. */
static long unlinked_for(uint32_t slot, const struct change *change)
{
    const uint32_t index = claim_for(slot, change);

    if (index != UINT32_MAX) {
        remember_file(slot, index, change->from, inode_of(change->from));
        scratch_release(index);
    }
    return 0;
}

INLINE uint32_t jobs_high(void)
{
    const uint32_t zero = 0;
    const struct shape_summary *now = bpf_map_lookup_elem(&summary, &zero);

    return now != 0 ? now->high : SHAPE_JOBS;
}

/* Something is mounted on it, here or in another namespace. */
INLINE int is_mounted(uint64_t dentry)
{
    const struct dentry *at = (const struct dentry *)dentry;
    const unsigned int flag = bpf_core_enum_value_exists(enum dentry_flags, DCACHE_MOUNTED)
                                  ? bpf_core_enum_value(enum dentry_flags, DCACHE_MOUNTED)
                                  : DCACHE_MOUNTED_BEFORE;

    return (BPF_CORE_READ(at, d_flags) & flag) != 0;
}

/*
 * A directory may go where all below it is judged alike; elsewhere it is copied, but for one
 * that is pinned: what a rule names is below it.
 */
APART int judge_move(uint32_t slot, uint32_t index, uint64_t from, uint64_t to)
{
    names_other(slot, index, to);
    names_find(slot, index, from, inode_of(from));
    if (same_below(slot, index)) {
        return 0;
    }
    return is_mounted(from) ? -EPERM : -EXDEV;
}

enum change_kind { RENAMED, LINKED };

APART int judge_change(uint32_t index, uint32_t kind)
{
    const uint32_t operation = kind == RENAMED ? OPERATION_RENAME : OPERATION_LINK;
    const uint32_t slot = job_current();
    const struct scratch *scratch = scratch_at(index);
    struct change change = {.except = slot};
    int code = 0;

    if (scratch == 0) {
        return -EPERM;
    }
    change.from = scratch->from;
    change.to = scratch->to;
    if (slot != UINT32_MAX && state_of(slot) != SHAPE_SETTING) {
        code = judge(slot, index, change.from, operation);
        if (code == 0) {
            code = judge(slot, index, change.to, operation);
        }
        if (code == 0 && kind == RENAMED && is_directory(change.from)) {
            code = judge_move(slot, index, change.from, change.to);
        }
    }
    return code;
}

APART int tell_others(uint32_t index, uint32_t kind)
{
    const struct scratch *scratch = scratch_at(index);
    struct change change = {.except = job_current()};

    if (scratch == 0) {
        return 0;
    }
    change.from = scratch->from;
    change.to = scratch->to;
    if (kind == RENAMED) {
        bpf_loop(jobs_high(), renamed_for, &change, 0);
    } else {
        bpf_loop(jobs_high(), linked_for, &change, 0);
    }
    return 0;
}

static long lost_for(uint32_t slot, void *unused)
{
    (void)unused;
    if (state_of(slot) != SHAPE_FREE) {
        job_break(slot);
    }
    return 0;
}

/* What nobody could note: a job is refused it; what others do goes on, and ends every job. */
INLINE int names_lost(void)
{
    if (job_current() != UINT32_MAX) {
        return -EPERM;
    }
    bpf_loop(jobs_high(), lost_for, 0, 0);
    return 0;
}

/* The verdict about the running task's job; if it is allowed, every other job's part of it. */
INLINE int change_names(const struct dentry *from, const struct dentry *to, uint32_t kind)
{
    uint32_t index;
    struct scratch *scratch;
    int code;

    if (jobs_high() == 0) {
        return 0;
    }
    index = scratch_claim();
    scratch = scratch_at(index);
    if (scratch == 0) {
        return names_lost();
    }
    scratch->from = (uint64_t)from;
    scratch->to = (uint64_t)to;
    code = bounded(judge_change(index, kind));
    if (code == 0) {
        tell_others(index, kind);
    }
    scratch_release(index);
    return code;
}

#ifdef SHAPE_FMOD_RET
#define RENAME_EXCHANGE 2U
HOOK(inode_rename)
int BPF_PROG(on_inode_rename, struct inode *old_dir, struct dentry *from, struct inode *new_dir,
             struct dentry *to, unsigned int flags)
{
    int code = change_names(from, to, RENAMED);

    if (code == 0 && (flags & RENAME_EXCHANGE) != 0) {
        code = change_names(to, from, RENAMED);
    }
    return code;
}
#else
/* Of an exchange the security module's hook is told twice. */
HOOK(inode_rename)
int BPF_PROG(on_inode_rename, struct inode *old_dir, struct dentry *from, struct inode *new_dir,
             struct dentry *to)
{
    return change_names(from, to, RENAMED);
}
#endif

HOOK(inode_link)
int BPF_PROG(on_inode_link, struct dentry *from, struct inode *dir, struct dentry *to)
{
    return change_names(from, to, LINKED);
}

HOOK(inode_unlink)
int BPF_PROG(on_inode_unlink, struct inode *dir, struct dentry *dentry)
{
    struct change change = {.except = UINT32_MAX};
    int code = judge_current(dentry, OPERATION_REMOVE);
    uint32_t index;
    struct scratch *scratch;

    if (code != 0 || jobs_high() == 0 || BPF_CORE_READ(dentry, d_inode, i_nlink) < 2) {
        return code;
    }
    index = scratch_claim();
    scratch = scratch_at(index);
    if (scratch == 0) {
        return names_lost();
    }
    change.from = address(&scratch->from, dentry);
    change.except = job_current();
    bpf_loop(jobs_high(), unlinked_for, &change, 0);
    scratch_release(index);
    return 0;
}

ON_DENTRY(inode_rmdir, 1, OPERATION_REMOVE)

#endif
