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

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"
#include "platform/base/strbuf.h"

#define ORDER_MAGIC 0x4452524fU
#define ORDER_STEPS_MAX 16384U
#define ORDER_BYTES_MAX (8U * 1024U * 1024U)
/* Bytes of one text with its NUL; no path of the kernel's is longer. */
#define ORDER_TEXT_MAX 8192U
#define ORDER_NO_FD UINT32_MAX
#define ORDER_NO_RULE UINT32_MAX
#define ORDER_NO_SLOT UINT32_MAX

enum order_op {
    ORDER_GRANT_READ = 1, /* object: visible at its own path, read-only */
    ORDER_GRANT_WRITE,    /* object: visible at its own path, writable */
    ORDER_SOCKET,         /* object: a host socket the job may reach */
    ORDER_PROTECT,        /* text: the object of that name is read-only */
    ORDER_MASK,           /* text: the object of that name is denied */
    ORDER_LINK,           /* text, aux: a symbolic link in the view's own file systems */
    ORDER_SCAN,           /* text: walk below it; mask or protect what the set's table says */
    ORDER_WATCH,          /* text: below it, the set's table decides at each access */
    /* text: a directory, bound onto itself, so that it cannot be renamed. Of the managed set: with
     * all above it. */
    ORDER_PIN,
    ORDER_OP_COUNT
};

enum order_set { ORDER_SET_OWN = 0, ORDER_SET_MANAGED = 1, ORDER_SET_COUNT = 2 };

enum order_step_flag {
    ORDER_STEP_OPEN = 1U, /* ORDER_MASK: something below is granted again by a later step */
    ORDER_STEP_LINK = 2U  /* the symbolic link itself, not what it leads to */
};

struct order_step {
    uint16_t op;
    uint16_t flags; /* enum order_step_flag */
    uint32_t set;   /* enum order_set */
    uint32_t rule;  /* index in its set; ORDER_NO_RULE */
    uint32_t fd;    /* worker to supervisor: index among the grants; else ORDER_NO_FD */
    uint32_t depth; /* ORDER_SCAN: directory levels below the prefix; 0: unbounded */
    uint32_t text;  /* offset of a NUL-terminated absolute path; 0: none */
    uint32_t aux;   /* offset of a NUL-terminated string; 0: none */
    uint32_t reserved;
    uint64_t dev; /* supervisor to init: the object at @text */
    uint64_t ino;
};

enum order_flag {
    ORDER_ROOT_READABLE = 1U << 0,  /* the whole root is visible read-only; else an empty one */
    ORDER_ROOT_WRITABLE = 1U << 1,  /* ... visible as it is */
    ORDER_NET_HOST = 1U << 2,       /* no network namespace */
    ORDER_FULL_ACCESS = 1U << 3,    /* danger-full-access: denials only, no second wall */
    ORDER_USER_NS = 1U << 4,        /* set by the supervisor: unprivileged, in a user namespace */
    ORDER_MINIMUM_KERNEL = 1U << 5, /* refuse where denials cannot be decided at access time */
    ORDER_FLAGS_FROM_WORKER = ORDER_ROOT_READABLE | ORDER_ROOT_WRITABLE | ORDER_NET_HOST |
                              ORDER_FULL_ACCESS | ORDER_MINIMUM_KERNEL
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
    int32_t oom_score_adj;
    uint32_t loginuid;    /* UINT32_MAX: unset */
    uint32_t rlimit_mask; /* bit n: rlimit[n] is set */
    struct {
        uint64_t soft, hard;
    } rlimit[ORDER_RLIMITS]; /* by RLIMIT_* number */
};

struct order_head {
    uint32_t magic;
    uint32_t size;         /* of the whole block */
    uint32_t landlock_abi; /* supervisor to init; 0: there is none */
    uint32_t flags;
    uint32_t step_count;
    uint32_t steps; /* offset of struct order_step[step_count], 8-aligned */
    /* For each set: enum policy_access of every rule, one byte each, at an offset. */
    uint32_t rule_count[ORDER_SET_COUNT];
    uint32_t access[ORDER_SET_COUNT];
    uint32_t cwd; /* offset of the path; supervisor to init only */
    uint64_t cwd_dev, cwd_ino;
    /* Supervisor to init: the job's slot in the kernel's program, and where in its map the tables
     * lie; ORDER_NO_SLOT: fanotify decides, or nothing. */
    uint32_t slot;
    uint32_t table[ORDER_SET_COUNT];
    /* Supervisor to init: what the command gets of each RLIMIT_*, if that is less than it has. */
    uint32_t limit_mask; /* bit n: limit[n] is set */
    uint64_t limit[ORDER_RLIMITS];
    struct order_identity identity;
};

