/* SPDX-License-Identifier: Apache-2.0 */
/* Verdicts, records of denials, and what is remembered of objects that are moved. */
#ifndef CORDON_LINUX_BPF_JUDGE_H
#define CORDON_LINUX_BPF_JUDGE_H

#include "platform/linux/bpf/name.bpf.h"

#define EPERM 1
#define EXDEV 18

/* enum ipc_operation */
enum operation {
    OPERATION_OPEN = 1,
    OPERATION_EXEC,
    OPERATION_LIST,
    OPERATION_CREATE,
    OPERATION_RENAME,
    OPERATION_LINK,
    OPERATION_REMOVE,
    OPERATION_CHANGE,
    OPERATION_ATTRIBUTE,
    OPERATION_WATCH,
    OPERATION_CONNECT,
    OPERATION_RECEIVE
};

/* ---- what the tables say ---- */

/* The rule of rank @rank of @set, if it denies; SHAPE_NONE. */
INLINE uint32_t denying(const struct shape_job *job, uint32_t set, uint32_t rank)
{
    uint32_t rule;
    uint32_t access;

    if (rank == SHAPE_NONE) {
        return SHAPE_NONE;
    }
    rule = cell_at(job->set[set & 1].ranks + rank / 2) >> (rank % 2 * 32);
    access = cell_at(job->set[set & 1].access + rule / 8) >> (rule % 8 * 8) & 255;
    return access == SHAPE_ACCESS_DENY ? rule : SHAPE_NONE;
}

/* The rule of @set that decides about @name, if it denies. */
INLINE uint32_t rule_at(const struct shape_job *job, const struct shape_name *name, uint32_t set)
{
    uint32_t rank = name->covered[set & 1];

    for (uint32_t i = 0; i < SHAPE_LANES && i < job->lane_count; i++) {
        if (job->lane[i].set == set) {
            const uint32_t here = rank_of(job->lane[i].states, name->state[i]);

            rank = here < rank ? here : rank;
        }
    }
    return denying(job, set, rank);
}

/* 1: the scratch's names or flags deny; @set and @rule of the scratch say why. */
APART int decide(uint32_t slot, uint32_t index)
{
    struct scratch *scratch = scratch_at(index);
    const struct shape_job *job = job_at(slot);

    if (scratch == 0 || job == 0) {
        return 1;
    }
    if ((scratch->flags & (SCRATCH_LOST | SHAPE_DENIED)) != 0) {
        return 1;
    }
    /* The managed set, which is the second, is asked first. */
    for (uint32_t i = 0; i < SHAPE_SETS * SHAPE_NAMES; i++) {
        const uint32_t set = i < SHAPE_NAMES;
        const struct shape_name *name = &scratch->name[i % SHAPE_NAMES];
        uint32_t rule;

        if (i % SHAPE_NAMES >= scratch->count || (name->sets & (1U << set)) == 0) {
            continue;
        }
        rule = rule_at(job, name, set);
        if (rule != SHAPE_NONE) {
            scratch->set = set;
            scratch->rule = rule;
            return 1;
        }
    }
    return 0;
}

/* ---- what is remembered ---- */

INLINE void job_break(uint32_t slot)
{
    struct shape_job *job = job_at(slot);

    if (job != 0) {
        job->state = SHAPE_BROKEN;
    }
}

INLINE void place_seen(struct shape_job *job, const struct shape_place_key *key)
{
    const uint32_t bit = filter_bit(key->ino);

    __sync_fetch_and_or(&job->filter[bit / 64 % 16], 1ULL << (bit % 64));
    __sync_fetch_and_add(&job->epoch, 1);
}

/* The place of @inode, made if there is none. 0: there is no room. */
INLINE struct shape_place *place_make(uint32_t slot, const struct inode *inode,
                                      struct shape_place_key *key)
{
    static const struct shape_place blank = {.set = SHAPE_SETS, .rule = SHAPE_NONE};
    void *map = bpf_map_lookup_elem(&places, &slot);
    struct shape_place *place;

    if (map == 0) {
        return 0;
    }
    key_of(inode, key);
    place = bpf_map_lookup_elem(map, key);
    if (place == 0) {
        bpf_map_update_elem(map, key, &blank, BPF_NOEXIST);
        place = bpf_map_lookup_elem(map, key);
    }
    return place;
}

/* @inode is denied to the job from now on, under every name. */
APART int place_deny(uint32_t slot, uint64_t inode, uint32_t set, uint32_t rule)
{
    struct shape_job *job = job_at(slot);
    struct shape_place_key key;
    struct shape_place *place;

    if (job == 0 || inode == 0) {
        return 0;
    }
    place = place_make(slot, (const struct inode *)inode, &key);
    if (place == 0) {
        job_break(slot);
        return 0;
    }
    place->set = set;
    place->rule = rule;
    __sync_fetch_and_or(&place->flags, SHAPE_DENIED);
    place_seen(job, &key);
    return 0;
}

