/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What broker/ knows of an operating system: one table of operations, values
 * and handles only, so that a proxy to a helper is just another table. The
 * worker calls resolve, plan and order with the caller's own rights; the
 * supervisor calls probe, spawn, signal, poll, release and cleanup.
 */
#ifndef CORDON_PLATFORM_H
#define CORDON_PLATFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "platform/base/arena.h"
#include "platform/ipc.h"
#include "platform/plan.h"
#include "policy/policy.h"

_Static_assert(IPC_LIMITS == POLICY_LIMIT_COUNT, "a limit is missing in ipc.h");

/* Who is at the other end of a connection; from the kernel only. */
struct platform_peer {
    uint32_t uid, gid;
    uint32_t *groups; /* malloc'ed; group_count of them */
    size_t group_count;
    char label[128]; /* security label; "" when there is none */
    int pidfd;       /* of the peer; -1 before Linux 6.5; owned */
    int token;       /* Windows: what it runs with; elsewhere never looked at; owned */
    int32_t pid;     /* for display and for reading attributes guarded by @pidfd; never trusted */
    /* Attributes that a job inherits, read from the peer's own process. */
    uint32_t umask;
    int32_t nice;
    int32_t oom_score_adj;
    uint32_t loginuid; /* UINT32_MAX: unset */
    uint32_t rlimit_mask;
    struct {
        uint64_t soft, hard;
    } rlimit[16];
};

/*
 * Identity of the peer of connected socket @fd, or a refusal: a peer in another
 * mount namespace or root, one with no_new_privs, one with a security label
 * that a job could not be given, one whose process is not of that one user and
 * group alone (CORDON_E_DENIED, remedy: embedded mode).
 * @embedded skips the refusals: broker and caller are the same.
 */
CORDON_MUST_USE enum cordon_err peer_identify(int fd, bool embedded, struct platform_peer *ret_peer,
                                              struct cordon_fault *fault);
void peer_deinit(struct platform_peer *peer);
/* What a worker needs to know of @peer for itself, beyond its life. CORDON_E_NOMEM, CORDON_E_OS. */
CORDON_MUST_USE enum cordon_err peer_copy_key(const struct platform_peer *peer,
                                              struct platform_peer *ret_key);
/*
 * What the user database is asked about @peer: the arguments of `cordond --lookup`, NULL behind the
 * last, in one block for free(). Of its groups at most @groups_max. CORDON_E_NOMEM, CORDON_E_OS.
 */
CORDON_MUST_USE enum cordon_err peer_words(const struct platform_peer *peer, size_t groups_max,
                                           char ***ret_words);
/* Same uid, gid, groups and label: may share a worker. */
bool peer_same_key(const struct platform_peer *a, const struct platform_peer *b);

/* One layer of this host with its evidence, for doctor and the plan. */
struct platform_layer {
    const char *name; /* "landlock" */
    bool available;
    bool needed;        /* without it every job is refused */
    char evidence[160]; /* "ABI 7" or the error */
    const char *remedy; /* what makes it available */
    const char *since;  /* "5.13 / none: mounts only" */
};
#define PLATFORM_LAYERS_MAX 24U

struct platform_probe {
    struct plan_host host; /* what plans are made from */
    struct platform_layer layers[PLATFORM_LAYERS_MAX];
    size_t layer_count;
};

/* What is to be started, as far as a plan depends on it. */
struct platform_start {
    bool embedded;
    bool keep;           /* the same may be asked again: what was found is to be kept in mind */
    uint32_t host;       /* enum ipc_host, as the supervisor told */
    const char *cwd;     /* absolute */
    const char *program; /* argv[0]; NULL: none in particular (a plan is only printed) */
    const char *search;  /* PATH of the job; NULL: the system's default */
};

/* Facts about a policy's paths, and the objects held open; worker side. */
struct platform_resolved {
    struct plan_facts facts;
    int *own_fds; /* O_PATH, parallel to policy->own.rules; -1 where there is none */
    size_t own_count;
    int *socket_fds; /* parallel to policy->unix_sockets */
    size_t socket_count;
    struct platform_kept *kept; /* the back end's; NULL: good for this once */
};

/* What an order is made of. Everything is borrowed. */
struct platform_parts {
    const struct policy *policy;
    const struct plan *plan;
    struct platform_resolved *resolved;
    int own_fd;  /* sealed memfd: the profile's table */
    int channel; /* the job's end */
    int cwd_fd;
};

/* A spawn order ready to send; descriptors are owned. */
struct platform_order {
    int fds[IPC_FDS_MAX]; /* in the order of enum ipc_spawn_fd */
    size_t fd_count;
};

/* What the supervisor starts a job from. Everything is borrowed. */
struct platform_spawn {
    uint64_t job;
    bool embedded;
    const struct platform_peer *peer;
    const struct policy *managed;       /* allowances and rules; never NULL */
    int managed_table;                  /* sealed memfd: the DFA of its rules */
    const struct policy_limits *limits; /* the managed ones, and what the worker asked for */
    int *fds; /* as received with IPC_SPAWN: hostile; what spawn() keeps it sets to -1 */
    size_t fd_count;
};

struct platform_job;

/* What people are told of a job. */
struct platform_about {
    int32_t pid;        /* of its first process, as this process sees it; only to be shown */
    uint32_t mechanism; /* enum ipc_mechanism; 0: nothing of it is decided at each access */
};

