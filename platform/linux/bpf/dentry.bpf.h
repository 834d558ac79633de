/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is read of dentries, which are known by their addresses: BPF_CORE_READ takes no member of
 * ours for its first argument. Programs run in a section of RCU, in which no dentry's memory
 * becomes another's.
 */
#ifndef CORDON_LINUX_BPF_DENTRY_H
#define CORDON_LINUX_BPF_DENTRY_H

#include "platform/linux/bpf/maps.bpf.h"

#define MODE_TYPE 0170000U
#define MODE_DIRECTORY 0040000U
#define MODE_REGULAR 0100000U

/* linux/dcache.h: odd while a rename is under way. */
extern const void rename_lock __ksym;

INLINE uint32_t renames(void)
{
    uint32_t count;

    /* Odd: nothing that was read then counts. */
    return bpf_probe_read_kernel(&count, sizeof(count), &rename_lock) == 0 ? count : 1;
}

/* Nothing was renamed since @scratch began. */
INLINE int is_quiet(const struct scratch *scratch)
{
    return (scratch->sequence & 1) == 0 && renames() == scratch->sequence;
}

INLINE uint64_t inode_of(uint64_t dentry)
{
    const struct dentry *at = (const struct dentry *)dentry;

    return (uint64_t)BPF_CORE_READ(at, d_inode);
}

INLINE uint64_t parent_of(uint64_t dentry)
{
    const struct dentry *at = (const struct dentry *)dentry;

    return (uint64_t)BPF_CORE_READ(at, d_parent);
}

/* Another after each change of the name or the directory of @dentry, odd meanwhile. */
INLINE uint32_t turn_of(uint64_t dentry)
{
    const struct dentry *at = (const struct dentry *)dentry;

    return BPF_CORE_READ(at, d_seq.seqcount.sequence);
}

/* Of an inode that there is. */
INLINE uint32_t mode_of(uint64_t dentry)
{
    const struct inode *inode = (const struct inode *)inode_of(dentry);

    return inode == 0 ? 0 : BPF_CORE_READ(inode, i_mode);
}

#endif
