/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tables say about an object: its directories from the top of its file system downwards,
 * each under every name that places give it. That holds if none of them was renamed meanwhile and
 * the job's count of places stayed what it was. A directory's result is kept, and holds as long as
 * the kernel's count of all renames and that of places stay.
 */
#ifndef CORDON_LINUX_BPF_NAME_H
#define CORDON_LINUX_BPF_NAME_H

#include "platform/linux/bpf/dentry.bpf.h"

#define SB_KERNMOUNT (1UL << 22) /* linux/fs.h: pipes, sockets, memory without a name */
#define TRIES 64U

/* ---- bytes ---- */

struct feeding {
    const struct scratch *scratch;
    uint32_t states, cells, classes;
    uint32_t state, covered;
};

INLINE uint32_t rank_of(uint32_t states, uint32_t state)
{
    return (uint32_t)cell_at(states + state * 2 + 1);
}

static long feed_byte(uint32_t at, struct feeding *feeding)
{
    const uint32_t byte = (uint8_t)feeding->scratch->text[at % SHAPE_PATH_MAX];
    const uint64_t classes = cell_at(feeding->classes + byte / 8);
    const uint32_t cls = (classes >> (byte % 8 * 8)) & 255;
    const uint64_t row = cell_at(feeding->states + feeding->state * 2);
    const uint64_t cell = cell_at(feeding->cells + (uint32_t)row + cls);

    if (byte == '/') {
        const uint32_t rank = rank_of(feeding->states, feeding->state);

        feeding->covered = rank < feeding->covered ? rank : feeding->covered;
    }
    feeding->state = (uint32_t)cell == feeding->state ? cell >> 32 : row >> 32;
    return 0;
}

/* The first @len bytes of the scratch's text into all of its names. */
APART int feed(uint32_t slot, uint32_t index, uint32_t len)
{
    struct scratch *scratch = scratch_at(index);
    const struct shape_job *job = job_at(slot);

    if (scratch == 0 || job == 0 || len > SHAPE_PATH_MAX) {
        return -1;
    }
    for (uint32_t n = 0; n < SHAPE_NAMES && n < scratch->count; n++) {
        struct shape_name *name = &scratch->name[n];

        for (uint32_t i = 0; i < SHAPE_LANES && i < job->lane_count; i++) {
            const uint32_t set = job->lane[i].set & 1;
            struct feeding feeding = {
                scratch,        job->lane[i].states, job->lane[i].cells, job->lane[i].classes,
                name->state[i], name->covered[set]};

            if ((name->sets & (1U << set)) != 0) {
                bpf_loop(len, feed_byte, &feeding, 0);
                name->state[i] = feeding.state;
                name->covered[set] = feeding.covered;
            }
        }
    }
    return 0;
}

/* ---- places ---- */

INLINE uint32_t filter_bit(uint64_t ino)
{
    return (ino * 0x9e3779b97f4a7c15ULL) >> 54;
}

INLINE void key_of(const struct inode *inode, struct shape_place_key *key)
{
    __builtin_memset(key, 0, sizeof(*key));
    key->ino = BPF_CORE_READ(inode, i_ino);
    key->generation = BPF_CORE_READ(inode, i_generation);
    key->dev = BPF_CORE_READ(inode, i_sb, s_dev);
}

/* Takes in the further names of what is at @inode. */
APART int names_of(uint32_t slot, uint32_t index, uint64_t inode)
{
    struct scratch *scratch = scratch_at(index);
    const struct shape_job *job = job_at(slot);
    const struct shape_place *place;
    struct shape_place_key key;
    uint32_t bit;

    if (scratch == 0 || job == 0 || inode == 0) {
        return 0;
    }
    bit = filter_bit(BPF_CORE_READ((const struct inode *)inode, i_ino));
    if ((job->filter[bit / 64 % 16] & (1ULL << (bit % 64))) == 0) {
        return 0;
    }
    key_of((const struct inode *)inode, &key);
    place = place_at(slot, &key);
    if (place == 0) {
        return 0;
    }
    scratch->flags |= place->flags;
    if ((place->flags & SHAPE_DENIED) != 0) {
        scratch->set = place->set;
        scratch->rule = place->rule;
    }
    for (uint32_t i = 0; i < SHAPE_NAMES && i < place->count; i++) {
        const uint32_t count = scratch->count;

        if (count >= SHAPE_NAMES) {
            scratch->flags |= SCRATCH_LOST;
            return 0;
        }
        scratch->name[count] = place->name[i];
        scratch->count = count + 1;
    }
    return 0;
}

