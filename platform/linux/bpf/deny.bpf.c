/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's part of the decision at access time: one set of programs for
 * all jobs. Compiled twice: as programs of the BPF security module, and (with
 * SHAPE_FMOD_RET) as programs in front of the security_* functions, for kernels
 * whose list of modules leaves that one out.
 */
#include "platform/linux/bpf/judge.bpf.h"

#include <bpf/bpf_tracing.h>

#ifdef SHAPE_FMOD_RET
#define HOOK(name) SEC("fmod_ret/security_" #name)
#else
#define HOOK(name) SEC("lsm/" #name)
#endif

char LICENSE[] SEC("license") = "GPL";

#define FMODE_EXEC 0x20U
#define FMODE_NOACCOUNT 0x20000000U /* opened by a layered file system for its own file */

/* In the range that the verifier allows: what comes from a function apart could be anything. */
INLINE int bounded(int code)
{
    if (code == 0) {
        return 0;
    }
    return code == -EXDEV ? -EXDEV : -EPERM;
}

INLINE int state_of(uint32_t slot)
{
    const struct shape_job *job = job_at(slot);

    return job != 0 ? job->state : SHAPE_BROKEN;
}

INLINE int judge_one(uint32_t slot, const struct dentry *dentry, uint32_t operation)
{
    const uint32_t index = scratch_claim();
    struct scratch *scratch = scratch_at(index);
    int code = -EPERM;

    if (scratch != 0) {
        code = bounded(judge(slot, index, address(&scratch->from, dentry), operation));
        scratch_release(index);
    }
    return code;
}

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
    if ((scratch->flags & SCRATCH_UNKNOWN) != 0) {
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
    if ((mode & FMODE_NOACCOUNT) != 0) {
        return 0;
    }
    if ((file->f_flags & FMODE_EXEC) != 0) {
        operation = OPERATION_EXEC;
    } else if ((BPF_CORE_READ(dentry, d_inode, i_mode) & MODE_TYPE) == MODE_DIRECTORY) {
        operation = OPERATION_LIST;
    }
    return judge_file(slot, file, operation);
}

/* ---- names that the job makes, changes, removes, looks into ---- */

/* What the running task's job may do with @dentry; nothing is asked of anybody else. */
INLINE int judge_current(const struct dentry *dentry, uint32_t operation)
{
    const uint32_t slot = job_current();

    if (slot == UINT32_MAX || state_of(slot) == SHAPE_SETTING) {
        return 0;
    }
    return judge_one(slot, dentry, operation);
}

/* Programs that only differ in whom they ask about. @number: of the argument. */
#define ON_DENTRY(hook, number, operation)                                                         \
    HOOK(hook) int on_##hook(unsigned long long *arguments)                                        \
    {                                                                                              \
        return judge_current((const struct dentry *)arguments[number], operation);                 \
    }

ON_DENTRY(inode_create, 1, OPERATION_CREATE)
ON_DENTRY(inode_mkdir, 1, OPERATION_CREATE)
ON_DENTRY(inode_mknod, 1, OPERATION_CREATE)
ON_DENTRY(inode_symlink, 1, OPERATION_CREATE)
ON_DENTRY(inode_setxattr, 1, OPERATION_CHANGE)
ON_DENTRY(inode_removexattr, 1, OPERATION_CHANGE)
ON_DENTRY(inode_set_acl, 1, OPERATION_CHANGE)
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
    place->flags |= job->next_flags;
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

/* ---- what is done to names, for every job there is ---- */

/* @from is the name that there is, @to the one that will be; 0: none. */
struct change {
    uint64_t from, to;
    uint32_t except; /* the job that does it: it was asked itself */
};

/* What @from is denied under now it stays denied under. */
APART int remember_file(uint32_t slot, uint32_t index, uint64_t from, uint64_t inode)
{
    struct scratch *scratch = scratch_at(index);

    if (scratch != 0 && inode != 0 && is_denied(slot, index, (const struct dentry *)from)) {
        if ((scratch->flags & SCRATCH_LOST) != 0) {
            job_break(slot);
        }
        place_deny(slot, inode, scratch->set, scratch->rule);
    }
    return 0;
}

/* The names of @dentry become the scratch's other ones. */
INLINE int names_other(uint32_t slot, uint32_t index, uint64_t dentry)
{
    struct scratch *scratch = scratch_at(index);

    if (scratch == 0) {
        return -1;
    }
    names_find(slot, index, (const struct dentry *)dentry);
    scratch->other_count = scratch->count;
    scratch->other_flags = scratch->flags;
    for (uint32_t i = 0; i < SHAPE_NAMES; i++) {
        scratch->other[i] = scratch->name[i];
    }
    return 0;
}

