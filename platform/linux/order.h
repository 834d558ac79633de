/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A spawn order: what a worker asks the supervisor to make real, and (in the
 * same layout, rewritten by the supervisor) what cordon-init is told to do.
 * One block without pointers: head, steps, then the strings they point into.
 *
 * Worker to supervisor: an object is a descriptor (@fd is its index among the
 * grants); strings only name what the deny tables are about and are handed on
 * as matcher data. Supervisor to cordon-init: every object step carries the
 * path that the supervisor read off the descriptor, with its device and inode,
 * which cordon-init compares after opening that path in the job's own view.
 */
#ifndef CORDON_LINUX_ORDER_H
#define CORDON_LINUX_ORDER_H

#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"

#define ORDER_MAGIC 0x4452524fU
#define ORDER_STEPS_MAX 16384U
#define ORDER_BYTES_MAX (8U * 1024U * 1024U)
#define ORDER_NO_FD UINT32_MAX
#define ORDER_NO_RULE UINT32_MAX

enum order_op {
    ORDER_GRANT_READ = 1, /* object: visible read-only */
    ORDER_GRANT_WRITE,    /* object: visible, writable */
    ORDER_PROTECT,        /* object below a write grant: read-only */
    ORDER_MASK,           /* string: deny the object of that name, if there is one */
    ORDER_SCAN,           /* string: walk below it with both tables, mask what they deny */
    ORDER_SOCKET,         /* object: a host socket the job may reach */
    ORDER_OP_COUNT
};

enum order_set { ORDER_SET_OWN = 0, ORDER_SET_MANAGED = 1 };

struct order_step {
    uint16_t op;
    uint16_t set;   /* enum order_set */
    uint32_t rule;  /* index in its set; ORDER_NO_RULE */
    uint32_t fd;    /* worker to supervisor only */
    uint32_t depth; /* ORDER_SCAN: directory levels below the prefix; 0: unbounded */
    uint32_t text;  /* offset of a NUL-terminated absolute path; 0: none */
    uint32_t text_len;
    uint64_t dev;   /* supervisor to init */
    uint64_t ino;
};

enum order_flag {
    ORDER_ROOT_READABLE = 1U << 0, /* the whole root is visible read-only; else an empty one */
    ORDER_ROOT_WRITABLE = 1U << 1, /* danger-full-access */
    ORDER_NET_HOST = 1U << 2,      /* no network namespace */
    ORDER_USER_NS = 1U << 3,       /* set by the supervisor: unprivileged, in a user namespace */
    ORDER_FLAGS_FROM_WORKER = ORDER_ROOT_READABLE | ORDER_ROOT_WRITABLE | ORDER_NET_HOST
};

#define ORDER_RLIMITS 16U
#define ORDER_GROUPS_MAX 65536U

/* Who the job is; filled in by the supervisor, ignored when a worker sends it. */
struct order_identity {
    uint32_t uid, gid;
    uint32_t group_count; /* u32 array at @groups (offset in the block) */
    uint32_t groups;
    uint32_t umask;
    int32_t nice;
    uint32_t loginuid;    /* UINT32_MAX: unset */
    uint32_t rlimit_mask; /* bit n: rlimit[n] is set */
    struct {
        uint64_t soft, hard;
    } rlimit[ORDER_RLIMITS]; /* by RLIMIT_* number */
};

struct order_head {
    uint32_t magic;
    uint32_t size; /* of the whole block */
    uint32_t flags;
    uint32_t step_count;
    uint32_t steps; /* offset of struct order_step[step_count], 8-aligned */
    uint32_t own_rules;     /* rule counts, for dfa_check() */
    uint32_t managed_rules;
    uint32_t cwd; /* offset of the path; supervisor to init only */
    uint64_t cwd_dev, cwd_ino;
    char job_id[24];
    struct order_identity identity;
};

/*
 * Checks a block from the other side: size, offsets, alignment, NUL-terminated
 * absolute strings, ops, sets, descriptor indexes below @grant_count. After
 * CORDON_OK every index in it may be used.
 * CORDON_E_INVALID with the first thing wrong.
 */
CORDON_MUST_USE enum cordon_err order_check(const void *block, size_t len, size_t grant_count,
                                            const struct order_head **ret_head,
                                            struct cordon_fault *fault);

const struct order_step *order_steps(const struct order_head *head);
/* The string at @offset, or NULL for 0. */
const char *order_text(const struct order_head *head, uint32_t offset);

#endif
