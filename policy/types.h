/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a policy is, once every layer has been read and merged. Plain values:
 * all pointers lead into the arena the policy was loaded with.
 */
#ifndef CORDON_POLICY_TYPES_H
#define CORDON_POLICY_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "platform/base/err.h"

enum policy_os { POLICY_OS_LINUX, POLICY_OS_MACOS, POLICY_OS_WINDOWS };

/* Whether names there that differ in case alone are one. */
static inline bool policy_folds_case(enum policy_os os)
{
    return os != POLICY_OS_LINUX;
}

/* Where a rule was written; managed layers first. */
enum policy_layer {
    LAYER_MANAGED_CODEX, /* /etc/codex/requirements.toml */
    LAYER_MANAGED,       /* /etc/cordon/requirements.toml, then requirements.d */
    LAYER_USER_CODEX,    /* $CODEX_HOME/config.toml */
    LAYER_USER,          /* ~/.config/cordon/config.toml */
    LAYER_COMMAND_LINE,  /* -c, -s, -P */
    LAYER_BUILTIN        /* what cordon adds by itself */
};

struct policy_origin {
    enum policy_layer layer;
    const char *file; /* NULL for LAYER_COMMAND_LINE and LAYER_BUILTIN */
    uint32_t line;    /* from 1; 0 where there is no file */
    uint32_t column;  /* from 1; 0 where there is no file */
    const char *key;  /* "deny_read[2]", "permissions.dev.filesystem.\"~/.ssh\"" */
};

/* What a rule says about the paths it covers. A rule covers its path's subtree. */
enum policy_access {
    ACCESS_DENY,       /* no content, listing, execution, change, ... (POLICY.md section 1) */
    ACCESS_DENY_WRITE, /* no change; reading is left to the other rules */
    ACCESS_READ,       /* read and execute */
    ACCESS_WRITE       /* read, execute and change */
};

struct policy_rule {
    const char *pattern; /* absolute, normalised: no ".", "..", "//", no trailing '/'; or "/" */
    size_t pattern_len;  /* bytes; at most POLICY_PATTERN_MAX */
    bool glob;           /* only with ACCESS_DENY and ACCESS_DENY_WRITE */
    enum policy_access access;
    const char *spelled; /* as its author wrote it */
    struct policy_origin origin;
};

#define POLICY_PATTERN_MAX 4096U
#define POLICY_RULES_MAX 65535U

/* Managed rules and a profile's rules are two sets and never mixed. */
struct policy_ruleset {
    struct policy_rule *rules;
    size_t count;
};

enum policy_enforcement { ENFORCE_SNAPSHOT, ENFORCE_KERNEL };

/* Why a rule of the policy is in force only partly; one line for doctor and the log. */
struct policy_warning {
    struct policy_origin origin;
    const char *text;
};

/* What a job may use, by the keys of [cordon.limits]. */
enum policy_limit {
    LIMIT_MEMORY_MIB,
    LIMIT_PIDS,        /* processes and threads */
    LIMIT_CPU_PERCENT, /* of one processor */
    LIMIT_OPEN_FILES,  /* of each process */
    LIMIT_WALL_S,
    POLICY_LIMIT_COUNT
};

struct policy_limit_value {
    uint32_t value; /* 0: not limited */
    struct policy_origin origin;
};

/* Both hold: of two values the lesser. */
struct policy_limits {
    struct policy_limit_value managed[POLICY_LIMIT_COUNT];
    struct policy_limit_value own[POLICY_LIMIT_COUNT]; /* of profile and configuration */
};

/* [cordon.audit] of the managed layers; NULL / 0: not set. */
struct policy_audit {
    const char *level; /* "off", "jobs" or "all" */
    const char *sink;  /* absolute path of a file; NULL: the journal */
    struct policy_origin sink_origin;
    const char **redact; /* regular expressions, uncompiled; redact_count of them */
    size_t redact_count;
};

/* The effective policy of one job: a profile narrowed by the managed layers. */
struct policy {
    enum policy_os os;
    const char *profile;            /* ":workspace", "dev"; never NULL */
    struct policy_origin chosen_by; /* what selected the profile */
    bool full_access;               /* danger-full-access: only managed rules hold */
    bool network;                   /* the host's network */
    struct policy_ruleset managed;  /* ACCESS_DENY and ACCESS_DENY_WRITE only */
    struct policy_ruleset own;      /* the profile's, protected metadata included */
    const char **workspace_roots;   /* absolute, normalised */
    size_t workspace_root_count;
    const char **unix_sockets; /* host sockets a job may reach; absolute */
    size_t unix_socket_count;
    uint32_t glob_scan_max_depth;            /* 0: unbounded */
    enum policy_enforcement minimum_managed; /* least level for managed rules */
    enum policy_enforcement minimum_own;     /* least level for the profile's */
    bool managed_allows_write;               /* a managed layer allows a writing mode */
    bool managed_allows_full_access;         /* ... danger-full-access */
    struct policy_limits limits;
    struct policy_audit audit;
    struct policy_warning *warnings;
    size_t warning_count;
};

#endif
