/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's part of the decision at access time: one set of programs for
 * all jobs. Compiled twice: as programs of the BPF security module, and (with
 * SHAPE_FMOD_RET) as programs in front of the security_* functions, for kernels
 * whose list of modules leaves that one out.
 */
#include "platform/linux/bpf/change.bpf.h"
#include "platform/linux/bpf/peer.bpf.h"

char LICENSE[] SEC("license") = "GPL";

#define FMODE_EXEC 0x20U
#define FMODE_NOACCOUNT 0x20000000U /* opened by a layered file system for its own file */

/* As it is called in the job's view: a mask has no name of its own that tells anything. */
INLINE int judge_file(uint32_t slot, struct file *file, uint32_t operation)
{
    const uint32_t index = scratch_claim();
    struct scratch *scratch = scratch_at(index);
    int code = -EPERM;
    long len;

    if (scratch == 0) {
        return code;
    }
    address(&scratch->from, file->f_path.dentry);
    if (state_of(slot) == SHAPE_ACTIVE && names_kept(slot, index, scratch, file->f_path.dentry)) {
        code = bounded(-decide(slot, index));
    } else {
        code = bounded(judge_only(slot, index, scratch->from));
    }
    /* Mounted since the job began, by the kernel for one that looked there: nobody can judge it. */
    if (((scratch->flags & SCRATCH_UNKNOWN) != 0 && (file->f_mode & FMODE_NOACCOUNT) == 0) ||
        is_link_unknown(slot, scratch->from)) {
        code = -EPERM;
    }
    if (code != 0) {
        len = bpf_d_path(&file->f_path, scratch->record.path, SHAPE_PATH_MAX);
        scratch->record.path_len = len > 1 && len <= SHAPE_PATH_MAX ? len - 1 : 0;
        scratch->record.dev = 0;
        if (scratch->record.path_len == 0) {
            spell(index, scratch->from);
        }
        rule_find(slot, index);
        tell(slot, index, operation);
    }
    scratch_release(index);
    return code;
}

HOOK(file_open)
int BPF_PROG(on_open, struct file *file)
{
    const uint32_t slot = job_current();
    const struct dentry *dentry;
    uint32_t operation = OPERATION_OPEN;
    uint32_t mode;

    if (slot == UINT32_MAX || state_of(slot) == SHAPE_SETTING) {
        return 0;
    }
    dentry = file->f_path.dentry;
    mode = file->f_mode;
    /* Before Linux 6.5 what overlayfs opens for itself has the name that was judged already. */
    if ((mode & FMODE_NOACCOUNT) != 0 && BPF_CORE_READ(dentry, d_sb, s_magic) == OVERLAYFS) {
        return 0;
    }
    if ((file->f_flags & FMODE_EXEC) != 0) {
        operation = OPERATION_EXEC;
    } else if ((BPF_CORE_READ(dentry, d_inode, i_mode) & MODE_TYPE) == MODE_DIRECTORY) {
        operation = OPERATION_LIST;
    }
    return judge_file(slot, file, operation);
}

/* ---- names that the job makes, changes, looks into ---- */

ON_DENTRY(inode_create, 1, OPERATION_CREATE)
ON_DENTRY(inode_mkdir, 1, OPERATION_CREATE)
ON_DENTRY(inode_mknod, 1, OPERATION_CREATE)
ON_DENTRY(inode_symlink, 1, OPERATION_CREATE)
ON_DENTRY(inode_setxattr, 1, OPERATION_CHANGE)
ON_DENTRY(inode_removexattr, 1, OPERATION_CHANGE)
ON_DENTRY(inode_set_acl, 1, OPERATION_CHANGE)
ON_DENTRY(inode_remove_acl, 1, OPERATION_CHANGE)
ON_DENTRY(inode_get_acl, 1, OPERATION_ATTRIBUTE)
ON_DENTRY(inode_listxattr, 0, OPERATION_ATTRIBUTE)
ON_DENTRY(inode_readlink, 0, OPERATION_ATTRIBUTE)
ON_DENTRY(inode_follow_link, 0, OPERATION_OPEN)

/* By a job's first process: what it asks about is remembered. */
APART int place_register(uint32_t slot, uint64_t inode)
{
    struct shape_job *job = job_at(slot);
    struct shape_place_key key;
    struct shape_place *place;
    uint32_t count;
    int known = 0;

    if (job == 0 || inode == 0) {
        return -EPERM;
    }
    job->armed = 0;
    place = place_make(slot, (const struct inode *)inode, &key);
    if (place == 0) {
        return -EPERM;
    }
    __sync_fetch_and_or(&place->flags, job->next_flags);
    count = place->count;
    for (uint32_t i = 0; i < SHAPE_NAMES; i++) {
        known |= i < count && same_name(&place->name[i], &job->next);
    }
    if (job->next.sets != 0 && !known) {
        if (count >= SHAPE_NAMES) {
            return -EPERM;
        }
        place->name[count] = job->next;
        place->count = count + 1;
    }
    place_seen(job, &key);
    return -SHAPE_REGISTERED;
}

HOOK(inode_getxattr)
int BPF_PROG(on_inode_getxattr, struct dentry *dentry)
{
    const uint32_t slot = job_current();
    const struct shape_job *job = job_at(slot);
    uint32_t index;
    struct scratch *scratch;
    int code = -EPERM;

    if (slot == UINT32_MAX || job == 0) {
        return 0;
    }
    if (!job->armed) {
        return judge_current(dentry, OPERATION_ATTRIBUTE);
    }
    index = scratch_claim();
    scratch = scratch_at(index);
    if (scratch != 0) {
        code = place_register(slot, inode_of(address(&scratch->from, dentry)));
        scratch_release(index);
    }
    return code == -SHAPE_REGISTERED ? -SHAPE_REGISTERED : -EPERM;
}

/* Linux 6.1 has one argument less. The loader keeps the one that fits. */
HOOK(inode_setattr) int on_inode_setattr_0(unsigned long long *arguments)
{
    return judge_current((const struct dentry *)arguments[0], OPERATION_CHANGE);
}

HOOK(inode_setattr) int on_inode_setattr_1(unsigned long long *arguments)
{
    return judge_current((const struct dentry *)arguments[1], OPERATION_CHANGE);
}

HOOK(path_notify)
int BPF_PROG(on_path_notify, const struct path *path)
{
    return judge_current(path->dentry, OPERATION_WATCH);
}

HOOK(file_receive)
int BPF_PROG(on_file_receive, struct file *file)
{
    return judge_current(file->f_path.dentry, OPERATION_RECEIVE);
}

/* ---- asked once, by the loader ---- */

/* kernel/sched/core.c; where it is missing the kernel's model is fixed when it is built. */
extern const void preempt_dynamic_mode __ksym __weak;

SEC("raw_tp/sys_enter")
int ask_kernel(void *context)
{
    const uint32_t zero = 0;
    struct shape_summary *now = bpf_map_lookup_elem(&summary, &zero);
    uint32_t count;

    if (now == 0) {
        return 0;
    }
    /* Where kernel.kptr_restrict hides addresses, there is nothing to read. */
    now->renames_seen = bpf_probe_read_kernel(&count, sizeof(count), &rename_lock) == 0;
    now->preempt = SHAPE_NONE;
    if (&preempt_dynamic_mode != 0) {
        bpf_probe_read_kernel(&now->preempt, sizeof(now->preempt), &preempt_dynamic_mode);
    }
    return 0;
}
