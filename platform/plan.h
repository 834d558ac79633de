/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan: the ordered, OS-specific steps that make an effective policy real.
 * Pure data, made from a policy and from facts that somebody else looked up;
 * the planners of all three systems compile and run on every host. Everything
 * a plan points to lives in the arena it was made with, in the policy's arena
 * or in the facts, so those must outlive it.
 */
#ifndef CORDON_PLATFORM_PLAN_H
#define CORDON_PLATFORM_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/arena.h"
#include "platform/base/err.h"
#include "platform/base/strbuf.h"
#include "policy/types.h"

/* ---- facts: what `resolve` saw, as the caller ---- */

/* What a path leads to once every symbolic link in it was followed. */
enum plan_object {
    PLAN_MISSING, /* nothing, or a dangling link */
    PLAN_FILE,
    PLAN_DIRECTORY,
    PLAN_OTHER /* socket, device, fifo */
};

struct plan_fact {
    enum plan_object object;
    bool link;            /* the last component itself is a symbolic link, dangling or not */
    const char *resolved; /* absolute, normalised, free of links; of a missing path the longest
                             existing parent's, with the rest appended. NULL: as the rule says */
    bool nameless;        /* granted for writing, on a file system that tells nobody of renames */
    const char *gitdir;   /* absolute: the directory that a file ".git" names; else NULL */
    size_t there_len;     /* PLAN_MISSING: bytes of the path that lead to something; 0: unknown */
};

/* Of a control group. */
enum plan_controller {
    PLAN_CONTROLLER_MEMORY = 1U,
    PLAN_CONTROLLER_PIDS = 2U,
    PLAN_CONTROLLER_CPU = 4U,
    PLAN_CONTROLLER_ALL = 7U
};

/* What a glob of the policy matched when somebody looked; where nothing decides at each access. */
struct plan_match {
    uint8_t set; /* enum plan_set */
    uint32_t rule;
    const char *path; /* as found: links in it, and at its end, are not followed */
    struct plan_fact fact;
};

/* What the host offers to enforce with. */
struct plan_host {
    uint32_t landlock_abi; /* 0: none */
    bool user_namespaces;  /* the caller may create one */
    uint32_t controllers;  /* enum plan_controller: what the service has to limit jobs with */
    bool bpf;              /* a program of ours in the kernel decides at each access */
    bool fanotify;         /* a guard of the job's does, asked by fanotify */
};

struct plan_windows_facts;

struct plan_facts {
    const struct plan_fact *managed; /* one per policy->managed.rules; globs: all zero */
    const struct plan_fact *own;     /* one per policy->own.rules; globs: all zero */
    bool privileged;                 /* planned for the service; else embedded mode */
    bool superuser;                  /* the caller is root */
    struct plan_host host;
    const char *cwd; /* the job's working directory, resolved, absolute */
    enum plan_object cwd_object;
    const char *const *needed; /* resolved paths the command cannot start without: the program,
                                  its interpreter, the loader; needed_count of them */
    size_t needed_count;
    const char *principal; /* Windows: SID of the job's principal; macOS, Linux: NULL */
    const struct plan_windows_facts *windows; /* of a Windows host; NULL: none is looked at */
    const struct plan_match *matches;         /* of both sets; a planner fills in its own copy */
    size_t match_count;
};

/* ---- the plan ---- */

enum plan_set { PLAN_SET_NONE, PLAN_SET_MANAGED, PLAN_SET_OWN };

#define PLAN_NO_RULE UINT32_MAX

struct plan_step {
    uint16_t op;      /* enum plan_linux_op, plan_macos_op or plan_windows_op */
    uint16_t flags;   /* PLAN_STEP_* */
    uint8_t set;      /* enum plan_set: whose rule asks for it */
    uint32_t rule;    /* index into that set's rules, or PLAN_NO_RULE */
    uint32_t value;   /* a number; its meaning is the op's; else 0 */
    const char *path; /* absolute; NULL where the op has none */
    const char *text; /* what else the op needs; NULL where it needs nothing */
};

/* What `path` is; exactly one of DIR, FILE and LINK where the op says "kind". */
#define PLAN_STEP_DIR 0x01U  /* a directory */
#define PLAN_STEP_FILE 0x02U /* anything else that is no link */
#define PLAN_STEP_LINK 0x04U /* the symbolic link itself, not what it leads to */
#define PLAN_STEP_OPEN 0x08U /* something below is bound in again by a later step */

/* How far a rule holds (DESIGN.md section 6). */
enum plan_level {
    PLAN_KERNEL,      /* decided at each access, by name and by object */
    PLAN_NAME_ONLY,   /* decided at each access, by name only */
    PLAN_OBJECT_ONLY, /* decided at each access, by object only */
    PLAN_SNAPSHOT     /* holds for the objects found at start */
};

struct plan_label {
    enum plan_level level;
    const char *note; /* a reservation, for people; NULL: none */
};

struct plan {
    enum policy_os os;
    struct plan_step *steps; /* in the order they are to be applied */
    size_t step_count;
    struct plan_label *managed; /* one per policy->managed.rules */
    struct plan_label *own;     /* one per policy->own.rules */
    const char **notices;       /* for the caller, a line each */
    size_t notice_count;
};

/*
 * One planner. Pure. On CORDON_OK *ret_plan lives in @arena.
 *
 * CORDON_E_UNSUPPORTED  this back end cannot enforce a rule; the fault names the
 *                       rule, its origin and the remedy
 * CORDON_E_DENIED       the policy denies what the command cannot do without:
 *                       its working directory, a needed path, "/"
 * CORDON_E_NOT_FOUND    a workspace root or the working directory is missing
 * CORDON_E_NOMEM        the arena is exhausted
 */
typedef enum cordon_err plan_fn(const struct policy *policy, const struct plan_facts *facts,
                                struct arena *arena, struct plan **ret_plan,
                                struct cordon_fault *fault);

/* The planner of @os: plan_linux(), plan_macos() or plan_windows(). */
CORDON_MUST_USE enum cordon_err plan_for_os(enum policy_os os, const struct policy *policy,
                                            const struct plan_facts *facts, struct arena *arena,
                                            struct plan **ret_plan, struct cordon_fault *fault);

/* Stable lower-case words; never NULL ("?" for an op that @os does not have). */
const char *plan_os_name(enum policy_os os);
const char *plan_op_name(enum policy_os os, uint16_t op);
const char *plan_level_name(enum plan_level level);
const char *plan_access_name(enum policy_access access);

/* "permissions.dev.filesystem, /home/a/.codex/config.toml:4" */
void plan_origin_text(const struct policy_origin *origin, struct strbuf *out);

/* "deny \"~/.ssh\" (permissions.dev.filesystem, /home/a/.codex/config.toml:4:1)" */
void plan_rule_text(const struct policy_rule *rule, struct strbuf *out);

/* The whole plan as stable text for people and golden files, or as one JSON object. */
void plan_print(const struct plan *plan, const struct policy *policy, bool json,
                struct strbuf *out);

#endif