/* ---- directories ---- */

/* "/" and the last part of @dentry's name into all names. */
INLINE int feed_last(uint32_t slot, uint32_t index, uint64_t dentry)
{
    struct scratch *scratch = scratch_at(index);
    struct qstr name = {.name = 0};
    uint32_t len;

    if (scratch == 0 || scratch->count == 0) {
        return 0;
    }
    BPF_CORE_READ_INTO(&name.name, (const struct dentry *)dentry, d_name.name);
    len = BPF_CORE_READ((const struct dentry *)dentry, d_name.len);
    if (len > 255) {
        scratch->flags |= SCRATCH_LOST;
        return 0;
    }
    scratch->text[0] = '/';
    if (bpf_probe_read_kernel(&scratch->text[1], len & 255, name.name) != 0) {
        scratch->flags |= SCRATCH_LOST;
    }
    return feed(slot, index, len + 1);
}

struct climb {
    struct scratch *scratch;
    uint64_t at;
    uint32_t slot, index;
    uint32_t depth;
    uint32_t top;
};

static long climb_step(uint32_t step, struct climb *climb)
{
    const uint64_t parent = parent_of(climb->at);

    climb->scratch->chain[step % CHAIN_MAX] = climb->at;
    climb->depth = step + 1;
    climb->top = parent == climb->at || parent == 0;
    climb->at = parent;
    return climb->top;
}

static long turn_step(uint32_t step, struct climb *climb)
{
    struct scratch *scratch = climb->scratch;

    scratch->turns[step % CHAIN_MAX] = turn_of(scratch->chain[step % CHAIN_MAX]);
    return 0;
}

/* Ends at one that is, or may be, elsewhere or called otherwise than when its turn was noted. */
static long hold_step(uint32_t step, struct climb *climb)
{
    const struct scratch *scratch = climb->scratch;
    const uint64_t dentry = scratch->chain[step % CHAIN_MAX];
    const uint32_t turn = scratch->turns[step % CHAIN_MAX];
    const uint64_t parent = parent_of(dentry);
    const int top = parent == dentry || parent == 0;
    const int holds = (turn & 1) == 0 && turn_of(dentry) == turn &&
                      (top || parent == scratch->chain[(step + 1) % CHAIN_MAX]);

    climb->top = holds && top;
    return !holds;
}

static long descend_step(uint32_t step, struct climb *climb)
{
    const uint32_t at = climb->depth - 1 - step;
    const uint64_t dentry = climb->scratch->chain[at % CHAIN_MAX];

    if (step > 0) {
        feed_last(climb->slot, climb->index, dentry);
    }
    names_of(climb->slot, climb->index, inode_of(dentry));
    return 0;
}

/* The names of directory @dentry, from the top. */
INLINE int walk(uint32_t slot, uint32_t index, uint64_t dentry)
{
    struct scratch *scratch = scratch_at(index);
    struct climb climb = {.scratch = scratch, .at = dentry, .slot = slot, .index = index};

    if (scratch == 0) {
        return -1;
    }
    scratch->count = 0;
    scratch->flags = 0;
    scratch->set = SHAPE_SETS;
    scratch->rule = SHAPE_NONE;
    bpf_loop(CHAIN_MAX, climb_step, &climb, 0);
    if (!climb.top) {
        scratch->flags |= SCRATCH_LOST;
        return 0;
    }
    scratch->depth = climb.depth;
    bpf_loop(climb.depth, turn_step, &climb, 0);
    fence(scratch);
    bpf_loop(climb.depth, descend_step, &climb, 0);
    if (scratch->count == 0 && scratch->flags == 0) {
        scratch->flags =
            (BPF_CORE_READ((const struct dentry *)dentry, d_sb, s_flags) & SB_KERNMOUNT) != 0
                ? SHAPE_PRIVATE
                : SCRATCH_UNKNOWN;
    }
    return 0;
}

