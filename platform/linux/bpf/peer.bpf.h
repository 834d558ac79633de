/* SPDX-License-Identifier: Apache-2.0 */
/* Ways to others: sockets, user namespaces, traces. */
#ifndef CORDON_LINUX_BPF_PEER_H
#define CORDON_LINUX_BPF_PEER_H

#include "platform/linux/bpf/hook.bpf.h"

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
        const int code = judge(slot, index, (uint64_t)dentry, OPERATION_CONNECT);

        if (code != 0) {
            return code;
        }
        key_of(inode, &key);
        place = place_at(slot, &key);
        if (place != 0 && (place->flags & SHAPE_SOCKET) != 0) {
            return 0;
        }
    }
    if ((job->flags & SHAPE_NET_OWN) == 0 ||
        BPF_CORE_READ(unix_sock, sk.__sk_common.skc_net.net, ns.inum) == net_current()) {
        return 0;
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

#endif
