/* SPDX-License-Identifier: Apache-2.0 */
/* The maps, and what is looked up in them. */
#ifndef CORDON_LINUX_BPF_MAPS_H
#define CORDON_LINUX_BPF_MAPS_H

#include "platform/linux/bpf/kernel.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "platform/linux/bpf/shape.h"

#define CHAIN_MAX 2048U /* directories above an object: a deeper one is refused */
#define SCRATCHES 256U
#define CACHED 4096U
#define CACHED_NAMES 2U
#define LEVELS_MAX 8U    /* of pid namespaces that are looked at */
#define LEVELS_LIMIT 64U /* that there can be: MAX_PID_NS_LEVEL is 32 */

#define INLINE static __attribute__((always_inline)) inline
/* Checked by the verifier once and by itself, so it takes numbers only. */
#define APART __attribute__((noinline))

/* Who a directory is. Its address may be another's later; all of this cannot be. */
struct who {
    uint64_t inode, parent, hash_len, ino;
    uint32_t generation;
    uint32_t kept; /* not where inodes have numbers only, which come again */
};

/* Where one judgement is worked out. Tasks may be preempted in it, so it is not per CPU. */
struct scratch {
    uint32_t busy;
    uint32_t fence;
    uint64_t from, to; /* addresses of the dentries that the hook is about */
    uint32_t count;    /* of @name */
    uint32_t flags;    /* enum shape_place_flag of all places met; SCRATCH_* */
    uint32_t set, rule;
    uint32_t sequence; /* of the kernel's renames, when this began */
    uint32_t epoch;
    struct who who;
    struct shape_name name[SHAPE_NAMES];
    struct shape_name other[SHAPE_NAMES]; /* a second object's */
    uint32_t other_count;
    uint32_t other_flags;
    uint32_t depth; /* of @chain, where it was climbed; 0: what is kept was taken */
    uint32_t turn;  /* of the dentry that is asked about, when this began */
    uint64_t chain[CHAIN_MAX];
    uint32_t turns[CHAIN_MAX]; /* of each in @chain */
    char text[SHAPE_PATH_MAX];
    struct shape_record record;
    char behind[256]; /* of the record's path: the last name may be written past its end */
};

#define SCRATCH_LOST 0x100U    /* no name could be made out */
#define SCRATCH_UNKNOWN 0x200U /* the file system is mounted nowhere that we know of */

/* What was found out about a directory; good as long as no name and no place has changed. */
struct cached {
    uint64_t version; /* odd while it is written */
    uint64_t dentry, inode, parent, hash_len, ino;
    uint32_t generation, job, epoch, sequence;
    uint32_t count, flags, set, rule;
    struct shape_name name[CACHED_NAMES];
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, SHAPE_JOBS * 2);
    __type(key, uint32_t); /* inode number of the job's pid namespace: it cannot leave that */
    __type(value, uint32_t);
} tags SEC(".maps");

/* The broker and a job's first process write to it where it is mapped. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, SHAPE_JOBS);
    __type(key, uint32_t);
    __type(value, struct shape_job);
} jobs SEC(".maps");

/* Of each job its own. Never a map that forgets: a full one breaks the job instead. */
struct place_map {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(map_flags, BPF_F_NO_PREALLOC);
    __uint(max_entries, SHAPE_PLACES);
    __uint(key_size, sizeof(struct shape_place_key));
    __uint(value_size, sizeof(struct shape_place));
};
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, SHAPE_JOBS);
    __type(key, uint32_t);
    __array(values, struct place_map);
} places SEC(".maps");

/* All tables; as long as the loader says. */
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(map_flags, BPF_F_MMAPABLE);
    __uint(max_entries, 1024);
    __type(key, uint32_t);
    __type(value, uint64_t);
} cells SEC(".maps");