/* ---- what is kept ---- */

#define OVERLAYFS 0x794c7630UL
#define FUSE 0x65735546UL

INLINE struct cached *cached_at(uint32_t slot, uint64_t dentry)
{
    const uint32_t index = (((dentry >> 6) + slot) * 0x9e3779b97f4a7c15ULL) >> 52;

    return bpf_map_lookup_elem(&cache, &index);
}

INLINE void who_of(const struct dentry *dentry, struct who *who)
{
    const struct inode *inode = BPF_CORE_READ(dentry, d_inode);
    const unsigned long magic = BPF_CORE_READ(dentry, d_sb, s_magic);

    who->inode = (uint64_t)inode;
    who->parent = (uint64_t)BPF_CORE_READ(dentry, d_parent);
    who->hash_len =
        (uint64_t)BPF_CORE_READ(dentry, d_name.len) << 32 | BPF_CORE_READ(dentry, d_name.hash);
    who->ino = BPF_CORE_READ(inode, i_ino);
    who->generation = BPF_CORE_READ(inode, i_generation);
    who->kept = inode != 0 && magic != OVERLAYFS && magic != FUSE;
}

INLINE int cached_take(uint32_t slot, struct scratch *scratch, uint64_t dentry)
{
    const struct who *who = &scratch->who;
    const struct cached *cached = cached_at(slot, dentry);
    uint64_t version;
    int same;

    if (cached == 0) {
        return 0;
    }
    version = cached->version;
    fence(scratch);
    same = (version & 1) == 0 && cached->dentry == dentry && cached->inode == who->inode &&
           cached->parent == who->parent && cached->hash_len == who->hash_len &&
           cached->ino == who->ino && cached->generation == who->generation &&
           cached->job == slot && cached->epoch == scratch->epoch &&
           cached->sequence == scratch->sequence;
    if (!same) {
        return 0;
    }
    scratch->count = cached->count;
    scratch->flags = cached->flags;
    scratch->set = cached->set;
    scratch->rule = cached->rule;
    for (uint32_t i = 0; i < CACHED_NAMES && i < cached->count; i++) {
        scratch->name[i] = cached->name[i];
    }
    fence(scratch);
    return cached->version == version;
}

INLINE void cached_put(uint32_t slot, struct scratch *scratch, uint64_t dentry)
{
    const struct who *who = &scratch->who;
    struct cached *cached = cached_at(slot, dentry);
    uint64_t version;

    if (cached == 0 || scratch->count > CACHED_NAMES) {
        return;
    }
    version = cached->version;
    if ((version & 1) != 0 ||
        __sync_val_compare_and_swap(&cached->version, version, version + 1) != version) {
        return;
    }
    cached->dentry = dentry;
    cached->inode = who->inode;
    cached->parent = who->parent;
    cached->hash_len = who->hash_len;
    cached->ino = who->ino;
    cached->generation = who->generation;
    cached->job = slot;
    cached->epoch = scratch->epoch;
    cached->sequence = scratch->sequence;
    cached->count = scratch->count;
    cached->flags = scratch->flags;
    cached->set = scratch->set;
    cached->rule = scratch->rule;
    for (uint32_t i = 0; i < CACHED_NAMES; i++) {
        cached->name[i] = scratch->name[i];
    }
    __sync_lock_test_and_set(&cached->version, version + 2);
}

/* The names of directory @dentry, kept or found out. */
INLINE int directory(uint32_t slot, uint32_t index, uint64_t dentry)
{
    struct scratch *scratch = scratch_at(index);

    if (scratch == 0) {
        return -1;
    }
    who_of((const struct dentry *)dentry, &scratch->who);
    if (scratch->who.kept && cached_take(slot, scratch, dentry)) {
        return 0;
    }
    walk(slot, index, dentry);
    /* Found out while something was renamed, it is not worth keeping. */
    if (scratch->who.kept && is_quiet(scratch)) {
        cached_put(slot, scratch, dentry);
    }
    return 0;
}