/*
 * Checks a block from the other side: size, offsets, alignment, NUL-terminated
 * absolute strings of at most ORDER_TEXT_MAX, ops, sets, descriptor indexes below @grant_count.
 * After CORDON_OK every index in it may be used. CORDON_E_INVALID with the first thing wrong.
 */
CORDON_MUST_USE enum cordon_err order_check(const void *block, size_t len, size_t grant_count,
                                            const struct order_head **ret_head,
                                            struct cordon_fault *fault);

const struct order_step *order_steps(const struct order_head *head);
bool order_has(const struct order_head *head, enum order_op op);
/* Something is decided at each access. */
bool order_watches(const struct order_head *head);
/* The string at @offset, or NULL for 0. */
const char *order_text(const struct order_head *head, uint32_t offset);
/* Access bytes (enum policy_access) of a set's rules. */
const uint8_t *order_access(const struct order_head *head, uint32_t set);

/*
 * Making a block: begin, add steps and texts in any order, finish. Errors are
 * sticky; order_finish() reports them. order_builder_deinit() always.
 */
struct order_builder {
    struct order_head head;
    struct strbuf texts;      /* first byte unused, so that offset 0 means none */
    struct order_step *steps; /* owned */
    size_t step_count, step_room;
    bool failed;
};
void order_begin(struct order_builder *builder);
void order_builder_deinit(struct order_builder *builder);
/* Offset of a copy of @len bytes (a NUL is added), relative to the text area. */
uint32_t order_add_text(struct order_builder *builder, const void *text, size_t len);
void order_add_step(struct order_builder *builder, const struct order_step *step);
/* *ret_block is malloc'ed. CORDON_E_LIMIT, CORDON_E_NOMEM. */
CORDON_MUST_USE enum cordon_err order_finish(struct order_builder *builder, void **ret_block,
                                             size_t *ret_len, struct cordon_fault *fault);

/*
 * Descriptors of cordon-init. It is started with those before INIT_FD_ORDER, and nothing else is
 * open; the others come with struct init_parts.
 */
enum order_init_fd {
    INIT_FD_CHANNEL = 3, /* to the supervisor: init_parts, init_go; then what came with that */
    INIT_FD_REPORT,      /* write end: struct ipc_report, one write each */

    INIT_FD_ORDER,      /* sealed memfd: this block */
    INIT_FD_OWN,        /* sealed memfd: the profile's table */
    INIT_FD_MANAGED,    /* sealed memfd: the managed table */
    INIT_FD_SOCKETS,    /* /proc/net/unix of the host's network namespace */
    INIT_FD_CGROUP,     /* for the command: cgroup.procs; /dev/null when there is none */
    INIT_FD_VIOLATIONS, /* to send on: struct ipc_violation, one each; /dev/null: nobody asks */
    INIT_FD_TALLY,      /* memfd: uint64_t, all denials so far; with INIT_FD_VIOLATIONS */
    INIT_FD_TAGS,       /* with order_head.slot: maps of the kernel's program; else /dev/null */
    INIT_FD_JOBS,
    INIT_FD_INDEX, /* to ask cordon-index on; /dev/null: there is none */
    INIT_FD_USUAL, /* memfd: struct usual; /dev/null: nobody keeps that */
    INIT_FD_KEPT,  /* sealed memfd: what walks need not read again (barren_place.h); else /dev/null
                    */
    INIT_FD_FOUND, /* memfd: for the same from now on; /dev/null: nobody keeps that */
    INIT_FD_COUNT
};

/* What its job is: one SOCK_SEQPACKET datagram, with the descriptors from INIT_FD_ORDER on. */
#define INIT_PARTS_MAGIC 0x5452504eU
struct init_parts {
    uint32_t magic;
    uint32_t ahead; /* no command is due yet */
};

/*
 * That a command is due: one SOCK_SEQPACKET datagram from the supervisor; its descriptor is the
 * channel to the worker.
 */
#define INIT_GO_MAGIC 0x4f474e49U
struct init_go {
    uint32_t magic;
    uint32_t check; /* report IPC_REPORT_STALE and end if the set-up would be another one now */
};
/* Back, one byte, before that: what needs no job is made, and it waits for one. */
#define INIT_WAITS 'w'
/*
 * Back, one byte: the command is being executed. It wakes nobody; IPC_REPORT_RUNNING follows if it
 * does not end at once.
 */
#define INIT_RUNS 'r'

#endif