/* A directory keeps its old names for the job, if anything below is judged by them. */
APART int remember_directory(uint32_t slot, uint32_t index, uint64_t from, uint64_t to)
{
    struct scratch *scratch = scratch_at(index);

    if (scratch == 0) {
        return 0;
    }
    names_other(slot, index, to);
    if (is_denied(slot, index, (const struct dentry *)from)) {
        place_deny(slot, inode_of(from), scratch->set, scratch->rule);
    } else if (!same_below(slot, index)) {
        place_names(slot, index, inode_of(from));
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
    names_find(slot, index, (const struct dentry *)from);
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
        return -EPERM;
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
        return -EPERM;
    }
    change.from = address(&scratch->from, dentry);
    change.except = job_current();
    bpf_loop(jobs_high(), unlinked_for, &change, 0);
    scratch_release(index);
    return 0;
}

ON_DENTRY(inode_rmdir, 1, OPERATION_REMOVE)

/* ---- the rest of the host ---- */

INLINE uint32_t net_current(void)
{
    const struct task_struct *task = bpf_get_current_task_btf();

    return task->nsproxy->net_ns->ns.inum;
}

/* A socket of another network is for nobody in the job, unless it was listed. */
APART int judge_socket(uint32_t slot, uint32_t index, uint64_t other)
{
    const struct unix_sock *unix_sock = (const struct unix_sock *)other;
    const struct dentry *dentry = BPF_CORE_READ(unix_sock, path.dentry);
    const struct inode *inode = BPF_CORE_READ(dentry, d_inode);
    const struct shape_job *job = job_at(slot);
    struct scratch *scratch = scratch_at(index);
    const struct shape_place *place;
    struct shape_place_key key;

    if (job == 0 || scratch == 0) {
        return -EPERM;
    }
    if (inode != 0) {
        key_of(inode, &key);
        place = place_at(slot, &key);
        if (place != 0 && (place->flags & SHAPE_SOCKET) != 0) {
            return 0;
        }
    }
    if ((job->flags & SHAPE_NET_OWN) == 0 ||
        BPF_CORE_READ(unix_sock, sk.__sk_common.skc_net.net, ns.inum) == net_current()) {
        return inode == 0 ? 0 : judge(slot, index, (uint64_t)dentry, OPERATION_CONNECT);
    }
    scratch->set = SHAPE_SETS;
    scratch->rule = SHAPE_NONE;
    scratch->record.path_len = 0;
    scratch->record.dev = 0;
    if (dentry != 0) {
        spell(index, (uint64_t)dentry);
    }
    tell(slot, index, OPERATION_CONNECT);
    return -EPERM;
}

INLINE int judge_peer(const struct sock *other)
{
    const uint32_t slot = job_current();
    uint32_t index;
    struct scratch *scratch;
    int code = -EPERM;

    if (slot == UINT32_MAX || state_of(slot) == SHAPE_SETTING) {
        return 0;
    }
    index = scratch_claim();
    scratch = scratch_at(index);
    if (scratch != 0) {
        code = bounded(judge_socket(slot, index, address(&scratch->from, other)));
        scratch_release(index);
    }
    return code;
}

HOOK(unix_stream_connect)
int BPF_PROG(on_unix_stream_connect, struct sock *sock, struct sock *other)
{
    return judge_peer(other);
}

HOOK(unix_may_send)
int BPF_PROG(on_unix_may_send, struct socket *sock, struct socket *other)
{
    return judge_peer(other->sk);
}

/* Under full access: what is denied is denied in those, too. */
INLINE int user_namespaces(uint32_t slot)
{
    const struct shape_job *job = job_at(slot);

    return job != 0 && (job->flags & SHAPE_USER_NAMESPACES) != 0;
}

#ifdef SHAPE_FMOD_RET
SEC("fmod_ret/security_create_user_ns")
#else
SEC("lsm/userns_create")
#endif
int on_userns_create(void *arguments)
{
    const uint32_t slot = job_current();

    return slot == UINT32_MAX || state_of(slot) == SHAPE_SETTING || user_namespaces(slot) ? 0
                                                                                          : -EPERM;
}

HOOK(ptrace_access_check)
int BPF_PROG(on_ptrace_access_check, struct task_struct *child)
{
    const uint32_t slot = job_current();

    return slot == UINT32_MAX || state_of(slot) == SHAPE_SETTING || job_of(child) == slot ? 0
                                                                                          : -EPERM;
}

/* ---- asked once, by the loader ---- */

/* kernel/sched/core.c; where it is missing the kernel's model is fixed when it is built. */
extern const void preempt_dynamic_mode __ksym __weak;

SEC("raw_tp/sys_enter")
int ask_preempt(void *context)
{
    const uint32_t zero = 0;
    struct shape_summary *now = bpf_map_lookup_elem(&summary, &zero);

    if (now == 0) {
        return 0;
    }
    now->preempt = SHAPE_NONE;
    if (&preempt_dynamic_mode != 0) {
        bpf_probe_read_kernel(&now->preempt, sizeof(now->preempt), &preempt_dynamic_mode);
    }
    return 0;
}