struct ring {
    __uint(type, BPF_MAP_TYPE_RINGBUF);
    __uint(max_entries, SHAPE_RING_BYTES);
};
struct {
    __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
    __uint(max_entries, SHAPE_JOBS);
    __type(key, uint32_t);
    __array(values, struct ring);
} rings SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, 1);
    __type(key, uint32_t);
    __type(value, struct shape_summary);
} summary SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, SCRATCHES);
    __type(key, uint32_t);
    __type(value, struct scratch);
} scratches SEC(".maps");

struct {
    __uint(type, BPF_MAP_TYPE_ARRAY);
    __uint(max_entries, CACHED);
    __type(key, uint32_t);
    __type(value, struct cached);
} cache SEC(".maps");

INLINE struct shape_job *job_at(uint32_t slot)
{
    return bpf_map_lookup_elem(&jobs, &slot);
}

INLINE struct scratch *scratch_at(uint32_t index)
{
    return bpf_map_lookup_elem(&scratches, &index);
}

INLINE struct shape_place *place_at(uint32_t slot, const struct shape_place_key *key)
{
    void *map = bpf_map_lookup_elem(&places, &slot);

    return map != 0 ? bpf_map_lookup_elem(map, key) : 0;
}

/* Element @index of the tables; 0 beyond their end, which no table that was checked asks for. */
INLINE uint64_t cell_at(uint32_t index)
{
    const uint64_t *cell = bpf_map_lookup_elem(&cells, &index);

    return cell != 0 ? *cell : 0;
}

/* What was read before it was read before, on every processor. */
INLINE void fence(struct scratch *scratch)
{
    /* An exchange: an addition whose result nobody uses orders nothing on other processors. */
    __sync_lock_test_and_set(&scratch->fence, 1);
}

/* UINT32_MAX: all are in use, by tasks that were interrupted. */
INLINE uint32_t scratch_claim(void)
{
    /*
     * The thread's number, not the processor's: where there is one processor a kernel knows that
     * as 0, and follows each index through all that comes after it, until it gives up (7.2).
     */
    const uint32_t first = (uint32_t)bpf_get_current_pid_tgid();

    for (uint32_t i = 0; i < SCRATCHES; i++) {
        const uint32_t index = (first + i) % SCRATCHES;
        struct scratch *scratch = scratch_at(index);

        if (scratch != 0 && __sync_val_compare_and_swap(&scratch->busy, 0, 1) == 0) {
            return index;
        }
    }
    return UINT32_MAX;
}

/*
 * A typed pointer as a number: the verifier knows no other way from one to the other than
 * through memory that it does not follow.
 */
INLINE uint64_t address(volatile uint64_t *through, const void *pointer)
{
    *through = (uint64_t)pointer;
    return *through;
}

INLINE void scratch_release(uint32_t index)
{
    struct scratch *scratch = scratch_at(index);

    if (scratch != 0) {
        __sync_lock_test_and_set(&scratch->busy, 0);
    }
}

/* The job that the task is of; UINT32_MAX: none. Its pid namespaces tell. */
INLINE uint32_t job_of(const struct task_struct *task)
{
    const struct pid *pid = task->thread_pid;
    uint32_t level = pid->level;

    for (uint32_t i = 0; i < LEVELS_MAX && level > 0; i++, level--) {
        const uint32_t at = level % LEVELS_LIMIT * bpf_core_type_size(struct upid) +
                            bpf_core_field_offset(struct upid, ns);
        const struct pid_namespace *namespace = 0;
        uint32_t inum = 0;
        const uint32_t *slot;

        bpf_probe_read_kernel(&namespace, sizeof(namespace), (const char *)&pid->numbers + at);
        inum = BPF_CORE_READ(namespace, ns.inum);
        slot = bpf_map_lookup_elem(&tags, &inum);
        if (slot != 0) {
            return *slot;
        }
    }
    return UINT32_MAX;
}

INLINE uint32_t job_current(void)
{
    return job_of(bpf_get_current_task_btf());
}

#endif