/* No back end keeps more of one job's denials than this until violation() is called. */
#define PLATFORM_DENIALS_MAX 4096U

#define PLATFORM_TEND_MORE 1U

struct platform {
    const char *name; /* "linux", "null" */
    enum policy_os os;

    /* What this host can enforce, each with evidence. Cheap; no side effects. */
    void (*probe)(struct platform_probe *ret_probe);

    /*
     * Looks at the disk as the caller, except for what the program needs. @ret is released with
     * resolved_release, before @policy and @arena.
     */
    enum cordon_err (*resolve)(const struct policy *policy, const struct platform_start *start,
                               struct arena *arena, struct platform_resolved *ret_resolved,
                               struct cordon_fault *fault);
    void (*resolved_release)(struct platform_resolved *resolved);
    /* True: resolve() would find the same now; only with @kept, after an order was made of it. */
    bool (*resolved_holds)(const struct platform_resolved *resolved);
    /* What start->program cannot start without, as far as a plan looks at that; in @arena. */
    enum cordon_err (*needed)(const struct platform_start *start, struct arena *arena,
                              struct plan_facts *facts);

    /* Pure; may run for another OS than this host's, see plan_for_os(). */
    enum cordon_err (*plan)(const struct policy *policy, const struct plan_facts *facts,
                            struct arena *arena, struct plan **ret_plan,
                            struct cordon_fault *fault);

    /*
     * Puts the parts together; descriptors are duplicated. Close ret_order->fds when sent. With
     * @kept no object stays open between one order and the next: it would keep a mount in use.
     * CORDON_E_AGAIN: what resolve() found is not so any more, for a second order of it.
     */
    enum cordon_err (*order)(const struct platform_parts *parts, struct platform_order *ret_order,
                             struct cordon_fault *fault);

    /* Checks a hostile order against the managed policy and starts the job. */
    enum cordon_err (*spawn)(const struct platform_spawn *spawn, struct platform_job **ret_job,
                             struct cordon_fault *fault);
    /* Readable when poll() or violation() has something to say. Borrowed. */
    int (*watch_fd)(const struct platform_job *job);
    /*
     * The next report. CORDON_E_AGAIN: nothing yet. RUNNING comes first, unless the command ended
     * at once: the other kinds say whether it ran. After any of those the command and all that it
     * started are gone; with @more set it is told once more when nothing is left and its use is
     * known, else it is the last.
     */
    enum cordon_err (*poll)(struct platform_job *job, struct ipc_report *ret_report);
    /*
     * The next denial. CORDON_E_AGAIN: none now; once poll() has given its last report, none any
     * more. Records and the denials that they count as lost are together all there were, whatever
     * ended the job. Everything in a record is within its bounds.
     */
    enum cordon_err (*violation)(struct platform_job *job, struct ipc_violation *ret_violation);
    void (*about)(const struct platform_job *job, struct platform_about *ret_about);
    /* Sends @signo to the command; SIGKILL ends the whole tree. */
    enum cordon_err (*signal)(struct platform_job *job, int signo);
    /*
     * Kills what is left, undoes, frees; waits for milliseconds at most. What does not end then
     * tend() looks after, and its user gets no further job when he has many of it. NULL is allowed.
     */
    void (*release)(struct platform_job *job);
    /* Removes what a dead broker left (cgroups, runtime directories). */
    void (*cleanup)(bool embedded);

    /* Somebody has come who may want a job soon: makes ready what any job saves itself by. */
    void (*expect)(bool embedded);
    /*
     * To be called a little after a spawn, when its caller has what he wants: makes one thing ready
     * that the next spawn may save itself, or gives back what was not wanted for long, or what was
     * killed before and is gone now. Returns in how many milliseconds to call it again: 0, not
     * before the next spawn; PLATFORM_TEND_MORE, there is more to make.
     */
    uint32_t (*tend)(void);
    /* Readable when tend() is to be called sooner than it said. Borrowed; -1: there is none. */
    int (*tend_fd)(void);
    /* Gives back everything that is ready, and what it would be made from. */
    void (*forget)(void);
};

/* The back end of this host, and the one for tests that enforces nothing. */
const struct platform *platform_host(void);
const struct platform *platform_null(void);

/*
 * What travels on the channel between a worker and its cordon-init once that
 * has become the caller: one SOCK_SEQPACKET datagram each way.
 * Worker to init: struct channel_command; descriptors: the strings' memfd, then
 * stdin, stdout, stderr as far as @stdio_mask says.
 * Init to worker: struct channel_answer; with CHANNEL_PTY one descriptor, the
 * master of the job's terminal.
 */
#define CHANNEL_MAGIC 0x4e414843U
enum channel_flag { CHANNEL_PTY_IN = 1, CHANNEL_PTY_OUT = 2, CHANNEL_PTY_ERR = 4 };
struct channel_command {
    uint32_t magic;
    uint32_t argc; /* the memfd holds argc, then envc NUL-terminated strings */
    uint32_t envc;
    uint32_t strings_len;
    uint32_t stdio_mask; /* bit n: descriptor n is sent; else /dev/null */
    uint32_t pty;        /* enum channel_flag: descriptor n is the job's terminal */
    uint16_t rows, cols;
};
struct channel_answer {
    uint32_t magic;
    uint32_t has_pty;
};

#endif
