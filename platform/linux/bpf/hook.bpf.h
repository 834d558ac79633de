/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs at the hooks are made of. */
#ifndef CORDON_LINUX_BPF_HOOK_H
#define CORDON_LINUX_BPF_HOOK_H

#include "platform/linux/bpf/judge.bpf.h"

#include <bpf/bpf_tracing.h>

#ifdef SHAPE_FMOD_RET
#define HOOK(name) SEC("fmod_ret/security_" #name)
#else
#define HOOK(name) SEC("lsm/" #name)
#endif

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

#endif