INLINE int same_name(const struct shape_name *a, const struct shape_name *b)
{
    uint32_t differs = a->sets ^ b->sets;

    for (uint32_t i = 0; i < SHAPE_LANES; i++) {
        differs |= a->state[i] ^ b->state[i];
    }
    for (uint32_t i = 0; i < SHAPE_SETS; i++) {
        differs |= a->covered[i] ^ b->covered[i];
    }
    return differs == 0;
}

/* @inode has the scratch's names besides those it is going to have. */
APART int place_names(uint32_t slot, uint32_t index, uint64_t inode)
{
    struct scratch *scratch = scratch_at(index);
    struct shape_job *job = job_at(slot);
    struct shape_place_key key;
    struct shape_place *place;

    if (scratch == 0 || job == 0 || inode == 0) {
        return 0;
    }
    place = place_make(slot, (const struct inode *)inode, &key);
    if (place == 0) {
        job_break(slot);
        return 0;
    }
    for (uint32_t i = 0; i < SHAPE_NAMES && i < scratch->count; i++) {
        const uint32_t count = place->count;
        int known = 0;

        for (uint32_t k = 0; k < SHAPE_NAMES; k++) {
            known |= k < count && same_name(&place->name[k], &scratch->name[i]);
        }
        if (known) {
            continue;
        }
        if (count >= SHAPE_NAMES) {
            job_break(slot);
            return 0;
        }
        place->name[count] = scratch->name[i];
        place->count = count + 1;
    }
    place_seen(job, &key);
    return 0;
}

/* Nothing below these names is denied, or can be. */
INLINE int settled(const struct shape_job *job, const struct shape_name *name)
{
    for (uint32_t set = 0; set < SHAPE_SETS; set++) {
        /* What it is called itself covers what is below, too. */
        if ((name->sets & (1U << set)) != 0 && rule_at(job, name, set) != SHAPE_NONE) {
            return 0;
        }
    }
    for (uint32_t i = 0; i < SHAPE_LANES && i < job->lane_count; i++) {
        const uint32_t set = job->lane[i].set & 1;
        const uint64_t classes = cell_at(job->lane[i].classes + '/' / 8);
        const uint32_t cls = (classes >> ('/' % 8 * 8)) & 255;
        const uint64_t row = cell_at(job->lane[i].states + name->state[i] * 2);
        const uint64_t cell = cell_at(job->lane[i].cells + (uint32_t)row + cls);
        const uint32_t next = (uint32_t)cell == name->state[i] ? cell >> 32 : row >> 32;

        if ((name->sets & (1U << set)) != 0 &&
            (uint32_t)(cell_at(job->lane[i].states + next * 2 + 1) >> 32) != SHAPE_NONE) {
            return 0;
        }
    }
    return 1;
}

/*
 * The scratch's names of a directory, and the other ones that it is to have, judge
 * everything below alike.
 */
APART int same_below(uint32_t slot, uint32_t index)
{
    const struct scratch *scratch = scratch_at(index);
    const struct shape_job *job = job_at(slot);
    int same = 1;

    if (scratch == 0 || job == 0 || scratch->flags != scratch->other_flags) {
        return 0;
    }
    for (uint32_t i = 0; i < SHAPE_NAMES; i++) {
        const int here = i < scratch->count;
        const int there = i < scratch->other_count;

        if (here && there && same_name(&scratch->name[i], &scratch->other[i])) {
            continue;
        }
        same &= (!here || settled(job, &scratch->name[i])) &&
                (!there || settled(job, &scratch->other[i]));
    }
    return same;
}

/* ---- records ---- */

INLINE void record_who(struct shape_record *record)
{
    const struct task_struct *task = bpf_get_current_task_btf();
    const struct pid *pid = BPF_CORE_READ(task, group_leader, thread_pid);
    const uint32_t level = BPF_CORE_READ(pid, level);
    int number = 0;

    bpf_probe_read_kernel(&number, sizeof(number),
                          (const void *)((uint64_t)pid +
                                         bpf_core_field_offset(struct pid, numbers) +
                                         level * bpf_core_type_size(struct upid) +
                                         bpf_core_field_offset(struct upid, nr)));
    record->pid = number;
    bpf_get_current_comm(record->comm, sizeof(record->comm));
}

