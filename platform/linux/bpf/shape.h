/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel's program and its users share: the shapes of the maps. Plain
 * integers in host order, so that both compilers lay them out alike.
 *
 * A *name* is how far both rule tables have read the name of a directory. A
 * *place* is a name that an object has or had besides what its directory says:
 * the root of a mount, a directory that a link leads to, an object that was
 * moved or linked away from a denied name. Whatever lies below it is judged
 * under that name too.
 */
#ifndef CORDON_LINUX_BPF_SHAPE_H
#define CORDON_LINUX_BPF_SHAPE_H

#ifndef __bpf__
#include <stdint.h>
#endif

#define SHAPE_VERSION 1U
#define SHAPE_JOBS 256U
#define SHAPE_PLACES 65536U
#define SHAPE_SETS 2U  /* enum order_set */
#define SHAPE_LANES 8U /* the parts of both tables */
#define SHAPE_NAMES 4U /* of one object */
#define SHAPE_RING_BYTES (128U * 1024U)
#define SHAPE_PATH_MAX 4096U
#define SHAPE_NONE UINT32_MAX
#define SHAPE_ACCESS_DENY 0U /* enum policy_access */

/*
 * A place is registered by asking the object for this attribute: that reaches the program and
 * then, answered with this error, no file system.
 */
#define SHAPE_ATTRIBUTE "security.cordon"
#define SHAPE_REGISTERED 117 /* EUCLEAN */

enum shape_state {
    SHAPE_FREE,    /* no job */
    SHAPE_SETTING, /* nothing is refused yet, but what becomes of names is noted */
    SHAPE_ACTIVE,
    SHAPE_BROKEN /* something could not be remembered: everything is refused */
};

enum shape_flag {
    SHAPE_NET_OWN = 1, /* the job has a network of its own: no socket of another is for it */
    SHAPE_USER_NAMESPACES = 2, /* it may make some */
    SHAPE_LINKS_UNKNOWN = 4    /* files with several links may be denied by a name nobody knows */
};

enum shape_place_flag {
    SHAPE_PRIVATE = 1, /* the job's own file system: no rule is about it */
    SHAPE_DENIED = 2,  /* by object: @set and @rule say why */
    SHAPE_SOCKET = 4   /* a socket of the host that the job may reach */
};

/* Of one part of a table; places in the map `cells`, counted in its 8-byte elements. */
struct shape_lane {
    uint32_t states, cells, classes;
    uint32_t start;
    uint32_t set;
    uint32_t reserved;
};

struct shape_set {
    uint32_t ranks;  /* first element of the rule ids by rank, two to an element */
    uint32_t access; /* first element of the rules' access bytes */
};

struct shape_name {
    uint32_t state[SHAPE_LANES];
    uint32_t covered[SHAPE_SETS]; /* as in struct dfa_pos */
    uint32_t sets;                /* bit n: it is a name for set n */
    uint32_t reserved;
};

struct shape_job {
    uint32_t state; /* enum shape_state */
    uint32_t flags; /* enum shape_flag */
    uint32_t epoch; /* counts places: what was read before one came is read again */
    uint32_t lane_count;
    struct shape_lane lane[SHAPE_LANES];
    struct shape_set set[SHAPE_SETS];
    /* The next place that its first process asks for an attribute is remembered with these. */
    uint32_t armed;
    uint32_t next_flags;
    struct shape_name next; /* sets 0: none */
    uint64_t denied;        /* accesses refused so far */
    uint64_t lost;          /* of those, since the last record that had room */
    uint64_t filter[16];    /* a bit for each inode number that has a place */
};

struct shape_place_key {
    uint64_t ino;
    uint32_t dev; /* the kernel's number of the super block */
    uint32_t generation;
};

struct shape_place {
    uint32_t flags; /* enum shape_place_flag */
    uint32_t count;
    uint32_t set, rule; /* SHAPE_SETS, SHAPE_NONE: none in particular */
    struct shape_name name[SHAPE_NAMES];
};

/* A denial. */
struct shape_record {
    uint64_t lost;
    uint32_t pid;
    uint32_t set, rule;
    uint32_t dev;       /* 0: the path is as the job has it; else as the file system there has it */
    uint16_t operation; /* enum ipc_operation */
    uint16_t path_len;
    char comm[16];
    char path[SHAPE_PATH_MAX];
};

/* Pinned instead of all that, where the kernel did not take the program: one element. */
#define SHAPE_REFUSED "refused"
struct shape_refusal {
    uint64_t build;
    char reason[248];
};

/* The one element of `summary`. */
struct shape_summary {
    uint32_t high;         /* no job has this slot or a higher one */
    uint32_t preempt;      /* enum of kernel/sched/core.c; SHAPE_NONE: fixed at its build */
    uint32_t way;          /* how the programs are attached: the loader's */
    uint32_t complete;     /* all of it is pinned */
    uint32_t renames_seen; /* the kernel's count of renames can be read */
    uint32_t reserved;
    uint64_t build; /* of the program: another one is not ours to go on with */
};

#endif