/*
 * Whatever else was renamed, @dentry was not, and neither was a directory above: all their turns
 * are those that were noted before the names were read, so they had those names at one time.
 */
APART int way_holds(uint32_t index, uint64_t dentry)
{
    struct scratch *scratch = scratch_at(index);
    struct climb climb = {.scratch = scratch};

    if (scratch == 0 || scratch->depth == 0 || (scratch->turn & 1) != 0 ||
        turn_of(dentry) != scratch->turn || parent_of(dentry) != scratch->chain[0]) {
        return 0;
    }
    bpf_loop(scratch->depth, hold_step, &climb, 0);
    return climb.top;
}

/* The names of @inode, which is or will be called @dentry. -1: renamed meanwhile, or one above. */
APART int names_once(uint32_t slot, uint32_t index, uint64_t dentry, uint64_t inode)
{
    struct scratch *scratch = scratch_at(index);
    const struct shape_job *job = job_at(slot);
    uint64_t parent;

    if (scratch == 0 || job == 0) {
        return -1;
    }
    scratch->sequence = renames();
    scratch->epoch = job->epoch;
    scratch->turn = turn_of(dentry);
    scratch->depth = 0;
    fence(scratch);
    parent = parent_of(dentry);
    directory(slot, index, parent);
    if (parent != dentry) {
        feed_last(slot, index, dentry);
        names_of(slot, index, inode);
    }
    fence(scratch);
    return job->epoch == scratch->epoch && (is_quiet(scratch) || way_holds(index, dentry)) ? 0 : -1;
}

/*
 * The same by pointers whose types the verifier follows, which is several times faster, for what
 * is asked most: files of a directory that is kept. 0: ask names_find().
 */
INLINE int names_kept(uint32_t slot, uint32_t index, struct scratch *scratch,
                      const struct dentry *dentry)
{
    const struct dentry *parent = dentry->d_parent;
    const struct inode *directory = parent->d_inode;
    const struct inode *inode = dentry->d_inode;
    const struct shape_job *job = job_at(slot);
    const uint32_t len = dentry->d_name.len;
    uint32_t bit;

    if (job == 0 || len > 255) {
        return 0;
    }
    scratch->sequence = renames();
    scratch->epoch = job->epoch;
    fence(scratch);
    scratch->who.inode = address(&scratch->to, directory);
    scratch->who.parent = address(&scratch->to, parent->d_parent);
    scratch->who.hash_len = (uint64_t)parent->d_name.len << 32 | parent->d_name.hash;
    scratch->who.ino = directory->i_ino;
    scratch->who.generation = directory->i_generation;
    if (!cached_take(slot, scratch, address(&scratch->to, parent))) {
        return 0;
    }
    scratch->text[0] = '/';
    if (bpf_probe_read_kernel(&scratch->text[1], len & 255, dentry->d_name.name) != 0) {
        return 0;
    }
    feed(slot, index, len + 1);
    bit = filter_bit(inode->i_ino);
    if ((job->filter[bit / 64 % 16] & (1ULL << (bit % 64))) != 0) {
        names_of(slot, index, address(&scratch->to, inode));
    }
    fence(scratch);
    return is_quiet(scratch) && job->epoch == scratch->epoch;
}

/* The same into the scratch; @inode 0: of whatever is called so. What cannot be named is lost. */
INLINE void names_find(uint32_t slot, uint32_t index, uint64_t dentry, uint64_t inode)
{
    int code = -1;

    for (uint32_t i = 0; i < TRIES && code != 0; i++) {
        code = names_once(slot, index, dentry, inode);
    }
    if (code != 0) {
        struct scratch *scratch = scratch_at(index);

        if (scratch != 0) {
            scratch->flags |= SCRATCH_LOST;
        }
    }
}

#endif