/* Counts a denial and tells of it; the record's path was filled in before. */
APART int tell(uint32_t slot, uint32_t index, uint32_t operation)
{
    struct scratch *scratch = scratch_at(index);
    struct shape_job *job = job_at(slot);
    struct shape_record *record;
    void *ring;
    uint32_t len;

    if (scratch == 0 || job == 0) {
        return 0;
    }
    record = &scratch->record;
    record_who(record);
    record->operation = operation;
    record->set = scratch->set;
    record->rule = scratch->rule;
    record->lost = job->lost;
    len = record->path_len;
    __sync_fetch_and_add(&job->denied, 1);
    ring = bpf_map_lookup_elem(&rings, &slot);
    if (len >= SHAPE_PATH_MAX) {
        len = SHAPE_PATH_MAX - 1;
    }
    if (ring == 0 ||
        bpf_ringbuf_output(ring, record, __builtin_offsetof(struct shape_record, path) + len, 0) !=
            0) {
        __sync_fetch_and_add(&job->lost, 1);
    } else {
        __sync_fetch_and_add(&job->lost, -record->lost);
    }
    return 0;
}

struct spelling {
    struct shape_record *record;
    const struct scratch *scratch;
    uint32_t depth;
};

static long spell_step(uint32_t step, struct spelling *spelling)
{
    const uint32_t at = spelling->depth - 1 - step;
    const struct dentry *dentry = (const struct dentry *)spelling->scratch->chain[at % CHAIN_MAX];
    const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);
    uint32_t len = BPF_CORE_READ(dentry, d_name.len) & 255;
    uint32_t end = spelling->record->path_len;

    if (step == 0) {
        return 0; /* the top of the file system: "/" */
    }
    if (end + 1 + len >= SHAPE_PATH_MAX) {
        return 1;
    }
    spelling->record->path[end % SHAPE_PATH_MAX] = '/';
    /* The scratch goes on for a name's length behind the path. */
    end = (end + 1) % SHAPE_PATH_MAX;
    bpf_probe_read_kernel(&spelling->record->path[end], len, name);
    spelling->record->path_len = end + len;
    return 0;
}

/* The record's path: where @dentry is on its file system. */
APART int spell(uint32_t index, uint64_t dentry)
{
    struct scratch *scratch = scratch_at(index);
    struct climb climb = {.scratch = scratch, .at = dentry};
    struct spelling spelling;

    if (scratch == 0) {
        return 0;
    }
    scratch->record.path_len = 0;
    scratch->record.dev = BPF_CORE_READ((const struct dentry *)dentry, d_sb, s_dev);
    bpf_loop(CHAIN_MAX, climb_step, &climb, 0);
    spelling = (struct spelling){&scratch->record, scratch, climb.depth};
    if (climb.top) {
        bpf_loop(climb.depth, spell_step, &spelling, 0);
    }
    return 0;
}

/* ---- judgements ---- */

/* Not 0: it may be denied by a name that nobody could look at, see SHAPE_LINKS_UNKNOWN. */
INLINE int is_link_unknown(uint32_t slot, uint64_t dentry)
{
    const struct dentry *at = (const struct dentry *)dentry;
    const struct shape_job *job = job_at(slot);

    return job == 0 || ((job->flags & SHAPE_LINKS_UNKNOWN) != 0 &&
                        (mode_of(dentry) & MODE_TYPE) == MODE_REGULAR &&
                        BPF_CORE_READ(at, d_inode, i_nlink) > 1);
}

/* 1: the job may not touch @inode, called @dentry. */
INLINE int is_denied(uint32_t slot, uint32_t index, uint64_t dentry, uint64_t inode)
{
    names_find(slot, index, dentry, inode);
    return decide(slot, index);
}

/* The same as the error that the call gets. */
APART int judge_only(uint32_t slot, uint32_t index, uint64_t dentry)
{
    const struct shape_job *job = job_at(slot);

    return job == 0 || job->state == SHAPE_BROKEN ||
                   is_denied(slot, index, dentry, inode_of(dentry)) || is_link_unknown(slot, dentry)
               ? -EPERM
               : 0;
}

/* And told. */
APART int judge(uint32_t slot, uint32_t index, uint64_t dentry, uint32_t operation)
{
    const int code = judge_only(slot, index, dentry);

    if (code != 0) {
        spell(index, dentry);
        tell(slot, index, operation);
    }
    return code;
}

/* Which rule is about the record's path, where the object itself does not tell. */
APART int rule_find(uint32_t slot, uint32_t index)
{
    struct scratch *scratch = scratch_at(index);
    const struct shape_job *job = job_at(slot);
    uint32_t len;

    if (scratch == 0 || job == 0 || scratch->rule != SHAPE_NONE) {
        return 0;
    }
    len = scratch->record.path_len;
    if (len > SHAPE_PATH_MAX) {
        return 0;
    }
    bpf_probe_read_kernel(scratch->text, len, scratch->record.path);
    for (uint32_t i = 0; i < SHAPE_LANES; i++) {
        scratch->name[0].state[i] = job->lane[i].start;
    }
    scratch->name[0].covered[0] = SHAPE_NONE;
    scratch->name[0].covered[1] = SHAPE_NONE;
    scratch->name[0].sets = 3;
    scratch->count = 1;
    scratch->flags = 0;
    feed(slot, index, len);
    decide(slot, index);
    return 0;
}

#endif
